"""What rule is behind a payer's professional rates: the question, and its answer in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Literal

import numpy as np

from core.fields.rounding import round_half_up
from core.queries.comparison.area_amounts import NATION
from core.queries.contract_rule.code_families import FAMILIES
from core.queries.contract_rule.fit_rule import (
    MIN_PRICES,
    NEAR_SHARE,
    NEAR_TOLERANCE,
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
    list_level_multiples,
    list_levels,
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
from core.queries.market.market import Market
from core.queries.rules.columns import Code, CodeType, Modifier, NegotiatedRate, described
from core.queries.rules.percent_words import write_tenths
from core.store.connection import Snapshot

Verdict = Literal["rule", "levels", "close", "none", "too few", "not loaded"]

SCREENED_PRICES = 120
"""Schedules of other states are tried on about this many prices, and only if no locality of the state fits."""

SOME_SHARE = 0.25
"""Levels that are no rule are named if they reproduce at least this share of the prices."""

KEPT_CANDIDATES = 5
"""How many of these are then tried on all prices."""


@dataclass(frozen=True)
class FamilyRule:
    """The multiple of Medicare that one family of services is paid."""

    family: Annotated[str, described("Family of services, by code number.", "evaluation and management")]
    multiple: Annotated[float, described("Rate divided by the amount: 1.18 is 118%.", 1.18)]
    own: Annotated[bool, described("Whether it differs from the multiple of all families.", False)]
    prices: Annotated[int, described("Number of prices.", 210)]
    explained: Annotated[int, described("Number of prices that the multiple reproduces; if close, within 5%.", 204)]


@dataclass(frozen=True)
class RulePrice:
    """The most common rate of a service beside the amount of the schedule and what the rule says."""

    code_type: CodeType
    code: Code
    modifier: Modifier
    facility: Annotated[bool, described("Whether it is the price in facilities.", False)]
    family: Annotated[str, described("Family of services, by code number.", "imaging")]
    negotiated_rate: NegotiatedRate
    rates: Annotated[int, described("Number of rates with this amount.", 12)]
    all_rates: Annotated[int, described("Number of rates for the same service.", 14)]
    medicare: Annotated[float | None, described("Amount of the schedule in dollars.", 88.56)]
    percent: Annotated[float | None, described("Rate divided by the amount: 1 is 100%.", 1.18)]
    expected: Annotated[float | None, described("What the rule says, in dollars.", 104.5)]
    difference: Annotated[float | None, described("Rate less `expected`, in dollars.", 0.0)]
    explained: Annotated[bool, described("Whether the rule reproduces the rate.", True)]


@dataclass(frozen=True)
class ContractRule:
    """The multiple of a Medicare schedule that reproduces most prices, or that none does."""

    verdict: Annotated[
        str,
        described(
            "rule; levels (several multiples at once); close (near a schedule that is not loaded, such as an older "
            "year's); none; too few (prices to tell); not loaded (no Medicare schedule is).",
            "rule",
        ),
    ]
    sentence: Annotated[str, described("The answer in words.", "118% of the 2023 physician fee schedule …")]
    release: Annotated[str | None, described("Month of the schedule's release.", "2023-01")]
    state: Annotated[str | None, described("State of the locality.", "TX")]
    contractor: Annotated[str | None, described("Medicare contractor of the locality.", "04412")]
    locality: Annotated[str | None, described("Number of the payment locality.", "18")]
    locality_name: Annotated[str | None, described("Name of the payment locality.", "HOUSTON")]
    multiple: Annotated[float | None, described("Rate divided by the amount: 1.18 is 118%.", 1.18)]
    conversion_factor: Annotated[
        float | None, described("The multiple as dollars per relative value unit: what contracts often state.", 39.99)
    ]
    prices: Annotated[int, described("Number of prices of services that a schedule of physicians pays for.", 1210)]
    explained: Annotated[
        int, described("How many of them the multiples reproduce; if close, how many are within 5%.", 1104)
    ]
    as_well: Annotated[
        list[str], described("Releases and localities that reproduce the prices equally well.", ["2023-07, HOUSTON"])
    ]


@dataclass(frozen=True)
class FoundRule:
    """A rule with its multiples by family, every price, and its price levels."""

    rule: ContractRule
    families: list[FamilyRule]
    prices: list[RulePrice]
    levels: list[PriceLevel]
    """The levels, if the verdict is levels; if it is none, those that reproduce some of the prices."""

    @property
    def exceptions(self) -> list[RulePrice]:
        """The prices that the rule does not reproduce, those farthest off first."""
        left = [one for one in self.prices if not one.explained]
        return sorted(left, key=lambda one: -abs(_log_ratio(one)))


def find_contract_rule(db: Snapshot, market: Market) -> FoundRule:
    """Return the rule behind a market's rates: of a payer, or of a payer and a tax ID."""
    return find_rule_of_prices(db, market.state, list_common_prices(db, market))


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
        alone = int(self.fits[0].explained.sum()) if self.fits else 0
        by_levels = self.levels.explained if self.levels else 0
        # A family of services with a multiple of its own is a level too: then the family says more.
        if self.levels and len(self.levels.fits) > 1 and by_levels >= alone + MIN_LEVEL_PRICES:
            return "levels" if by_levels >= RULE_SHARE * len(self.prices) else "none"
        return "rule" if alone >= RULE_SHARE * len(self.prices) else "none"


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
    if verdict == "levels" and levels:
        return _answer_levels(tried, levels, in_full=in_full)
    best = tried.fits[0]
    rates, amounts = np.array([one.negotiated_rate for one in prices]), tried.amounts
    if verdict == "none":
        near = find_nearest(rates, [one.family for one in prices], amounts)
        if near and near.explained.mean() >= NEAR_SHARE:
            verdict, best = "close", near
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
    edition = _describe_edition(prices, rates, tried.candidates, amounts) if verdict == "close" and in_full else ""
    some_levels = list_levels(named, tried.candidates) if named else []
    sentence = _write_sentence(rule, families, edition, some_levels)
    return FoundRule(replace(rule, sentence=sentence), families, listed, some_levels)


def _answer_levels(tried: TriedCandidates, found: LevelsOfRelease, *, in_full: bool) -> FoundRule:
    first = found.fits[0]
    # Of several areas, none is the schedule's.
    place = tried.candidates[first.columns[0]] if len(first.columns) == 1 else None
    levels = list_levels(found, tried.candidates)
    rule = ContractRule(
        verdict="levels",
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
    more = f" {_count_exceptions(exceptions)}." if exceptions else ""
    sentence = f"{write_levels(levels, str(found.release)[:4], rule.prices)}.{more}"
    listed = (
        _list_prices(tried.prices, *found.priced(np.array([one.negotiated_rate for one in tried.prices])))
        if in_full
        else []
    )
    return FoundRule(replace(rule, sentence=sentence), [], listed, levels)


def _describe_edition(
    prices: Sequence[CommonPrice], rates: Floats, candidates: Sequence[CandidateSchedule], amounts: Floats
) -> str:
    """Return which edition of the schedule a contract names that none of the candidates reproduces, in words."""
    spreads: dict[str, float] = {}
    measured = measure_spreads(rates, [one.family for one in prices], amounts)
    for one, spread in zip(candidates, measured, strict=True):
        # A release fits as well as its best locality does.
        spreads[one.release] = float(np.fmin(spread, spreads.get(one.release, np.nan)))
    direction = find_direction(spreads)
    if direction == "older":
        return f"a schedule older than {write_release(min(spreads))}, the oldest that is loaded"
    if direction == "newer":
        return f"a schedule newer than {write_release(max(spreads))}, the newest that is loaded"
    return "a schedule that is not loaded"


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


def _write_sentence(
    rule: ContractRule, families: Sequence[FamilyRule], edition: str, levels: Sequence[PriceLevel]
) -> str:
    year, share = str(rule.release)[:4], rule.explained / rule.prices
    is_national = rule.state == NATION
    where = "national amounts" if is_national else f"{str(rule.locality_name).title()} (locality {rule.locality})"
    listed = _count_exceptions(rule.prices - rule.explained)
    own = list_own_multiples(rule, families)
    if rule.verdict == "rule":
        what = f"{write_multiple(rule)} of the {year} {'national ' if is_national else ''}physician fee schedule"
        what = what if is_national else f"{what}, {where}"
        said = [f"{what}, for {rule.explained:,} of {rule.prices:,} prices", own, listed]
        return "; ".join(one for one in said if one) + "."
    if rule.verdict == "close":
        of = "these multiples" if own else "that multiple"
        around = "; ".join(one for one in (f"About {write_multiple(rule)} of Medicare", own) if one)
        return (
            f"{around}. No loaded schedule reproduces the prices to the cent, but {rule.explained:,} of "
            f"{rule.prices:,} ({share:.0%}) are within {NEAR_TOLERANCE:.0%} of {of} of the {year} schedule, "
            f"{where}. The contract probably names {edition}."
        )
    if levels:
        together = (
            "one price level reproduces" if len(levels) == 1 else f"{len(levels)} price levels together reproduce"
        )
        return (
            f"No rule explains most prices; {together} {rule.explained:,} of {rule.prices:,} "
            f"({share:.0%}): {list_level_multiples(levels)}."
        )
    return (
        f"No single rule: no multiple of a loaded schedule reproduces more than {rule.explained:,} of {rule.prices:,} "
        f"prices ({share:.0%})."
    )


def _count_exceptions(count: int) -> str:
    return f"{f'{count:,}' if count else 'no'} exception{'' if count == 1 else 's'}"


def write_multiple(rule: ContractRule, multiple: float | None = None) -> str:
    """Return the multiple of a rule, or another of its multiples, as a percent: exact, or rounded if only close."""
    found = rule.multiple if multiple is None else multiple
    return write_tenths(found or 0) if rule.verdict == "rule" else f"{100 * (found or 0):.0f}%"


def list_own_multiples(rule: ContractRule, families: Sequence[FamilyRule]) -> str:
    """Return the families of services that have a multiple of their own, in words; empty text if none has."""
    return "; ".join(f"{one.family} {write_multiple(rule, one.multiple)}" for one in families if one.own)


def write_release(release: str) -> str:
    """Return a release in words: January 2025."""
    return f"{date.fromisoformat(f'{release}-01'):%B %Y}"


def _nothing(verdict: Verdict, sentence: str, prices: Sequence[CommonPrice]) -> FoundRule:
    rule = ContractRule(verdict, sentence, None, None, None, None, None, None, None, len(prices), 0, [])
    return FoundRule(rule, [], [], [])


def _log_ratio(price: RulePrice) -> float:
    """Return how far a price is from what the rule says, as a logarithm; without an amount, farther than all."""
    if not price.expected or not price.negotiated_rate:
        return float("inf")
    return float(np.log(price.negotiated_rate / price.expected))
