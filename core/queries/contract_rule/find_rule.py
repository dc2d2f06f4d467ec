"""What rule is behind a payer's professional rates: the question, and its answer in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import numpy as np

from core.fields.rounding import round_half_up
from core.queries.contract_rule.code_families import FAMILIES
from core.queries.contract_rule.fit_rule import (
    MIN_PRICES,
    NEAR_SHARE,
    NEAR_TOLERANCE,
    RULE_SHARE,
    CandidateFit,
    Floats,
    find_direction,
    find_nearest,
    fit_candidates,
    measure_spreads,
)
from core.queries.contract_rule.priced_rates import (
    CandidateSchedule,
    CommonPrice,
    find_amounts_of,
    list_candidates,
    list_common_prices,
)
from core.queries.market.market import Market
from core.queries.rules.columns import Code, CodeType, Modifier, NegotiatedRate, described
from core.store.connection import Snapshot

Verdict = Literal["rule", "close", "none", "too few", "not loaded"]

SCREENED_PRICES = 120
"""Schedules of other states are tried on about this many prices, and only if no locality of the state fits."""

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
            "rule; close (near a schedule that is not loaded, such as an older year's); none; too few (prices to "
            "tell); not loaded (no Medicare schedule is).",
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
    prices: Annotated[int, described("Number of services with a price that a schedule of physicians pays for.", 1210)]
    explained: Annotated[
        int, described("How many of them the multiples reproduce; if close, how many are within 5%.", 1104)
    ]
    as_well: Annotated[
        list[str], described("Releases and localities that reproduce the prices equally well.", ["2023-07, HOUSTON"])
    ]


@dataclass(frozen=True)
class FoundRule:
    """A rule with its multiples by family, and every price."""

    rule: ContractRule
    families: list[FamilyRule]
    prices: list[RulePrice]

    @property
    def exceptions(self) -> list[RulePrice]:
        """The prices that the rule does not reproduce, those farthest off first."""
        left = [one for one in self.prices if not one.explained]
        return sorted(left, key=lambda one: -abs(_log_ratio(one)))


def find_contract_rule(db: Snapshot, market: Market) -> FoundRule:
    """Return the rule behind a market's rates: of a payer, or of a payer and a tax ID."""
    return find_rule_of_prices(db, market.state, list_common_prices(db, market))


def find_rule_of_prices(db: Snapshot, state: str, prices: Sequence[CommonPrice]) -> FoundRule:
    """Return the rule behind the prices of a state."""
    candidates = list_candidates(db)
    if not candidates:
        return _nothing("not loaded", "No Medicare physician fee schedule is loaded for this month.", prices)
    if len(prices) < MIN_PRICES:
        return _too_few(prices)
    of_state = [one for one in candidates if one.state == state]
    amounts = find_amounts_of(db, prices, of_state)
    rates, families = np.array([one.negotiated_rate for one in prices]), [one.family for one in prices]
    fits = fit_candidates(rates, families, amounts)
    if not fits or not _is_rule(fits[0]):
        elsewhere = _screen_elsewhere(db, prices, [one for one in candidates if one.state != state])
        other_amounts = find_amounts_of(db, prices, elsewhere)
        others = fit_candidates(rates, families, other_amounts)
        if others and _is_rule(others[0]):
            of_state, amounts, fits = elsewhere, other_amounts, others
    if not fits:
        return _nothing("not loaded", "No Medicare physician fee schedule is loaded for this state.", prices)
    return _answer(fits, prices, rates, of_state, amounts)


def find_rules_in_state(
    db: Snapshot, state: str, some: Sequence[Sequence[CommonPrice]], among: Sequence[CommonPrice]
) -> list[FoundRule]:
    """Return the rule behind each of some lists of prices, all of whose services are `among` others.

    Only localities of the state are tried, and the amounts of these are read once. The prices are not listed again.
    """
    candidates = [one for one in list_candidates(db) if one.state == state]
    amounts = find_amounts_of(db, among, candidates)
    row_of = {_service(one): row for row, one in enumerate(among)}
    found = []
    for prices in some:
        rates, families = np.array([one.negotiated_rate for one in prices]), [one.family for one in prices]
        own = amounts[[row_of[_service(one)] for one in prices]]
        fits = fit_candidates(rates, families, own) if len(prices) >= MIN_PRICES else []
        found.append(_answer(fits, prices, rates, candidates, own, in_full=False) if fits else _too_few(prices))
    return found


def _service(price: CommonPrice) -> tuple[str, str, str, bool]:
    return price.code_type, price.code, price.modifier, price.facility


def _too_few(prices: Sequence[CommonPrice]) -> FoundRule:
    why = f"Only {len(prices)} {'price' if len(prices) == 1 else 'prices'} can be compared with the physician fee "
    return _nothing("too few", f"{why}schedule: too few to tell a rule (at least {MIN_PRICES}).", prices)


def _is_rule(fit: CandidateFit) -> bool:
    return bool(fit.explained.mean() >= RULE_SHARE)


def _screen_elsewhere(
    db: Snapshot, prices: Sequence[CommonPrice], candidates: Sequence[CandidateSchedule]
) -> list[CandidateSchedule]:
    """Return the schedules of other states that reproduce some of the prices best."""
    some = prices[:: max(len(prices) // SCREENED_PRICES, 1)]
    rates = np.array([one.negotiated_rate for one in some])
    fits = fit_candidates(rates, [""] * len(some), find_amounts_of(db, some, candidates))
    return [candidates[fit.candidate] for fit in fits[:KEPT_CANDIDATES]]


def _answer(
    fits: list[CandidateFit],
    prices: Sequence[CommonPrice],
    rates: Floats,
    candidates: Sequence[CandidateSchedule],
    amounts: Floats,
    *,
    in_full: bool = True,
) -> FoundRule:
    best = fits[0]
    verdict: Verdict = "rule" if _is_rule(best) else "none"
    if verdict == "none":
        near = find_nearest(rates, [one.family for one in prices], amounts)
        if near and near.explained.mean() >= NEAR_SHARE:
            verdict, best = "close", near
    number = best.candidate
    schedule = candidates[number]
    listed = _list_prices(prices, best, amounts[:, number]) if in_full else []
    equal = [candidates[fit.candidate] for fit in fits[1:] if fit.merit == best.merit] if verdict == "rule" else []
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
        explained=int(best.explained.sum()),
        as_well=[f"{one.release}, {one.locality_name}" for one in equal],
    )
    edition = _describe_edition(prices, rates, candidates, amounts) if verdict == "close" and in_full else ""
    worded = ContractRule(**{**vars(rule), "sentence": _write_sentence(rule, families, edition)})
    return FoundRule(worded, families, listed)


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


def _list_prices(prices: Sequence[CommonPrice], fit: CandidateFit, amounts: Floats) -> list[RulePrice]:
    listed = []
    for one, amount, multiple, explained in zip(prices, amounts, fit.multiples, fit.explained, strict=True):
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


def _write_sentence(rule: ContractRule, families: Sequence[FamilyRule], edition: str) -> str:
    year, share = str(rule.release)[:4], rule.explained / rule.prices
    where = f"{str(rule.locality_name).title()} (locality {rule.locality})"
    exceptions = rule.prices - rule.explained
    listed = "no exceptions" if not exceptions else f"{exceptions:,} exception{'' if exceptions == 1 else 's'}"
    own = list_own_multiples(rule, families)
    if rule.verdict == "rule":
        what = f"{write_multiple(rule)} of the {year} physician fee schedule, {where}"
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
    return (
        f"No single rule: no multiple of a loaded schedule reproduces more than {rule.explained:,} of {rule.prices:,} "
        f"prices ({share:.0%})."
    )


def write_multiple(rule: ContractRule, multiple: float | None = None) -> str:
    """Return the multiple of a rule, or another of its multiples, as a percent: exact, or rounded if only close."""
    found = rule.multiple if multiple is None else multiple
    return _percent(found) if rule.verdict == "rule" else f"{100 * (found or 0):.0f}%"


def list_own_multiples(rule: ContractRule, families: Sequence[FamilyRule]) -> str:
    """Return the families of services that have a multiple of their own, in words; empty text if none has."""
    return "; ".join(f"{one.family} {write_multiple(rule, one.multiple)}" for one in families if one.own)


def write_release(release: str) -> str:
    """Return a release in words: January 2025."""
    return f"{date.fromisoformat(f'{release}-01'):%B %Y}"


def _percent(multiple: float | None) -> str:
    """Return a multiple as a percent with one decimal, or as many as it needs up to three."""
    percent = 100 * (multiple or 0)
    decimals = next((n for n in (1, 2) if abs(round(percent, n) - percent) < 1e-6), 3)
    return f"{percent:.{decimals}f}%"


def _nothing(verdict: Verdict, sentence: str, prices: Sequence[CommonPrice]) -> FoundRule:
    rule = ContractRule(verdict, sentence, None, None, None, None, None, None, None, len(prices), 0, [])
    return FoundRule(rule, [], [])


def _log_ratio(price: RulePrice) -> float:
    """Return how far a price is from what the rule says, as a logarithm; without an amount, farther than all."""
    if not price.expected or not price.negotiated_rate:
        return float("inf")
    return float(np.log(price.negotiated_rate / price.expected))
