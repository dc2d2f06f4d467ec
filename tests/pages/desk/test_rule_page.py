"""The rule behind a payer's rates: page, files, API, and Python give the same answer, as other pages do."""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from django.test import Client

import beaconpoint
from core.pages.desk import contract_rule
from core.queries.contract_rule import find_rule, fit_rule
from core.queries.contract_rule.family_rules import MAIN_SHARE
from core.queries.contract_rule.find_rule import find_contract_rule
from core.queries.contract_rule.payer_contracts import find_rules_of_payer
from core.queries.contract_rule.priced_rates import CommonPrice, list_common_prices, list_contract_prices
from core.queries.contract_rule.rule_words import write_release
from core.queries.market.market import Market
from core.queries.parties.provider_summary import summarize_provider
from core.queries.rules.percent_to_the_cent import MAX_CHANCE
from core.queries.yardstick.medicare import list_comparisons
from core.store.connection import Snapshot
from tests.pages.desk.rule_stores import MARKET, PRICES, make_schedule, store_of_contract, store_with_rates
from tests.pages.markets import PEACH, PIEDMONT
from tests.paths import ROOT
from tests.queries.contract_rule.laboratory_rates import TIN, store_of_labs
from tests.site import Visitor, csv_rows, serving, text_of


@pytest.fixture(scope="module", name="schedule")
def a_schedule() -> Any:
    """Return the amounts of each release and locality."""
    return make_schedule()


def test_all_interfaces_give_the_same_answer(site: Client, demo: Snapshot, demo_root: Path) -> None:
    found = find_contract_rule(demo, Market("GA", "2025-08", payer=PEACH))
    address = f"/rule/?state=GA&year_month=2025-08&payer={PEACH}"
    text = site.get(address).content.decode()
    assert found.rule.sentence.replace("'", "&#x27;") in text
    assert f"{fit_rule.RULE_SHARE:.0%}" in text or found.rule.verdict == "too few"
    rows = list(
        csv.DictReader(io.StringIO(b"".join(site.get(f"{address}&format=csv&table=prices")).decode("utf-8-sig")))
    )
    assert len(rows) == len(found.prices)
    answer = json.loads(site.get(f"/api/v1{address.replace('/?', '?')}").content)
    assert answer["rule"] == json.loads(json.dumps(vars(found.rule)))
    frame = beaconpoint.open_store(demo_root).contract_rule("ga", "2025-08", PEACH)
    assert isinstance(frame, pl.DataFrame)
    assert frame["sentence"].to_list() == [found.rule.sentence]


@pytest.mark.parametrize(
    ("name", "said", "areas"),
    [
        ("rule", "(January 2024, Rest of Georgia (locality RE))", {"REST OF GEORGIA (10212-RE)"}),
        ("none", "(January 2025, where the provider is)", {"state mean"}),
    ],
)
def test_text_chart_and_files_name_the_same_amounts(
    tmp_path: Path, schedule: Any, name: str, said: str, areas: set[str]
) -> None:
    db = store_of_contract(tmp_path, schedule, ("2024-01", "REST OF GEORGIA"), 3)
    if name == "none":
        random = np.random.default_rng(11)
        rates = np.round(schedule["2025-01", "ATLANTA"] * np.exp(random.normal(0.3, 0.2, PRICES)), 2)
        db = store_with_rates(tmp_path / "none", schedule, rates)
    asked = {"state": "GA", "year_month": "2025-08", "payer": "a"}
    with serving(db.root):
        shown = text_of(Visitor().get("/rule/", asked))
        rows = csv_rows(Visitor().get("/rule/", {**asked, "format": "csv", "table": "prices"}))
        families = csv_rows(Visitor().get("/rule/", {**asked, "format": "csv", "table": "families"}))
        answer = Visitor().get("/api/v1/rule", asked).json()
        (medicare,) = (row["p50"] for row in Visitor().get("/api/v1/medicare/payers", asked).json()["rows"])
    assert said in shown
    assert {row["area"] for row in rows} == areas
    percents = sorted(float(row["negotiated_rate"]) / float(row["medicare"]) for row in rows)
    assert [float(row["percent"]) for row in rows] == [
        pytest.approx(float(row["negotiated_rate"]) / float(row["medicare"]), abs=1e-3) for row in rows
    ]
    for row in families:
        its = [float(one["percent"]) for one in rows if one["family"] == row["family"]]
        assert float(row["percent_p50"]) == pytest.approx(np.median(its), abs=1e-3)
        assert f"{row['family'].capitalize()} {len(its)} " in shown
    assert answer["rule"]["release"] == ("2024-01" if name == "rule" else "2025-01")
    if name == "none":
        middle = answer["rule"]["percent_p50"]
        assert middle == pytest.approx(medicare)
        assert middle == pytest.approx(np.median(percents), abs=1e-3)
        assert f"are {answer['rule']['percent_p50']:.0%} of Medicare in the middle" in shown
        assert answer["rule"]["locality"] is answer["rule"]["multiple"] is None
        assert {row["expected"] for row in rows} == {""}
        assert "exceptions" not in shown


def _find_percents(db: Snapshot, market: Market) -> dict[tuple[str, str, bool, float], list[float]]:
    """Return the percents of the rates of each price, from low to high, one rate at a time."""
    found = dict[tuple[str, str, bool, float], list[float]]()
    for one in list_comparisons(db, market, "percent", 10**6, 0):
        if one.basis and one.basis.startswith("MPFS") and one.percent is not None:
            key = one.code, one.basis.partition("modifier ")[2], " facility" in one.basis, one.negotiated_rate
            found.setdefault(key, []).append(one.percent)
    return found


def _check_percents(prices: Sequence[CommonPrice], percents: dict[tuple[str, str, bool, float], list[float]]) -> int:
    """Check each price against its rates, and return how many different percents one price has at most."""
    assert len(prices) == len(percents)
    for price in prices:
        its = percents[price.code, price.modifier, price.facility, price.negotiated_rate]
        assert price.rates == len(its)
        assert price.negotiated_rate / price.medicare == pytest.approx(its[(len(its) - 1) // 2])
    return max(len({round(one, 6) for one in some}) for some in percents.values())


def test_a_price_is_compared_as_its_rates_are_on_other_pages(placed: Snapshot) -> None:
    """Of the rates with a price, in however many areas, the percent is the one in the middle, of two the lower."""
    tins = placed.rows(
        f"SELECT DISTINCT tin_value FROM xref_group_tin WHERE payer_slug = '{PEACH}' ORDER BY ALL LIMIT 4"
    )
    for (tin,) in tins:
        of_tin = Market("GA", "2025-08", payer=PEACH, tin=tin)
        _check_percents(list_common_prices(placed, of_tin), _find_percents(placed, of_tin))
    of_payer = Market("GA", "2025-08", payer=PIEDMONT)
    groups = [group for (group,) in placed.rows("SELECT DISTINCT pg_uid FROM fact_rate")]
    _, (prices,) = list_contract_prices(placed, of_payer, [groups])
    assert _check_percents(prices, _find_percents(placed, of_payer)) > 1, "no price is of several areas"


def test_many_prices_have_the_quartiles_of_their_page_in_words(demo: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    tins = demo.rows(
        f"SELECT DISTINCT tin_value FROM xref_group_tin WHERE payer_slug = '{PEACH}' ORDER BY ALL LIMIT 12"
    )
    markets = [Market("GA", "2025-08", payer=PEACH, tin=tin) for (tin,) in tins]
    few = {market: find_contract_rule(demo, market).rule for market in markets}
    monkeypatch.setattr(find_rule, "MOST_SUMMARIZED", 0)
    for market, rule in few.items():
        if rule.verdict == "none":
            many = find_contract_rule(demo, market).rule
            assert many.percent_p50 == pytest.approx(rule.percent_p50, rel=0.02)
            return
    pytest.fail("every tax ID has a rule")


def test_a_tax_id_without_a_payer_has_its_own_answer_at_each_payer(site: Client, demo: Snapshot) -> None:
    payers = dict[str, set[str]]()
    for tin, payer in demo.rows("SELECT tin_value, payer_slug FROM xref_group_tin JOIN fact_rate USING (pg_uid)"):
        payers.setdefault(tin, set()).add(payer)
    several = next(tin for tin, some in sorted(payers.items()) if len(some) > 1)
    market = Market("GA", "2025-08", tin=several)
    rows = csv_rows(site.get(f"/rule/?state=GA&year_month=2025-08&tin={several}&format=csv"))
    assert {row["payer_slug"] for row in rows} == payers[several]
    text = text_of(site.get(f"/rule/?state=GA&year_month=2025-08&tin={several}"))
    for row in rows:
        own = find_contract_rule(demo, replace(market, payer=row["payer_slug"])).rule
        assert (row["sentence"], row["verdict"]) == (own.sentence, own.verdict)
        assert own.sentence in text
    assert "Several contracts" not in text
    assert "No loaded file has rates of this tax ID." in text_of(site.get("/rule/?tin=987654321"))
    only = next((tin for tin, some in sorted(payers.items()) if len(some) == 1), None)
    if only:
        own = find_contract_rule(demo, Market("GA", "2025-08", payer=min(payers[only]), tin=only)).rule
        assert own.sentence.partition(". ")[0] in text_of(site.get(f"/rule/?state=GA&year_month=2025-08&tin={only}"))


def test_without_a_rule_a_tax_id_has_the_percents_of_its_page(site: Client, demo: Snapshot) -> None:
    for (tin,) in demo.rows(
        f"SELECT DISTINCT tin_value FROM xref_group_tin WHERE payer_slug = '{PEACH}' ORDER BY ALL LIMIT 12"
    ):
        market = Market("GA", "2025-08", payer=PEACH, tin=tin)
        rule = find_contract_rule(demo, market).rule
        if rule.verdict == "none":
            of_rates = summarize_provider(demo, demo, market)
            assert (rule.percent_p25, rule.percent_p50, rule.percent_p75) == (of_rates.p25, of_rates.p50, of_rates.p75)
            said = f"{100 * (of_rates.p50 or 0):.0f}% of Medicare in the middle"
            assert said in rule.sentence
            assert said in text_of(site.get(f"/tin/{tin}/?state=GA&year_month=2025-08&payer={PEACH}"))
            return
    pytest.fail("every tax ID has a rule")


def test_a_file_without_a_table_in_its_address_has_the_prices_of_a_tax_id(site: Client, demo: Snapshot) -> None:
    [(tin,)] = demo.rows(
        """SELECT min(tin_value) FROM xref_group_tin
           WHERE tin_type = 'ein' AND payer_slug = 'example_peach_health_plan' AND year_month = '2025-08'"""
    )
    asked = {"state": "GA", "year_month": "2025-08", "payer": "example_peach_health_plan", "tin": tin, "format": "csv"}
    rows = csv_rows(site.get("/rule/", asked))
    assert rows
    assert rows == csv_rows(site.get("/rule/", {**asked, "table": "prices"}))
    refused = site.get("/rule/", {**asked, "table": "contracts"})
    assert refused.status_code == 400
    assert "choose prices" in refused.content.decode()


def test_a_release_is_written_as_a_month() -> None:
    assert write_release("2023-01") == "January 2023"


def test_the_method_states_the_thresholds_of_the_code() -> None:
    text = (ROOT / "docs" / "baskets-clinics-rules.md").read_text().partition("## What rule is behind the rates")[2]
    for stated in (
        f"within a cent or {fit_rule.RELATIVE_TOLERANCE:.1%} of the rate",
        f"at least {fit_rule.MIN_FAMILY_PRICES} prices",
        f"at least {fit_rule.FAMILY_SHARE:.0%} of them",
        f"at least {fit_rule.FAMILY_GAIN} more",
        f"at least {fit_rule.RULE_SHARE:.0%} of at least {fit_rule.MIN_PRICES} prices",
        f"at least {fit_rule.NEAR_SHARE:.0%} of the prices are within {fit_rule.NEAR_TOLERANCE:.0%}",
        f"the chance is at most {MAX_CHANCE:.0%}",
        f"if that is a {'tenth' if MAIN_SHARE == 0.1 else ''} of them",
        f"more than {find_rule.MOST_SUMMARIZED:,} prices",
    ):
        assert stated in " ".join(text.split())


def test_a_payer_of_several_contracts_has_the_rule_of_each_first(site: Client, demo: Snapshot) -> None:
    address = f"/rule/?state=GA&year_month=2025-08&payer={PEACH}"
    rules = find_rules_of_payer(demo, Market("GA", "2025-08", payer=PEACH))
    page = site.get(address).content.decode()
    assert page.index("By contract") < page.index('<form class="market"')
    listed = re.findall(r'<a href="([^"]*tin=(\d+)[^"]*)"', page.partition("By contract")[2].partition("</table>")[0])
    assert [tin for _, tin in listed] == [one.tin_value for one in rules.contracts]
    assert ("has several contracts" in page) == rules.differ
    told = rules.told[0] if rules.told else rules.contracts[0]
    own = find_contract_rule(demo, Market("GA", "2025-08", payer=PEACH, tin=told.tin_value))
    link = next(unescape(target) for target, tin in listed if tin == told.tin_value)
    assert own.rule.sentence.partition(". ")[2] in text_of(site.get(link))
    assert len(csv_rows(site.get(f"{address}&format=csv&table=contracts"))) == len(rules.contracts)


@pytest.mark.parametrize(("payers_month", "is_older"), [("2023-02", True), ("2025-08", False)])
def test_a_file_older_than_every_schedule_is_said(
    demo: Snapshot, monkeypatch: pytest.MonkeyPatch, payers_month: str, is_older: bool
) -> None:
    monkeypatch.setattr(contract_rule, "old_months", lambda _: {("GA", "2025-08", "a"): payers_month})
    said = contract_rule.describe_missing_schedules(demo, MARKET)
    assert ("dated February 2023, and no schedule from before" in said) == is_older


def test_rules_that_were_found_stand_beside_their_payers(site: Client, demo: Snapshot) -> None:
    """Finding one takes seconds: without it, the page says so; once somebody has asked, it is there."""
    asked = {"state": "GA", "year_month": "2025-08"}
    contract_rule.KNOWN_RULES = contract_rule.KnownRules()
    before = text_of(site.get("/rule/", asked))
    assert before.count("To find its rule takes some seconds.") == 3
    assert site.get("/rule/", {**asked, "payer": PEACH, "format": "json", "table": "contracts"}).status_code == 200
    after = site.get("/rule/", asked)
    assert text_of(after).count("To find its rule takes some seconds.") == 2
    rules = find_rules_of_payer(demo, Market("GA", "2025-08", payer=PEACH))
    said = contract_rule.summarize_rules(rules)
    assert said == rules.of_all.rule.sentence or said.startswith("Several contracts: ")
    assert f": {said}" in text_of(after)
    site.get("/rule/", {**asked, "payer": PEACH, "code": "99213"})
    again = site.get("/rule/", asked)
    assert text_of(again).partition("Answered")[0] == text_of(after).partition("Answered")[0], (
        "of one code, another rule"
    )


def test_the_multiple_of_the_laboratory_schedule_is_told_where_no_physician_fee_is(tmp_path: Path) -> None:
    amounts = {str(80047 + at): 10.0 + at for at in range(40)}
    rates = {code: round(1.4 * amount, 2) for code, amount in amounts.items()} | {"80047": 99.0}
    root = store_of_labs(tmp_path, rates, amounts).root
    asked = {"state": "GA", "payer": "a", "tin": TIN}
    with serving(root):
        shown = text_of(Visitor().get("/rule/", asked))
        answer = Visitor().get("/api/v1/rule", asked).json()
    assert "Laboratory tests (CLFS): 140% , for 39 of 40 prices (98%)." in shown
    assert answer["other_schedules"] == [{"schedule": "clfs", "multiple": 1.4, "prices": 40, "explained": 39}]
