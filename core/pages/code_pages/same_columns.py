"""Columns of the rates of a page that say the same in each row: a sentence above the table says it once."""

from collections.abc import Callable, Sequence

from core.pages.formats import NONE, write_day, write_month
from core.pages.shared.words.labels import evidence_words, rule_words
from core.queries.rates import RateRow
from core.queries.yardstick.medicare import Comparison


def _type(row: RateRow) -> str:
    parts = [row.negotiated_type or "rate type not stated"]
    if row.negotiation_arrangement != "ffs":
        parts.append(row.negotiation_arrangement or "arrangement not stated")
    if row.additional_information:
        parts.append(row.additional_information)
    if row.billing_code_type_version:
        parts.append(f"code set version {row.billing_code_type_version}")
    return ", ".join(parts)


def _evidence(row: RateRow) -> str | None:
    has_own = row.medicare_services or row.specialty_share
    return None if has_own or not row.evidence else f"performed: {evidence_words(row.evidence)}"


def _expires(row: RateRow) -> str:
    day = write_day(row.expiration_date)
    return "no expiration date" if day == NONE else f"expires {day}"


def _source(row: RateRow) -> str:
    return f"from the file {row.source}" if row.source else ""


_COLUMNS: dict[str, Callable[[RateRow], str | None]] = {
    "type": _type,
    "evidence": _evidence,
    "expires": _expires,
    "source": _source,
}
"""What each column says of a row; None for what is the row's own."""


def find_same_columns(rows: Sequence[RateRow]) -> dict[str, str]:
    """Return what each column says that says the same in all rows, by its name. One row has no such columns."""
    if len(rows) < 2:
        return {}
    said = {name: {write(row) for row in rows} for name, write in _COLUMNS.items()}
    return {name: text for name, texts in said.items() if len(texts) == 1 and (text := texts.pop()) is not None}


_PAID = "status A"
"""The status of nearly all services of the physician fee schedule: it is paid by it. No page says so in each row."""

_OF_AMOUNTS: dict[str, Callable[[Comparison], str]] = {
    "release": lambda row: f"Medicare amounts: release of {write_month(row.release)}",
    "detail": lambda row: f"Medicare’s schedule says: {row.detail}" if row.detail and row.detail != _PAID else "",
    "rule": lambda row: f"It is {rule_words(row.rule)}" if rule_words(row.rule) else "",
}
"""What the amounts that rates are compared with have in common."""


def find_same_amounts(rows: Sequence[Comparison]) -> dict[str, str]:
    """Return what the Medicare amounts of all rows that have one have in common, and those of workers' compensation."""
    of_medicare = [row for row in rows if row.basis]
    said = {name: {write(row) for row in of_medicare} for name, write in _OF_AMOUNTS.items()}
    said["wcfs"] = {
        f"Workers’ comp: {row.wcfs_basis}, release of {write_month(row.wcfs_release)}" for row in rows if row.wcfs_basis
    }
    return {name: texts.pop() for name, texts in said.items() if len(texts) == 1}


def find_mean_error(rows: Sequence[Comparison]) -> float | None:
    """Return how far the means of the state that rows are compared with are off at most, if that is worth saying."""
    return max((row.mean_error or 0.0 for row in rows if row.is_state_mean and row.has_notable_error), default=None)
