"""What commands and the site say of a damaged file: one line that names it, and 503."""

import re
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from core.store.generations.store import Store
from tests.built_once import BuiltOnce
from tests.site import ask_health, serving, text_of
from tests.store.damage import cut_short, flip_bit
from tests.store.steps import made_store
from tests.stores import listing

BATCH = "0" * 32

COMMANDS = (
    ("ingest_mrf", "--state", "GA", "{directory}/2.json"),
    ("dq_check",),
    ("dq_check", "--no-record"),
    ("correct_rates", "--list"),
    ("correct_rates", "--batch", BATCH, "--dry-run"),
    ("correct_rates", "--batch", BATCH, "--reason", "wrong"),
    ("compact",),
    ("reshard", "--to", "monthly"),
    ("copy_by_group",),
)

DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "cut short": lambda path: cut_short(path, path.stat().st_size // 2),
}


@pytest.fixture
def served(built_once: BuiltOnce, tmp_path: Path) -> Iterator[Store]:
    """Return a store of three generations that commands and pages use."""
    store = made_store(built_once, tmp_path, (0, "GA"), (1, "GA"), (2, "GA"))
    with serving(store.root):
        yield store


def fact_file(store: Store) -> Path:
    (file,) = store.loaded().tables["fact_rate"]
    return store.root / file.path


@pytest.mark.parametrize("damage", DAMAGES)
def test_commands_name_the_file_in_one_line(served: Store, tmp_path: Path, damage: str) -> None:
    path = fact_file(served)
    DAMAGES[damage](path)
    before = listing(served.root)
    for name, *arguments in COMMANDS:
        with pytest.raises(CommandError) as failed:
            call_command(
                name, *(one.format(directory=tmp_path) for one in arguments), stdout=StringIO(), stderr=StringIO()
            )
        assert str(failed.value).startswith(f"table fact_rate: files/{path.name} "), name
        assert str(failed.value).endswith("go back to generation 2: manage.py store rollback 2"), name
        assert "\n" not in str(failed.value)
        assert listing(served.root) == before, name


def test_dq_check_finds_a_flipped_bit(served: Store) -> None:
    path = fact_file(served)
    flip_bit(path, 4 * path.stat().st_size)
    with pytest.raises(
        CommandError, match=f"table fact_rate: files/{re.escape(path.name)} has other bytes than were written"
    ):
        call_command("dq_check", stdout=StringIO(), stderr=StringIO())


@pytest.mark.parametrize("open_before", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_the_site_answers_503_and_names_the_file(served: Store, damage: str, open_before: bool) -> None:
    client = Client()
    if open_before:
        assert client.get("/").status_code == 200
        assert ask_health("/readyz").status == 200
    path = fact_file(served)
    DAMAGES[damage](path)
    # It does not look at the files each time it is asked.
    while (ready := ask_health("/readyz")).status == 200:
        time.sleep(0.05)
    assert ready.status == 503
    assert ready.text.startswith(f"table fact_rate: files/{path.name} ")
    assert ready.text.count("\n") == 1
    page = client.get("/rates/?state=GA&year_month=2025-08&code_type=CPT&code=70001", follow=True)
    assert page.status_code == 503
    assert f"A file of the table fact_rate is damaged (files/{path.name})" in text_of(page)
    assert "manage.py" not in text_of(page)
    answer = client.get("/api/v1/rates?state=GA&year_month=2025-08&code_type=CPT&code=70001")
    assert answer.status_code == 503
    assert f"A file of the table fact_rate is damaged (files/{path.name})" in answer.json()["detail"]
    assert ask_health("/healthz").status == 200


def test_store_verify(served: Store) -> None:
    out = StringIO()
    call_command("store", "verify", "--deep", stdout=out)
    assert re.fullmatch(r"\d+ files of 3 generations are sound: 0\.\d MB\n", out.getvalue())
    path = fact_file(served)
    flip_bit(path, 4 * path.stat().st_size)
    with pytest.raises(CommandError, match=r"^1 of \d+ files are damaged$"):
        call_command("store", "verify", stdout=out)
    (line,) = out.getvalue().splitlines()[1:]
    assert line == (
        f"table fact_rate: files/{path.name} has other bytes than were written; restore it from a backup, or go back "
        "to generation 2: manage.py store rollback 2"
    )
    call_command("store", "rollback", "2", stdout=out)
    call_command("correct_rates", "--list", stdout=out)
    assert ask_health("/readyz").status == 200
