"""The files whose rates are loaded: a payer's, a market's, and those of several states."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated

from core.queries.coverage import BATCHES
from core.queries.rules.columns import (
    FileName,
    Month,
    PayerName,
    RateCount,
    State,
    stored,
)
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.market.market_months import MarketMonths, facts_in_months, month_parameters
from core.store.schema.tables import DIM_BATCH


@dataclass(frozen=True)
class SharedFile:
    """A payer's file whose rates were all loaded for several states: the payer publishes one file for them."""

    reporting_entity_name: str
    payer_slug: str
    year_month: str
    states: list[str]
    rates: int


def list_shared_files(db: Snapshot) -> Sequence[SharedFile]:
    """Return the files that were loaded whole for several states. Their rates are in each of them.

    Those of which each state has the rates of its own providers, by a filter or a correction, are none.
    """
    return db.ask_once(_shared_files)


def _shared_files(db: Snapshot) -> Sequence[SharedFile]:
    return read_rows(
        db,
        SharedFile,
        f"""SELECT any_value(reporting_entity_name) AS reporting_entity_name, any_value(payer_slug) AS payer_slug,
                   any_value(year_month) AS year_month, list_sort(list(state)) AS states, rates
            FROM {BATCHES} b WHERE rates > 0 AND NOT contains(coalesce(filters, ''), '"in_state"') AND NOT EXISTS (
                FROM removed_rate r JOIN corrections c USING (correction_id)
                WHERE r.batch_id = b.batch_id AND contains(c.selection, '"outside_state"'))
            GROUP BY batch_id, rates HAVING count(*) > 1
            ORDER BY lower(any_value(reporting_entity_name)), states""",
    )


@dataclass(frozen=True)
class File:
    """A file of a payer, as loaded for one state. `rates` are the ones still in the data."""

    state: State
    year_month: Month
    source: FileName
    version: Annotated[str | None, stored(DIM_BATCH, "version", "1.0.0")]
    last_updated_on: Annotated[str | None, stored(DIM_BATCH, "last_updated_on", "2025-08-01")]
    rates: RateCount


def list_files(db: Snapshot, payer: str) -> list[File]:
    """Return the files of a payer, newest month first."""
    return read_rows(
        db,
        File,
        f"""SELECT state, year_month, source, version, last_updated_on, rates FROM {BATCHES}
            WHERE payer_slug = $payer ORDER BY year_month DESC, state, source, batch_id""",
        {"payer": payer},
    )


@dataclass(frozen=True)
class MarketFile:
    """A file whose rates are part of a state and month."""

    payer: PayerName
    state: State
    year_month: Month
    file: FileName
    last_updated_on: Annotated[str | None, stored(DIM_BATCH, "last_updated_on", "2025-08-01")]


def list_sources(
    db: Snapshot, state: str, months: MarketMonths, payer: str | None = None, among: Collection[str] | None = None
) -> list[MarketFile]:
    """Return the files of a state and the months of a market, of one payer or of all, by payer and name.

    They may be of some payers only, those `among`.
    """
    return read_rows(
        db,
        MarketFile,
        f"""SELECT reporting_entity_name AS payer, state, year_month, source AS file, last_updated_on FROM {BATCHES} f
            WHERE state = $state AND {facts_in_months(months)} AND coalesce(payer_slug = $payer, true)
              AND coalesce(list_contains($among, payer_slug), true)
            ORDER BY ALL""",
        {"state": state, "payer": payer, "among": None if among is None else sorted(among), **month_parameters(months)},
    )
