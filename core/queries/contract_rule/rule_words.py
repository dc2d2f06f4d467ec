"""The rule behind some rates in words."""

from collections.abc import Sequence
from datetime import date

from core.queries.comparison.area_amounts import NATION
from core.queries.contract_rule.levels_of_release import PriceLevel, list_level_multiples, write_area
from core.queries.contract_rule.rule_rows import ContractRule, FamilyRule
from core.queries.rules.percent_words import write_tenths

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


def write_no_rule(rule: ContractRule, levels: Sequence[PriceLevel], counted: str, edition: str) -> str:
    """Return that there is no single rule, what explains some prices, and the quartiles of the percents.

    `counted` begins the sentence of the quartiles, and `edition` is which release the contract may name.
    """
    share = f"{rule.explained:,} of {rule.prices:,}"
    if levels:
        together = "one price level reproduces" if len(levels) == 1 else f"{len(levels)} price levels reproduce"
        said = f"No single rule; {together} {share} prices ({rule.explained / rule.prices:.0%}): "
        said += f"{list_level_multiples(levels)}."
    else:
        said = f"No single rule: no multiple of a loaded physician fee schedule reproduces more than {share} prices "
        said += f"({rule.explained / rule.prices:.0%})."
    return " ".join(filter(None, (said, _write_quartiles(rule, counted), edition)))


def _write_quartiles(rule: ContractRule, counted: str) -> str:
    if rule.percent_p25 is None or rule.percent_p50 is None or rule.percent_p75 is None:
        return ""
    quartiles = (rule.percent_p25, rule.percent_p50, rule.percent_p75)
    low, middle, high = (f"{100 * one:.{1 if one < _WHOLE_FROM else 0}f}%" for one in quartiles)
    return f"{counted} {middle} of Medicare in the middle, half of them from {low} to {high}."


def write_schedule(release: str, state: str, locality_name: str, locality: str) -> str:
    """Return a schedule in words: the 2025 schedule of Dallas (locality 11)."""
    if state == NATION:
        return f"the {release[:4]} national schedule"
    return f"the {release[:4]} schedule of {_write_locality(locality_name, locality)}"


def _write_locality(name: str | None, locality: str | None) -> str:
    return f"{write_area(str(name))} (locality {locality})"


def count_exceptions(count: int) -> str:
    """Return how many exceptions there are, in words."""
    return f"{f'{count:,}' if count else 'no'} exception{'' if count == 1 else 's'}"


def list_own_multiples(families: Sequence[FamilyRule]) -> str:
    """Return the families of services that have a multiple of their own, in words; empty text if none has."""
    return "; ".join(f"{one.family} {write_tenths(one.multiple)}" for one in families if one.own)


def write_release(release: str) -> str:
    """Return a release in words: January 2025."""
    return f"{date.fromisoformat(f'{release}-01'):%B %Y}"
