"""The rates of a code."""

import re

import pytest
from django.test import Client

from core.pages.code_pages import rates as rates_page
from core.pages.formats import write_dollars, write_month
from core.queries import rates
from core.queries.classes.rate_classes import choose_class
from core.queries.code_answer import spread_by_terms
from core.queries.in_state import ProvidersInState
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.pages.markets import MARKET, PEACH, QUERY
from tests.reference.nppes import registers
from tests.site import Visitor, csv_rows, serving, tables, text_of


def test_the_page_shows_the_spread_and_every_rate(site: Client, demo: Snapshot) -> None:
    response = site.get("/rates/", QUERY)
    spread, every = tables(response)
    of_class = choose_class(demo, MARKET)
    market = of_class.market
    assert [(one.billing_class, one.rates, one.chosen) for one in of_class.classes] == [
        ("professional", 50, True), ("professional", 10, False), ("institutional", 10, False),
    ]  # fmt: skip
    summaries = rates.summarize_rates(demo, market)
    together = [row for row in spread_by_terms(demo, market) if row.reporting_entity_name is None]
    assert [row[0] for row in spread[1:]] == [
        *("All payers" for _ in together),
        *(row.reporting_entity_name for row in summaries),
    ]
    assert [row[7] for row in spread[1:]] == [
        write_dollars(median) for median in [*(row.p50 for row in together), *(row.p50 for row in summaries)]
    ]
    most = together[0]
    said = text_of(response).split("In Georgia, ")[1]
    assert (
        f"is paid {write_dollars(most.p50)} in the middle; "
        f"half of the {most.rates} rates are between {write_dollars(most.p25)}" in said
    )
    assert f"{most.percent_p50:.0%} of Medicare" in said
    assert f"All payers: median {write_dollars(most.p50)}" in response.content.decode(), "the chart says the same"
    assert len(every) == 51
    assert [row[0] for row in every[1:]] == [
        write_dollars(r.negotiated_rate) for r in rates.list_rates(demo, market, "rate", 50, 0)
    ]
    counted = rates.count_market(demo, market)
    assert f"{counted.rates} rates for {counted.groups} provider groups with {counted.npis} distinct NPIs" in text_of(
        response
    )


def test_the_pages_of_a_table_contain_each_row_once(site: Client) -> None:
    every = {**QUERY, "classes": "all"}
    whole = [row["fact_uid"] for row in csv_rows(site.get("/rates/", {**every, "format": "csv"}))]
    assert len(whole) == len(set(whole)) == 70
    shown = [len(tables(site.get("/rates/", {**every, "page": number}))[-1]) - 1 for number in (1, 2)]
    assert shown == [50, 20]
    beyond = site.get("/rates/", {**every, "page": 3})
    assert "Page 3 does not exist. The last one is page 2" in text_of(beyond)


def test_the_code_set_version_is_on_the_page_and_in_every_table_of_rates(site: Client) -> None:
    assert "code set version 2025" in text_of(site.get("/rates/", QUERY))
    assert {row["billing_code_type_version"] for row in csv_rows(site.get("/rates/", {**QUERY, "format": "csv"}))} == {
        "2025"
    }
    rows = site.get("/api/v1/rates", QUERY).json()["rows"]
    assert {row["billing_code_type_version"] for row in rows} == {"2025"}


def test_percentages_are_not_mixed_with_dollars(site: Client) -> None:
    response = site.get("/rates/", {**QUERY, "code": "97110"})
    dollars, percentages, _ = tables(response)
    assert "Mean" in dollars[0]
    assert "Mean" not in percentages[0]
    assert all("%" not in cell for row in dollars for cell in row[:-1])
    assert dollars[0][-1] == "Median % of Medicare"
    assert all("$" not in cell for row in percentages for cell in row)
    assert "Percentages not included in dollar figures" in text_of(response)
    organizations_page = text_of(site.get("/organizations/", {**QUERY, "code": "97110"}))
    assert re.search(r"\d+ are not in dollars per service", organizations_page)


@pytest.mark.parametrize(
    ("code_type", "code", "title"),
    [("REV", "0120", "Per diems"), ("MS-DRG", "469", "Bundles"), ("CPT", "99215", "Capitation")],
)
def test_other_kinds_are_not_mixed_with_dollars(site: Client, code_type: str, code: str, title: str) -> None:
    assert f"{title} not included in dollar figures" in text_of(
        site.get("/rates/", {**QUERY, "code_type": code_type, "code": code})
    )


def test_the_place_filter_says_which_rates_it_excludes(site: Client) -> None:
    shown = text_of(site.get("/rates/", {**QUERY, "code": "97110", "pos": "11"}))
    assert (
        "11 Office also matches rates that apply in every place (CSTM-00). "
        "10 rates without a place of service are excluded" in shown
    )
    assert "62.5%" in shown, "the percentage holds in every place"
    assert "All rates for this code state a place of service" in text_of(
        site.get("/rates/", {**QUERY, "pos": "21", "code_type": "HCPCS", "code": "G0438"})
    )


def test_a_bare_code_finds_its_system(site: Client) -> None:
    assert "REV 0450" in text_of(site.get("/rates/", {"code": "450"}))
    assert "CPT 99213" in text_of(site.get("/rates/", {"code": "99213"}))
    assert "GA" in text_of(site.get("/rates/", {"code": "99213"}))


def test_an_unknown_code_shows_nearby_codes(site: Client) -> None:
    response = site.get("/rates/", {**QUERY, "code": "99212"})
    assert response.status_code == 200
    shown = text_of(response)
    assert "No rates for CPT 99212 in Georgia, August 2025" in shown
    assert "Codes nearby" in shown
    assert "99213" in shown
    nothing = text_of(site.get("/rates/", {**QUERY, "state": "TX", "code": "99212"}))
    assert "There are no rates for this state and month. There are rates for: Georgia, August 2025" in nothing


def test_a_code_without_rates_here_says_where_it_has_some(site: Client, demo: Snapshot) -> None:
    page = site.get("/rates/", {**QUERY, "state": "TX"})
    assert "This code has rates in:" in text_of(page)
    assert "Codes nearby" not in text_of(page)
    counts = demo.rows(
        "SELECT year_month, count(*) FROM fact_rate WHERE code = '99213' GROUP BY ALL ORDER BY year_month DESC"
    )
    found = re.findall(
        r'href="(/rates/\?state=GA[^"]*)"[^>]*>\s*Georgia[^<]*</a>\s*<small>\(([0-9,]+) rate', page.content.decode()
    )
    assert [count for _, count in found] == [f"{count:,}" for _, count in counts]
    for address, count in found:
        assert f"1–50 of {count}" in text_of(site.get(address.replace("&amp;", "&")))


def test_months_are_offered_with_whose_files_they_have(site: Client, demo: Snapshot) -> None:
    for payer in (None, PEACH):
        page = site.get("/rates/", QUERY | ({"payer": payer} if payer else {})).content.decode()
        shown = page[page.index("<summary>Month</summary>") : page.index("</aside>")]
        found = re.findall(r"<li>\s*<(?:a|strong)[^>]*>([^<]+)<.*?<span>([^<]+)</span>", shown, re.DOTALL)
        slow: dict[str, set[str]] = {}
        for month, name, slug in demo.rows(
            "SELECT DISTINCT year_month, reporting_entity_name, payer_slug(reporting_entity_name) FROM fact_rate"
        ):
            if payer in {None, slug}:
                slow.setdefault(month, set()).add(name)
        assert len(slow) > 1
        assert found == [
            (write_month(month), next(iter(names)) if len(names) == 1 else f"{len(names)} payers")
            for month, names in sorted(slow.items(), reverse=True)
        ]


def test_the_address_contains_the_whole_state_in_one_order(site: Client) -> None:
    response = site.get("/rates/?pos=11&code=97110&code_type=CPT&sort=-rate&year_month=2025-08&state=GA")
    canonical = "/rates/?state=GA&amp;year_month=2025-08&amp;code_type=CPT&amp;code=97110&amp;pos=11&amp;sort=-rate"
    assert f"{canonical}&amp;page=2" in response.content.decode()


def test_all_classes_together_have_no_price_in_the_headline(site: Client) -> None:
    """The class with most rates may be that of one payer, and its median the answer to another question."""
    every = {**QUERY, "code": "70450", "classes": "all"}
    for page in ("/rates/", "/report/"):
        shown = " ".join(text_of(site.get(page, every)).split())
        assert "These are rates of several classes together" in shown, page
        assert "in the middle; half of the" not in shown
        one = " ".join(text_of(site.get(page, {**QUERY, "code": "70450"})).split())
        assert "in the middle; half of the" in one
        assert "These are rates of several classes together" not in one
    assert 'id="spreads"' in site.get("/rates/", every).content.decode()


def test_payers_whose_contracts_have_all_expired_are_named(store: Store, load: Load) -> None:
    for payer, day in (("Old", "2025-06-30"), ("New", "2999-12-31")):
        content = registers.rates(registers.CLINIC) | {"reporting_entity_name": payer}
        content["in_network"][0]["negotiated_rates"][0]["negotiated_prices"][0]["expiration_date"] = day
        load(content, name=f"{payer}.json")
    with serving(store.root):
        for page in ("rates", "payers", "organizations", "medicare", "report"):
            shown = text_of(Visitor().get(f"/{page}/", {"code": "99213"}))
            assert shown.count("Old’s contracts have all expired, the last on Jun 30, 2025.") == 1, page
        for address in ("/", "/baskets/?codes=99213", "/rule/?payer=old", "/clinic/?tin=123456789&codes=99213"):
            shown = text_of(Visitor().get(address))
            assert shown.count("Old’s contracts have all expired, the last on Jun 30, 2025.") == 1, address
        assert "have all expired" not in text_of(Visitor().get("/rule/?payer=new"))


def test_a_market_of_providers_elsewhere_says_so_after_its_first_sentence(
    site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "practice in other states" not in text_of(site.get("/rates/", QUERY))
    monkeypatch.setattr(rates_page, "find_in_state", lambda *_: [ProvidersInState(None, 835, 13, 7, 7, 4)])
    page = text_of(Visitor().get("/rates/", {**QUERY, "sort": "rate"}))
    said = (
        "Most of these providers practice in other states: 13 of 835 in Georgia, and 4 of the 7 rates have somebody "
        "who practices in Georgia."
    )
    assert page.index("in the middle") < page.index(said) < page.index("Distribution in dollars")
    some = [
        ProvidersInState(None, 20, 15, 33, 33, 20),
        ProvidersInState("A", 12, 9, 7, 7, 2),
        ProvidersInState("B", 8, 6, 26, 26, 18),
    ]
    monkeypatch.setattr(rates_page, "find_in_state", lambda *_: some)
    page = text_of(Visitor().get("/rates/", {**QUERY, "sort": "-rate"}))
    assert (
        "Most rates of A are of providers in other states: 2 of its 7 rates have somebody who practices in Georgia."
        in page
    )
    assert "Most rates of B" not in page
    few = [ProvidersInState(None, 835, 541, 7, 7, 2), ProvidersInState("A", 835, 541, 7, 7, 2)]
    monkeypatch.setattr(rates_page, "find_in_state", lambda *_: few)
    page = text_of(Visitor().get("/rates/", {**QUERY, "sort": "payer"}))
    assert page.count("are of providers in other states") == 1
    assert (
        "Most rates are of providers in other states: 2 of the 7 rates have somebody who practices in Georgia." in page
    )
