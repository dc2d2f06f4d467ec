"""Answers to an agent: rows, and where they come from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from core.python_api.rate_store import RateStore

MOST_ROWS = 200
"""Rows of one answer. An agent reads every row it is sent, and pays for it."""

METHOD = (
    "Rates are those that payers publish under the Transparency in Coverage rule, each counted once however many "
    "providers share it. Only rates of kind 'dollars' are dollars for one service: percentages, per diems, bundles, "
    "and capitation are kept apart. A published rate is what a contract says, not what was paid. "
)

MEDICARE_METHOD = METHOD + (
    "A percent of Medicare compares a rate with the amount of the schedule that pays such a rate in its month and, "
    "where the provider's place is known, its area; 1 is 100%. Sequestration is not applied."
)


@dataclass(frozen=True)
class AgentAnswer:
    """The answer to a question: rows, how many there are in all, the files they come from, and how to read them."""

    question: str
    rows: list[dict[str, Any]]
    rows_in_all: int
    sources: list[dict[str, Any]]
    """The payers' files that were asked: payer, state, month, file, and the date the file says it was updated."""
    method: str
    rate_classes: list[dict[str, Any]]
    """The classes of a code's rates, most rates first; `chosen` are those that the rows are of."""


def make_answer(
    question: str,
    rows: pl.DataFrame,
    sources: Iterable[dict[str, Any]] = (),
    *,
    limit: int = MOST_ROWS,
    rows_in_all: int | None = None,
    method: str = METHOD,
    rate_classes: pl.DataFrame | None = None,
) -> AgentAnswer:
    """Return an answer with the first `limit` rows. `rows_in_all` is how many there are, if not all were asked for."""
    shown = rows.head(min(limit, MOST_ROWS)).to_dicts()
    in_all = rows.height if rows_in_all is None else rows_in_all
    classes = [] if rate_classes is None else rate_classes.to_dicts()
    return AgentAnswer(question, shown, in_all, list(sources), method, classes)


def has_rates(store: RateStore, state: str) -> bool:
    """Return whether a state has rates."""
    return not store.coverage().filter(pl.col("state") == state.upper(), pl.col("rates") > 0).is_empty()
