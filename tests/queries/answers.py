"""Markets of all kinds, and every question's answer about them against the slow one."""

from contextlib import nullcontext
from dataclasses import replace

import pytest
from hypothesis import strategies as st

from core.fields.places.care_setting import FOUR_SETTINGS, SIDES
from core.fields.providers.payer_slug import make_payer_slug
from core.queries import rates
from core.queries.comparison.reasons import REASONS
from core.queries.facets import count_choices, count_months, count_networks
from core.queries.histogram import build_histogram
from core.queries.market.market import Market
from core.queries.market.market_filters import FILTERS
from core.queries.market.market_rates import market_cache
from core.queries.middle_organization import MiddleOrganization, find_middle_organization
from core.queries.parties import organizations
from core.queries.rules.rate_kinds import rate_size
from core.queries.yardstick import medicare, medicare_amounts
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from tests.queries import slow
from tests.queries.comparison import slow_comparison
from tests.queries.slow import Everything, percentile
from tests.queries.slow_price import choose_price, find_odd, largest_contract

SPREAD = (0.1, 0.25, 0.5, 0.75, 0.9)


def a_market(everything: Everything) -> st.SearchStrategy[Market]:
    """Return markets of one of the facts, with filters that it meets and filters that it may not meet."""
    return st.builds(
        lambda fact, names, pos, modifier, care_setting: Market(
            fact["state"],
            fact["year_month"],
            fact["code_type"] if "code_type" in names else None,
            fact["code"] if "code" in names else None,
            payer="example_peach_health_plan" if "payer" in names else None,
            pos=pos if "pos" in names else None,
            billing_class=(fact["billing_class"] or "unstated") if "billing_class" in names else None,
            modifier=modifier if "modifier" in names else None,
            npi=min(fact["npis"], default="1912951245") if "npi" in names else None,
            tin=min((t[1] for t in fact["tins"]), default="000000000") if "tin" in names else None,
            setting=(fact["setting"] or "unstated") if "setting" in names else None,
            care_setting=care_setting if "care_setting" in names else None,
            negotiated_type=(fact["negotiated_type"] or "unstated") if "negotiated_type" in names else None,
            arrangement=(fact["negotiation_arrangement"] or "unstated") if "arrangement" in names else None,
            network=max(fact["networks"], default="None such") if "network" in names else None,
        ),
        st.sampled_from(everything.facts),
        st.sets(
            st.sampled_from(["code", "code_type", *FILTERS]),
            max_size=5,
        ),
        st.sampled_from(["11", "21", "99", "CSTM-00"]),
        st.sampled_from(["none", "26", "TC", "53"]),
        st.sampled_from([*FOUR_SETTINGS, *SIDES]),
    )


def assert_all_answers(db: Snapshot, everything: Everything, market: Market) -> None:
    facts = everything.of(market)
    by_uid = {fact["fact_uid"]: fact for fact in facts}
    odd = find_odd(everything, market, facts)
    counted = [fact for fact in facts if not odd[fact["fact_uid"]]]
    assert_counts(db, everything, market, facts)
    assert_summaries(db, market, counted)
    for order, key in (("rate", 1), ("-rate", -1)):
        found = rates.list_rates(db, market, order, 7, 3)
        expected = sorted(facts, key=lambda fact: (key * fact["negotiated_rate"], fact["fact_uid"]))[3:10]
        assert [row.fact_uid for row in found] == [fact["fact_uid"] for fact in expected]
        for row in found:
            fact = by_uid[row.fact_uid]
            assert (row.npis, row.tins) == (len(fact["npis"]), len(fact["tins"]))
            assert (row.service_codes, row.kind) == (fact["places"], fact["kind"])
            assert row.left_out == odd[row.fact_uid]
    every = list(rates.stream_rates(db, market, "payer", 10**6, 60))
    assert sorted(row.fact_uid for row in every) == sorted(by_uid)
    assert_organizations(db, market, facts, odd)
    assert_medicare(db, everything, market, by_uid)


def assert_counts(db: Snapshot, everything: Everything, market: Market, facts: list[slow.Row]) -> None:
    counted = rates.count_market(db, market)
    assert counted.rates == len(facts)
    assert counted.groups == len({fact["pg_uid"] for fact in facts})
    assert counted.npis == len({npi for fact in facts for npi in fact["npis"]})
    assert counted.payers == len({fact["reporting_entity_name"] for fact in facts})
    anywhere = everything.of(Market(**{**vars(market), "pos": None}))
    assert counted.without_pos == (sum(not fact["places"] for fact in anywhere) if market.pos else 0)


def assert_summaries(db: Snapshot, market: Market, facts: list[slow.Row]) -> None:
    groups = slow.grouped(facts, "kind", "reporting_entity_name", "billing_class", "billing_code_modifier")
    found = rates.summarize_rates(db, market)
    assert len(found) == len(groups)
    for row in found:
        values = [
            f["negotiated_rate"] for f in groups[row.kind, row.reporting_entity_name, row.billing_class, row.modifier]
        ]
        assert row.rates == len(values)
        assert (row.lowest, row.highest) == (min(values), max(values))
        assert [row.p10, row.p25, row.p50, row.p75, row.p90] == pytest.approx([percentile(values, s) for s in SPREAD])
        assert row.mean == pytest.approx(slow.mean(values))


def assert_organizations(db: Snapshot, market: Market, facts: list[slow.Row], odd: dict[str, bool]) -> None:
    dollars = [fact for fact in facts if fact["kind"] == "dollars"]
    counted = [fact for fact in dollars if not odd[fact["fact_uid"]]]
    per_tin: dict[tuple[str, str], list[slow.Row]] = {}
    for fact in dollars:
        for tin in fact["tins"]:
            per_tin.setdefault(tin, []).append(fact)
    totals = organizations.count_totals(db, market)
    assert totals.organizations == len(per_tin)
    assert totals.dollars == len(dollars)
    assert totals.without_tin == sum(not fact["tins"] for fact in dollars)
    assert totals.other_kinds == len(facts) - len(dollars)
    priced = {
        tin: choose_price([one["negotiated_rate"] for one in mine], [odd[one["fact_uid"]] for one in mine])
        for tin, mine in per_tin.items()
    }
    # What is left out is in no figure of the market. An organization without other rates is listed with its own.
    meant = {tin: some for tin, mine in per_tin.items() if (some := [one for one in mine if not odd[one["fact_uid"]]])}
    middle = choose_price([priced[tin] for tin in meant]) if meant else None
    assert totals.middle == middle
    largest = largest_contract({tin: {one["pg_uid"] for one in mine} for tin, mine in meant.items()})
    assert totals.one_contract == largest
    if market.code:
        with nullcontext(db) if isinstance(db, MarketSnapshot) else market_cache(db, market) as cached:
            in_memory = MiddleOrganization(len(meant), middle, largest) if cached.code_values is not None else None
            assert find_middle_organization(cached, market) == in_memory
    per_tin |= meant
    found = organizations.list_organizations(db, market, "rates", 1000, 0)
    ranked = organizations.list_organizations(db, market, "rank", 1000, 0)
    by_rank = sorted(found, key=lambda row: (row.rank, -row.rates, row.tin_value, row.tin_type))
    assert [(row.tin_type, row.tin_value) for row in ranked] == [(row.tin_type, row.tin_value) for row in by_rank]
    expected = sorted(per_tin, key=lambda tin: (-len(per_tin[tin]), tin[1], tin[0]))
    assert [(row.tin_type, row.tin_value) for row in found] == expected
    groups = len({fact["pg_uid"] for fact in dollars})
    for row in found:
        mine = per_tin[row.tin_type, row.tin_value]
        values = [fact["negotiated_rate"] for fact in mine]
        assert (row.rates, row.groups) == (len(values), len({fact["pg_uid"] for fact in mine}))
        assert row.share == pytest.approx(row.groups / groups)
        assert row.mean == pytest.approx(slow.mean(values))
        assert row.prices == len(set(values))
        assert row.p50 == pytest.approx(percentile(values, 0.5))
        others = [row.p10, row.p25, row.p75, row.p90]
        of_many = [percentile(values, s) for s in SPREAD if s != 0.5] if len(set(values)) >= 5 else [None] * 4
        assert others == (pytest.approx(of_many) if None not in of_many else of_many)
        # Each rate of the market counts once, however many tax IDs its group has.
        assert totals.median == pytest.approx(percentile([fact["negotiated_rate"] for fact in counted], 0.5))
        assert row.price == priced[row.tin_type, row.tin_value]
        assert row.difference == (pytest.approx(row.price / middle - 1, abs=1e-9) if middle else None)
        assert row.rank == 1 + sum(len({f["pg_uid"] for f in one}) > row.groups for one in per_tin.values())


def assert_medicare(db: Snapshot, everything: Everything, market: Market, by_uid: dict[str, slow.Row]) -> None:
    expected = {uid: slow_comparison.compared_in(market, fact, everything.benchmarks) for uid, fact in by_uid.items()}
    found = medicare.list_comparisons(db, market, "percent", 10**6, 0)
    assert len(found) == len(expected)
    for row in found:
        outcome = expected[row.fact_uid]
        assert (row.reason, row.basis, row.medicare, row.release, row.other_amount, row.rule) == (
            outcome.reason, outcome.basis, outcome.amount, outcome.release, outcome.other, outcome.rule,
        )  # fmt: skip
        percent = None if outcome.amount is None else row.negotiated_rate / outcome.amount
        assert row.percent == (None if percent is None else pytest.approx(percent))
        assert row.plausible == (None if percent is None else 0.5 <= percent <= 30)
        assert (row.detail is None) == (outcome.amount is None)
    counted = medicare.count_outcomes(db, market)
    odd = {row.fact_uid for row in found if row.left_out and market.implausible is None}
    in_figures = [outcome for uid, outcome in expected.items() if uid not in odd]
    reasons = [outcome.reason for outcome in in_figures if outcome.reason]
    assert counted.total == len(in_figures) == counted.compared + sum(counted.reasons.values())
    assert counted.reasons == {reason: reasons.count(reason) for reason in set(reasons)}
    assert set(counted.reasons) <= set(REASONS)
    bases = [(outcome.basis, outcome.release) for outcome in in_figures if outcome.basis]
    assert {(one.basis, one.release): one.rates for one in counted.bases} == {
        basis: bases.count(basis) for basis in set(bases)
    }
    for spread in medicare.summarize_percents(db, market):
        values = [
            r.percent
            for r in found
            if r.percent is not None and r.reporting_entity_name == spread.reporting_entity_name and not r.left_out
        ]
        assert spread.rates == len(values)
        assert spread.implausible == sum(not 0.5 <= value <= 30 for value in values)
        assert [spread.p10, spread.p25, spread.p50, spread.p75, spread.p90] == pytest.approx(
            [percentile(values, s) for s in SPREAD]
        )


def assert_facets(db: Snapshot, everything: Everything, market: Market) -> None:
    """Each choice leaves the rates that it says, and no value that some rate has is missing."""
    found = count_choices(db, market) | {"network": count_networks(db, market)}
    for name, choices in found.items():
        assert [choice.rates for choice in choices] == sorted((choice.rates for choice in choices), reverse=True)
        for choice in choices:
            assert choice.rates == len(everything.of(replace(market, **{name: choice.value}))), choice
            assert choice.chosen == (choice.value == getattr(market, name))
        values = {value for fact in everything.of(market.without(name)) for value in values_of(fact, name)}
        # The place asked for is shown even where no set names it, but some hold every place. So is the side.
        asked = {market.pos, market.care_setting}
        assert values - asked == {choice.value for choice in choices if choice.rates} - asked
    whole = everything.of(market.in_any_month)
    counts = {choice.value: choice.rates for choice in count_months(db, market)}
    assert counts == {month: len(rows) for (month,), rows in slow.grouped(whole, "year_month").items()}


def values_of(fact: slow.Row, name: str) -> set[str]:
    """Return the values of one filter that find a fact; of places, those it names."""
    if name in slow.STATED:
        return {fact[slow.STATED[name]] or "unstated"}
    return {
        "care_setting": slow.settings_of(fact),
        "payer": {make_payer_slug(fact["reporting_entity_name"])},
        "pos": set(fact["places"]),
        "modifier": set(fact["billing_code_modifier"].split(",")) - {""} or {"none"},
        "network": set(fact["networks"]),
    }[name]


def assert_histogram(db: Snapshot, everything: Everything, market: Market) -> None:
    facts = everything.of(market)
    odd = find_odd(everything, market, facts)
    facts = [fact for fact in facts if not odd[fact["fact_uid"]]]
    amounts = sorted(f["negotiated_rate"] for f in facts if f["kind"] == "dollars" and f["negotiated_rate"] > 0)
    found = build_histogram(db, market)
    assert found.below + found.above + sum(one.rates for one in found.bins) == len(amounts)
    assert bool(found.bins) == bool(amounts)
    if amounts:
        low, high = found.bins[0].low, found.bins[-1].high
        assert found.below == sum(amount < low for amount in amounts)
        assert found.above == sum(amount > high * (1 + 1e-12) for amount in amounts)
        number = len(amounts)
        p90, p99 = (next(one for n, one in enumerate(amounts, 1) if n >= share * number) for share in (0.9, 0.99))
        assert high == pytest.approx(max(one for one in amounts if one <= min(p99, 2 * p90)))
        assert found.below <= 0.01 * number
        assert (found.lowest, found.highest) == (amounts[0], amounts[-1])
    for n, span in enumerate(found.bins):
        inside = [a for a in amounts if span.low * (1 + 1e-12) < a < span.high * (1 - 1e-12)]
        near = [a for a in amounts if span.low * (1 - 1e-12) <= a <= span.high * (1 + 1e-12)]
        assert len(inside) <= span.rates <= len(near), n
    outcomes = [slow_comparison.compared_in(market, fact, everything.benchmarks) for fact in facts]
    pairs = [(outcome.basis, outcome.amount) for outcome in outcomes if outcome.amount is not None]
    if market.code_type is None or market.code is None:
        return
    of_medicare = medicare_amounts.find_amounts(db, market)
    assert sum(one.rates for one in of_medicare.values()) == len(facts)
    assert {(one.basis, one.amount): one.rates for one in medicare_amounts.count_amount_lines(of_medicare)} == {
        pair: pairs.count(pair) for pair in set(pairs)
    }
    for fact, outcome in zip(facts, outcomes, strict=True):
        one = of_medicare[
            medicare_amounts.ScheduleTerms(
                fact["year_month"], fact["billing_class"], fact["setting"], fact["billing_code_modifier"],
                fact["pos_set_id"], fact["negotiated_type"], fact["negotiation_arrangement"], "",
                rate_size(fact["code"], fact["negotiated_rate"]), None,
            )
        ]  # fmt: skip
        assert (one.basis, one.medicare, one.reason) == (outcome.basis, outcome.amount, outcome.reason)
