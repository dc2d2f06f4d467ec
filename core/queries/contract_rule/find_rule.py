"""What rule is behind a payer's professional rates: the question, and its answer in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.fields.places.states import STATES
from core.fields.rounding import round_half_up
from core.queries.comparison.area_amounts import NATION
from core.queries.contract_rule.code_families import FAMILIES
from core.queries.contract_rule.fit_rule import (
    MIN_PRICES,
    RULE_SHARE,
    CandidateFit,
    Flags,
    Floats,
    find_direction,
    find_nearest,
    fit_candidates,
    measure_spreads,
)
from core.queries.contract_rule.levels_of_release import (
    LevelsOfRelease,
    PriceLevel,
    find_levels_of_releases,
    list_levels,
    write_areas_rule,
    write_levels,
)
from core.queries.contract_rule.price_levels import MIN_LEVEL_PRICES
from core.queries.contract_rule.priced_rates import (
    CandidateSchedule,
    CommonPrice,
    find_amounts_of,
    list_candidates,
    list_common_prices,
)
from core.queries.contract_rule.rule_rows import ContractRule, FamilyRule, RulePrice
from core.queries.contract_rule.rule_words import (
    count_exceptions,
    write_no_rule,
    write_release,
    write_rule,
    write_schedule,
)
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.parties.provider_summary import summarize_provider
from core.store.connection import Snapshot

Verdict = Literal["rule", "levels", "none", "too few", "not loaded"]

SCREENED_PRICES = 120
"""Schedules of other states are tried on about this many prices, and only if no locality of the state fits."""

SOME_SHARE = 0.25
"""Levels that are no rule are named if they reproduce at least this share of the prices."""

KEPT_CANDIDATES = 5
"""How many of these are then tried on all prices."""

MOST_SUMMARIZED = 3_000
"""Of a provider with more prices, the percents are on its page only: they take as long again as the rule."""


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


def find_contract_rule(db: Snapshot, market: Market) -> FoundRule:
    """Return the rule behind a market's rates: of a payer, or of a payer and a provider.

    Without a rule, the percents of a provider's rates are those of its page, unless it has very many.
    """
    with market_cache(db, market) as cached:
        found = find_rule_of_prices(cached, market.state, list_common_prices(cached, market))
    if found.rule.verdict != "none" or not market.of_provider:
        return found
    if found.rule.prices > MOST_SUMMARIZED:
        rule = replace(found.rule, percent_p25=None, percent_p50=None, percent_p75=None)
    else:
        of_rates = summarize_provider(db, db, market)
        rule = replace(found.rule, percent_p25=of_rates.p25, percent_p50=of_rates.p50, percent_p75=of_rates.p75)
    said = write_no_rule(rule, found.levels, "On the page of the provider, its rates are", found.edition)
    return replace(found, rule=replace(rule, sentence=said))


def find_rule_of_prices(db: Snapshot, state: str, prices: Sequence[CommonPrice]) -> FoundRule:
    """Return the rule behind the prices of a state.

    The national amounts and the localities of the state are tried first, then several levels of these at once, and
    localities of other states only if nothing of this reproduces the prices.
    """
    candidates = list_candidates(db)
    if not candidates:
        return _nothing("not loaded", "No Medicare physician fee schedule is loaded for this month.", prices)
    if len(prices) < MIN_PRICES:
        return _too_few(prices)
    of_state = _try_candidates(db, prices, [one for one in candidates if one.state in {NATION, state}])
    if of_state.verdict in {"rule", "levels"}:
        return write_answer(of_state)
    elsewhere = _screen_elsewhere(db, prices, [one for one in candidates if one.state not in {NATION, state}])
    of_others = _try_candidates(db, prices, elsewhere, with_levels=False)
    if of_others.verdict == "rule":
        return write_answer(of_others)
    if not of_state.fits:
        return _nothing("not loaded", "No Medicare physician fee schedule is loaded for this state.", prices)
    return write_answer(of_state)


def find_rules_in_state(
    db: Snapshot, state: str, some: Sequence[Sequence[CommonPrice]], among: Sequence[CommonPrice]
) -> list[FoundRule]:
    """Return the rule behind each of some lists of prices, all of whose services are `among` others.

    Only national amounts and localities of the state are tried, and the amounts of these are read once. The prices are
    not listed again.
    """
    candidates = [one for one in list_candidates(db) if one.state in {NATION, state}]
    amounts = find_amounts_of(db, among, candidates)
    row_of = {_service(one): row for row, one in enumerate(among)}
    found = []
    for prices in some:
        own = amounts[[row_of[_service(one)] for one in prices]]
        tried = try_candidates(prices, candidates, own) if len(prices) >= MIN_PRICES and candidates else None
        found.append(write_answer(tried, in_full=False) if tried else _too_few(prices))
    return found


@dataclass(frozen=True)
class TriedCandidates:
    """What some candidates say of some prices: how each fits alone, best first, and the levels of one release."""

    prices: Sequence[CommonPrice]
    candidates: Sequence[CandidateSchedule]
    amounts: Floats
    fits: list[CandidateFit]
    levels: LevelsOfRelease | None

    @property
    def verdict(self) -> Verdict:
        """Return whether one multiple or several levels reproduce most prices."""
        better = self.better_levels
        if better:
            several: Verdict = "levels" if len(better.fits) > 1 else "rule"
            return several if better.explained >= RULE_SHARE * len(self.prices) else "none"
        return "rule" if self.fits and self.fits[0].is_rule else "none"

    @property
    def _alone(self) -> int:
        return int(self.fits[0].explained.sum()) if self.fits else 0

    @property
    def better_levels(self) -> LevelsOfRelease | None:
        """The levels if they say more than any one schedule; None if they do not.

        A family of services with a multiple of its own is a level too: then the family says more.
        """
        found = self.levels
        is_better = found and found.are_several and found.explained >= self._alone + MIN_LEVEL_PRICES
        return found if is_better else None


def _try_candidates(
    db: Snapshot, prices: Sequence[CommonPrice], candidates: Sequence[CandidateSchedule], *, with_levels: bool = True
) -> TriedCandidates:
    return try_candidates(prices, candidates, find_amounts_of(db, prices, candidates), with_levels=with_levels)


def try_candidates(
    prices: Sequence[CommonPrice],
    candidates: Sequence[CandidateSchedule],
    amounts: Floats,
    *,
    with_levels: bool = True,
) -> TriedCandidates:
    """Return how each candidate fits the prices alone, and the levels of the release that reproduce the most."""
    rates, families = np.array([one.negotiated_rate for one in prices]), [one.family for one in prices]
    fits = fit_candidates(rates, families, amounts)
    levels = find_levels_of_releases(rates, candidates, amounts) if with_levels else None
    return TriedCandidates(prices, candidates, amounts, fits, levels)


def _service(price: CommonPrice) -> tuple[str, str, str, bool]:
    return price.code_type, price.code, price.modifier, price.facility


def _too_few(prices: Sequence[CommonPrice]) -> FoundRule:
    why = f"Only {len(prices)} {'price' if len(prices) == 1 else 'prices'} can be compared with the physician fee "
    return _nothing("too few", f"{why}schedule: too few to tell a rule (at least {MIN_PRICES}).", prices)


def _screen_elsewhere(
    db: Snapshot, prices: Sequence[CommonPrice], candidates: Sequence[CandidateSchedule]
) -> list[CandidateSchedule]:
    """Return the schedules of other states that reproduce some of the prices best."""
    some = prices[:: max(len(prices) // SCREENED_PRICES, 1)]
    rates = np.array([one.negotiated_rate for one in some])
    fits = fit_candidates(rates, [""] * len(some), find_amounts_of(db, some, candidates))
    return [candidates[fit.candidate] for fit in fits[:KEPT_CANDIDATES]]


def write_answer(tried: TriedCandidates, *, in_full: bool = True) -> FoundRule:
    """Return the answer that the tried candidates give, in words; with `in_full`, with every price."""
    prices, verdict, levels = tried.prices, tried.verdict, tried.levels
    if verdict != "none" and tried.better_levels:
        return _answer_levels(tried, tried.better_levels, in_full=in_full)
    best = tried.fits[0]
    rates, amounts = np.array([one.negotiated_rate for one in prices]), tried.amounts
    number = best.candidate
    schedule = tried.candidates[number]
    named = levels if verdict == "none" and levels and levels.explained >= SOME_SHARE * len(prices) else None
    # A price of a level is no exception, even if the levels are no rule.
    of_prices = named.priced(rates) if named else (best.multiples, best.explained, amounts[:, number])
    listed = _list_prices(prices, *of_prices) if in_full else []
    equal = (
        [tried.candidates[fit.candidate] for fit in tried.fits[1:] if fit.merit == best.merit]
        if verdict == "rule"
        else []
    )
    families = [FamilyRule(**vars(one)) for one in sorted(best.families, key=lambda one: FAMILIES.index(one.family))]
    rule = ContractRule(
        verdict=verdict,
        sentence="",
        release=schedule.release,
        state=schedule.state,
        contractor=schedule.contractor,
        locality=schedule.locality,
        locality_name=schedule.locality_name,
        multiple=best.multiple,
        conversion_factor=None if schedule.conversion_factor is None else best.multiple * schedule.conversion_factor,
        prices=len(prices),
        explained=named.explained if named else int(best.explained.sum()),
        as_well=[f"{one.release}, {one.locality_name}" for one in equal],
    )
    if verdict == "rule":
        return FoundRule(replace(rule, sentence=write_rule(rule, families)), families, listed, [])
    some_levels = list_levels(named, tried.candidates) if named else []
    return _without_rule(rule, tried, rates, listed, some_levels)


def _without_rule(
    rule: ContractRule, tried: TriedCandidates, rates: Floats, listed: list[RulePrice], levels: list[PriceLevel]
) -> FoundRule:
    """Return what is known without a rule: the quartiles of the percents, and which edition the contract may name."""
    near, edition = find_nearest(rates, tried.amounts), ""
    if near:
        at = tried.candidates[near.candidate]
        against = write_schedule(at.release, at.state, at.locality_name, at.locality)
        rule = replace(rule, percent_p25=near.p25, percent_p50=near.p50, percent_p75=near.p75)
        edition = _describe_edition(tried.prices, rates, tried.candidates, tried.amounts) if near.is_near else ""
        said = write_no_rule(rule, levels, f"Against {against}, the prices are", edition)
    else:
        said = write_no_rule(rule, levels, "", "")
    return FoundRule(replace(rule, sentence=said), [], listed, levels, edition)


def _answer_levels(tried: TriedCandidates, found: LevelsOfRelease, *, in_full: bool) -> FoundRule:
    first = found.fits[0]
    # Of several areas, none is the schedule's.
    place = tried.candidates[first.columns[0]] if len(first.columns) == 1 else None
    levels = list_levels(found, tried.candidates)
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
    exceptions = rule.prices - rule.explained
    year = str(found.release)[:4]
    if rule.verdict == "rule":
        state = STATES[tried.candidates[found.numbers[first.columns[0]]].state]
        said = write_areas_rule(levels[0], year, rule.prices, state)
        sentence = f"{said}; {count_exceptions(exceptions)}."
    else:
        more = f" {count_exceptions(exceptions)}." if exceptions else ""
        sentence = f"{write_levels(levels, year, rule.prices)}.{more}"
    listed = (
        _list_prices(tried.prices, *found.priced(np.array([one.negotiated_rate for one in tried.prices])))
        if in_full
        else []
    )
    published = tried.candidates[found.numbers[0]].conversion_factor
    is_rounded = found.conversion_factor != published
    return FoundRule(
        replace(rule, sentence=sentence), [], listed, levels, published_factor=published if is_rounded else None
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


def _list_prices(
    prices: Sequence[CommonPrice], multiples: Floats, reproduced: Flags, amounts: Floats
) -> list[RulePrice]:
    listed = []
    for one, amount, multiple, explained in zip(prices, amounts, multiples, reproduced, strict=True):
        priced = amount > 0
        expected = to_cents(amount * multiple) if priced else None
        listed.append(
            RulePrice(
                code_type=one.code_type,
                code=one.code,
                modifier=one.modifier,
                facility=one.facility,
                family=one.family,
                negotiated_rate=one.negotiated_rate,
                rates=one.rates,
                all_rates=one.all_rates,
                medicare=float(amount) if priced else None,
                percent=one.negotiated_rate / float(amount) if priced else None,
                expected=expected,
                difference=None if expected is None else to_cents(one.negotiated_rate - expected),
                explained=bool(explained),
            )
        )
    return listed


def to_cents(dollars: float) -> float:
    """Return dollars rounded to cents, half a cent up, without the error of binary fractions: 88.5 x 1.13 is a half."""
    return round_half_up(round(float(dollars), 9), 2)


def _nothing(verdict: Verdict, sentence: str, prices: Sequence[CommonPrice]) -> FoundRule:
    rule = ContractRule(verdict, sentence, None, None, None, None, None, None, None, len(prices), 0, [])
    return FoundRule(rule, [], [], [])


def _log_ratio(price: RulePrice) -> float:
    """Return how far a price is from what the rule says, as a logarithm; without an amount, farther than all."""
    if not price.expected or not price.negotiated_rate:
        return float("inf")
    return float(np.log(price.negotiated_rate / price.expected))
