"""Wherever a payer's month is named as the age of its rates, a file that is much older says its own date."""

import json
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client
from python_calamine import CalamineWorkbook

from core.load.load_file import load_file
from core.pages import formats
from core.pages.templatetags import figures
from core.queries.latest import PayerFileMonth
from core.queries.market.latest_files import LatestFiles
from core.queries.market.market import Market
from core.store.generations.store import Store
from core.store.market.market_months import MarketMonth
from core.tic.source import open_documents
from tests.built_once import BuiltOnce
from tests.queries.comparison.fee_schedules import Row, Schedule
from tests.queries.tables import written
from tests.reference.nppes import registers
from tests.site import Visitor, serving, tables, text_of

MONTH = "November 2025 (file dated February 2023)"

PAGES = (
    "/", "/payers/", "/payers/?payer=old", "/payers/?code=99213", "/rates/?code=99213", "/medicare/?code=99213",
    "/organizations/?code=99213", "/report/?code=99213", "/baskets/?codes=99213", "/clinic/?tin=123456789&codes=99213",
    "/rates/?code=99213&year_month=2025-11", "/places/?code=99213",
    "/trend/?code=99213", "/quality/", "/rule/?payer=old", "/rule/",
)  # fmt: skip


def load_payer(
    store: Store,
    directory: Path,
    payer: str,
    own: str,
    month: str = "2025-11",
    paid: Sequence[float] = (10,),
    tin: str = "123456789",
    code: str = "99213",
) -> None:
    """Load a file of a payer for a month, with the date that the file itself states."""
    file = directory / f"{payer}-{own}.json"
    content = registers.rates(registers.SURGEON) | {"reporting_entity_name": payer, "last_updated_on": own}
    content["in_network"][0]["billing_code"] = code
    rates = content["in_network"][0]["negotiated_rates"][0]
    rates["negotiated_prices"] = [rates["negotiated_prices"][0] | {"negotiated_rate": rate} for rate in paid]
    rates["provider_groups"][0]["tin"]["value"] = tin
    file.write_text(json.dumps(content), encoding="utf-8")
    load_file(store, open_documents(file)[0], "GA", year_month=month)


@pytest.fixture
def site(built_once: BuiltOnce, tmp_path: Path) -> Iterator[Client]:
    def build(directory: Path) -> None:
        for payer, own in (("Old", "2023-02-01"), ("New", "2025-10-01")):
            load_payer(Store(directory), tmp_path, payer, own)

    with serving(built_once.get("old_file", build)):
        yield Visitor()


@pytest.fixture
def two_months(built_once: BuiltOnce, tmp_path: Path) -> Iterator[Client]:
    def build(directory: Path) -> None:
        for month, own in (("2025-10", "2023-01-01"), ("2025-11", "2023-02-01")):
            load_payer(Store(directory), tmp_path, "Old", own, month)
        load_payer(Store(directory), tmp_path, "New", "2025-10-01")

    with serving(built_once.get("old_file_of_two_months", build)):
        yield Visitor()


def test_changes_say_the_date_of_both_months(two_months: Client) -> None:
    shown = text_of(two_months.get("/changes/?code=99213"))
    assert f"pays in both October 2025 (file dated January 2023) and {MONTH}" in shown
    listed = text_of(two_months.get("/changes/"))
    assert MONTH in listed
    assert "October 2025 (file dated January 2023)" in listed
    trend = text_of(two_months.get("/trend/?code=99213"))
    assert re.search(rf"in October 2025 \(file dated January 2023\) and .* in {re.escape(MONTH)}", trend)


@pytest.mark.parametrize("address", PAGES)
def test_the_date_stands_beside_the_month(site: Client, address: str) -> None:
    page = site.get(address)
    assert MONTH in text_of(page)
    assert '<a href="/method/#the-latest-file-of-each-payer">(file dated February 2023)</a>' in page.content.decode()
    assert "file dated October 2025" not in text_of(page)


def test_a_report_says_it_in_the_payer_s_row(site: Client) -> None:
    names = [row[0] for table in tables(site.get("/report/?code=99213")) for row in table]
    assert {"New", "Old file dated February 2023"} <= {" ".join(name.split()) for name in names}


@pytest.fixture
def far_apart(built_once: BuiltOnce, tmp_path: Path) -> Iterator[Client]:
    def build(directory: Path) -> None:
        store = Store(directory)
        load_payer(store, tmp_path, "Old", "2023-02-01", paid=(80, 81, 82, 83, 84))
        load_payer(store, tmp_path, "New", "2025-10-01", "2025-10", (200, 201, 202, 203, 204), "987654321")
        load_payer(store, tmp_path, "Of Another Code", "2022-06-01", code="27447")
        amount: Row = {"state": "GA", "code_type": "CPT", "code": "99213", "modifier": "", "status": "A"}
        amount |= {"medicare_prof_rate": 100.0, "facility_rate": 70.0, "release": "2025-01"}
        schedule = Schedule("medicare_prof", "2025-01", "US", ["GA"], [amount])
        amounts = [{**amount, "year_month": month} for month in ("2025-10", "2025-11")]
        most: Row = {"state": "GA", "code_type": "CPT", "code": "99213", "wcfs_status": "priced", "wcfs_amount": 160.0}
        of_state = Schedule("wcfs", "2025-01", "GA", ["GA"], [{**most, "year_month": "2025-01", "release": "2025-01"}])
        written(
            directory,
            {
                "dim_benchmark": [schedule.record(), of_state.record()],
                "bench_medicare_prof": amounts,
                "bench_wcfs": of_state.rows,
            },
        )

    with serving(built_once.get("files_far_apart", build)):
        yield Visitor()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (
            "payers/?code=",
            (
                "New (October 2025) pays the most, $202.00 in the middle of its 5 rates (by rates: only 1 organization "
                "has them), and Old (file of February 2023) the least"
            ),
        ),
        (
            "medicare/?code=",
            (
                "New (October 2025) pays 202% of Medicare at the middle one of its 5 rates "
                "(half of them 201% to 203%); Old (file of February 2023) pays 82% of Medicare "
                "at the middle one of its 5 rates"
            ),
        ),
        (
            "baskets/?codes=",
            (
                "New (October 2025) pays the most, 142% of the market (202% of Medicare), "
                "and Old (file of February 2023) the least"
            ),
        ),
        ("payers/?payer=old&code=", "only Old (file of February 2023) has such rates"),
    ],
)
def test_a_sentence_that_compares_payers_dates_their_files(far_apart: Client, address: str, sentence: str) -> None:
    assert sentence in text_of(far_apart.get(f"/{address}99213"))


@pytest.mark.parametrize(
    "address", ["report/?code=99213", "baskets/?codes=99213", "clinic/?tin=123456789&codes=99213", "payers/?payer=old"]
)
def test_medicare_of_another_year_than_a_file_is_said_once(far_apart: Client, address: str) -> None:
    said = "Medicare’s amounts are those of 2025, for the file of"
    assert text_of(far_apart.get(f"/{address}")).count(said) == 1


def test_medicare_of_another_year_than_a_file_is_said_among_the_notes(far_apart: Client) -> None:
    for page in ("rates", "payers", "organizations", "medicare", "places"):
        shown = text_of(far_apart.get(f"/{page}/?code=99213"))
        assert "Percent of Medicare uses 2025 amounts for every file, older ones too" in shown, page


def test_an_organization_has_the_date_of_its_own_payers_file(far_apart: Client) -> None:
    names = {
        row[0].partition(" specialty not known ")[2]
        for row in tables(far_apart.get("/organizations/?code=99213"))[-1][1:]
    }
    assert names == {"Old file dated February 2023", "New October 2025"}


def test_what_is_accepted_beside_the_state_s_schedule_is_dated(far_apart: Client) -> None:
    common = far_apart.get("/compensation/?state=GA")
    assert [[" ".join(cell.split()) for cell in row[2:]] for row in tables(common)[0][1:]] == [
        ["New", "$202.00 5 rates, $200.00 to $204.00", "126%"],
        ["Old file dated February 2023", "$82.00 5 rates, $80.00 to $84.00", "51%"],
    ]
    listed = far_apart.get("/compensation/?state=GA&codes=99213")
    assert [row[-1] for row in tables(listed)[0][1:]] == ["October 2025", MONTH]
    for page in (common, listed, far_apart.get("/compensation/?state=GA&code=99213")):
        assert text_of(page).count("need not hold for work injuries.") == 1


def test_months_of_several_files_are_told_by_a_date_that_all_have() -> None:
    files = [
        PayerFileMonth("old", "Old", "2025-11", "2023-02"),
        PayerFileMonth("new", "New", "2025-11"),
        PayerFileMonth("next", "Next", "2025-12"),
    ]

    def dated(oldest: str, newest: str, files: list[PayerFileMonth], **of: list[str]) -> str:
        row = SimpleNamespace(oldest_month=oldest, newest_month=newest, **of)
        return figures.date_range({"payer_months": files}, row)

    assert dated("2025-11", "2025-11", files, payers=["Old"]) == "file dated February 2023"
    assert dated("2025-11", "2025-11", files, payers=["New"]) == "November 2025"
    assert dated("2025-11", "2025-11", files, payers=["Old", "New"]) == "November 2025"
    assert dated("2025-11", "2025-12", files, payers=["Old", "Next"]) == "November 2025 to December 2025"
    assert dated("2025-11", "2025-11", files) == "November 2025", "nothing says whose rates they are"
    assert dated("2025-11", "2025-11", files[:1]) == "file dated February 2023"


def test_the_api_and_workbooks_have_it(site: Client) -> None:
    found = {row["payer_slug"]: row["file_month"] for row in site.get("/api/v1/coverage").json()["rows"]}
    assert found == {"old": "2023-02", "new": None}
    workbook = CalamineWorkbook.from_filelike(BytesIO(b"".join(site.get("/rates/?code=99213&format=xlsx"))))
    rows = workbook.get_sheet_by_name("About").to_python()
    said = {row[0]: row[1] for row in rows if len(row) > 1}
    assert said["Old"] == "GA 2025-11 (file dated 2023-02)"
    assert said["New"] == "GA 2025-11"


def test_a_workbook_names_the_files_of_payers_with_the_code_as_the_page_does(far_apart: Client) -> None:
    assert "Georgia, files of February 2023 to October 2025" in text_of(far_apart.get("/rates/?code=99213"))
    workbook = CalamineWorkbook.from_filelike(BytesIO(b"".join(far_apart.get("/rates/?code=99213&format=xlsx"))))
    said = [row[:2] for row in workbook.get_sheet_by_name("About").to_python()]
    assert ["Month", "files of February 2023 to October 2025"] in said
    assert [name for name, of in said if str(of).startswith("GA 2025")] == ["New", "Old"]


@pytest.mark.parametrize(
    ("files", "written"),
    [
        ([("2025-06", None), ("2025-11", "2023-02")], "files of February 2023 to June 2025"),
        ([("2025-06", None), ("2025-11", None)], "files of June 2025 to November 2025"),
        ([("2025-11", "2023-02")], "files of February 2023"),
        ([("2025-11", None)], "November 2025"),
        ([], "latest file of each payer, June 2025 to November 2025"),
    ],
)
def test_a_title_has_the_dates_of_the_files(files: list[tuple[str, str | None]], written: str) -> None:
    months = tuple(MarketMonth(month) for month in ("2025-11", "2025-06"))
    assert formats.write_file_dates(Market("TX", "", latest=LatestFiles((), months)), files) == written
    assert formats.write_file_dates(Market("TX", "2025-11"), files) == "November 2025", "as it was asked for"


def test_titles_and_trends_stand_at_the_date_of_a_file(site: Client) -> None:
    for page in ("rates", "payers", "organizations", "medicare", "report", "places"):
        shown = text_of(site.get(f"/{page}/?code=99213"))
        assert "Georgia, files of February 2023 to November 2025" in shown, page
        assert "Percent of Medicare uses" not in shown, f"{page}: no schedule is loaded"
    assert "At Old (file of February 2023)" in text_of(site.get("/clinic/?tin=123456789&codes=99213"))
    trend = site.get("/trend/?code=99213")
    assert "Trend in Georgia, February 2023 to November 2025" in text_of(trend)
    assert re.findall(r">(\w{3} \d{4})</text>", trend.content.decode()) == ["Nov 2025", "Feb 2023"]
    home = text_of(site.get("/"))
    assert "Data as of" in home
    assert "pdated" not in home
    assert formats.write_own_date("2025-11", "2023-02") == "file of February 2023"
    assert formats.write_own_date("2025-11", None) == "November 2025"
