"""Tables that are loaded one after another into one release of a state's schedule."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.reference.workers_comp import load_schedule
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.reference.workers_comp.schedule_files import arizona, stored, table, workbook
from tests.stores import open_snapshot

SHEETS: dict[str, list[list[Any]]] = {
    "Surgery": [
        ["CODE", "MOD", "PROF MAR", "OP MAR", "ASC MAR"],
        [22510, "", "See page 60", 7498.41, 6998.38],
        [99213, "", 160.66, 0, 0],
        [70450, 26, 100.25, " ", " "],
        [10012, "", "BR", "", ""],
    ],
    "Apart": [["CODE", "NONFACILITY MAR", "FACILITY MAR"], [22510, 6834.88, 1641.86]],
    "Anesthesia": [["CODE", "BASE UNIT"], [100, 5]],
    "Outpatient": [["CODE", "OP MAR", "ASC MAR"], [10012, 1730.07, 0]],
}


def record(store: Store) -> tuple[Any, ...]:
    ((files, read, priced, left_out, notes, parts),) = open_snapshot(store).rows(
        "SELECT files, rows_read, rows_priced, left_out, notes, parts FROM dim_benchmark"
    )
    assert read == priced + sum(json.loads(left_out).values())
    assert sorted(part.count("rows_priced") for part in parts) == [1] * len(parts)
    return files, read, priced, sorted(notes)


def test_sheets_loaded_one_by_one_in_any_order_make_the_schedule_of_the_workbook(tmp_path: Path) -> None:
    path = workbook(tmp_path / "GA_2024.xlsx", **SHEETS)
    whole = Store(tmp_path / "whole")
    load_schedule.load(whole, [path])
    expected = stored(whole), stored(whole, "bench_wcfs_modifier")
    forward = list(SHEETS)
    for number, order in enumerate((forward, forward[::-1], [*forward[2:], *forward[:2]])):
        store = Store(tmp_path / str(number))
        for name in order:
            loaded = load_schedule.load(store, [path], sheet=name)
        assert (stored(store), stored(store, "bench_wcfs_modifier")) == expected
        assert any("added to the release" in note for note in loaded.notes)
        files, read, priced, notes = record(store)
        assert (files, read, priced) == (["GA_2024.xlsx"], 7, 5)
        assert [note for note in notes if "skipped" not in note] == sorted(
            note for note in record(whole)[3] if "skipped" not in note
        )


def test_the_same_rows_again_replace_what_is_there(store: Store, tmp_path: Path) -> None:
    def load(*rows: str, **options: Any) -> tuple[str, ...]:
        path = table(tmp_path / "GA_2024.csv", "CODE,MOD,FEE,ASC MAR", *rows)
        return load_schedule.load(store, [path], **options).notes

    load("99213,,100,", "99213,26,40,", "99214,,150,90", "99215,,BR,")
    assert load("99213,,110,", "99213,26,44,", "99214,,BR,")[-1] == (
        "added to the release: of its 4 codes and modifiers 3 were replaced and 1 stay (--start-over forgets them)"
    )
    rows = {key[1]: (row["wcfs_status"], row["wcfs_amount"], row["asc_amount"]) for key, row in stored(store).items()}
    assert rows == {
        "99213": ("priced", 110, None),
        "99214": ("by report", None, 90),
        "99215": ("by report", None, None),
    }
    assert stored(store, "bench_wcfs_modifier")["CPT", "99213", "26"]["wcfs_amount"] == 44
    assert record(store)[1:3] == (3, 2)  # of the file as it was loaded last
    load("99213,,120,", start_over=True)
    assert {key: row["wcfs_amount"] for key, row in stored(store).items()} == {("CPT", "99213"): 120}
    assert stored(store, "bench_wcfs_modifier") == {}
    assert record(store)[1:3] == (1, 1)


def test_another_file_adds_its_rows_and_its_counts(store: Store, tmp_path: Path) -> None:
    load_schedule.load(store, [table(tmp_path / "GA_2024_a.csv", "CODE,FEE", "99213,100", "99214,BR")])
    load_schedule.load(store, [table(tmp_path / "GA_2024_b.csv", "CODE,FEE", "99215,200")])
    assert {code for _, code in stored(store)} == {"99213", "99214", "99215"}
    files, read, priced, _ = record(store)
    assert (files, read, priced) == (["GA_2024_a.csv", "GA_2024_b.csv"], 3, 2)
    ((left_out,),) = open_snapshot(store).rows("SELECT left_out FROM dim_benchmark")
    assert json.loads(left_out) == {"by report": 1}


def test_arizona_s_workbook_is_read_as_it_is(store: Store, tmp_path: Path) -> None:
    loaded = load_schedule.load(store, [arizona(tmp_path / "AZ_export.xlsx")], year_month="2024-01")
    assert (loaded.state, loaded.rows_read, loaded.rows_priced) == ("AZ", 10, 7)
    rows = {
        key[1]: (row["wcfs_status"], row["wcfs_amount"], row["facility_amount"], row["rural_amount"], row["base_units"])
        for key, row in stored(store).items()
    }
    assert rows == {
        "99213": ("priced", 128.52, 92.48, None, None),
        "70450": ("priced", 210.7, 210.7, None, None),
        "11111": ("by report", None, None, None, None),
        "A2001": ("priced", 737.28, None, 700.0, None),
        "00100": ("base units", None, None, None, 5),
        "AZ001": ("priced", 75, 75, None, None),
    }
    assert {key[1:]: row["wcfs_amount"] for key, row in stored(store, "bench_wcfs_modifier").items()} == {
        ("70450", "26"): 80.5
    }


def test_arizona_s_columns_may_be_named(store: Store, tmp_path: Path) -> None:
    path = arizona(tmp_path / "AZ_export.xlsx")
    titles = "code=Code,amount=FY24 NF RBRVS Rate"
    load_schedule.load(store, [path], year_month="2024-01", columns=titles, sheet="E&M")
    assert {key: row["wcfs_amount"] for key, row in stored(store).items()} == {("CPT", "99213"): 128.52}


def test_a_table_without_amounts_is_refused(store: Store, tmp_path: Path) -> None:
    def complaint(path: Path, **options: Any) -> str:
        with pytest.raises(ReferenceFileError) as raised:
            load_schedule.load(store, [path], year_month="2024-01", **options)
        assert store.manifest() is None
        return str(raised.value)

    path = arizona(tmp_path / "AZ_export.xlsx")
    assert complaint(path, columns="code=Code,amount=Category") == (
        "AZ_export.xlsx: none of its 9 rows has an amount (7 refers to the schedule's text, 1 without a code, 1 of a "
        "code that is further up); expected a table with amounts: name the columns that have them: "
        "--columns code=TITLE,amount=TITLE"
    )
    blank = table(tmp_path / "GA.csv", "CODE,FEE", "99213,", "99214,BR")
    assert "none of its 2 rows has an amount (1 without an amount, 1 by report)" in complaint(blank, state="GA")


def test_a_federal_file_is_named(store: Store, tmp_path: Path) -> None:
    units = table(tmp_path / "GA_units.csv", "2025 Anesthesia Base Units by CPT Code", "CPT Code,Base Unit", "00100,5")
    with pytest.raises(ReferenceFileError, match="looks like a file of anesthesia base units"):
        load_schedule.load(store, [units], year_month="2024-01")
    own = load_schedule.load(store, [units], year_month="2024-01", columns="code=CPT Code,units=Base Unit")
    assert own.left_out == {"in base units, not dollars": 1}
    assert stored(store)["CPT", "00100"]["base_units"] == 5
