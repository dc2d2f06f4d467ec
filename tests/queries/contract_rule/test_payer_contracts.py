"""The contracts of a payer: tax IDs with the same groups, each with the rule that it has alone."""

from dataclasses import replace

import pytest

from core.queries.contract_rule.find_rule import find_contract_rule, find_rules_in_state, find_state_amounts
from core.queries.contract_rule.payer_contracts import SAME_MULTIPLE, find_rules_of_payer, list_payer_contracts
from core.queries.contract_rule.priced_rates import list_common_prices, list_contract_prices
from core.queries.market.market import Market
from core.store.connection import Snapshot
from tests.pages.markets import PEACH, PIEDMONT


@pytest.mark.parametrize("payer", [PEACH, PIEDMONT])
def test_contracts_are_the_tax_ids_of_the_same_groups(demo: Snapshot, payer: str) -> None:
    market = Market("GA", "2025-08", payer=payer)
    groups_of: dict[str, set[str]] = {}
    paid = {
        row[0] for row in demo.rows(f"SELECT DISTINCT pg_uid FROM fact_rate f WHERE {market.where}", market.parameters)
    }
    for tin, group in demo.rows(
        "SELECT tin_value, pg_uid FROM xref_group_tin WHERE year_month = '2025-08' AND payer_slug = $payer",
        {"payer": payer},
    ):
        if group in paid:
            groups_of.setdefault(tin, set()).add(group)
    expected: dict[frozenset[str], set[str]] = {}
    for tin, groups in groups_of.items():
        expected.setdefault(frozenset(groups), set()).add(tin)
    found = list_payer_contracts(demo, market, 10**6)
    assert {frozenset(one.groups): one.tins for one in found} == {some: len(tins) for some, tins in expected.items()}
    assert all(one.tin_value in expected[frozenset(one.groups)] for one in found)
    assert [one.rates for one in found] == sorted((one.rates for one in found), reverse=True)
    assert found[0].rates > 0


@pytest.mark.parametrize("payer", [PEACH, PIEDMONT])
def test_a_contract_has_the_prices_and_the_rule_of_its_tax_id_alone(demo: Snapshot, payer: str) -> None:
    market = Market("GA", "2025-08", payer=payer)
    contracts = list_payer_contracts(demo, market, 3)
    of_all, of_each = list_contract_prices(demo, market, [one.groups for one in contracts])
    assert of_all == list_common_prices(demo, market)
    for one, prices in zip(contracts, of_each, strict=True):
        alone = list_common_prices(demo, replace(market, tin=one.tin_value))
        assert [vars(price) | {"contract": -1} for price in prices] == [vars(price) for price in alone]
    rules = find_rules_in_state(of_each, of_all, find_state_amounts(demo, "GA", of_all))
    for one, found in zip(contracts, rules, strict=True):
        expected = find_contract_rule(demo, replace(market, tin=one.tin_value)).rule
        if expected.state in {None, "GA"}:
            # The percents of a tax ID's rates are asked for on its own page only.
            aside = dict.fromkeys(("sentence", "percent_p25", "percent_p50", "percent_p75"))
            assert vars(found.rule) | aside == vars(expected) | aside


def test_the_rules_of_a_payer_are_in_the_order_of_their_percents(demo: Snapshot) -> None:
    rules = find_rules_of_payer(demo, Market("GA", "2025-08", payer=PEACH))
    assert rules.of_all == find_contract_rule(demo, Market("GA", "2025-08", payer=PEACH))
    multiples = [one.multiple or 0 for one in rules.told]
    assert multiples == sorted(multiples, reverse=True)
    assert all(one.verdict != "too few" for one in rules.contracts)
    assert rules.differ == (len(multiples) > 1 and multiples[0] > multiples[-1] * (1 + SAME_MULTIPLE))
