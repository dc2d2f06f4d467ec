"""Workers' compensation: states' tables as they are, against a slow reading; keys unique; counts that add up."""

import csv
import re
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from core.reference.benchmark_release import LoadedBenchmark
from core.reference.spreadsheets import Sheet
from core.reference.workers_comp import load_schedule
from core.reference.workers_comp.schedule_sheets import CompensationSchedule, parse_columns
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.stores import open_snapshot

AMOUNTS = ("wcfs_amount", "facility_amount", "outpatient_amount", "asc_amount", "rural_amount", "base_units")


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


def table(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n")
    return path


def stored(store: Store, name: str = "bench_wcfs", month: str = "2024-01") -> dict[tuple[str, ...], dict[str, Any]]:
    """The rows of a state's month (or of the modifiers' table) by code system, code and modifier."""
    where = f"WHERE year_month = '{month}'" if name == "bench_wcfs" else ""
    with open_snapshot(store).cursor() as cursor:
        answer = cursor.execute(f"FROM {name} {where}")
        columns = [column[0] for column in answer.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]
    keyed = {tuple(row[key] for key in ("code_type", "code", "modifier") if key in row): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


GEORGIA: list[list[Any]] = [
    ["", "CODE", "MOD", "DESCRIPTION", "PROF MAR", "FUD", "APC", "OP MAR", "SI", "ASC MAR", "PI"],
    ["p", 99213, "", "a visit", 160.66, "XXX", "", 0, "B", 0, ""],
    ["", 70450, "", "a scan", 300.5, "XXX", "", " ", "", " ", ""],
    ["", 70450, 26, "a scan", 100.25, "XXX", "", " ", "", " ", ""],
    ["", 70450, "TC", "a scan", 200.25, "XXX", 5522, 223.454, "Q1", 99.995, "Z2"],
    ["", 11, "", "no code", 1, "", "", "", "", "", ""],
    ["", 10011, "", "by report, but elsewhere priced", "BR", "XXX", 5071, 1730.07, "T", 1614.7, "R2"],
    ["", 10012, "", "by report", "BR", "XXX", "", 0, "B", 0, ""],
    ["", 10013, "", "nothing", 0, "XXX", "", 0, "B", 0, ""],
    ["", "IME01", "", "the state's own", "See Page 17", "", "", " ", "", " ", ""],
    ["", "", "", "For codes 97010-97546, see elsewhere.", " ", "", "", " ", "", " ", ""],
    ["", 22510, "", "apart", "See page 60", 10, 5113, 7498.41, "J1", 6998.38, "G2"],
    ["", "A0425", "", "level II", 13.28, "", "", "", "", "", ""],
    ["", "D0120", "", "dental", 30, "", "", "", "", "", ""],
]


def georgia(tmp_path: Path, name: str = "GA_2024_schedule.xlsx") -> Path:
    return workbook(
        tmp_path / name,
        Surgery=GEORGIA,
        Anesthesia=[["CODE", "MOD", "BASE UNIT"], [100, "", 5], [102, "", "BR"], [99116, "", "See Page 42"]],
        Apart=[["CODE", "MOD", "NONFACILITY MAR", "FACILITY MAR"], [22510, "", 6834.88, 1641.86]],
        Hospital=[["MS-DRG", "DESCRIPTION", "FEE"], [1, "HEART", 262974.03], [998, "INVALID", "NA"]],
        Rides=[["HCPC Code", "URBAN BASE RATE & MILEAGE", "RURAL BASE RATE & MILEAGE"], ["A0426", 478.21, 482.85]],
        Notes=[["Read this first"], ["It has no table"]],
    )  # fmt: skip


def test_a_workbook_of_many_sheets(store: Store, tmp_path: Path) -> None:
    loaded = load_schedule.load(store, [georgia(tmp_path)])
    assert (loaded.state, loaded.release, loaded.months[0], loaded.months[-1]) == (
        "GA",
        "2024-01",
        "2024-01",
        "2024-12",
    )
    assert loaded.left_out == {
        "without a code": 2,
        "by report": 2,
        "without an amount": 2,
        "refers to the schedule's text": 2,
        "in base units, no dollars": 1,
    }
    assert loaded.rows_read == 13 + 3 + 1 + 2 + 1 == loaded.rows_priced + 9
    assert loaded.notes[-1] == "Notes: skipped: no header row with a code and an amount"
    assert loaded.notes[2] == "Apart: 1 rows: 1 priced"
    rows = stored(store)

    def of(code_type: str, code: str) -> tuple[Any, ...]:
        row = rows[code_type, code]
        assert (row["state"], row["release"]) == ("GA", "2024-01")
        return (row["wcfs_status"], *(row[amount] for amount in AMOUNTS))

    assert of("CPT", "99213") == ("priced", 160.66, None, None, None, None, None)
    assert of("CPT", "70450") == ("priced", 300.5, None, None, None, None, None)
    assert of("CPT", "10011") == ("by report", None, None, 1730.07, 1614.7, None, None)
    assert of("CPT", "10012") == ("by report", *[None] * 6)
    assert of("CPT", "10013") == ("no amount", *[None] * 6)
    assert of("LOCAL", "IME01") == ("no amount", *[None] * 6)
    assert of("CPT", "22510") == ("priced", 6834.88, 1641.86, 7498.41, 6998.38, None, None)
    assert of("CPT", "00100") == ("base units", *[None] * 5, 5.0)
    assert of("CPT", "00102") == ("by report", *[None] * 6)
    assert of("HCPCS", "A0426") == ("priced", 478.21, None, None, None, 482.85, None)
    assert of("CDT", "D0120")[1] == 30.0
    assert of("MS-DRG", "001") == ("priced", 262974.03, *[None] * 5)
    modifiers = stored(store, "bench_wcfs_modifier")
    assert set(modifiers) == {("CPT", "70450", "26"), ("CPT", "70450", "TC")}
    scan = modifiers["CPT", "70450", "TC"]
    # Rounded once, to cents, half a cent up.
    assert (scan["wcfs_amount"], scan["outpatient_amount"], scan["asc_amount"]) == (200.25, 223.45, 100.0)


def test_code_and_modifier_in_one_cell(store: Store, tmp_path: Path) -> None:
    file = table(
        tmp_path / "NC_fee_schedule.csv",
        "Code Mod,Description,NC Non-Facility Rate,NC Facility Rate",
        "0075T-26,x,12.50,10.00",
        '0202T,x,"$3,535.14","2,160.56"',
        "A4618-NU,x,10.57,10.57",
        "A4618-RR,x,UCR or Pay Per Agreement,UCR or Pay Per Agreement",
        "0095T,x,UCR or Pay Per Agreement,UCR or Pay Per Agreement",
        "G0001,x,0.00,0.00",
        ",,,",
    )
    loaded = load_schedule.load(store, [file], year_month="2024-03")
    assert (loaded.state, loaded.months[0], loaded.rows_read, loaded.rows_priced) == ("NC", "2024-03", 6, 3)
    rows = stored(store, month="2024-12")
    found = {code: (row["wcfs_status"], row["wcfs_amount"], row["facility_amount"]) for (_, code), row in rows.items()}
    assert found == {
        "0075T": ("modifiers only", None, None),
        "0202T": ("priced", 3535.14, 2160.56),
        "A4618": ("modifiers only", None, None),
        "0095T": ("by report", None, None),
        "G0001": ("no amount", None, None),
    }
    modifiers = stored(store, "bench_wcfs_modifier")
    assert {key: (row["wcfs_status"], row["wcfs_amount"]) for key, row in modifiers.items()} == {
        ("CPT", "0075T", "26"): ("priced", 12.5),
        ("HCPCS", "A4618", "NU"): ("priced", 10.57),
        ("HCPCS", "A4618", "RR"): ("by report", None),
    }


def test_any_table_by_its_titles(store: Store, tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "fees.xlsx",
        Cover=[["Fee schedule of 2025"]],
        Fees=[["Alabama"], ["CPT/HCPCS", "Mod", "Maximum Fee, all", "ASC"], [99213, "", 90.1, ""], [70450, 26, 40, ""]],
    )
    titles = "code=CPT/HCPCS, modifier=mod,amount=Maximum Fee, all,asc=ASC"
    assert parse_columns(titles) == {"code": "CPT/HCPCS", "modifier": "mod", "amount": "Maximum Fee, all", "asc": "ASC"}
    loaded = load_schedule.load(store, [file], state="AL", year_month="2024-01", columns=titles, sheet="fees")
    assert loaded.notes == ("Cover: skipped: not the sheet fees", "Fees: 2 rows: 2 priced")
    assert stored(store)["CPT", "99213"]["wcfs_amount"] == 90.1
    assert stored(store, "bench_wcfs_modifier")["CPT", "70450", "26"]["wcfs_amount"] == 40.0


def test_states_and_releases_do_not_disturb_each_other(store: Store, tmp_path: Path) -> None:
    def load(state: str, release: str, amount: float) -> LoadedBenchmark:
        file = table(tmp_path / "f.csv", "CODE,MOD,FEE", f"99213,,{amount}", f"99213,26,{amount / 2}")
        return load_schedule.load(store, [file], state=state, year_month=release)

    load("GA", "2024-01", 100)
    load("NC", "2024-01", 200)
    load("AL", "2024-01", 50)
    assert load("GA", "2024-07", 110).months == ("2024-07", "2024-08", "2024-09", "2024-10", "2024-11", "2024-12")
    again = load("NC", "2024-01", 210)
    assert again == load("NC", "2024-01", 210)
    rows = open_snapshot(store).rows(
        "SELECT state, release, count(*), any_value(wcfs_amount) FROM bench_wcfs GROUP BY ALL ORDER BY ALL"
    )
    assert rows == [
        ("AL", "2024-01", 12, 50),
        ("GA", "2024-01", 6, 100),
        ("GA", "2024-07", 6, 110),
        ("NC", "2024-01", 12, 210),
    ]
    rows = open_snapshot(store).rows("SELECT release, state, modifier, wcfs_amount FROM bench_wcfs_modifier")
    assert rows == [
        ("2024-01", "AL", "26", 25),
        ("2024-01", "GA", "26", 50),
        ("2024-01", "NC", "26", 105),
        ("2024-07", "GA", "26", 55),
    ]


def test_what_is_wrong_is_told_and_changes_nothing(store: Store, tmp_path: Path) -> None:
    good = georgia(tmp_path)

    def complaint(path: Path, **options: Any) -> str:
        with pytest.raises(ReferenceFileError) as raised:
            load_schedule.load(store, [path], **options)
        assert store.manifest() is None
        return str(raised.value)

    nameless = table(tmp_path / "fees.csv", "CODE,FEE", "99213,100")
    assert "give the state: --state GA" in complaint(nameless, year_month="2024-01")
    assert "give the first month: --year-month" in complaint(nameless, state="GA")
    other = table(tmp_path / "GA_2024.csv", "Procedure,Price", "99213,100")
    assert "no header row with a code and an amount" in complaint(other)
    assert "--columns code=TITLE,amount=TITLE" in complaint(other)
    assert "no header row with Proc, Price" in complaint(other, columns="code=Proc,amount=Price")
    assert "'Fee' is no column" in complaint(other, columns="Fee")
    assert "at least one amount" in complaint(other, columns="code=Procedure")
    assert "not the sheet Sugery" in complaint(good, sheet="Sugery")
    gpci = table(tmp_path / "GA_2025.csv", "Contractor,State,Locality Number,Locality Name,PW GPCI,PE GPCI,MP GPCI")
    assert "this is a GPCI file" in complaint(gpci)
    twice = table(tmp_path / "GA_2026.csv", "CODE,MOD,FEE", "99213,,100", "99213,,101")
    assert "CPT 99213 has two amounts (amount: 100.00 and 101.00)" in complaint(twice)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("GA_2024_fees.xlsx", "GA"),
        ("Georgia fees 2024.xlsx", "GA"),
        ("west-virginia-2024.csv", "WV"),
        ("virginia_2024.csv", "VA"),
    ],
)
def test_a_file_s_name_says_whose_it_is(store: Store, tmp_path: Path, name: str, state: str) -> None:
    file = table(tmp_path / name.replace(".xlsx", ".csv"), "CODE,FEE", "99213,100")
    assert load_schedule.load(store, [file]).state == state


# --- against a slow reading -------------------------------------------------------------------------------------

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
def test_rows_say_what_a_slow_reading_says(rows: list[tuple[str, str, str, str]]) -> None:
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
    found = {key[1:]: (line.figures.get("amount"), line.figures.get("asc")) for key, line in schedule.lines.items()}
    expected = {
        key: tuple(next((line[column] for line in lines if line[column]), None) for column in (0, 1))
        for key, lines in seen.items()
    }
    assert found == expected


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
