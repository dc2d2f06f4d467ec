"""Small files of rates that were once compared with the wrong amount, against CMS's own files: from file to percent."""

import csv
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from core.load.load_file import load_file
from core.quality.fit_record import update_fits
from core.queries.market.market import Market
from core.queries.yardstick import medicare
from core.reference.medicare.facilities import asc
from core.reference.medicare.professional import physician
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.stores import open_snapshot

FILES = (
    "1_uhc_facility_set_with_10",
    "2_na_nonfacility",
    "3_asc_fee_as_professional_pos24",
    "4_tc_in_facility_wrong_reason",
)


@pytest.fixture(scope="module")
def compared(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Return a store with the cases in Georgia, November 2025, and two schedules of October 2025."""
    store = Store(tmp_path_factory.mktemp("cases"))
    for name in FILES:
        load_file(store, open_documents(shared / "cases" / "medicare" / f"{name}.json")[0], "GA")
    schedule = shared / "medicare" / "mpfs"
    physician.load(store, [schedule / "PPRRVU2025_Oct.csv"], gpci=schedule / "GPCI2025.csv")
    centers = shared / "medicare" / "asc" / "2025-10"
    wages = shared / "medicare" / "wage_index_2026.csv"
    asc.load(store, [centers / "AA.csv", centers / "BB.csv"], wage_index=wages)
    update_fits(store, open_snapshot(store))
    return open_snapshot(store)


def mean_in_georgia(shared: Path, code: str, practice_expense: int) -> Decimal:
    """Return the mean amount of a code without modifier by CMS's formula; the practice expense is in this column."""
    schedule = shared / "medicare" / "mpfs"
    with Path(schedule / "PPRRVU2025_Oct.csv").open(encoding="latin-1", newline="") as file:
        (row,) = (row for row in csv.reader(file) if row[:2] == [code, ""])
    work, expense, malpractice = Decimal(row[5]), Decimal(row[practice_expense]), Decimal(row[10])
    with Path(schedule / "GPCI2025.csv").open(encoding="latin-1", newline="") as file:
        indices = [
            [Decimal(cell) for cell in row[-3:]] for row in csv.reader(file) if len(row) > 6 and row[1].strip() == "GA"
        ]
    amounts = [
        ((work * index[0] + expense * index[1] + malpractice * index[2]) * Decimal("32.3465")).quantize(
            Decimal("0.01"), ROUND_HALF_UP
        )
        for index in indices
    ]
    return sum(amounts, Decimal(0)) / len(amounts)


NON_FACILITY_EXPENSE, FACILITY_EXPENSE = 6, 8


@pytest.mark.parametrize("code", ["99213", "36584", "43239"])
def test_a_list_of_facilities_with_other_places_is_a_list_of_facilities(
    compared: Snapshot, shared: Path, code: str
) -> None:
    rows = medicare.list_comparisons(compared, Market("GA", "2025-11", "CPT", code), "percent", 9, 0)
    assert {(row.places, row.basis, row.other_amount) for row in rows} == {("facility", "MPFS facility", None)}
    facility = mean_in_georgia(shared, code, FACILITY_EXPENSE)
    assert facility < mean_in_georgia(shared, code, NON_FACILITY_EXPENSE)
    assert [row.medicare for row in rows] == [pytest.approx(float(facility))] * len(rows)


@pytest.mark.parametrize("code", ["27447", "99285", "50688"])
def test_na_outside_of_facilities_is_the_facility_amount(compared: Snapshot, shared: Path, code: str) -> None:
    (row,) = medicare.list_comparisons(compared, Market("GA", "2025-11", "CPT", code), "percent", 9, 0)
    assert row.medicare == pytest.approx(float(mean_in_georgia(shared, code, FACILITY_EXPENSE)))
    assert (row.basis, row.detail) == ("MPFS facility", "status A, CMS publishes no separate office amount")


@pytest.mark.in_turns(3, of="real payers")
def test_the_scan_in_a_hospital_is_not_paid_in_this_setting(compared: Snapshot) -> None:
    (row,) = medicare.list_comparisons(compared, Market("GA", "2025-11", "CPT", "70450"), "percent", 9, 0)
    assert (row.reason, row.medicare) == ("not paid in this setting", None)


def test_a_surgical_center_s_fees_published_as_professional_are_compared_with_its_schedule(compared: Snapshot) -> None:
    rows = [
        row
        for code in ("63685", "45378", "66984")
        for row in medicare.list_comparisons(compared, Market("GA", "2025-11", "CPT", code), "percent", 9, 0)
        if row.reporting_entity_name.startswith("3_")
    ]
    assert {(row.billing_class, row.basis, row.rule) for row in rows} == {("professional", "ASC", "fit")}
    assert [round(row.percent or 0, 2) for row in rows] == [0.9, 1.09, 0.91]
