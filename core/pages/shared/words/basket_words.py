"""Why a payer has no figure for a basket, in the same words on every page that shows one."""

from collections.abc import Sequence
from math import isclose

from core.queries.baskets.basket_index import MIN_COVERAGE, PayerIndex
from core.queries.baskets.payer_levels import SpecialtyIndex
from core.queries.parties.middle_by_payer import LEAST_ORGANIZATIONS


def explain_no_index(one: PayerIndex | SpecialtyIndex) -> str:
    """Return why a payer has no index: how little of the basket can be compared between payers; or empty text."""
    if one.index is not None:
        return ""
    return f"only {_share(one.compared, one.codes_of_basket, one.coverage)} can be compared with other payers"


def explain_no_percent(one: PayerIndex | SpecialtyIndex) -> str:
    """Return why a payer has no percent: it prices too little of the basket, or states no place; or empty text."""
    if one.percent is not None:
        return ""
    if one.placed_coverage >= MIN_COVERAGE:
        return "has no amount to compare with"
    what = _share(one.placed, one.codes_of_basket, one.placed_coverage)
    if not one.unplaced:
        return f"prices only {what}"
    # Elsewhere it does not matter whether a place is stated: these codes are not said to have one.
    codes = "1 code" if one.unplaced == 1 else f"{one.unplaced} codes"
    return f"states no place for {codes} usually done in facilities: {what} are left"


def describe_counting(indexes: Sequence[PayerIndex]) -> str:
    """Return what payers are compared by: what the middle organization is paid, or the middle rate, and for which.

    That is the middle rate where fewer than LEAST_ORGANIZATIONS organizations of a payer are known to have such rates.
    """
    why = f"fewer than {LEAST_ORGANIZATIONS} organizations with such rates are known"
    by_rates = [one for one in indexes if one.by_rates]
    if len(by_rates) == len(indexes) and all(one.by_rates == one.placed for one in indexes):
        return f"{'It' if len(indexes) == 1 else 'Each payer'} counts with its middle rate, because {why}"
    usual = "A payer counts with what its middle organization is paid"
    if not by_rates:
        return usual
    said = [
        f"{one.reporting_entity_name} with its middle rate"
        + ("" if one.by_rates == one.placed else f" for {one.by_rates} of its {one.placed} codes")
        for one in by_rates
    ]
    return f"{usual}, but {'; '.join(said)}, because {why} there"


def _share(codes: int, of_all: int, coverage: float) -> str:
    """Return a share of codes, and their weight where they do not all weigh the same."""
    share = f"{codes} of {of_all} codes"
    return share if isclose(coverage, codes / of_all) else f"{share} ({coverage:.0%} by weight)"
