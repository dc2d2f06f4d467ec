"""Questions that need every rate of a large market ask for a code first, or are answered from what is recorded."""

from typing import Any

import pytest
from django.test import Client

from core.pages.forms.market_forms import ChangesForm, MedicareForm, PayersForm, ProviderForm, RatesForm
from core.pages.forms.quality_form import QualityForm
from core.pages.forms.query_form import CodesForm, QueryForm
from core.pages.shared import page as shared_page
from core.pages.shared.answer_cache import AnswerCache
from core.pages.shared.lanes.weights import is_too_broad, weigh_check, weigh_question
from core.quality.report import run_checks
from core.queries import coverage
from core.queries.market.market import Market
from core.store.connection import Snapshot
from core.store.parquet.writer import ROW_GROUP_ROWS
from tests.pages.markets import MONTH, PEACH, PIEDMONT, QUERY
from tests.site import csv_rows, tables, text_of


@pytest.fixture
def fresh(site: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Return a browser of a site that keeps no pages: those of other tests were made with other settings."""
    monkeypatch.setattr(shared_page, "ANSWERS", AnswerCache(0))
    return site


@pytest.fixture
def large(fresh: Client, settings: Any) -> Client:
    """Return a browser of a site to which the demo's rates are many."""
    settings.BEACONPOINT_WHOLE_RATES = 100
    return fresh


def form(kind: type[QueryForm], **values: str) -> QueryForm:
    found = kind(values)
    assert found.is_valid(), found.problems
    return found


def test_the_rates_of_a_part_are_counted(demo: Snapshot) -> None:
    loaded = coverage.list_coverage(demo)
    assert coverage.count_loaded_rates(demo, "", [""], None) == sum(row.rates for row in loaded)
    assert coverage.count_loaded_rates(demo, "GA", ["2025-08"], PEACH) == next(
        row.rates for row in loaded if (row.year_month, row.payer_slug) == ("2025-08", PEACH)
    )
    assert coverage.count_loaded_rates(demo, "FL", [""], None) == 0


def test_a_market_without_a_code_may_be_too_broad(demo: Snapshot, settings: Any) -> None:
    market = Market("GA", "2025-08", payer=PIEDMONT)
    one, other = (coverage.count_loaded_rates(demo, "GA", [month], PIEDMONT) for month in ("2025-07", "2025-08"))
    assert one
    settings.BEACONPOINT_WHOLE_RATES = other
    assert not is_too_broad(demo, market)
    assert is_too_broad(demo, market, "2025-07"), "two months are more than one"
    settings.BEACONPOINT_WHOLE_RATES = one + other
    assert not is_too_broad(demo, market, "2025-07")
    settings.BEACONPOINT_WHOLE_RATES = 0
    assert not is_too_broad(demo, Market("GA", "2025-08", "CPT", "99213"))


def test_a_question_weighs_as_much_as_it_reads(demo: Snapshot) -> None:
    month = coverage.count_loaded_rates(demo, "GA", ["2025-08"], None)
    assert month < ROW_GROUP_ROWS, "so that a row group is the whole month"
    assert weigh_question(demo, form(CodesForm, q="knee")) == 0
    assert weigh_question(demo, form(RatesForm, code="99213", **MONTH)) == month
    assert weigh_question(demo, form(RatesForm, **MONTH)) == 0, "it asks for a code"
    assert weigh_question(demo, form(PayersForm, codes="99213,99214", **MONTH)) == month
    assert weigh_question(demo, form(PayersForm, payer=PEACH, **MONTH)) == 0
    assert weigh_question(demo, form(MedicareForm, **MONTH)) == 50 * month
    assert weigh_question(demo, form(ChangesForm, payer=PEACH, **MONTH)) == 100 * month
    assert weigh_question(demo, form(ProviderForm)) == month, "without copies by group"
    assert weigh_check(demo, form(QualityForm)) == 50 * coverage.count_loaded_rates(demo, "", [""], None)  # type: ignore[arg-type]


def test_medicare_asks_for_a_code(large: Client) -> None:
    response = large.get("/medicare/", MONTH)
    assert response.status_code == 200
    said = text_of(response)
    assert "Choose a code to compare its rates with Medicare" in said
    assert "rates are available for Georgia, August 2025: too many to show at once" in said
    assert 'action="/medicare/"' in response.content.decode()
    assert "can be compared with a Medicare amount" in text_of(large.get("/medicare/", {**QUERY, "code": "70450"}))
    as_file = large.get("/medicare/", {**MONTH, "format": "csv"})
    assert as_file.status_code == 400
    assert "choose a billing code" in as_file.content.decode()


def test_changes_of_a_payer_ask_for_a_code_and_show_what_is_loaded(large: Client, demo: Snapshot) -> None:
    response = large.get("/changes/", {**MONTH, "payer": PIEDMONT})
    assert (
        "Choose a code or a tax ID. All rates of this payer in two months are too many to compare at once."
        in text_of(response)
    )
    before, after = (coverage.count_loaded_rates(demo, "GA", [month], PIEDMONT) for month in ("2025-07", "2025-08"))
    (shown,) = tables(response)
    assert [row[0] for row in shown[1:]] == ["Example Piedmont Mutual, Inc."]
    assert (shown[1][1], shown[1][3]) == (f"{before:,}", f"{after:,}")
    loaded = csv_rows(large.get("/changes/", {**MONTH, "payer": PIEDMONT, "table": "payers", "format": "csv"}))
    assert [row["rates_after"] for row in loaded] == [str(after)]
    assert large.get("/changes/", {**MONTH, "payer": PIEDMONT, "table": "codes", "format": "csv"}).status_code == 400
    assert "By payer" in text_of(large.get("/changes/", {**QUERY, "payer": PIEDMONT}))


@pytest.mark.parametrize(
    "address", ["medicare", "medicare/payers", "medicare/outcomes", f"changes/codes?payer={PIEDMONT}"]
)
def test_the_api_says_that_a_question_is_too_broad(large: Client, address: str) -> None:
    response = large.get(f"/api/v1/{address}")
    assert response.status_code == 400
    assert response.json()["type"] == "/api/docs#too-broad"
    assert "More than 100 rates are loaded of this market: choose a code" in response.json()["detail"]


@pytest.mark.parametrize("address", ["/medicare/", f"/changes/?payer={PIEDMONT}", "/quality/implausible_rates/"])
def test_a_small_store_answers_all_of_it(fresh: Client, address: str) -> None:
    assert "too many" not in text_of(fresh.get(address))


def test_implausible_rates_are_those_that_the_checks_recorded(large: Client, demo: Snapshot) -> None:
    (finding,) = (one for one in run_checks(demo).findings if one.name == "implausible_rates")
    assert finding.count
    response = large.get("/quality/implausible_rates/")
    assert response.status_code == 200
    said = text_of(response)
    assert f"{finding.count:,} of {finding.total:,} were found when all data was checked on" in said
    assert "The data has changed since" not in said
    (shown,) = tables(response)
    found = {(row[0], row[2]): (row[3], row[4]) for row in shown[1:]}
    assert len(found) == len(finding.parts)
    assert sum(int(count) for count, _ in found.values()) == finding.count
    assert all("% of Medicare" in row[5] and not row[5].endswith("Modifier") for row in shown[1:])
    (link,) = (
        address
        for address in response.content.decode().split('"')
        if address.startswith("/quality/implausible_rates/?") and "2025-08" in address and PIEDMONT in address
    )
    assert large.get("/quality/implausible_rates/", {"format": "csv"}).status_code == 400
    large.get(link.replace("&amp;", "&"))


def test_one_payer_s_month_is_looked_at_now(fresh: Client, settings: Any, demo: Snapshot) -> None:
    part = {**MONTH, "payer": PIEDMONT}
    settings.BEACONPOINT_WHOLE_RATES = coverage.count_loaded_rates(demo, "GA", ["2025-08"], PIEDMONT)
    assert "found in the current data with these filters" in text_of(fresh.get("/quality/implausible_rates/", part))
    assert "when all data was checked" in text_of(fresh.get("/quality/implausible_rates/"))


def test_a_provider_is_shown_without_its_market(large: Client, demo: Snapshot) -> None:
    ((npi,),) = demo.rows("SELECT min(npi) FROM xref_tin_npi")
    response = large.get(f"/npi/{npi}/", MONTH)
    said = text_of(response)
    assert "Medians and positions in the market are not shown for a market of this size." in said
    assert "percentile of the market" not in said
    of_codes = next(table for table in tables(response) if table[0][:2] == ["Code", "Payer"])
    assert of_codes[0][-1] == "% of Medicare"
    assert len({len(row) for row in of_codes}) == 1
    figures = ("market", "market_rates", "difference", "percentile")
    rows = csv_rows(large.get(f"/npi/{npi}/", {**MONTH, "format": "csv"}))
    assert {tuple(row[name] for name in figures) for row in rows} == {("", "", "", "")}
    assert any(row["percent"] for row in rows)
    (first, *_) = large.get(f"/api/v1/providers/npi/{npi}/rates", MONTH).json()["rows"]
    assert [first[name] for name in figures] == [None] * 4
    assert large.get(f"/api/v1/providers/npi/{npi}/summary", MONTH).json()["summary"]["placed"] == 0
