"""What commands and the site say of a store without its manifest: one line, and nothing is deleted."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from core.store.generations.store import Store
from tests.site import ask_health, serving, text_of
from tests.store.steps import facts_of, load_made_file
from tests.stores import listing

BATCH = "0" * 32

COMMANDS = (
    ("ingest_mrf", "--state", "GA", "{directory}/0.json"),
    ("load_benchmark", "medicare_prof", "{directory}/0.json"),
    ("load_nppes", "{directory}/0.json"),
    ("load_places", "{directory}/0.json"),
    ("load_codes", "{directory}/0.json"),
    ("dq_check",),
    ("dq_check", "--no-record"),
    ("correct_rates", "--list"),
    ("correct_rates", "--batch", BATCH, "--dry-run"),
    ("correct_rates", "--batch", BATCH, "--reason", "wrong"),
    ("correct_rates", "--undo", "1"),
    ("compact", "--dry-run"),
    ("compact",),
    ("reshard", "--to", "monthly"),
    ("copy_by_group",),
    ("upgrade",),
)


@pytest.fixture(params=["missing", "empty"])
def lost(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return a store of two generations that has lost its manifest, which commands and pages use."""
    store = Store(tmp_path / "data")
    load_made_file(store, tmp_path, 0)
    load_made_file(store, tmp_path, 1)
    store.manifest_path.rename(tmp_path / "manifest.json")
    if request.param == "empty":
        store.manifest_path.touch()
    with serving(store.root):
        yield store


def test_every_command_refuses_it_with_one_line_and_deletes_nothing(lost: Store, tmp_path: Path) -> None:
    before = listing(lost.root)
    for name, *arguments in COMMANDS:
        errors = StringIO()
        with pytest.raises(CommandError) as failed:
            call_command(name, *(one.format(directory=tmp_path) for one in arguments), stdout=StringIO(), stderr=errors)
        said = f"{failed.value}{errors.getvalue()}"
        assert "manage.py store rollback 2" in said, (name, said)
        assert "\n" not in str(failed.value)
        assert listing(lost.root) == before, name
    (tmp_path / "manifest.json").rename(lost.manifest_path)
    assert facts_of(lost)


def test_the_site_refuses_it_and_tells_the_operator_why(lost: Store) -> None:
    client = Client()
    for address in ("/", "/rates/", "/payers/"):
        page = client.get(address)
        assert page.status_code == 503
        assert "manage.py" not in text_of(page)
        assert "No rates yet" not in text_of(page)
    ready = ask_health("/readyz")
    assert ready.status == 503
    assert ready.text.endswith("manage.py store rollback 2\n")
    assert ready.text.count("\n") == 1
    answer = client.get("/api/v1/coverage")
    assert answer.status_code == 503
    assert b"manage.py" not in answer.content
    assert str(lost.root).encode() not in answer.content
