"""Workers' compensation schedules in the store: states' formats, releases, what their files' names say."""

from pathlib import Path
from typing import Any

import pytest

from core.reference.benchmark_release import LoadedBenchmark
from core.reference.workers_comp import load_schedule
from core.reference.workers_comp.schedule_sheets import parse_columns
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.reference.workers_comp.schedule_files import stored, table, workbook
from tests.stores import open_snapshot

AMOUNTS = ("wcfs_amount", "facility_amount", "outpatient_amount", "asc_amount", "rural_amount", "base_units")


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


def test_a_workbook_of_many_sheets_is_read(store: Store, tmp_path: Path) -> None:
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
        "in base units, not dollars": 1,
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


def test_code_and_modifier_may_be_in_one_cell(store: Store, tmp_path: Path) -> None:
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


def test_any_table_is_read_by_the_titles_of_its_columns(store: Store, tmp_path: Path) -> None:
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


def test_a_file_that_does_not_fit_is_refused_and_changes_nothing(store: Store, tmp_path: Path) -> None:
    good = georgia(tmp_path)

    def complaint(path: Path, **options: Any) -> str:
        with pytest.raises(ReferenceFileError) as raised:
            load_schedule.load(store, [path], **options)
        assert store.manifest() is None
        return str(raised.value)

    nameless = table(tmp_path / "fees.csv", "CODE,FEE", "99213,100")
    assert "name the state: --state GA" in complaint(nameless, year_month="2024-01")
    assert "name the first month: --year-month" in complaint(nameless, state="GA")
    other = table(tmp_path / "GA_2024.csv", "Procedure,Price", "99213,100")
    assert "no header row with a code and an amount" in complaint(other)
    assert "--columns code=TITLE,amount=TITLE" in complaint(other)
    assert "no header row with Proc, Price" in complaint(other, columns="code=Proc,amount=Price")
    assert "'Fee' is not a column" in complaint(other, columns="Fee")
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
def test_the_state_is_taken_from_the_file_name(store: Store, tmp_path: Path, name: str, state: str) -> None:
    file = table(tmp_path / name.replace(".xlsx", ".csv"), "CODE,FEE", "99213,100")
    assert load_schedule.load(store, [file]).state == state


def test_a_code_that_is_by_report_in_facilities_only_is_by_report(store: Store, tmp_path: Path) -> None:
    file = table(tmp_path / "GA_2024.csv", "CODE,NONFACILITY MAR,FACILITY MAR", "99213,,BR", "99214,100,90")
    assert load_schedule.load(store, [file]).left_out == {"by report": 1}
    assert stored(store)["CPT", "99213"]["wcfs_status"] == "by report"
