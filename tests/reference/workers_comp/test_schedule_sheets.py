"""The rows of a schedule's sheets, against a slow reading and one by one."""

import re
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.reference.spreadsheets import Sheet
from core.reference.workers_comp.schedule_sheets import CompensationSchedule
from core.runtime.errors import ReferenceFileError

cells = st.sampled_from(
    ["", " ", "0", "0.00", "12.5", "$1,234.565", "1,23", "BR", "UCR or less", "See Page 3", "NA", "-5", "1e3"]
)


codes = st.sampled_from(
    ["99213", "100", "213", "0075T", "0075T-26", "A0425-NU", "D0120", "IME01", "", "12", "note", "g0439"]
)


def slow_amount(cell: str) -> Decimal | None:
    cell = cell.strip().replace("$", "")
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?", cell):
        amount = Decimal(cell.replace(",", "")).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return amount if amount > 0 else None
    return None


@given(st.lists(st.tuples(codes, st.sampled_from(["", "26", "TC"]), cells, cells), max_size=8))
def test_rows_equal_a_slow_reading(rows: list[tuple[str, str, str, str]]) -> None:
    seen: dict[tuple[str, str], list[tuple[Decimal | None, Decimal | None]]] = {}
    outcomes: Counter[str] = Counter()
    for code, modifier, amount, asc in rows:
        number = code.upper()
        if re.fullmatch(r"\d{3,4}", number):
            number = "0" * (5 - len(number)) + number
        number, _, joined = number.partition("-")
        if not any(cell.strip() for cell in (code, modifier, amount, asc)):
            continue
        if not re.fullmatch("[0-9A-Z]{5}", number):
            outcomes["code"] += 1
            continue
        figures = (slow_amount(amount), slow_amount(asc))
        seen.setdefault((number, joined or modifier), []).append(figures)
        outcomes["priced" if any(figures) else "none"] += 1
    conflicts = [
        key for key, lines in seen.items() for column in (0, 1) if len({line[column] for line in lines} - {None}) > 1
    ]
    schedule = CompensationSchedule()
    stripped = [[cell.strip() for cell in row] for row in rows]
    sheet = Sheet(Path("f.csv"), "", "", [["CODE", "MOD", "FEE", "ASC MAR"], *stripped])
    if conflicts:
        with pytest.raises(ReferenceFileError, match="two amounts"):
            schedule.add(sheet)
        return
    schedule.add(sheet)
    (read,) = schedule.sheets
    assert read.rows == outcomes.total()
    assert (read.priced, read.left_out["without a code"]) == (outcomes["priced"], outcomes["code"])
    found = {key[1:]: (line.amounts.get("amount"), line.amounts.get("asc")) for key, line in schedule.lines.items()}
    expected = {
        key: tuple(next((line[column] for line in lines if line[column]), None) for column in (0, 1))
        for key, lines in seen.items()
    }
    assert found == expected


def read(*rows: list[str], columns: dict[str, str] | None = None) -> CompensationSchedule:
    schedule = CompensationSchedule()
    schedule.add(Sheet(Path("f.csv"), "", "", list(rows)), columns)
    return schedule


@pytest.mark.parametrize(("title_rows", "is_read"), [(29, True), (30, False)])
def test_a_header_in_row_30_is_found_and_one_in_row_31_is_not(title_rows: int, is_read: bool) -> None:
    schedule = read(*[["a title"]] * title_rows, ["CODE", "FEE"], ["99213", "100"])
    assert (len(schedule.lines) == 1) == is_read
    assert bool(schedule.sheets[0].skipped) != is_read


def test_a_repeated_key_without_an_amount_is_left_out_as_repeated() -> None:
    schedule = read(["CODE", "FEE"], ["99213", "100"], ["99213", ""], ["99214", ""])
    assert schedule.sheets[0].left_out == {"of a code that is further up": 1, "without an amount": 1}


def test_a_modifier_that_is_a_number_has_two_digits() -> None:
    schedule = read(["CODE", "MOD", "FEE"], ["70450", "5", "100"], ["70450", "26", "40"], ["70450", "TC", "60"])
    assert [key.modifier for key in schedule.lines] == ["05", "26", "TC"]


def test_by_report_in_the_facility_column_alone_is_by_report() -> None:
    schedule = read(["CODE", "NONFACILITY MAR", "FACILITY MAR"], ["99213", "", "BR"])
    (line,) = schedule.lines.values()
    assert line.by_report


def test_by_report_beside_the_professional_fee_is_not() -> None:
    schedule = read(["CODE", "FEE", "ASC MAR"], ["99213", "", "BR"])
    (line,) = schedule.lines.values()
    assert not line.by_report
    assert schedule.sheets[0].left_out == {"by report": 1}
