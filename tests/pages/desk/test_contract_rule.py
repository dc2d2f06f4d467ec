"""The rule behind a payer's rates: a made-up contract is found as it was made up."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.queries.contract_rule import tried_candidates
from core.queries.contract_rule.find_rule import find_contract_rule
from core.queries.contract_rule.fit_rule import fit_candidates
from tests.pages.desk.rule_stores import LOCALITIES, MARKET, PRICES, make_schedule, store_of_contract, store_with_rates


@pytest.fixture(scope="module", name="schedule")
def a_schedule() -> Any:
    """Return the amounts of each release and locality."""
    return make_schedule()


def test_an_older_release_in_one_locality_is_found_with_its_families(tmp_path: Any, schedule: Any) -> None:
    found = find_contract_rule(store_of_contract(tmp_path, schedule, ("2024-01", "REST OF GEORGIA"), 3), MARKET)
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
    db = store_with_rates(
        tmp_path, {("2025-01", place): amounts for place, amounts in localities.items()}, rates, national
    )
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
    levels = find_contract_rule(store_with_rates(tmp_path, areas, rates, national), MARKET)
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
    db = store_with_rates(tmp_path, schedule, np.round(rates[kind], 2), national)
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
    db = store_with_rates(tmp_path, schedule, np.round(amounts * 1.2, 2), in_force="2025-01")
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
        store_with_rates(tmp_path, schedule, np.round(schedule["2025-01", "AL MOBILE"] * (multiple or noise), 2)),
        MARKET,
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
    db = store_with_rates(tmp_path, {("2025-01", place): amounts for place, amounts in areas.items()}, rates, national)
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
    found = find_contract_rule(store_with_rates(tmp_path, areas, rates, national), MARKET)
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
    found = find_contract_rule(store_of_contract(tmp_path, schedule, (of, LOCALITIES[0]), 0, loads_it=False), MARKET)
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
    found = find_contract_rule(
        store_of_contract(tmp_path, schedule, ("2023-01", LOCALITIES[0]), 0, loads_it=False), MARKET
    )
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
