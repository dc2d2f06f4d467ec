"""The workbook of a clinic: its formulas follow what is typed, and it begins with what to ask."""

import io
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from core.pages.desk.negotiation_sheet import make_negotiation_sheet
from core.queries.baskets.clinic_gaps import BY_SERVICES, UNWEIGHED
from core.queries.baskets.clinic_rows import ClinicPosition
from core.workbook import Formula
from tests.pages.desk.sheet_formulas import compute, read_first_sheet
from tests.pages.markets import MONTH
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import store_of
from tests.site import Visitor, csv_rows, serving, text_of


@pytest.mark.parametrize("weighed_by", [BY_SERVICES, UNWEIGHED])
def test_gaps_and_sums_of_the_workbook_follow_what_is_typed(weighed_by: str) -> None:
    """Without services, nothing is added up: dollars of a drug's unit and of an operation are no sum."""
    figures = {"rate": 103.5, "compared_price": 80.5, "middle": 77.0, "gap_to_middle": 26.5, "difference": 26.5 / 77}
    areas = {"area": "Atlanta", "own_area": "Rome", "high": 110.0, "prices": 2, "lowest": 80.5, "highest": 103.5}
    figures["percent"] = 1.15  # of $90
    unknown: dict[str, Any] = dict.fromkeys(ClinicPosition.__dataclass_fields__)
    of_line = {**unknown, **figures, **areas, "other_organizations": 9, "is_odd": False}
    sheet = make_negotiation_sheet([ClinicPosition(**of_line)], weighed_by)
    cells = {
        f"{letter}{number}": (value.text, value.value) if isinstance(value, Formula) else ("", value or "")
        for number, row in enumerate([*sheet.rows, *sheet.totals], 2)
        for letter, value in zip("ABCDEFGHIJKLMNOPQRST", row, strict=True)
    }
    assert [cells[at][1] for at in ("F2", "G2")] == ["Atlanta (none of Rome)", "2: $80.50 to $103.50"]
    of_sums = ("N2", "Q2", "S2", "Q3", "Q4", "S4")
    assert [compute(cells, at) for at in of_sums] == [26.5, "", "", "", "", ""]
    assert compute(cells, "E2") == pytest.approx(1.15)
    typed = {**cells, "D2": ("", 70.0), "P2": ("", 10.0)}
    assert compute(typed, "E2") == pytest.approx(70 / 90)
    assert [compute(typed, at) for at in of_sums] == [-7.0, -70.0, 400.0, -70.0, -70.0, 400.0]
    assert "in no sum" in sheet.notes[0]
    assert ("nothing is added up yet" in sheet.notes[0]) == (weighed_by == UNWEIGHED)


def test_a_workbook_begins_with_what_to_ask_and_its_totals(tmp_path: Path) -> None:
    groups: list[Any] = [(set(), {("ein", f"10000000{number}")}) for number in range(1, 7)]
    rates = [
        {**A_RATE, "code": code, "negotiated_rate": rate, "group": group}
        for code, own, others in (("99213", 90.0, 5), ("99214", 120.0, 5), ("73525", 70.0, 4))
        for group, rate in enumerate((own, 100.0, 102.5, 105.0, 107.5, 110.0)[: others + 1])
    ]
    query = {**MONTH, "tin": "100000001", "lines": "code,units\n99213,100\n99214,3\n73525,9"}
    with serving(store_of(tmp_path, {"2025-08": (groups, rates)}).root):
        book: Any = Visitor().post("/clinic/", {**query, "format": "xlsx"})
        content = b"".join(book.streaming_content)
        opened = CalamineWorkbook.from_filelike(io.BytesIO(content))
        priced = [
            row for row in csv_rows(Visitor().post("/clinic/", {**query, "format": "csv"})) if row["gap_to_middle"]
        ]
        shown_text = text_of(Visitor().post("/clinic/", query))
    assert opened.sheet_names == ["Negotiation", "About", "Table", "Columns"]
    table: list[list[Any]] = opened.get_sheet_by_name("Negotiation").to_python()
    heads, *rows = table
    assert heads[:4] == ["Payer", "Code", "What it is", "Your rate"]
    shown, (below, every) = rows[: len(priced)], rows[len(priced) : len(priced) + 2]
    by_heading = [dict(zip(heads, row, strict=True)) for row in shown]
    for row, one in zip(priced, by_heading, strict=True):
        figures = tuple(one[name] for name in ("Your rate", "Middle organization", "Gap", "Services", "Total gap"))
        assert figures == tuple(
            pytest.approx(float(row[name]), abs=0.01) if row[name] else ""
            for name in ("rate", "middle", "gap_to_middle", "units", "total_gap")
        )
        assert one["Gap in percent"] == pytest.approx(one["Your rate"] / one["Middle organization"] - 1, abs=0.001)
    assert [(one["Code"], one["Total gap"]) for one in by_heading] == [
        ("99213", -1250.0), ("99214", 45.0), ("73525", ""),
    ]  # fmt: skip
    total, would_add = heads.index("Total gap"), heads.index("75th would add")
    assert (below[0], below[total], below[would_add]) == ("Below the middle", -1250.0, "")
    # Three quarters of six organizations are paid $107.50 or less; the second line is above.
    assert (every[0], every[total], every[would_add]) == ("All lines in the sums", -1205.0, 1750.0)
    cells = read_first_sheet(content)
    assert cells["N2"] == ("D2-H2", -12.5)
    assert cells["Q2"] == ('IF(P2="","",N2*P2)', -1250.0)
    assert cells["S2"] == ('IF(P2="","",MAX(0,R2-D2)*P2)', 1750.0)
    assert "Q4" not in cells, "compared with too few"
    assert cells["Q5"] == ('IF(COUNT(Q2:Q4)=0,"",SUMIF(Q2:Q4,"<0"))', -1250.0)
    assert cells["Q6"] == ('IF(COUNT(Q2:Q4)=0,"",SUM(Q2:Q4))', -1205.0)
    assert all(compute(cells, at) == pytest.approx(value) for at, (formula, value) in cells.items() if formula)
    # What a clinic types changes what follows from it.
    typed = {**cells, "P2": ("", 200.0), "D3": ("", 95.0)}
    assert compute(typed, "Q2") == -2500.0
    assert compute(typed, "N3") == pytest.approx(95.0 - float(cells["H3"][1]))
    assert compute(typed, "Q6") == pytest.approx(-2500.0 + 3 * (95.0 - float(cells["H3"][1])))
    assert compute(typed, "S6") == pytest.approx(2 * 1750.0 + 3 * 15.0)
    assert compute({**cells, "P2": ("", "")}, "Q2") == "", "in no sum, as on the page"
    assert "1 line is compared with fewer than 5 other organizations and counts in no sum. 3 lines;" in rows[-1][0]
    assert (
        "1 of 2 lines is below what the middle organization is paid; in the middle of the lines, 1.0% above ."
        in shown_text
    )
    assert (
        "Those below come to −$1,250.00 a year at your volumes, known of 2 lines; all of these together, −$1,205.00"
        in shown_text
    )
    assert "The 75th percentile of organizations is higher in 1, by 19% in the middle: +$1,750.00 a year" in shown_text
    assert "1 more line is not counted: compared with fewer than 5 other organizations." in shown_text
    assert "not counted: 4 other organizations" in shown_text
