"""Equipment and nutrition against a reader of a few lines, in every layout, and against CMS's own files."""

import csv
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.demo.item_fees import STATES, Grid, equipment_table, nutrition_table, write_item_fees
from core.reference.benchmark_kinds import load_benchmark
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.reference.medicare.items.item_files import write_csv, write_equipment_text, write_xlsx
from tests.stores import open_snapshot

Fees = dict[tuple[str, str, str], tuple[Decimal | None, Decimal | None]]
"""The amounts, elsewhere and in rural areas, by code, modifiers, and state."""

AREAS: Grid = [
    ["January 2025 Former CBA Fee Schedule"],
    ["HCPCS", "Mod", "Mod2", "Mod3", "CATG", "Aiken County, SC", "Atlanta, GA", "Description"],
    ["E0601", "RR", "", "", "CR", "54.10", "1,051.98", ""],
    ["L1850", "", "", "", "PO", "               .", "336.32", ""],
    ["A4557", "KG", "", "", "SU", ".", ".", ""],
]
ZIPS: Grid = [
    ["January 2025 Former CBA ZIP Codes "],
    ["CBA State", "CBA ZIP Code", "CBA Name Short", "CBA Name", "Year/Qtr"],
    ["GA", "30303", "Atlanta, GA", "Atlanta-Sandy Springs, GA", "202501"],
    ["MA", "1223", "Aiken County, SC", "Aiken County, SC", "202501"],
]
MAIL: Grid = [
    ["January 2025 Former CBA National Mail Order Diabetic Testing Supply Fee Schedule"],
    ["HCPCS", "Mod", "Mod2", "Mod3", "CATG", "National Mail-Order", "Description"],
    ["A4253", "NU", "KL", "", "IN", "10.39", ""],
    ["Note:  the amounts are for payment of mail order, in all states", "", "", "", "", "", ""],
]


def fees(store: Store, month: str) -> Fees:
    """Return every amount of a month."""
    rows = open_snapshot(store).rows(
        f"""SELECT code, modifier, state, amount::DECIMAL(12, 2), rural_amount::DECIMAL(12, 2) FROM bench_dmepos
            WHERE year_month = '{month}'"""
    )
    found = {row[:3]: row[3:] for row in rows}
    assert len(found) == len(rows)
    return found


def read_slowly(path: Path) -> Fees:
    """Read CMS's csv in the plainest way."""
    with path.open(encoding="cp1252", newline="") as file:
        rows = list(csv.reader(file))
    header = next(n for n, row in enumerate(rows) if row and row[0] == "HCPCS")
    found: Fees = {}
    for row in rows[header + 1 :]:
        for at, title in enumerate(rows[header]):
            if title.endswith("(NR)"):
                plain, rural = (Decimal(cell.replace(",", "")) or None for cell in row[at : at + 2])
                modifiers = ",".join(sorted(filter(None, (row[1].strip(), row[2].strip()))))
                found[row[0], modifiers, title[:2]] = (plain, rural or plain)
    return found


def test_equipment_and_nutrition_are_loaded_together(store: Store, tmp_path: Path) -> None:
    loaded = load_benchmark(store, "dmepos", write_item_fees(tmp_path)["dmepos"])
    assert (loaded.release, loaded.states) == ("2025-01", STATES)
    assert (loaded.rows_read, loaded.rows_priced) == (14, 13)
    assert loaded.left_out == {"not priced: 0.00 everywhere, priced by the contractor": 1}
    rows = open_snapshot(store).rows(
        """SELECT code, modifier, amount, rural_amount, reason, list, category, jurisdiction FROM bench_dmepos
           WHERE state = 'GA' AND year_month = '2025-08' AND code IN ('A4253', 'E0143', 'E0950', 'V2786', 'B9002')
           ORDER BY code, modifier"""
    )
    assert rows == [
        ("A4253", "NU", 8.32, 8.32, None, "DMEPOS", "IN", "D"),
        ("B9002", "NU", 798.0, 1213.23, None, "PEN", None, None),
        ("B9002", "RR", 79.8, 118.83, None, "PEN", None, None),
        ("E0143", "NU", 59.29, 98.65, None, "DMEPOS", "IN", "D"),
        ("E0143", "RR", 5.93, 14.21, None, "DMEPOS", "IN", "D"),
        ("E0143", "UE", 44.46, 73.98, None, "DMEPOS", "IN", "D"),
        ("E0950", "KE,NU", None, 110.79, None, "DMEPOS", "IN", "D"),
        ("V2786", "", None, None, "not priced", "DMEPOS", "PO", "D"),
    ]


money = st.decimals(0, 9999, places=2)
items = st.dictionaries(
    st.tuples(
        st.sampled_from(["E0601", "L1833", "A4253", "K0001"]),
        st.sampled_from(["- -", "NU -", "RR -", "UE -", "RR KE", "NU KU"]),
    ),
    st.lists(st.tuples(money, money), min_size=len(STATES), max_size=len(STATES)),
    min_size=1,
    max_size=4,
)


@pytest.mark.in_turns(6, of="whole files of agencies")
@settings(max_examples=4)  # three stores each
@given(items, st.booleans())
def test_every_layout_has_the_same_amounts(
    rows: dict[tuple[str, str], list[tuple[Decimal, Decimal]]], is_equipment: bool
) -> None:
    lines = [
        f"{code} {modifiers} D CR " + " ".join(f"{amount:,.2f}" for pair in amounts for amount in pair)
        for (code, modifiers), amounts in rows.items()
    ]
    table = (equipment_table if is_equipment else nutrition_table)("\n".join(lines))
    titles = [f"{state}{' ' if is_equipment else ''}({area})" for state in STATES for area in ("NR", "R")]
    stem = "DMEPOS" if is_equipment else "DMEPEN"
    expected = {
        (code, ",".join(sorted(modifiers.replace("-", "").split())), state): (plain or None, rural or plain or None)
        for (code, modifiers), amounts in rows.items()
        for state, (plain, rural) in zip(STATES, amounts, strict=True)
    }
    assume(any(any(amounts) for amounts in expected.values()))  # a table without amounts is refused
    with TemporaryDirectory() as name:
        directory = Path(name)
        layouts = [
            write_csv(directory / f"{stem}_JAN.csv", table),
            write_xlsx(directory / f"{stem}_JAN.xlsx", table, tuple(titles)),
            write_equipment_text(directory / f"{stem}_JAN.txt", table),
        ]
        assert read_slowly(layouts[0]) == expected
        for path in layouts:
            store = Store(directory / path.suffix)
            loaded = load_benchmark(store, "dmepos", [path])
            assert (loaded.release, loaded.rows_read) == ("2025-01", len(rows))
            priced = {key[:2] for key, amounts in expected.items() if any(amounts)}
            assert loaded.rows_priced == len(priced)
            assert fees(store, "2025-03") == expected


def test_the_former_competitive_bidding_areas(store: Store, tmp_path: Path) -> None:
    paths = write_item_fees(tmp_path)["dmepos"]
    extra = [write_csv(tmp_path / f"{n}.csv", rows) for n, rows in enumerate((AREAS, ZIPS, MAIL))]
    loaded = load_benchmark(store, "dmepos", [*extra, *paths])
    assert (loaded.rows_read, loaded.rows_priced) == (14 + 3 + 1, 13 + 2 + 1)
    assert loaded.left_out["not priced: no amount in any area"] == 1
    assert "2 former competitive bidding areas, with 2 ZIP codes" in loaded.notes
    db = open_snapshot(store)
    assert db.rows("SELECT bidding_area, code, modifier, amount FROM bench_dmepos_area ORDER BY ALL") == [
        ("Aiken County, SC", "E0601", "RR", 54.1),
        ("Atlanta, GA", "E0601", "RR", 1051.98),
        ("Atlanta, GA", "L1850", "", 336.32),
    ]
    assert db.rows("SELECT zip, state, bidding_area FROM bench_dmepos_zip ORDER BY ALL") == [
        ("01223", "MA", "Aiken County, SC"),
        ("30303", "GA", "Atlanta, GA"),
    ]
    mail = db.rows("SELECT state, amount FROM bench_dmepos WHERE modifier = 'KL,NU' AND year_month = '2025-01'")
    assert mail == [(state, 10.39) for state in STATES]
    with pytest.raises(ReferenceFileError, match=r"mail order of 2025-01 is loaded and not among the files"):
        load_benchmark(store, "dmepos", paths)
    load_benchmark(store, "dmepos", [*paths, extra[2]])  # without the areas
    assert open_snapshot(store).rows("FROM bench_dmepos_area UNION ALL BY NAME FROM bench_dmepos_zip") == []
    with pytest.raises(ReferenceFileError, match=r"no DMEPOS fee schedule .* among the files: .* is a mail-order fee"):
        load_benchmark(store, "dmepos", extra)


def test_the_list_that_is_missing_is_said_and_none_is_lost(store: Store, tmp_path: Path) -> None:
    equipment, nutrition = write_item_fees(tmp_path)["dmepos"]
    loaded = load_benchmark(store, "dmepos", [equipment])
    assert "no PEN file: enteral and parenteral nutrition is not loaded" in loaded.notes
    with pytest.raises(ReferenceFileError, match=r"DMEPOS of 2025-01 is loaded .* give the files of DMEPOS and PEN"):
        load_benchmark(store, "dmepos", [nutrition])
    both = load_benchmark(store, "dmepos", [nutrition, equipment])
    assert load_benchmark(store, "dmepos", [equipment, nutrition]) == both
    assert {key[0][0] for key in fees(store, "2025-12")} == {"A", "B", "E", "L", "V"}


def test_a_release_is_in_force_until_the_next(store: Store, tmp_path: Path) -> None:
    for month, amount in (("April", "20.00"), ("January", "10.00")):
        table = equipment_table("E0601 RR - D CR " + f"{amount} 0.00 " * 4, f"{month} 2025")
        assert load_benchmark(store, "dmepos", [write_csv(tmp_path / "x.csv", table)]).release[:4] == "2025"
    rows = open_snapshot(store).rows("SELECT year_month, amount FROM bench_dmepos WHERE state = 'GA' ORDER BY 1")
    assert rows == [(f"2025-{month:02}", 10.0 if month < 4 else 20.0) for month in range(1, 13)]


def test_what_is_wrong_is_said_in_one_line(store: Store, tmp_path: Path) -> None:
    plain = "1.00 2.00 " * 4

    def complaint(*tables: Grid) -> str:
        paths = [write_csv(tmp_path / f"{n}.csv", rows) for n, rows in enumerate(tables)]
        with pytest.raises(ReferenceFileError) as raised:
            load_benchmark(store, "dmepos", paths)
        return str(raised.value)

    twice = equipment_table(f"E0601 RR - D CR {plain}\nE0601 - RR D CR {plain.replace('2', '3')}")
    assert "row 6: code E0601 is also in row 5, with another content" in complaint(twice)
    both = complaint(equipment_table(f"E0776 NU BA D IN {plain}"), nutrition_table(f"E0776 BA NU - - {plain}"))
    assert "E0776 BA,NU: in more than one of the files" in both
    quarters = complaint(equipment_table(), nutrition_table(month="April 2025"))
    assert "0.csv is of 2025-01, 1.csv is of 2025-04; load one release at a time" in quarters
    words = equipment_table("E0601 RR - D CR call " + "1.00 " * 7)
    assert "row 5, code E0601: AL (NR): 'call' is not a number" in complaint(words)
    nowhere = [[cell.replace("SC (NR)", "XX (NR)") for cell in row] for row in equipment_table()]
    assert "column XX (NR): XX is not a state" in complaint(nowhere)
    rural = [["STATE", "DMEPOS RURAL ZIP CODE", "YEAR/QTR"], ["MA", "01223", "202501"]]
    assert "0.csv: " in complaint(rural)
    zips = [*ZIPS, ["SC", "30303", "Aiken County, SC", "", ""]]
    assert "row 5: ZIP code 30303 is in two areas" in complaint(zips, equipment_table())
    text = write_equipment_text(tmp_path / "PEN.txt", nutrition_table())
    with pytest.raises(ReferenceFileError, match=r"PEN\.txt: the file's name does not say which quarter"):
        load_benchmark(store, "dmepos", [text])
    assert load_benchmark(store, "dmepos", [text], year_month="2025-04").release == "2025-04"


def test_unknown_categories_are_reported(store: Store, tmp_path: Path) -> None:
    table = equipment_table("E0601 RR - D XX " + "1.00 2.00 " * 4 + "\nE0602 RR - Q CR " + "1.00 2.00 " * 4)
    notes = load_benchmark(store, "dmepos", [write_csv(tmp_path / "x.csv", table)]).notes
    assert "category XX, not in CMS's list: 1 rows" in notes
    assert "jurisdiction Q, not in CMS's list: 1 rows" in notes


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_every_amount_of_cms_is_loaded(shared: Path, store: Store) -> None:
    directory = shared / "dmepos"
    loaded = load_benchmark(store, "dmepos", [directory / "DMEPOS_JAN.csv", directory / "DMEPEN_JAN.csv"])
    assert (loaded.release, loaded.rows_read, loaded.rows_priced) == ("2025-01", 3487 + 50, 3487 + 50 - 69)
    assert len(loaded.states) == 53
    expected = read_slowly(directory / "DMEPOS_JAN.csv") | read_slowly(directory / "DMEPEN_JAN.csv")
    assert len(expected) == (3487 + 50) * 53
    assert fees(store, "2025-01") == expected


def test_the_text_file_of_cms_has_the_same_amounts(shared: Path, store: Store) -> None:
    loaded = load_benchmark(store, "dmepos", [shared / "dmepos" / "DMEPEN_JAN.txt"])
    assert (loaded.release, loaded.rows_read) == ("2025-01", 50)
    assert fees(store, "2025-01") == read_slowly(shared / "dmepos" / "DMEPEN_JAN.csv")


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_every_amount_of_cms_s_areas_is_loaded(shared: Path, store: Store) -> None:
    directory = shared / "dmepos"
    names = ("Fee Schedule File_JAN", "ZIP Code File - JAN", "National Mail-Order DTS Fee Schedule - JAN")
    paths = [directory / f"Former CBA {name} 2025.csv" for name in names]
    loaded = load_benchmark(store, "dmepos", [*paths, directory / "DMEPEN_JAN.csv"])
    assert (loaded.rows_read, loaded.rows_priced) == (50 + 8 + 614, 50 + 8 + 614)
    assert "130 former competitive bidding areas, with 16,119 ZIP codes" in loaded.notes
    with paths[0].open(encoding="cp1252", newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) > 130]
    titles = next(row for row in rows if row[0] == "HCPCS")
    expected = {
        (title, row[0], ",".join(sorted(filter(None, row[1:4])))): Decimal(cell.replace(",", ""))
        for row in rows[rows.index(titles) + 1 :]
        for title, cell in list(zip(titles, row, strict=True))[5:-1]
        if cell.strip() != "."
    }
    found = open_snapshot(store).rows(
        "SELECT bidding_area, code, modifier, amount::DECIMAL(12, 2) FROM bench_dmepos_area"
    )
    assert {row[:3]: row[3] for row in found} == expected
