"""The age of rates: a payer's files may be much older than the month that they are listed for."""

from collections.abc import Mapping

from core.fields.month import parse_month
from core.store.connection import Snapshot

MAX_MONTHS_OLDER = 6
"""A file that is older than its month by more than so many months says its own date wherever the month is named."""


def old_month(year_month: str, last_updated_on: str | None) -> str | None:
    """Return the month of a file's own date if that is more than MAX_MONTHS_OLDER before the month of its rates."""
    own = parse_month(last_updated_on)
    return own if own and _number(year_month) - _number(own) > MAX_MONTHS_OLDER else None


def old_months(db: Snapshot) -> Mapping[tuple[str, str, str], str]:
    """Return what old_month says of the newest file of each state, month, and payer_slug, where it says something."""
    return db.ask_once(_old_months)


def _number(month: str) -> int:
    return 12 * int(month[:4]) + int(month[5:])


def _old_months(db: Snapshot) -> Mapping[tuple[str, str, str], str]:
    newest: dict[tuple[str, str, str], str] = {}
    # Dates are read here and not in SQL: payers write them in several ways.
    for state, month, payer, text in db.rows(
        "SELECT DISTINCT state, year_month, payer_slug, last_updated_on FROM dim_batch"
    ):
        key, own = (str(state), str(month), str(payer)), parse_month(text)
        if own:
            newest[key] = max(own, newest.get(key, ""))
    return {key: own for key, own in newest.items() if old_month(key[1], own)}
