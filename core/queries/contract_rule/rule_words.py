"""The rule behind some rates in words."""

from collections.abc import Sequence
from datetime import date

from core.queries.comparison.area_amounts import NATION
from core.queries.contract_rule.levels_of_release import PriceLevel, write_area, write_level_shares, write_share
from core.queries.contract_rule.rule_rows import ContractRule, FamilyRule
from core.queries.rules.percent_words import join_words, write_tenths

_WHOLE_FROM = 0.0995
"""Percents from ten on are written without decimals, as on the provider's page."""


def write_rule(rule: ContractRule, families: Sequence[FamilyRule]) -> str:
    """Return the rule of one schedule: its multiple, those of families, and how many prices they reproduce."""
    year, is_national = str(rule.release)[:4], rule.state == NATION
    what = (
        f"{write_tenths(rule.multiple or 0)} of the {year} {'national ' if is_national else ''}physician fee schedule"
    )
    what = what if is_national else f"{what}, {_write_locality(rule.locality_name, rule.locality)}"
    said = [
        f"{what}, for {rule.explained:,} of {rule.prices:,} prices",
        list_own_multiples(families),
        count_exceptions(rule.prices - rule.explained),
    ]
    return "; ".join(filter(None, said)) + "."


def write_levels_rule(rule: ContractRule, levels: Sequence[PriceLevel]) -> str:
    """Return several levels in words, the one with the most prices first."""
    left = rule.prices - rule.explained
    others = f"{count_exceptions(left)} ({write_share(left, rule.prices)})" if left else count_exceptions(0)
    said = write_level_shares(levels, rule.prices)
    return (
        f"{said} ({str(rule.release)[:4]} physician fee schedule); {others}. "
        "The file does not say which level applies to a service."
    )


def write_no_rule(
    rule: ContractRule, levels: Sequence[PriceLevel], families: Sequence[FamilyRule], edition: str
) -> str:
    """Return that there is no single rule, what explains some prices, and the quartiles of the percents.

    `edition` is which release the contract may name.
    """
    in_part = list_told_families(families)
    if levels:
        left = write_share(rule.prices - rule.explained, rule.prices)
        said = f"No single rule: {write_level_shares(levels, rule.prices)}; {left} follow no level."
    elif in_part:
        said = f"No single rule for all services, but for some: {in_part}."
    else:
        said = "No single rule: the multiple of a loaded physician fee schedule that fits best reproduces "
        said += f"{rule.explained:,} of {rule.prices:,} prices ({rule.explained / rule.prices:.0%})."
    return " ".join(filter(None, (said, _write_quartiles(rule), edition)))


def list_told_families(families: Sequence[FamilyRule]) -> str:
    """Return the families whose multiple is known, in words with its share of their prices; empty text if none is."""
    return join_words(
        [
            f"{one.family} {write_tenths(one.multiple)} of the {'national' if one.national else 'locality’s'} amount "
            f"({write_share(one.explained, one.prices)} of {one.prices:,} prices)"
            for one in families
            if one.multiple
        ]
    )


def _write_quartiles(rule: ContractRule) -> str:
    if rule.percent_p25 is None or rule.percent_p50 is None or rule.percent_p75 is None:
        return ""
    quartiles = (rule.percent_p25, rule.percent_p50, rule.percent_p75)
    low, middle, high = (f"{100 * one:.{1 if one < _WHOLE_FROM else 0}f}%" for one in quartiles)
    return (
        "All rates, those that other schedules pay included, are "
        f"{middle} of Medicare in the middle, half of them from {low} to {high}."
    )


def _write_locality(name: str | None, locality: str | None) -> str:
    return f"{write_area(str(name))} (locality {locality})"


def count_exceptions(count: int) -> str:
    """Return how many exceptions there are, in words."""
    return f"{f'{count:,}' if count else 'no'} exception{'' if count == 1 else 's'}"


def list_own_multiples(families: Sequence[FamilyRule]) -> str:
    """Return the families of services that have a multiple of their own, in words; empty text if none has."""
    return "; ".join(f"{one.family} {write_tenths(one.multiple)}" for one in families if one.own and one.multiple)


def write_release(release: str) -> str:
    """Return a release in words: January 2025."""
    return f"{date.fromisoformat(f'{release}-01'):%B %Y}"


def write_compared_with(rule: ContractRule, levels: Sequence[PriceLevel]) -> str:
    """Return which amounts the prices are shown against: those of the rule, or those of every page."""
    month = write_release(str(rule.release))
    if levels:
        return f"{month}, the amount that each price is a percent of; for the exceptions, that where the provider is"
    if rule.verdict == "none":
        return f"{month}, where the provider is"
    return f"{month}, {'national' if rule.state == NATION else _write_locality(rule.locality_name, rule.locality)}"
