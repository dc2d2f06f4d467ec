"""The manifest: which generations hold the same data."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.store.generations.manifest import DERIVED, RECORDS, DataFile, Manifest, read_manifest

FACTS = DataFile("files/fact_rate.000001.parquet", 10, 100)
MANIFEST = Manifest(1, "2025-08-01T00:00:00+00:00", "single", {"fact_rate": (FACTS,)})


def with_table(name: str, rows: int) -> Manifest:
    return replace(MANIFEST, tables={**MANIFEST.tables, name: (DataFile(f"files/{name}.000002.parquet", rows, 100),)})


def test_a_new_empty_table_leaves_the_data_version_alone() -> None:
    assert with_table("dim_new", 0).data_version == MANIFEST.data_version
    assert with_table("dim_new", 1).data_version != MANIFEST.data_version


@pytest.mark.parametrize("name", [*RECORDS, *DERIVED])
def test_records_and_copies_leave_the_data_version_alone(name: str) -> None:
    assert with_table(name, 5).data_version == MANIFEST.data_version


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert read_manifest(MANIFEST.text(), Path("manifest.json")) == MANIFEST
