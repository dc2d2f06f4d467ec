"""Answers are told apart by the version of the program, and stay the same across restarts."""

import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from core.pages.shared import program_version
from core.pages.shared.program_version import hash_program
from tests.pages.markets import QUERY
from tests.paths import ROOT


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return a copy of the program."""
    copy = tmp_path / "program"
    for name in ("beaconpoint", "core", "templates", "static", "docs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "data"))
    shutil.copy(ROOT / "uv.lock", copy)
    return copy


def test_the_version_is_that_of_the_files_wherever_and_whenever_it_is_computed(program: Path) -> None:
    assert hash_program(program) == hash_program(ROOT)


@pytest.mark.parametrize(
    "name",
    ["templates/base.html", "static/site.css", "core/pages/home.py", "beaconpoint/settings.py", "docs/method.md",
     "uv.lock", "templates/new.html", "core/new/room.py", "staticfiles/staticfiles.json"],
)  # fmt: skip
def test_a_change_of_any_file_is_another_version(program: Path, name: str) -> None:
    before = hash_program(program)
    path = program / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((path.read_bytes() if path.exists() else b"") + b"\n")
    assert hash_program(program) != before


def test_a_change_of_any_kind_of_file_is_another_version(program: Path) -> None:
    """Tables in Jinja2 and words in TOML were no part of it: browsers kept pages that an upgrade had changed."""
    of_suffix = {path.suffix: path for path in sorted(program.rglob("*")) if path.is_file()}
    assert {".jinja", ".toml", ".html", ".py", ".md"} <= set(of_suffix)
    for path in of_suffix.values():
        before = hash_program(program)
        path.write_bytes(path.read_bytes() + b"\n")
        assert hash_program(program) != before, path


@pytest.mark.parametrize("name", ["core/data/files/1.py", "core/__pycache__/x.py", "tests/new.py"])
def test_data_and_compiled_code_are_no_part_of_the_version(program: Path, name: str) -> None:
    before = hash_program(program)
    path = program / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    assert hash_program(program) == before


def test_a_page_is_sent_again_after_a_change_of_the_program_only(
    site: Client, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restart() -> None:
        program_version._version_at_start.cache_clear()

    monkeypatch.setattr(settings, "BASE_DIR", program)
    restart()
    for address in ("/rates/", "/api/v1/rates"):
        tag = site.get(address, QUERY)["ETag"]
        restart()
        assert site.get(address, QUERY, headers={"If-None-Match": tag}).status_code == 304
        (program / "templates" / "base.html").write_text(address)
        restart()
        answer = site.get(address, QUERY, headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert answer["ETag"] != tag
    monkeypatch.undo()
    restart()
