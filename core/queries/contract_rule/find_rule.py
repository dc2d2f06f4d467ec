"""What rule is behind a payer's professional rates: the question, and its answer in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.fields.places.states import STATES
from core.queries.comparison.area_amounts import NATION
from core.queries.comparison.compared_rates import PLAUSIBLE_SQL
from core.queries.contract_rule.family_rules import find_families, list_families_of_fit, list_families_of_levels
from core.queries.contract_rule.fit_rule import (
    MIN_PRICES,
    Floats,
    find_direction,
    find_nearest,
    fit_candidates,
    measure_spreads,
)
from core.queries.contract_rule.levels_of_release import (
    LevelsOfRelease,
    PriceLevel,
    write_areas_rule,
)
from core.queries.contract_rule.priced_rates import (
    COMPARED_RATES,
    CandidateSchedule,
    CommonPrice,
    find_amounts_of,
    list_candidates_for,
    list_common_prices,
    rule_cache,
)
from core.queries.contract_rule.rule_prices import _list_price, list_prices_of_fit, list_prices_of_levels
from core.queries.contract_rule.rule_rows import ContractRule, FamilyRule, RulePrice
from core.queries.contract_rule.rule_words import (
    count_exceptions,
    write_levels_rule,
    write_no_rule,
    write_release,
    write_rule,
)
from core.queries.contract_rule.tried_candidates import SOME_SHARE, TriedCandidates, Verdict, try_candidates
from core.queries.market.market import Market
from core.queries.parties.provider_summary import summarize_provider
from core.queries.rules.percentiles import percentile_list
from core.store.connection import Snapshot

SCREENED_PRICES = 120
"""Schedules of other states are tried on about this many prices, and only if no locality of the state fits."""


KEPT_CANDIDATES = 5
"""How many of these are then tried on all prices."""

MOST_SUMMARIZED = 3_000
"""Of a provider with more prices, odd rates are not looked for: that takes as long again as the rule."""


@dataclass(frozen=True)
class FoundRule:
    """A rule with its multiples by family, every price, and its price levels."""

    rule: ContractRule
    families: list[FamilyRule]
    prices: list[RulePrice]
    levels: list[PriceLevel]
    """The levels, if these are the rule; if there is none, those that reproduce some of the prices."""
    edition: str = ""
    """Which release a contract without a rule may name, in a sentence."""
    published_factor: float | None = None
    """The release's conversion factor, where the prices are of that factor rounded to cents instead."""
    usual_percent: float | None = None
    """Of a rule of one schedule, the percent in the middle where each price is compared as on other pages."""

    @property
    def by_published_factor(self) -> float | None:
        """The multiple in dollars by the factor as published, where the prices are of another."""
        return self.published_factor and self.rule.multiple and self.rule.multiple * self.published_factor

    @property
    def rounded_factor(self) -> float | None:
        """The factor rounded to cents that the prices are of, where they are."""
        return None if self.published_factor is None else round(self.published_factor, 2)

    @property
    def exceptions(self) -> list[RulePrice]:
        """The prices that the rule does not reproduce, those farthest off first."""
        left = [one for one in self.prices if not one.explained]
        return sorted(left, key=lambda one: -abs(_log_ratio(one)))


@dataclass(frozen=True)
class AmountsOfState:
    """The national amounts and those of the localities of a state, and what they are for each of some prices (rows)."""

    candidates: Sequence[CandidateSchedule]
    amounts: Floats


def find_state_amounts(db: Snapshot, state: str, prices: Sequence[CommonPrice]) -> AmountsOfState:
    """Return what the nation and the localities of the state pay for some prices."""
    candidates = [one for one in list_candidates_for(db, prices) if one.state in {NATION, state}]
    return AmountsOfState(candidates, find_amounts_of(db, prices, candidates))


def find_contract_rule(db: Snapshot, market: Market) -> FoundRule:
    """Return the rule behind a market's rates: of a payer, or of a payer and a provider.

    Without a rule, the percents are those of all rates, as on the page of the provider, or of Medicare for a payer.
    """
    with rule_cache(db, market) as cached:
        prices = list_common_prices(cached, market)
        return find_rule_of_prices(cached, market, prices, find_state_amounts(cached, market.state, prices))


def find_rule_of_prices(
    db: Snapshot, market: Market, prices: Sequence[CommonPrice], of_state: AmountsOfState
) -> FoundRule:
    """Return the rule behind the prices of a market. `db` is what rule_cache yields."""
    found = _find_rule(db, market.state, prices, of_state)
    if found.rule.verdict != "none":
        return found
    rule = found.rule
    low, middle, high = _find_percents(db, market, rule.prices)
    rule = replace(rule, percent_p25=low, percent_p50=middle, percent_p75=high)
    sentence = write_no_rule(rule, found.levels, found.families, found.edition)
    return replace(found, rule=replace(rule, sentence=sentence))


def _find_percents(db: Snapshot, market: Market, prices: int) -> tuple[float | None, float | None, float | None]:
    """Return the quartiles of the percents of all of the market's rates, as they are on other pages."""
    if market.of_provider and prices <= MOST_SUMMARIZED:
        of_rates = summarize_provider(db, db, market)
        return of_rates.p25, of_rates.p50, of_rates.p75
    # Of so many rates, those that are likely errors move no quartile by a tenth of a percent.
    plausible = f"WHERE {PLAUSIBLE_SQL}" if market.of_provider else ""
    ((quartiles,),) = db.rows(
        f"""SELECT {percentile_list("percent")} FROM (
                SELECT negotiated_rate / medicare AS percent, unnest(range(rates)) FROM {COMPARED_RATES}) {plausible}"""
    )
    return quartiles[1], quartiles[2], quartiles[3]


def _find_rule(db: Snapshot, state: str, prices: Sequence[CommonPrice], amounts: AmountsOfState) -> FoundRule:
    """Return the rule behind the prices of a state.

    The national amounts and the localities of the state are tried first, then several levels of these at once, and
    localities of other states only if nothing of this reproduces the prices.
    """
    candidates = list_candidates_for(db, prices)
    if not candidates:
        return _nothing("not loaded", "No Medicare physician fee schedule is loaded for this month.", prices)
    if len(prices) < MIN_PRICES:
        return _too_few(prices)
    of_state = try_candidates(prices, amounts.candidates, amounts.amounts)
    if of_state.verdict in {"rule", "levels"}:
        return write_answer(of_state)
    elsewhere = _screen_elsewhere(db, prices, [one for one in candidates if one.state not in {NATION, state}])
    if elsewhere:
        of_others = try_candidates(prices, elsewhere, find_amounts_of(db, prices, elsewhere), with_levels=False)
        if of_others.verdict == "rule":
            return write_answer(of_others)
    if not of_state.fits:
        return _nothing("not loaded", "No Medicare physician fee schedule is loaded for this state.", prices)
    return write_answer(of_state)


def find_rules_in_state(
    some: Sequence[Sequence[CommonPrice]], among: Sequence[CommonPrice], of_state: AmountsOfState
) -> list[FoundRule]:
    """Return the rule behind each of some lists of prices, all of whose services are `among` others.

    Only the amounts of the state are tried, which are those of the prices `among`. The prices are not listed again.
    """
    candidates = of_state.candidates
    row_of = {_service(one): row for row, one in enumerate(among)}
    found = []
    for prices in some:
        own = of_state.amounts[[row_of[_service(one)] for one in prices]]
        tried = try_candidates(prices, candidates, own) if len(prices) >= MIN_PRICES and candidates else None
        found.append(write_answer(tried, in_full=False) if tried else _too_few(prices))
    return found


def _service(price: CommonPrice) -> tuple[str, str, str, bool]:
    return price.code_type, price.code, price.modifier, price.facility


def _too_few(prices: Sequence[CommonPrice]) -> FoundRule:
    why = f"Only {len(prices)} {'price' if len(prices) == 1 else 'prices'} can be compared with the physician fee "
    return _nothing("too few", f"{why}schedule: too few to tell a rule (at least {MIN_PRICES}).", prices)


def _screen_elsewhere(
    db: Snapshot, prices: Sequence[CommonPrice], candidates: Sequence[CandidateSchedule]
) -> list[CandidateSchedule]:
    """Return the schedules of other states that reproduce some of the prices best; none if these are too few."""
    some = prices[:: max(len(prices) // SCREENED_PRICES, 1)]
    rates = np.array([one.negotiated_rate for one in some])
    fits = fit_candidates(rates, [""] * len(some), find_amounts_of(db, some, candidates))
    least = SOME_SHARE * len(some)
    return [candidates[fit.candidate] for fit in fits[:KEPT_CANDIDATES] if fit.explained.sum() >= least]


def write_answer(tried: TriedCandidates, *, in_full: bool = True) -> FoundRule:
    """Return the answer that the tried candidates give, in words; with `in_full`, with every price.

    If there is no rule, what other pages say of the rates is not yet in the answer, and neither are the words.
    """
    if tried.verdict == "none":
        return _answer_none(tried, in_full=in_full)
    if tried.better_levels:
        return _answer_levels(tried, tried.better_levels, in_full=in_full)
    best = tried.fits[0]
    schedule = tried.candidates[best.candidate]
    equal = [tried.candidates[fit.candidate] for fit in tried.fits[1:] if fit.merit == best.merit]
    rule = ContractRule(
        verdict="rule",
        sentence="",
        release=schedule.release,
        state=schedule.state,
        contractor=schedule.contractor,
        locality=schedule.locality,
        locality_name=schedule.locality_name,
        multiple=best.multiple,
        conversion_factor=None if schedule.conversion_factor is None else best.multiple * schedule.conversion_factor,
        prices=len(tried.prices),
        explained=int(best.explained.sum()),
        as_well=[f"{one.release}, {one.locality_name}" for one in equal],
    )
    listed = list_prices_of_fit(tried, best) if in_full else []
    families = list_families_of_fit(best, schedule, listed)
    sentence = write_rule(rule, families)
    return FoundRule(replace(rule, sentence=sentence), families, listed, [], usual_percent=tried.usual_percent)


def _answer_none(tried: TriedCandidates, *, in_full: bool) -> FoundRule:
    """Return what is known without a rule: levels of some prices, the families, and an edition that is not loaded."""
    prices, levels = tried.prices, tried.levels
    named = levels if levels and levels.explained >= SOME_SHARE * len(prices) else None
    rule = ContractRule(
        verdict="none",
        sentence="",
        release=Counter(one.release for one in prices).most_common(1)[0][0],
        state=None,
        contractor=None,
        locality=None,
        locality_name=None,
        multiple=None,
        conversion_factor=None,
        prices=len(prices),
        explained=named.explained if named else max(int(one.explained.sum()) for one in tried.fits),
        as_well=[],
    )
    listed_levels = named.list_levels(tried.candidates) if named else []
    if not in_full:
        return FoundRule(rule, [], [], listed_levels)
    rates = tried.rates
    edition, near = "", find_nearest(rates, tried.amounts)
    if near and near.is_near:
        edition = _describe_edition(prices, rates, tried.candidates, tried.amounts)
    if named:
        priced = named.price(rates)
        # A price of a level is no exception, even if the levels are no rule.
        listed = list_prices_of_levels(tried, named, priced)
        return FoundRule(rule, list_families_of_levels(listed_levels, priced, listed), listed, listed_levels, edition)
    listed = [_list_price(one, one.medicare, one.area) for one in prices]
    return FoundRule(rule, find_families(tried.candidates, tried.amounts, listed), listed, [], edition)


def _answer_levels(tried: TriedCandidates, found: LevelsOfRelease, *, in_full: bool) -> FoundRule:
    first = found.fits[0]
    # Of several areas, none is the schedule's.
    place = tried.candidates[found.numbers[first.columns[0]]] if len(first.columns) == 1 else None
    levels = found.list_levels(tried.candidates)
    rule = ContractRule(
        verdict=tried.verdict,
        sentence="",
        release=found.release,
        state=place.state if place else None,
        contractor=place.contractor if place else None,
        locality=place.locality if place else None,
        locality_name=place.locality_name if place else None,
        multiple=first.multiple,
        conversion_factor=found.conversion_factor and first.multiple * found.conversion_factor,
        prices=len(tried.prices),
        explained=found.explained,
        as_well=list(found.equal_releases),
    )
    if rule.verdict == "rule":
        state = STATES[tried.candidates[found.numbers[first.columns[0]]].state]
        said = write_areas_rule(levels[0], str(found.release)[:4], rule.prices, state)
        sentence = f"{said}; {count_exceptions(rule.prices - rule.explained)}."
    else:
        sentence = write_levels_rule(rule, levels)
    priced = found.price(tried.rates) if in_full else None
    listed = list_prices_of_levels(tried, found, priced) if priced else []
    published = tried.candidates[found.numbers[0]].conversion_factor
    is_rounded = found.conversion_factor != published
    return FoundRule(
        replace(rule, sentence=sentence),
        list_families_of_levels(levels, priced, listed) if priced else [],
        listed,
        levels,
        published_factor=published if is_rounded else None,
    )


def _describe_edition(
    prices: Sequence[CommonPrice], rates: Floats, candidates: Sequence[CandidateSchedule], amounts: Floats
) -> str:
    """Return which edition a contract may name that none of the candidates reproduces; empty text if unknown."""
    spreads: dict[str, float] = {}
    measured = measure_spreads(rates, [one.family for one in prices], amounts)
    for one, spread in zip(candidates, measured, strict=True):
        # A release fits as well as its best locality does.
        spreads[one.release] = float(np.fmin(spread, spreads.get(one.release, np.nan)))
    direction = find_direction(spreads)
    if direction == "older":
        return f"The contract may name a schedule older than {write_release(min(spreads))}, the oldest that is loaded."
    if direction == "newer":
        return f"The contract may name a schedule newer than {write_release(max(spreads))}, the newest that is loaded."
    return ""


def _nothing(verdict: Verdict, sentence: str, prices: Sequence[CommonPrice]) -> FoundRule:
    rule = ContractRule(verdict, sentence, None, None, None, None, None, None, None, len(prices), 0, [])
    return FoundRule(rule, [], [], [])


def _log_ratio(price: RulePrice) -> float:
    """Return how far a price is from what the rule says, as a logarithm; without an amount, farther than all."""
    if not price.expected or not price.negotiated_rate:
        return float("inf")
    return float(np.log(price.negotiated_rate / price.expected))
