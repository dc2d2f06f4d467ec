"""What a command imports before it does anything: a small file is loaded in less time than a site needs to start."""

import json
from pathlib import Path

import pytest

from tests.fixture_types import Manage
from tests.rate_files import file_of, item_of

UNUSED = {"django.urls", "django.db.models", "django.forms", "pydantic", "httpcore2", "anyio", "core.quality"}
"""What loading a file from disk has no use for. Importing all of it takes longer than loading a megabyte."""


def test_loading_a_small_file_imports_nothing_in_vain(manage: Manage, tmp_path: Path) -> None:
    path = tmp_path / "2025-08-01_payer.json"
    path.write_text(json.dumps(file_of(item_of(1))))
    done = manage("ingest_mrf", "--state", "GA", path, env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert "1 rows read: 1 added" in done.stdout, done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "core.load.load_file" in imported
    assert not imported & UNUSED


@pytest.mark.parametrize("arguments", [("help",), ("check",)], ids=str)
def test_commands_of_django_itself_still_run(arguments: tuple[str, ...], manage: Manage) -> None:
    done = manage(*arguments)
    assert done.returncode == 0, done.stderr
