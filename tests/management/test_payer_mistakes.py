"""What ingest_mrf prints about files with mistakes, and its exit status."""

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.rate_files import file_of, item_of
from tests.site import serving
from tests.zip_files import zip_of


def ingest(root: Path, *arguments: Any) -> tuple[str, str]:
    """Run the command and return what it prints on stdout and stderr; the error, if it fails, comes last."""
    out, err = StringIO(), StringIO()
    root.mkdir(exist_ok=True)
    with serving(root):
        try:
            call_command("ingest_mrf", *map(str, arguments), "--state", "GA", stdout=out, stderr=err)
        except CommandError as error:
            err.write(f"Error: {error}\n")
    return out.getvalue(), err.getvalue()


def content(number: int, **root: Any) -> bytes:
    return json.dumps(file_of(item_of(number), **root)).encode()


def test_each_member_of_a_zip_file_is_loaded_or_refused_by_itself(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("p1.json", content(1)[:-9]), ("readme.txt", b"hi"), ("p2.json", content(2)))
    for added in (1, 0):
        out, err = ingest(tmp_path / "data", path)
        assert "a.zip: skipped, as not data: readme.txt" in out
        assert f"1 files loaded: 1 rows read, {added} added; 1 not loaded" in out
        assert err.startswith("Error: a.zip/p1.json: the JSON ends at byte")
        assert "cut short" in err


def test_a_readme_is_skipped_and_everything_is_well(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("readme.txt", b"hello"), ("a.json", content(1)), ("__MACOSX/._a.json", b"junk"))
    out, err = ingest(tmp_path / "data", path)
    assert "skipped, as not data: readme.txt, __MACOSX/._a.json" in out
    assert err == ""


def test_what_was_odd_is_printed(tmp_path: Path) -> None:
    members = [{"npi": [1912951245], "tin": {"type": "ssn", "value": "123-45-6789"}}]
    odd = file_of(
        item_of(1), {"billing_code": "1"}, provider_references=[{"provider_group_id": 1, "provider_groups": members}]
    )
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(json.dumps(odd).encode()) + b"twelve bytes")
    out, err = ingest(tmp_path / "data", path)
    for line in (
        "1 items without rates",
        "personal tax number withheld in 1 provider groups",
        "12 extra bytes after the end of the gzip stream were ignored",
    ):
        assert f"  {line}\n" in out
    assert err == ""
    assert "123-45" not in out


@pytest.mark.parametrize("items", [[{"billing_code_type": "CPT", "billing_code": "1"}], [item_of("none")]])
def test_a_file_with_items_and_no_rate_warns(tmp_path: Path, items: list[Any]) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(file_of(*items)))
    _, err = ingest(tmp_path / "data", path)
    assert "warning: a.json: 1 items and no rate that could be read" in err
    assert "Error" not in err


def test_a_payer_that_is_not_named_has_an_option(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content(1, reporting_entity_name="N/A", last_updated_on=None))
    _, err = ingest(tmp_path / "data", path)
    assert "--payer NAME" in err
    assert "--year-month YYYY-MM" in err
    out, err = ingest(tmp_path / "data", path, "--payer", "Peach Health", "--year-month", "2025-08")
    assert "  Peach Health, GA, 2025-08" in out
    assert err == ""
