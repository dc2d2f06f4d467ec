"""The rule behind the rates of one provider at each payer that has rates of it."""

from dataclasses import dataclass, replace
from typing import Annotated

from core.queries.contract_rule.find_rule import find_contract_rule
from core.queries.coverage import list_payers
from core.queries.market.market import Market
from core.queries.market.market_rates import counted_rates, market_cache
from core.queries.rules.columns import Month, PayerName, PayerSlug, described
from core.store.connection import Snapshot

MOST_PAYERS = 6
"""Each takes about a second."""


@dataclass(frozen=True)
class RuleAtPayer:
    """What rule is behind a provider's rates at one payer."""

    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    year_month: Month
    verdict: Annotated[str, described("rule, levels, none, too few, or not loaded: as of the rule of a payer.", "rule")]
    sentence: Annotated[str, described("The answer in words.", "118% of the 2023 physician fee schedule …")]
    multiple: Annotated[float | None, described("Rate divided by the amount of Medicare: 1.18 is 118%.", 1.18)]
    prices: Annotated[int, described("Number of prices of services that a schedule of physicians pays for.", 210)]
    explained: Annotated[int, described("How many of them the multiples reproduce.", 204)]


def list_payers_of_provider(db: Snapshot, market: Market) -> list[str]:
    """Return the payers that have rates of the market's provider, those with the most first."""
    with market_cache(db, market) as cached:
        rates, parameters = counted_rates(cached, market)
        rows = cached.rows(
            f"""SELECT payer_slug(reporting_entity_name) AS payer FROM {rates} f
                GROUP BY payer ORDER BY sum(rate_count) DESC, payer""",
            parameters,
        )
    return [payer for (payer,) in rows]


def list_rules_of_provider(db: Snapshot, market: Market) -> list[RuleAtPayer]:
    """Return the rule behind the rates of the market's provider at each payer, those with the most rates first."""
    names, found = dict(list_payers(db)), []
    for payer in list_payers_of_provider(db, market)[:MOST_PAYERS]:
        month = market.month_of(payer)
        rule = find_contract_rule(db, replace(market, payer=payer, year_month=month, latest=None)).rule
        found.append(
            RuleAtPayer(
                reporting_entity_name=names.get(payer, payer),
                payer_slug=payer,
                year_month=month,
                verdict=rule.verdict,
                sentence=rule.sentence,
                multiple=rule.multiple,
                prices=rule.prices,
                explained=rule.explained,
            )
        )
    return found
