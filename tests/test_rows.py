"""Rows as downloads and the API write them."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

import pytest

from core.column_units import find_digits
from core.queries.over_time.changes import ChangedPay
from core.queries.rules.columns import described
from core.rows import (
    RowEncoder,
    arrow_schema,
    arrow_tables,
    column_names,
    csv_cell,
    csv_lines,
    json_lines,
    row_values,
    write_json,
)


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


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_text_that_a_spreadsheet_would_run_is_marked_as_text(start: str) -> None:
    assert csv_cell(f"{start}1+1") == f"'{start}1+1"
    assert csv_cell([f"{start}1", "2"]) == f"'{start}1 2"
    assert csv_cell(["1", f"{start}A1"]) == f"1 '{start}A1"


@pytest.mark.parametrize("text", [" =1", "\n=1", "\u00a0=1", "\ufeff=1", "\x00@A1", "'=1", "'t Hooft Clinic"])
def test_white_space_before_a_formula_hides_nothing_and_the_mark_can_be_taken_off(text: str) -> None:
    assert csv_cell(text) == f"'{text}"
    assert csv_cell(text).removeprefix("'") == text


@pytest.mark.parametrize("value", ["a=1", "", "-1.5", "+1", "1e5", -1.5, 0, None, True, date(2025, 8, 1)])
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


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_numbers_that_json_does_not_have_are_null(value: float) -> None:
    nested = {"a": [value, 1.5], "b": {"c": (value, "Infinity")}}
    assert json.loads(write_json(nested), parse_constant=pytest.fail) == {
        "a": [None, 1.5],
        "b": {"c": [None, "Infinity"]},
    }
    lines = "".join(json_lines(Derived, [Derived("a", [], value)]))  # type: ignore[arg-type]
    assert json.loads(lines, parse_constant=pytest.fail)["rows"][0]["rates"] is None
    assert csv_cell(value) is None


@dataclass
class Spread:
    state: str
    negotiated_rate: Annotated[float, described("Dollars.", 1.0)]
    p50: Annotated[float | None, described("Median.", 1.0)]
    percent: Annotated[float, described("Rate divided by the Medicare amount: 1 is 100%.", 1.0)]


def test_a_file_says_what_was_asked_and_rounds_what_was_computed() -> None:
    """The rate stays as published; a half cent goes up, also where the binary fraction is a little less."""
    rows = [Spread("GA", 45.1234, 2.675, 1.23456), Spread("GA", 45.1234, None, math.inf)]
    asked = {"state": "TX", "year_month": "2025-08", "code": None}
    lines = "".join(csv_lines(Spread, rows, asked)).split("\r\n")
    assert lines == [
        "state,negotiated_rate,p50,percent,year_month,code",
        "GA,45.1234,2.68,1.2346,2025-08,",
        "GA,45.1234,,,2025-08,",
        "",
    ]
    (table,) = arrow_tables(Spread, rows, asked)
    assert table.select(["year_month", "code"]).to_pylist() == [{"year_month": "2025-08", "code": None}] * 2
    assert table.schema == arrow_schema(Spread, asked)


def test_prices_of_changes_are_the_payer_s_own_amounts() -> None:
    assert not {"old", "new", "old_lowest", "new_highest"}.intersection(find_digits(ChangedPay))
