"""Georgia's and North Carolina's schedules, every row of them, against the files."""

import csv
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from core.reference.workers_comp import load_schedule
from core.store.generations.store import Store
from tests.reference.workers_comp.schedule_files import stored


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_georgia_whole(shared: Path, store: Store) -> None:
    path = shared / "wcfs" / "GA_2024_medical_fee_schedule.xlsx"
    loaded = load_schedule.load(store, [path])
    book = CalamineWorkbook.from_path(path)
    assert len(loaded.notes) == len(book.sheet_names) == 12
    assert not any("skipped" in note for note in loaded.notes)
    rows, modifiers = stored(store), stored(store, "bench_wcfs_modifier")
    columns = {"PROF MAR": "wcfs_amount", "OP MAR": "outpatient_amount", "ASC MAR": "asc_amount", "FEE": "wcfs_amount",
               "NONFACILITY MAR": "wcfs_amount", "FACILITY MAR": "facility_amount", "BASE UNIT": "base_units",
               "URBAN BASE RATE & MILEAGE": "wcfs_amount", "RURAL BASE RATE & MILEAGE": "rural_amount"}  # fmt: skip
    by_code = {(*key[1:], "")[:2]: row for key, row in [*rows.items(), *modifiers.items()]}
    read = compared = 0
    for name in book.sheet_names:
        titles, *lines = book.get_sheet_by_name(name).to_python()
        at = next(n for n, title in enumerate(titles) if title in {"CODE", "HCPC Code", "MS-DRG"})
        width = 3 if titles[at] == "MS-DRG" else 5
        for line in lines:
            read += 1
            code, modifier = (
                str(int(cell)).zfill(digits) if isinstance(cell, float) else str(cell)
                for cell, digits in ((line[at], width), (line[titles.index("MOD")] if "MOD" in titles else "", 2))
            )
            if not code:
                continue
            row = by_code[code, modifier]
            for title, column in columns.items():
                if title in titles:
                    cell = line[titles.index(title)]
                    if isinstance(cell, float) and cell > 0:
                        exact = Decimal(repr(cell)).quantize(Decimal("0.01"), ROUND_HALF_UP)
                        assert row[column] == float(exact), (name, code, modifier, title)
                        compared += 1
                    elif cell == "BR":
                        assert row["wcfs_status"] == "by report"
                        assert row[column] is None
    assert (loaded.rows_read, read) == (13_247, 13_247)
    assert compared > 22_000


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_north_carolina_whole(shared: Path, store: Store) -> None:
    path = shared / "wcfs" / "NC_fee_schedule.csv"
    loaded = load_schedule.load(store, [path], year_month="2024-01")
    with path.open(encoding="latin-1", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["Code Mod"]]
    rows, modifiers = stored(store), stored(store, "bench_wcfs_modifier")
    by_code = {key[1:]: row for key, row in [*rows.items(), *modifiers.items()]}
    priced = 0
    for line in lines:
        code, _, modifier = line["Code Mod"].partition("-")
        row = by_code[(code, modifier) if modifier else (code,)]
        for title, column in (("NC Non-Facility Rate", "wcfs_amount"), ("NC Facility Rate", "facility_amount")):
            amount = float(line[title]) if line[title][0].isdigit() else None
            assert row[column] == (amount or None), line
        if line["NC Facility Rate"].startswith("UCR"):
            assert row["wcfs_status"] == "by report"
        priced += row["wcfs_amount"] is not None or row["facility_amount"] is not None
    assert (loaded.rows_read, loaded.rows_priced) == (len(lines), priced)
    assert len(modifiers) == sum("-" in line["Code Mod"] for line in lines)


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_arizona_whole(shared: Path, store: Store) -> None:
    path = shared / "wcfs" / "AZ_export.xlsx"
    loaded = load_schedule.load(store, [path], year_month="2024-01")
    assert loaded.state == "AZ"
    rows, modifiers = stored(store), stored(store, "bench_wcfs_modifier")
    by_code = {(*key[1:], "")[:2]: row for key, row in [*rows.items(), *modifiers.items()]}
    titles, *lines = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False)[6:]
    assert [" ".join(str(title).split()) for title in titles[4:]] == [
        "FY24 NF RBRVS Rate", "FY24 FAC RBRVS Rate", "FY24 Non-rural Rate", "FY24 Rural Rate",
    ]  # fmt: skip
    compared = 0
    for line in lines:
        code, _, modifier = str(line[0]).strip().partition(" ")
        if len(code) != 5 or "," in str(line[0]):
            continue
        row = by_code[code, "" if modifier.strip() == "00" else modifier.strip()]
        fees = [cell if isinstance(cell, float) and cell > 0 else None for cell in line[4:8]]
        exact = [
            None if cell is None else float(Decimal(repr(cell)).quantize(Decimal("0.01"), ROUND_HALF_UP))
            for cell in fees
        ]
        assert row["wcfs_amount"] == (exact[0] or exact[2]), line
        assert (row["facility_amount"], row["rural_amount"]) == (exact[1], exact[3]), line
        compared += any(fees)
    assert compared > 12_000
    # 10 of its codes are base units of a sheet of their own, not dollars.
    assert sum(row["base_units"] is not None for row in rows.values()) > 270
