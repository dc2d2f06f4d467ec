"""The codes of a provider that a visitor looks for, by a number, words, or a family."""

from core.queries.find.code_index import find_codes
from core.queries.parties.provider_rates import Within
from core.store.connection import Snapshot


def choose_within(db: Snapshot, text: str, family: str) -> Within:
    """Return which rates of a provider are meant. The text finds the codes that the search of codes finds."""
    return Within(find_codes(db, text) if text else None, family)
