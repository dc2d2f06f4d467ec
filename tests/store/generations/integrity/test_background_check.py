"""A server finds a flipped bit in a file that it answers from, and recovers when the file is restored."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from core import open_store
from core.store.generations.integrity import background_check
from core.store.generations.integrity.background_check import BackgroundCheck
from core.store.generations.integrity.damage import DamagedFileError
from core.store.generations.store import Store
from tests.site import ask_health, serving
from tests.store.damage import flip_bit
from tests.stores import change


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.01)


def is_refused(check: BackgroundCheck, store: Store) -> bool:
    try:
        check.expect_sound(store.loaded())
    except DamagedFileError:
        return True
    return False


@pytest.fixture
def check(store: Store) -> BackgroundCheck:
    change(store, "a")
    return BackgroundCheck(store.root, again_after=0.05)


def bridge(store: Store) -> Path:
    return Path(store.paths("dim_payer_bridge")[0])


def test_a_flipped_bit_is_found_and_its_repair_as_well(store: Store, check: BackgroundCheck) -> None:
    flip_bit(bridge(store), 500)
    wait_until(lambda: is_refused(check, store))
    with pytest.raises(DamagedFileError, match=r"table dim_payer_bridge: .* has other bytes than were written"):
        check.expect_sound(store.loaded())
    flip_bit(bridge(store), 500)
    wait_until(lambda: not is_refused(check, store))


def test_a_generation_without_the_damaged_file_is_read(store: Store, check: BackgroundCheck) -> None:
    flip_bit(bridge(store), 500)
    wait_until(lambda: is_refused(check, store))
    change(store, "b")
    assert not is_refused(check, store)


def test_files_of_a_new_generation_are_checked_and_the_others_not_again(store: Store, check: BackgroundCheck) -> None:
    check.expect_sound(store.loaded())
    wait_until(lambda: not check.running)
    for path in (store.root / "files").glob("dim_code.*"):
        flip_bit(path, 300)  # not noticed: it has been read
    change(store, "b")
    flip_bit(bridge(store), 500)
    wait_until(lambda: is_refused(check, store))
    with pytest.raises(DamagedFileError, match="table dim_payer_bridge"):
        check.expect_sound(store.loaded())


def test_a_check_that_fails_is_told_and_the_next_generation_is_checked(
    store: Store, check: BackgroundCheck, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("not expected")

    with monkeypatch.context() as patch:
        patch.setattr(background_check, "find_problem", fail)
        check.expect_sound(store.loaded())
        wait_until(lambda: not check.running)
    assert "the files of generation 1 have not all been checked" in caplog.text
    change(store, "b")
    flip_bit(bridge(store), 500)
    wait_until(lambda: is_refused(check, store))


def test_the_site_answers_503_once_a_flipped_bit_is_found(store: Store) -> None:
    change(store, "a")
    with serving(store.root):
        open_store.check_files_in_background()
        flip_bit(bridge(store), 500)
        wait_until(lambda: ask_health("/readyz").status == 503)
        assert ask_health("/readyz").text.startswith("table dim_payer_bridge: files/dim_payer_bridge.000001")
        page = Client().get("/")
    assert page.status_code == 503
    assert "A file of the table dim_payer_bridge is damaged" in page.content.decode()
