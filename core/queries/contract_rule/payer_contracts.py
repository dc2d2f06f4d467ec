"""The contracts of a payer, each with its own rule.

A contract here is what the same provider groups are paid: tax IDs with the same groups have the same rates.
"""

from dataclasses import dataclass
from typing import Annotated

from core.queries.contract_rule.find_rule import FoundRule, find_rule_of_prices, find_rules_in_state, find_state_amounts
from core.queries.contract_rule.levels_of_release import write_level_shares
from core.queries.contract_rule.priced_rates import list_contract_prices, rule_cache
from core.queries.contract_rule.rule_words import list_own_multiples
from core.queries.market.market import Market
from core.queries.market.market_rates import counted_rates
from core.queries.rules.columns import BusinessName, RateCount, TinType, TinValue, described
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.views import NAMED_TIN

MAX_CONTRACTS = 8
"""Each takes a sixth of a second."""

LEADING_CONTRACTS = 3
"""So many contracts with the most prices are in the answer."""

SAME_MULTIPLE = 0.005
"""Multiples that differ by less than this share are the same percent in words."""


@dataclass(frozen=True)
class _NamedContract:
    """A contract, named by one of its tax IDs."""

    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName
    tins: Annotated[int, described("Number of tax IDs with the same provider groups.", 68)]
    rates: RateCount


@dataclass(frozen=True)
class PayerContract(_NamedContract):
    """The tax IDs that have the same provider groups at a payer, and these groups."""

    groups: Annotated[list[str], described("The provider groups.", ["1b9d6bcdbbfd4b2d9b5dab8dfbbd4bed"])]


@dataclass(frozen=True)
class RuleOfContract(_NamedContract):
    """A contract with the rule behind its rates, in one row."""

    verdict: Annotated[str, described("rule, levels, none, or too few: as of the rule of a payer.", "rule")]
    multiple: Annotated[float | None, described("Rate divided by the amount of Medicare: 1.18 is 118%.", 1.18)]
    prices: Annotated[int, described("Number of services with a price that a schedule of physicians pays for.", 1210)]
    explained: Annotated[int, described("How many the multiples reproduce.", 1104)]
    families: Annotated[
        str, described("Families of services with a multiple of their own, in words.", "imaging 121%; medicine 121%")
    ]
    levels: Annotated[
        str,
        described(
            "Price levels that reproduce some of the prices, in words, that of the most prices first.",
            "120% of the national amount for 46% of 90 prices and 155% of the national amount for 21%",
        ),
    ]
    level_count: Annotated[int, described("Number of price levels.", 2)]


@dataclass(frozen=True)
class PayerRules:
    """The rule behind all rates of a payer, and the rules of its contracts, those of the most prices first."""

    of_all: FoundRule
    contracts: list[RuleOfContract]

    @property
    def told(self) -> list[RuleOfContract]:
        """The contracts that have a percent, or several."""
        return [one for one in self.contracts if one.verdict in {"rule", "levels"}]

    @property
    def differ(self) -> bool:
        """Whether contracts pay different percents, so that no one percent is the payer's."""
        multiples = [one.multiple or 0 for one in self.told]
        differs = len(multiples) > 1 and max(multiples) > min(multiples) * (1 + SAME_MULTIPLE)
        return differs or any(one.verdict == "levels" for one in self.told)

    @property
    def ends(self) -> list[RuleOfContract]:
        """The contracts with the lowest and with the highest percent, if contracts differ.

        Empty if one of those with the most prices has no one percent: the small contracts do not speak for the payer.
        """
        if not self.differ or any(one.verdict != "rule" for one in (*self.leading, *self.told)):
            return []
        ordered = sorted(self.told, key=lambda one: one.multiple or 0)
        return [ordered[0], ordered[-1]]

    @property
    def leading(self) -> list[RuleOfContract]:
        """The contracts with the most prices, which speak for the payer."""
        return self.contracts[:LEADING_CONTRACTS]


def find_rules_of_payer(db: Snapshot, market: Market) -> PayerRules:
    """Return the rule behind all rates of a payer, and those of its contracts with the most rates."""
    contracts = list_payer_contracts(db, market, MAX_CONTRACTS)
    with rule_cache(db, market) as cached:
        prices, of_each = list_contract_prices(cached, market, [one.groups for one in contracts])
        of_state = find_state_amounts(cached, market.state, prices)
        rules = find_rules_in_state(of_each, prices, of_state)
        of_all = find_rule_of_prices(cached, market, prices, of_state)
    rows = [_row(one, found) for one, found in zip(contracts, rules, strict=True)]
    told = [one for one in rows if one.verdict != "too few"]
    ordered = sorted(told, key=lambda one: (-one.prices, -(one.multiple or 0), one.tin_value))
    return PayerRules(of_all, ordered)


def _row(contract: PayerContract, found: FoundRule) -> RuleOfContract:
    rule = found.rule
    return RuleOfContract(
        tin_type=contract.tin_type,
        tin_value=contract.tin_value,
        business_name=contract.business_name,
        tins=contract.tins,
        rates=contract.rates,
        verdict=rule.verdict,
        multiple=rule.multiple,
        prices=rule.prices,
        explained=rule.explained,
        families=list_own_multiples(found.families),
        levels=write_level_shares(found.levels, rule.prices) if found.levels else "",
        level_count=len(found.levels),
    )


def list_payer_contracts(db: Snapshot, market: Market, limit: int) -> list[PayerContract]:
    """Return the contracts with the most rates at the market's payer, each named by a tax ID, if any has a name."""
    rates, parameters = counted_rates(db, market)
    return read_rows(
        db,
        PayerContract,
        f"""WITH paid AS (SELECT pg_uid, sum(rate_count)::BIGINT AS rates FROM {rates} f GROUP BY pg_uid),
                 of_tin AS (
                    SELECT tin_type, tin_value, list(pg_uid ORDER BY pg_uid) AS groups, sum(rates)::BIGINT AS rates
                    FROM (SELECT DISTINCT tin_type, tin_value, pg_uid FROM xref_group_tin
                          WHERE year_month = $year_month AND payer_slug = $payer)
                    JOIN paid USING (pg_uid) GROUP BY tin_type, tin_value)
            SELECT first(tin_type ORDER BY business_name IS NULL, tin_value, tin_type) AS tin_type,
                   first(tin_value ORDER BY business_name IS NULL, tin_value, tin_type) AS tin_value,
                   first(business_name ORDER BY business_name IS NULL, tin_value, tin_type) AS business_name,
                   count(*) AS tins, first(rates) AS rates, groups
            FROM of_tin LEFT JOIN {NAMED_TIN} USING (tin_type, tin_value)
            GROUP BY groups ORDER BY rates DESC, tin_value LIMIT {limit:d}""",
        {**parameters, "year_month": market.month_of(market.payer or ""), "payer": market.payer},
    )
