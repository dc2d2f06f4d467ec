"""What a data-quality check is made of; checks.py lists them all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check. It fails if more than `threshold` (a share, 0 to 1) of the things are wrong.

    `meaning` and `remedy` tell the operator what was found and what to do. `title` and `reader_meaning` tell a visitor
    of the site what it means for the rates, and `rates_sort` is the order of rates.ORDERS in which the page of a code
    shows first what the check flags.

    `prepare` is a statement that makes a temporary table for both. DuckDB knows the size of a table, and so which side
    of a join fits in memory; of a subquery it guesses.

    `by` are the columns that distinguish parts of both `things` and `found`: the state, the month, and the payer by its
    name or slug. `counted` is what count() counts. `rates_by` is the column that finds the rates of something wrong
    that has no code of its own, such as a provider group.
    """

    name: str
    title: str
    severity: Severity
    threshold: float
    meaning: str
    reader_meaning: str
    remedy: str
    things: str
    found: str
    by: tuple[str, ...] = ("state", "year_month", "reporting_entity_name")
    counted: str = "*"
    prepare: str = ""
    rates_by: str = ""
    rates_sort: str | None = None

    @property
    def parted(self) -> frozenset[str]:
        """Which of state, year_month and payer the check distinguishes."""
        return frozenset({"reporting_entity_name": "payer", "payer_slug": "payer"}.get(name, name) for name in self.by)

    def tells_apart(self, part: Iterable[str]) -> bool:
        """Return whether the check distinguishes all these columns of dq_finding (it always has a check_name)."""
        return {"payer" if name == "payer_slug" else name for name in part} - {"check_name"} <= self.parted
