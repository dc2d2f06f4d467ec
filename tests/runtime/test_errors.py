"""Errors for the user are one line."""

import pytest

from core.runtime.errors import BeaconError, FetchError, NotJsonError, PayerFileError, ReferenceFileError


def test_the_text_of_an_error_is_one_line() -> None:
    assert str(BeaconError("two\n  lines\tand blanks ")) == "two lines and blanks"


@pytest.mark.parametrize("kind", [PayerFileError, NotJsonError, ReferenceFileError, FetchError])
def test_every_error_for_the_user_is_of_one_family(kind: type[BeaconError]) -> None:
    assert issubclass(kind, BeaconError)
    assert str(kind("a  b")) == "a b"


def test_a_file_that_is_not_json_cannot_be_loaded() -> None:
    assert issubclass(NotJsonError, PayerFileError)


def test_a_fetch_error_with_more_words_keeps_what_it_says_about_a_retry() -> None:
    error = FetchError("busy", temporary=True, after=3.0, host_failed=True).with_more("(3 of 3)")
    assert str(error) == "busy (3 of 3)"
    assert (error.temporary, error.after, error.host_failed) == (True, 3.0, True)
    plain = FetchError("gone")
    assert (plain.temporary, plain.after, plain.host_failed) == (False, None, False)
