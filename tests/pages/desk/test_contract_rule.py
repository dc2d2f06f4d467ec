"""The rule behind a payer's rates: page, files, API, and Python give the same answer, that of the contract."""

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
from core.queries.contract_rule import find_rule, fit_rule, tried_candidates
from core.queries.contract_rule.family_rules import MAIN_SHARE
from core.queries.contract_rule.find_rule import find_contract_rule
from core.queries.contract_rule.fit_rule import fit_candidates
from core.queries.contract_rule.payer_contracts import find_rules_of_payer
from core.queries.contract_rule.priced_rates import CommonPrice, list_common_prices, list_contract_prices
from core.queries.contract_rule.rule_words import write_release
from core.queries.market.market import Market
from core.queries.parties.provider_summary import summarize_provider
from core.queries.rules.percent_to_the_cent import MAX_CHANCE
from core.queries.yardstick.medicare import list_comparisons
from core.store.connection import Snapshot
from tests.pages.markets import PEACH, PIEDMONT
from tests.paths import ROOT
from tests.queries.contract_rule.laboratory_rates import TIN, store_of_labs
from tests.queries.tables import written
from tests.site import Visitor, csv_rows, serving, text_of

LOCALITIES = ("ATLANTA", "REST OF GEORGIA")
PRICES = 60
MARKET = Market("GA", "2025-08", payer="a")


@pytest.fixture(scope="module")
def schedule() -> Any:
    """Return the amounts of each release and locality, made up: codes 99202 to 99231 and 20600 to 20629."""
    random = np.random.default_rng(3)
    base = np.exp(random.normal(5, 0.8, PRICES))
    return {
        (release, place): np.round(base * np.exp(random.normal(0, 0.03, PRICES)), 2)
        for release in ("2024-01", "2025-01")
        for place in LOCALITIES
    }


def _store(root: Any, schedule: Any, of: tuple[str, str], exceptions: int, *, loads_it: bool = True) -> Snapshot:
    amounts = schedule[of]
    rates = np.round(amounts * np.array([1.25] * (PRICES // 2) + [1.18] * (PRICES // 2)), 2)
    rates[:exceptions] = np.round(rates[:exceptions] * 1.5, 2)
    if not loads_it:
        schedule = {at: values for at, values in schedule.items() if at[0] != of[0]}
    return _written(root, schedule, rates, factor=32.0)


def _written(
    root: Any, schedule: Any, rates: Any, national: Any = None, factor: float = 32.3465, *, in_force: str = ""
) -> Snapshot:
    """Write the store. The states of a schedule's places are named by them: "AL MOBILE" is in Alabama."""
    codes = [str(first + n) for first in (99202, 20600) for n in range(PRICES // 2)]
    places = {
        at: ("AL" if at[1].startswith("AL ") else "GA", "10212", at[1][:2], at[1], amounts)
        for at, amounts in schedule.items()
    }
    if national is not None:
        places |= {(release, ""): ("US", "00000", "00", "NATIONAL", national) for release, _ in schedule}
    means = {
        release: (schedule[release, LOCALITIES[0]] + schedule[release, LOCALITIES[1]]) / 2 for release, _ in schedule
    }
    terms = {"state": "GA", "year_month": "2025-08", "reporting_entity_name": "A", "code_type": "CPT"}
    return written(
        root,
        {
            "fact_rate": [
                {
                    **terms, "code": code, "fact_uid": f"{n:032x}", "negotiated_rate": float(rate), "pg_uid": "0" * 32,
                    "billing_class": "professional", "billing_code_modifier": "", "pos_set_id": "office",
                    "negotiated_type": "negotiated", "negotiation_arrangement": "ffs", "batch_id": "b",
                }
                for n, (code, rate) in enumerate(zip(codes, rates, strict=True))
            ],
            "dim_pos_set": [{"pos_set_id": "office", "service_codes": ["11"]}],
            "dim_payer_bridge": [{"reporting_entity_name_raw": "A", "payer_slug": "a"}],
            "dim_benchmark": [
                {"kind": "medicare_prof", "state": "US", "release": release, "files": [], "states": ["GA"]}
                for release in means
            ],
            "bench_medicare_prof": [
                {
                    "state": "GA", "year_month": month, "code_type": "CPT", "code": code, "status": "A",
                    "medicare_prof_rate": float(mean), "release": release, "conversion_factor": factor,
                }
                for release, values in means.items()
                for month in (release, "2025-08")[: 2 if release == (in_force or max(means)) else 1]
                for code, mean in zip(codes, values, strict=True)
            ],
            "bench_medicare_prof_locality": [
                {
                    "release": release, "state": state, "contractor": contractor, "locality": locality,
                    "locality_name": name, "code_type": "CPT", "code": code, "modifier": "",
                    "nonfacility_rate": float(amount),
                }
                for (release, _), (state, contractor, locality, name, values) in places.items()
                for code, amount in zip(codes, values, strict=True)
            ],
        },
    )  # fmt: skip


def test_an_older_release_in_one_locality_is_found_with_its_families(tmp_path: Any, schedule: Any) -> None:
    found = find_contract_rule(_store(tmp_path, schedule, ("2024-01", "REST OF GEORGIA"), 3), MARKET)
    assert (found.rule.verdict, found.rule.release, found.rule.locality_name) == ("rule", "2024-01", "REST OF GEORGIA")
    assert {one.family: one.multiple for one in found.families} == {"surgery": 1.18, "evaluation and management": 1.25}
    assert (found.rule.prices, found.rule.explained) == (60, 57)
    assert [one.code for one in sorted(found.exceptions, key=lambda one: one.code)] == ["99202", "99203", "99204"]
    assert found.rule.sentence == (
        "118% of the 2024 physician fee schedule, Rest of Georgia (locality RE), for 57 of 60 prices; "
        "evaluation and management 125%; 3 exceptions."
    )
    assert found.rule.conversion_factor == pytest.approx(1.18 * 32)
    assert found.published_factor is None


def test_a_contract_of_several_levels_names_each(tmp_path: Any) -> None:
    """The prices are percents of national amounts, with the conversion factor rounded to cents, and of localities."""
    random = np.random.default_rng(8)
    units = np.round(np.exp(random.normal(1.5, 0.8, PRICES)), 2)
    national = np.round(units * 32.3465, 2)
    localities = {place: np.round(national * np.exp(random.normal(0, 0.03, PRICES)), 2) for place in LOCALITIES}
    rounded = np.round(units * 32.35, 2)
    rates = np.concatenate(
        [
            np.round(rounded[:30] * 1.2, 2),
            np.round(rounded[30:50] * 4.105, 2),
            np.round(localities["ATLANTA"][50:55] * 32.35 / 32.3465 * 1.15, 2),
            np.round(localities["REST OF GEORGIA"][55:58] * 32.35 / 32.3465 * 1.15, 2),
            [1.11, 9_999.0],
        ]
    )
    db = _written(tmp_path, {("2025-01", place): amounts for place, amounts in localities.items()}, rates, national)
    found = find_contract_rule(db, MARKET)
    assert found.rule.sentence == (
        "120% of the national amount for 50% of 60 prices, 410.5% of the national amount for 33%, and 115% by locality "
        "for 13% (2025 physician fee schedule); 2 exceptions (3%). "
        "The file does not say which level applies to a service."
    )
    assert (found.rule.verdict, found.rule.state) == ("levels", "US")
    assert found.rule.conversion_factor == pytest.approx(38.82)
    assert (found.rounded_factor, found.published_factor) == (32.35, 32.3465)
    assert found.by_published_factor == pytest.approx(1.2 * 32.3465), "what CMS's own factor would say"
    assert [(one.multiple, sorted(one.areas), one.prices) for one in found.levels] == [
        (1.2, [], 30), (4.105, [], 20), (1.15, ["ATLANTA", "REST OF GEORGIA"], 8),
    ]  # fmt: skip
    assert sorted(one.negotiated_rate for one in found.exceptions) == [1.11, 9_999.0]
    for one in found.prices:
        assert not one.explained or abs(one.difference or 0) <= 0.03


def test_a_level_of_fewer_prices_comes_later_in_the_words_and_the_table(tmp_path: Any) -> None:
    """Levels are found by the number of prices, of which those that an area may have by chance are then left out."""
    random = np.random.default_rng(3)
    national = np.round(20 + np.exp(random.normal(4.5, 0.8, PRICES)), 2)
    areas = {("2025-01", place): np.round(national * (1.03 + n / 40), 2) for n, place in enumerate(LOCALITIES)}
    rates = np.concatenate(
        [
            np.round(1.15 * areas["2025-01", "ATLANTA"][:14], 2),
            np.round(1.15 * areas["2025-01", "REST OF GEORGIA"][14:15], 2),
            np.round(1.5 * national[15:30], 2),
            np.round(2 * national[30:], 2),
        ]
    )
    levels = find_contract_rule(_written(tmp_path, areas, rates, national), MARKET)
    assert [(one.multiple, one.prices) for one in levels.levels] == [(2.0, 30), (1.5, 15), (1.15, 14)]
    assert levels.rule.sentence.startswith(
        "200% of the national amount for 50% of 60 prices, 150% of the national amount for 25%, and 115% in Atlanta "
    )


@pytest.mark.parametrize("kind", ["rule", "levels", "noise"])
def test_of_very_many_prices_some_tell_what_is_worth_trying(
    tmp_path: Any, schedule: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    random = np.random.default_rng(8)
    national = np.round(np.exp(random.normal(4.5, 0.8, PRICES)), 2)
    rates = {
        "rule": schedule["2025-01", "ATLANTA"] * 1.3,
        "levels": national * np.where(np.arange(PRICES) % 3, 1.2, 2.5),
        "noise": national * np.exp(random.normal(0.2, 0.3, PRICES)),
    }
    db = _written(tmp_path, schedule, np.round(rates[kind], 2), national)
    every = find_contract_rule(db, MARKET)
    monkeypatch.setattr(tried_candidates, "SAMPLED_PRICES", 15)
    tried = list[int]()

    def fit(rates: Any, families: Any, amounts: Any) -> Any:
        tried.append(amounts.size)
        return fit_candidates(rates, families, amounts)

    monkeypatch.setattr(tried_candidates, "fit_candidates", fit)
    some = find_contract_rule(db, MARKET)
    assert replace(some.rule, explained=0, sentence="") == replace(every.rule, explained=0, sentence="")
    assert (some.families, some.levels, some.prices) == (every.families, every.levels, every.prices)
    assert some.rule.verdict == {"noise": "none"}.get(kind, kind)
    assert (PRICES * 6 in tried) == (kind != "noise"), "each of six candidates is tried on all prices"


def test_of_equal_releases_the_one_in_force_is_named(tmp_path: Any) -> None:
    """The amounts of January and October are the same, and the file is of August."""
    amounts = np.round(np.exp(np.random.default_rng(6).normal(5, 0.8, PRICES)), 2)
    schedule = {(release, place): amounts * (1 + n / 9) for release in ("2025-01", "2025-10", "2024-01")
                for n, place in enumerate(LOCALITIES)}  # fmt: skip
    db = _written(tmp_path, schedule, np.round(amounts * 1.2, 2), in_force="2025-01")
    rule = find_contract_rule(db, MARKET).rule
    assert (rule.verdict, rule.release, rule.locality_name) == ("rule", "2025-01", "ATLANTA")
    assert {"2025-10, ATLANTA", "2024-01, ATLANTA"} <= set(rule.as_well)


@pytest.mark.parametrize("multiple", [1.18, None])
def test_a_locality_of_another_state_is_found_if_no_other_fits(tmp_path: Any, multiple: float | None) -> None:
    random = np.random.default_rng(7)
    base = np.exp(random.normal(5, 0.8, PRICES))
    schedule = {("2025-01", place): np.round(base * np.exp(random.normal(0, 0.05, PRICES)), 2)
                for place in (*LOCALITIES, "AL MOBILE")}  # fmt: skip
    noise = np.exp(random.normal(0.2, 0.2, PRICES))
    found = find_contract_rule(
        _written(tmp_path, schedule, np.round(schedule["2025-01", "AL MOBILE"] * (multiple or noise), 2)), MARKET
    )
    assert (found.rule.verdict, found.rule.state) == (("rule", "AL") if multiple else ("none", None))
    if multiple:
        assert {one.area for one in found.prices} == {"AL MOBILE (10212-AL)"}


def test_one_percent_in_several_areas_is_a_rule(tmp_path: Any) -> None:
    """A price is 115% of the amount of one area or the other, and no schedule alone reproduces most of them."""
    random = np.random.default_rng(12)
    national = np.round(50 + np.exp(random.normal(4, 0.8, PRICES)), 2)
    areas = {place: np.round(national * np.exp(random.normal(0, 0.03, PRICES)), 2) for place in LOCALITIES}
    rates = np.round(1.15 * np.where(np.arange(PRICES) % 2, areas["ATLANTA"], areas["REST OF GEORGIA"]), 2)
    rates[:2] = 1.11, 9_999.0
    db = _written(tmp_path, {("2025-01", place): amounts for place, amounts in areas.items()}, rates, national)
    found = find_contract_rule(db, MARKET)
    assert found.rule.sentence == (
        "115% of the 2025 Medicare physician fee schedule, each price that of one of 2 areas of Georgia "
        "(Atlanta, Rest of Georgia), for 58 of 60 prices; 2 exceptions."
    )
    assert (found.rule.verdict, found.rule.multiple, found.rule.locality) == ("rule", 1.15, None)
    assert [(one.multiple, sorted(one.areas), one.prices) for one in found.levels] == [
        (1.15, ["ATLANTA", "REST OF GEORGIA"], 58)
    ]
    assert sorted(one.negotiated_rate for one in found.exceptions) == [1.11, 9_999.0]


def test_levels_of_fewer_prices_are_named_and_are_no_exceptions(tmp_path: Any) -> None:
    """A level of half of the prices is no rule, but these prices are explained."""
    random = np.random.default_rng(9)
    national = np.round(20 + np.exp(random.normal(4, 0.8, PRICES)), 2)
    rates = np.round(national * np.exp(random.normal(0.4, 0.3, PRICES)), 2)
    rates[:20], rates[20:35] = np.round(national[:20] * 1.2, 2), np.round(national[20:35] * 1.55, 2)
    areas = {("2025-01", place): np.round(national * (1.05 + n / 90), 2) for n, place in enumerate(LOCALITIES)}
    found = find_contract_rule(_written(tmp_path, areas, rates, national), MARKET)
    assert found.rule.verdict == "none"
    assert found.rule.sentence.startswith(
        "No single rule: 120% of the national amount for 33% of 60 prices and 155% of the national amount for 25%; "
        "42% follow no level. All rates, "
    )
    assert (found.rule.explained, len(found.exceptions)) == (35, 25)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ("2023-01", "older than January 2024, the oldest that is loaded."),
        ("2026-01", "newer than January 2025, the newest that is loaded."),
    ],
)
def test_the_direction_of_a_release_that_is_not_loaded_is_said(tmp_path: Any, of: str, said: str) -> None:
    """Amounts wander off from year to year, so the release before or after the contract's fits better."""
    random = np.random.default_rng(4)
    amounts, schedule = np.exp(random.normal(5, 0.8, PRICES)), dict[Any, Any]()
    for release in ("2023-01", "2024-01", "2025-01", "2026-01"):
        if release in {of, "2024-01", "2025-01"}:
            schedule |= {(release, place): np.round(amounts, 2) for place in LOCALITIES}
        amounts = amounts * np.exp(random.normal(0, 0.015, PRICES))
    found = find_contract_rule(_store(tmp_path, schedule, (of, LOCALITIES[0]), 0, loads_it=False), MARKET)
    assert found.rule.verdict == "none"
    assert found.rule.sentence.startswith(
        "No single rule: the multiple of a loaded physician fee schedule that fits best reproduces "
    )
    assert found.rule.sentence.endswith(f"The contract may name a schedule {said}")


def test_releases_of_the_same_amounts_show_no_direction(tmp_path: Any) -> None:
    """January and October of a year are equally near to every other year's schedule."""
    random = np.random.default_rng(5)
    older = np.round(np.exp(random.normal(5, 0.8, PRICES)), 2)
    newer = np.round(older * np.exp(random.normal(0, 0.015, PRICES)), 2)
    schedule = {
        (release, place): older if release == "2023-01" else newer
        for release in ("2023-01", "2025-01", "2025-10")
        for place in LOCALITIES
    }
    found = find_contract_rule(_store(tmp_path, schedule, ("2023-01", LOCALITIES[0]), 0, loads_it=False), MARKET)
    assert found.rule.verdict == "none"
    assert "may name" not in found.rule.sentence
    rule = found.rule
    low, middle, high = (f"{100 * (one or 0):.0f}%" for one in (rule.percent_p25, rule.percent_p50, rule.percent_p75))
    assert rule.sentence.endswith(
        "All rates, those that other schedules pay included, are "
        f"{middle} of Medicare in the middle, half of them from {low} to {high}."
    )
    ratios = np.array([one.percent for one in found.prices])
    assert rule.percent_p25 is not None
    assert rule.percent_p75 is not None
    assert 0.4 < np.mean((rule.percent_p25 * 0.99 <= ratios) & (ratios <= rule.percent_p75 * 1.01)) < 0.8


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
    db = _store(tmp_path, schedule, ("2024-01", "REST OF GEORGIA"), 3)
    if name == "none":
        random = np.random.default_rng(11)
        rates = np.round(schedule["2025-01", "ATLANTA"] * np.exp(random.normal(0.3, 0.2, PRICES)), 2)
        db = _written(tmp_path / "none", schedule, rates)
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
