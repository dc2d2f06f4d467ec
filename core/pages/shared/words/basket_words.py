"""Why a payer has no figure for a basket, in the same words on every page that shows one."""

from core.queries.baskets.basket_index import MIN_COVERAGE, PayerIndex
from core.queries.baskets.payer_levels import SpecialtyIndex


def explain_no_index(one: PayerIndex | SpecialtyIndex) -> str:
    """Return why a payer has no index: how little of the basket can be compared between payers; or empty text."""
    if one.index is not None:
        return ""
    return f"only {_share(one.compared, one.codes_of_basket, one.coverage)} can be compared with other payers"


def explain_no_percent(one: PayerIndex | SpecialtyIndex) -> str:
    """Return why a payer has no percent: it prices or states a place for too little of the basket; or empty text."""
    if one.percent is not None:
        return ""
    if one.placed_coverage >= MIN_COVERAGE:
        return "no amount to compare with"
    what = _share(one.placed, one.codes_of_basket, one.placed_coverage)
    return f"states a place for only {what}" if one.unplaced else f"prices only {what}"


def _share(codes: int, of_all: int, coverage: float) -> str:
    return f"{codes} of {of_all} codes ({coverage:.0%} by weight)"
