"""Rows as downloads and the API write them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from core.rows import RowEncoder, arrow_schema, column_names, csv_cell, row_values


@dataclass
class Base:
    name: str

    @property
    def shout(self) -> str:
        return self.name.upper()


@dataclass
class Derived(Base):
    parts: list[str]
    rates: int | None


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_marked_as_text(start: str) -> None:
    assert csv_cell(f"{start}1+1") == f"'{start}1+1"
    assert csv_cell([f"{start}1", "2"]) == f"'{start}1 2"


@pytest.mark.parametrize("value", ["a=1", " =1", "", -1.5, 0, None])
def test_other_cells_stay_as_they_are(value: object) -> None:
    assert csv_cell(value) == value


def test_columns_are_the_fields_of_the_row_in_their_order() -> None:
    assert column_names(Derived) == ["name", "parts", "rates"]
    assert arrow_schema(Derived).names == ["name", "parts", "rates"]
    assert row_values(Derived("a", [], None), column_names(Derived)) == {"name": "a", "parts": [], "rates": None}


def test_moments_are_utc() -> None:
    moment = datetime(2025, 8, 1, 12, 30)  # noqa: DTZ001 - the store's moments have no zone
    assert json.dumps(moment, cls=RowEncoder) == '"2025-08-01T12:30:00Z"'
    assert json.dumps(moment.replace(tzinfo=UTC), cls=RowEncoder) == '"2025-08-01T12:30:00Z"'
