"""Phrases of a search that name a page of the site."""

import pytest

from core.vocabulary.page_words import NamedPage, find_named_page


@pytest.mark.parametrize(
    ("text", "page", "rest", "only_code"),
    [
        ("workers comp georgia 99213", "compensation", "georgia 99213", True),
        ("Workers’ Compensation fee schedule GA", "compensation", "fee schedule GA", True),
        ("worker's comp", "compensation", "", True),
        ("99213 workmans comp", "compensation", "99213", True),
        ("workers comp knee mri", "compensation", "knee mri", False),
        ("medicare rates", "medicare", "rates", True),
        ("medicare 99213 99214", "medicare", "99213 99214", False),
        ("knee mri medicare tx", "medicare", "knee mri tx", False),
    ],
)
def test_a_page_is_named(text: str, page: str, rest: str, only_code: bool) -> None:
    named = find_named_page(text)
    assert named is not None
    assert (named.page, named.rest, named.only_code is not None) == (page, rest, only_code)


@pytest.mark.parametrize("text", ["Medicare Advantage plans", "medicare supplement", "workers clinic", "comp", ""])
def test_other_names_are_no_page(text: str) -> None:
    assert find_named_page(text) is None


def test_the_longest_phrase_is_taken_out() -> None:
    assert find_named_page("work comp 73721") == NamedPage("compensation", "work comp", "73721")
