"""Tables as Excel workbooks."""

import io
import json
import re
import zipfile
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, Any

import pytest
from django.test import Client
from python_calamine import CalamineWorkbook

from core import workbook
from core.queries import coverage, profiles
from core.queries.find import codes
from core.queries.over_time import changes
from core.queries.parties import organizations, provider_rates, providers
from core.queries.rates_against_medicare import RateAgainstMedicare, SummaryAgainstMedicare
from core.queries.rules.columns import described
from core.queries.side_by_side.payer_spread import PayerSpread
from core.queries.yardstick import medicare
from core.sheet_columns import columns_of, heading_of
from core.workbook import About, SourceFile, write_workbook

ABOUT = About(
    "Rates of 99213",
    "https://example.com/rates/?code=99213",
    [("State", "Georgia"), ("Payer", "Example Peach")],
    [SourceFile("Example Peach", "GA", "2025-08", "peach.json.gz", "2025-08-01")],
    7,
    "0a1b2c3d",
    datetime(2025, 9, 2, 6, 30, tzinfo=UTC),
)


@dataclass
class Row:
    kind: str
    reporting_entity_name: str
    negotiated_rate: Annotated[float | None, described("Dollars.", 1.0)]
    percent: Annotated[float | None, described("Rate divided by the Medicare amount: 1 is 100%.", 1.0)]
    npis: int
    places: list[str]
    updated_on: date | None


def sheets(rows: Any) -> dict[str, list[list[Any]]]:
    file = io.BytesIO()
    write_workbook(file, Row, rows, ABOUT)
    book = CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue()))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_the_rows_have_headings_a_person_reads_and_their_types() -> None:
    table = sheets([Row("dollars", "Peach", 104.5, 1.25, 3, ["11", "22"], date(2025, 8, 1))])["Table"]
    assert table == [
        ["Kind of rate", "Payer", "Rate", "Percent of Medicare", "NPIs", "Places", "Updated on"],
        ["dollars", "Peach", 104.5, 1.25, 3, "11, 22", date(2025, 8, 1)],
    ]


def test_text_of_a_payer_is_text(tmp_path: Any) -> None:
    names = ["=1+1", "+1", "@SUM(A1)", "https://example.com", "{=A1}", "x" * 40_000]
    table = sheets(Row("dollars", name, float("nan"), float("inf"), 1, [], None) for name in names)["Table"]
    assert [row[1] for row in table[1:]] == [*names[:-1], "x" * 32_767]
    assert {row[2] for row in table[1:]} == {""}


def test_it_says_what_was_asked_and_where_the_figures_come_from() -> None:
    found = sheets([Row("dollars", "Peach", 1.0, None, 1, [], None)])
    lines = [[cell for cell in line if cell != ""] for line in found["About"]]
    assert lines[0] == ["Rates of 99213"]
    assert ["State", "Georgia"] in lines
    assert ["Rows", "1"] in lines
    assert ["Page", "https://example.com/rates/?code=99213"] in lines
    assert ["How it is computed", "https://example.com/method/"] in lines
    assert ["Data", "generation 7"] in lines
    assert ["Computed by", "program version 0a1b2c3d"] in lines
    assert ["Made", "September 2, 2025 at 06:30 UTC"] in lines
    assert lines[-1] == ["Example Peach", "GA 2025-08", "peach.json.gz", "2025-08-01"]
    assert found["Columns"][1:][2] == ["Rate", "negotiated_rate", "Dollars."]


def test_of_many_files_it_says_how_many_each_payer_has() -> None:
    many = [SourceFile(f"Payer {at % 2}", "GA", "2025-08", f"{at}.json", f"2025-08-{at:02}") for at in range(1, 26)]
    file = io.BytesIO()
    write_workbook(file, Row, [], replace(ABOUT, sources=many))
    about = CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue())).get_sheet_by_name("About").to_python()
    lines = [[cell for cell in line if cell != ""] for line in about]
    assert ["Payer 1", "GA 2025-08", "13", "2025-08-25"] in lines
    assert ["Payer 0", "GA 2025-08", "12", "2025-08-24"] in lines
    assert lines[-1] == ["Each payer's files", "https://example.com/payers/?state=GA"]
    assert "25.json" not in str(lines)


def test_percentages_and_fractions_are_not_dollars() -> None:
    units = {column.name: column.unit for column in columns_of(Row)}
    assert (units["negotiated_rate"], units["percent"], units["npis"]) == ("dollars", "fraction", "count")
    spread = {column.name: column.unit for column in columns_of(medicare.PercentSpread)}
    assert {spread[name] for name in ("p10", "p25", "p50", "p75", "p90")} == {"fraction"}


def test_services_shares_and_places_on_the_map_are_not_dollars() -> None:
    row_types: tuple[type[Any], ...] = (RateAgainstMedicare, SummaryAgainstMedicare, profiles.Breakdown)
    units = {f"{each.__name__}.{column.name}": column.unit for each in row_types for column in columns_of(each)}
    plain = (
        "RateAgainstMedicare.medicare_services",
        "SummaryAgainstMedicare.services",
        "Breakdown.latitude",
        "Breakdown.longitude",
    )
    assert {units[name] for name in plain} == {"plain"}
    assert units["RateAgainstMedicare.specialty_share"] == units["Breakdown.percent"] == "fraction"
    assert units["RateAgainstMedicare.negotiated_rate"] == units["SummaryAgainstMedicare.mean"] == "dollars"
    assert units["RateAgainstMedicare.percent"] == units["SummaryAgainstMedicare.percent_p50"] == "fraction"
    assert units["RateAgainstMedicare.medicare"] == "dollars"


def test_the_two_medians_of_changes_are_told_apart() -> None:
    found = {column.name: (column.heading, column.unit) for column in columns_of(changes.PayerMoved)}
    assert found["middle"] == ("Median change, with the same", "fraction")
    assert found["p50"] == ("Median of those up or down", "fraction")


def test_a_table_that_is_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 300)
    for rows, said in ((300, "300"), (301, "the first 300; download CSV or Parquet for all")):
        found = sheets(Row("dollars", "Peach", 1.0, None, number, [], None) for number in range(rows))
        assert ["Rows", said] in [line[:2] for line in found["About"]]
        npis = found["Table"][0].index("NPIs")
        assert [row[npis] for row in found["Table"][1:]] == list(range(300))


def test_columns_that_are_empty_throughout_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row("dollars", "Peach", 1.0, None, 1, [], None), Row("dollars", "", 1.0, None, 1, ["11"], None)]
    found = sheets(rows)
    assert found["Table"][0] == ["Kind of rate", "Payer", "Rate", "NPIs", "Places"]
    assert [row[0] for row in found["Columns"][1:]] == found["Table"][0]
    assert [row[4] for row in found["Table"][1:]] == ["", "11"]
    monkeypatch.setattr(workbook, "_ROWS_LOOKED_AT", 1)
    assert "Updated on" in sheets(rows)["Table"][0], "later rows may have it"


TABLE = "xl/worksheets/sheet2.xml"


def test_a_workbook_of_rates_begins_with_the_rate_and_ends_with_keys(site: Client) -> None:
    question = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "99213"}
    file = io.BytesIO(b"".join(site.get("/rates/", {**question, "format": "xlsx"})))
    book = CalamineWorkbook.from_filelike(file)
    heads, *rows = book.get_sheet_by_name("Table").to_python()
    wanted = ["Rate", "Payer", "File's date", "Percent of Medicare", "Medicare amount", "Organization", "Tax ID"]
    assert heads[:4] == wanted[:4]
    assert [head for head in heads if head in wanted] == [head for head in wanted if head in heads]
    assert str(heads[-1]).startswith(("Key", "Batch"))
    keys = [at for at, head in enumerate(heads, start=1) if str(head).startswith(("Key", "Batch"))]
    hidden = re.findall(r'<col min="(\d+)" max="(\d+)"[^>]*hidden="1"', zipfile.ZipFile(file).read(TABLE).decode())
    assert [at for low, high in hidden for at in range(int(low), int(high) + 1)] == keys
    plain = json.loads(b"".join(site.get("/rates/", {**question, "format": "json"})))["rows"]
    assert next(iter(plain[0])) == "fact_uid", "the other formats keep their order"
    by_key = {row["fact_uid"]: row for row in plain}
    for row in rows:
        named = dict(zip(heads, row, strict=True))
        same = by_key[named["Key of the rate"]]
        assert named["Rate"] == same["negotiated_rate"]
        assert named["Payer"] == same["reporting_entity_name"]
        assert named["Modifier"] == (same["modifier"] or "none")


@pytest.mark.parametrize(
    "row_type",
    [RateAgainstMedicare, SummaryAgainstMedicare, medicare.Comparison, medicare.PercentSpread,
     organizations.Organization, PayerSpread,
     provider_rates.CodeRates, providers.Npi, coverage.Coverage, codes.CodeTitle],
)  # fmt: skip
def test_no_heading_stands_twice(row_type: type[Any]) -> None:
    headings = [heading_of(row_type, column.name) for column in columns_of(row_type)]
    assert len(set(headings)) == len(headings)
    assert not any("_" in heading for heading in headings)


@pytest.mark.parametrize("table", ["rates", "summary", "histogram"])
def test_a_page_gives_its_table_as_a_workbook(site: Client, table: str) -> None:
    question = {
        "state": "GA",
        "year_month": "2025-08",
        "code_type": "CPT",
        "code": "99213",
        "billing_class": "professional",
    }
    response = site.get("/rates/", {**question, "table": table, "format": "xlsx"})
    name = f"{'rates_99213' if table == 'rates' else table}_GA_2025-08.xlsx"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(response)))
    about = [line[:2] for line in book.get_sheet_by_name("About").to_python()]
    for line in (["State", "Georgia"], ["Month", "August 2025"], ["Code", "CPT 99213"]):
        assert line in about
    assert ["Billing class", "professional fee"] in about
    heads, *listed = book.get_sheet_by_name("Table").to_python()
    if table == "rates":
        assert {row[heads.index("Billing class")] for row in listed} == {"professional fee"}
    rows = site.get("/rates/", {**question, "table": table, "format": "json"})
    assert len(book.get_sheet_by_name("Table").to_python()) == 1 + b"".join(rows).count(b"\n{")


def test_a_class_that_the_rates_are_not_measured_as_is_a_label() -> None:
    @dataclass
    class Rate:
        payer_slug: str
        billing_class: str | None

    rates = [Rate(payer, one) for payer in ("evry", "peach") for one in ("institutional", "professional", None)]
    found = {}
    for named, about in {
        "code": replace(ABOUT, measured_as="professional"),
        "provider": replace(ABOUT, overruled={("evry", "institutional")}),
        "neither": ABOUT,
    }.items():
        file = io.BytesIO()
        write_workbook(file, Rate, rates, about)
        table = CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue())).get_sheet_by_name("Table").to_python()
        at = table[0].index("Billing class")
        found[named] = [row[at] for row in table[1:]]
    facility, professional = "facility fee", "professional fee"
    assert found == {
        "code": [f"labeled {facility}", professional, ""] * 2,
        "provider": [f"labeled {facility}", professional, "", facility, professional, ""],
        "neither": [facility, professional, ""] * 2,
    }
