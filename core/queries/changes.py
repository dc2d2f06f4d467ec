"""The changes of rates from one month to another, by the rules of `matching`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from core.queries.coverage import Coverage
from core.queries.rules.columns import (
    Arrangement,
    BillingClass,
    Code,
    CodeName,
    CodeType,
    FirstTin,
    FirstTinName,
    Modifier,
    NegotiatedType,
    NpiCount,
    PayerName,
    PayerSlug,
    RateCount,
    RateKind,
    ServiceCodes,
    Setting,
    SeverityOfIllness,
    TinCount,
    described,
)
from core.queries.rules.market import Market
from core.queries.rules.matching import KEY, OUTCOMES, match, members_condition
from core.queries.rules.named_rows import fetch_page, stream_rows
from core.queries.rules.percentiles import percentile_columns, percentile_list
from core.store.connection import Snapshot
from core.store.watched_cursor import WatchedCursor

ORDERS = {
    "moved": """what NOT IN ('up', 'down'), what = 'same', what = 'unmatched',
                abs(new / nullif(old, 0) - 1) DESC NULLS LAST, what""",
    "percent": "new / nullif(old, 0) - 1 NULLS LAST",
    "-percent": "new / nullif(old, 0) - 1 DESC NULLS LAST",
    "old": "old NULLS LAST",
    "new": "new NULLS LAST",
}
"""How the matched rates may be sorted. The key and the two rates follow, which makes every order total."""


@dataclass(frozen=True)
class OfPayer:
    """The payer whose rates are counted."""

    payer_slug: PayerSlug
    reporting_entity_name: PayerName


@dataclass(frozen=True)
class OfCode:
    """The code whose rates are counted."""

    code_type: CodeType
    code: Code
    name: CodeName


@dataclass(frozen=True)
class Moved:
    """What happened to some rates of one kind.

    before = same + up + down + gone + unmatched_before, after = same + up + down + added + unmatched_after. The
    percentiles are of the changes of rates that went up or down, each rate counted once.
    """

    kind: RateKind
    before: Annotated[int, described("Rates in the earlier month.", 12)]
    after: Annotated[int, described("Rates in the later month.", 12)]
    same: Annotated[int, described("Rates that did not change.", 12)]
    up: Annotated[int, described("Rates that went up.", 12)]
    down: Annotated[int, described("Rates that went down.", 12)]
    added: Annotated[int, described("Rates that are not in the earlier month.", 12)]
    gone: Annotated[int, described("Rates that are not in the later month.", 12)]
    unmatched_before: Annotated[
        int, described("Rates in the earlier month whose provider the file does not identify.", 12)
    ]
    unmatched_after: Annotated[
        int, described("Rates in the later month whose provider the file does not identify.", 12)
    ]
    p10: Annotated[float | None, described("10th percentile of the changes: 0.01 is up 1%.", 0.01)]
    p50: Annotated[float | None, described("Median of the changes: 0.045 is up 4.5%.", 0.045)]
    p90: Annotated[float | None, described("90th percentile of the changes: 0.12 is up 12%.", 0.12)]

    @property
    def moved(self) -> int:
        """Return how many rates changed."""
        return self.up + self.down + self.added + self.gone


@dataclass(frozen=True)
class PayerMoved(Moved, OfPayer):
    """What happened to a payer's rates of one kind."""


@dataclass(frozen=True)
class CodeMoved(Moved, OfCode):
    """What happened to a code's rates of one kind."""


SORTS: dict[str, Callable[[CodeMoved], Any]] = {
    "moved": lambda row: -row.moved,
    "up": lambda row: -row.up,
    "down": lambda row: -row.down,
    "added": lambda row: -row.added,
    "gone": lambda row: -row.gone,
    "percent": lambda row: -abs(row.p50 or 0),
    "code": lambda _: 0,
}
"""How the codes may be sorted. The code itself follows."""


@dataclass(frozen=True)
class ChangedRate:
    """Rates that share a provider and terms, and what happened to them.

    `npis` counts the distinct NPIs of the provider's groups in either month; `one_tin` is the first of its `tins`.
    """

    what: Annotated[str, described(f"What happened to it: {', '.join(OUTCOMES)}.", "up")]
    kind: RateKind
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    code_type: CodeType
    code: Code
    old: Annotated[
        float | None, described("Rate in the earlier month, in the unit of its kind; null if there is none.", 100.0)
    ]
    new: Annotated[
        float | None, described("Rate in the later month, in the unit of its kind; null if there is none.", 104.5)
    ]
    difference: Annotated[float | None, described("new - old.", 4.5)]
    percent: Annotated[float | None, described("new / old - 1: 0.1 is up 10%.", 0.045)]
    rates: RateCount
    tins: TinCount
    one_tin: FirstTin
    one_name: FirstTinName
    npis: NpiCount
    billing_class: BillingClass
    modifier: Modifier
    setting: Setting
    severity_of_illness: SeverityOfIllness
    service_codes: ServiceCodes
    negotiated_type: NegotiatedType
    negotiation_arrangement: Arrangement


@dataclass(frozen=True)
class PayerMonths:
    """How many files and rates a payer has in two months. The rates are not matched."""

    payer_slug: str
    reporting_entity_name: str
    files_before: int
    rates_before: int
    files_after: int
    rates_after: int


def count_payer_months(loaded: Sequence[Coverage], state: str, before: str, after: str) -> list[PayerMonths]:
    """Return how much each payer has in the two months, from all that is loaded."""
    by_payer: dict[str, dict[str, Coverage]] = {}
    for row in loaded:
        if row.state == state and row.year_month in {before, after}:
            by_payer.setdefault(row.payer_slug, {})[row.year_month] = row
    found = []
    for slug, months in by_payer.items():
        old, new = months.get(before), months.get(after)
        newest = months[max(months)]
        found.append(
            PayerMonths(
                payer_slug=slug,
                reporting_entity_name=newest.reporting_entity_name,
                files_before=old.files if old else 0,
                rates_before=old.rates if old else 0,
                files_after=new.files if new else 0,
                rates_after=new.rates if new else 0,
            )
        )
    return sorted(found, key=lambda row: row.reporting_entity_name.lower())


def count_movements(db: Snapshot, market: Market, before: str) -> tuple[list[PayerMoved], list[CodeMoved]]:
    """Return what became of the rates from the month `before` to the market's month, by payer and by code."""
    with match(db, market, before) as cursor:
        _count_moved(cursor)
        return _payers_moved(cursor), _codes_moved(cursor)


def list_changed_rates(
    db: Snapshot, market: Market, before: str, what: str | None, order: str, limit: int, offset: int
) -> tuple[int, list[ChangedRate]]:
    """Return at most `limit` matched rates from `offset` on, in one of ORDERS, and how many such rows there are.

    `what` is one of OUTCOMES, or None for all.
    """
    with match(db, market, before) as cursor:
        return _changed_rates(cursor, market, before, what, order, limit, offset)


def count_and_list_changes(
    db: Snapshot, market: Market, before: str, what: str | None, order: str, limit: int, offset: int
) -> tuple[list[PayerMoved], tuple[int, list[ChangedRate]]]:
    """Return what became of the rates by payer, and the rates themselves, matched once for both."""
    with match(db, market, before) as cursor:
        _count_moved(cursor)
        return _payers_moved(cursor), _changed_rates(cursor, market, before, what, order, limit, offset)


_COUNTED = {
    "before": "old IS NOT NULL",
    "after": "new IS NOT NULL",
    **{what: f"what = '{what}'" for what in ("same", "up", "down", "added", "gone")},
    "unmatched_before": "what = 'unmatched' AND old IS NOT NULL",
    "unmatched_after": "what = 'unmatched' AND new IS NOT NULL",
}
"""Which rates each number of Moved counts."""


def _count_moved(cursor: WatchedCursor) -> None:
    """Create a table `moved` with the numbers of Moved by payer and by code, in one pass over the rates."""
    counts = ", ".join(
        f"coalesce(sum(rates) FILTER ({condition}), 0)::BIGINT AS {name}" for name, condition in _COUNTED.items()
    )
    changes = percentile_list("new / old - 1", "what IN ('up', 'down') AND old > 0")
    cursor.execute(
        f"""CREATE TEMP TABLE moved AS
            SELECT payer_slug, code_type, code, rate_kind(negotiated_type, negotiation_arrangement) AS kind,
                   {counts}, {changes} AS percentiles
            FROM matched JOIN terms USING (term) GROUP BY GROUPING SETS ((payer_slug, kind), (code_type, code, kind))"""
    )


_MOVED = f"""moved.* EXCLUDE (payer_slug, code_type, code, percentiles),
             {percentile_columns("percentiles", ("p10", "p50", "p90"))}"""


def _payers_moved(cursor: WatchedCursor) -> list[PayerMoved]:
    cursor.execute(
        f"""SELECT payer_slug, coalesce(e.reporting_entity_name, payer_slug) AS reporting_entity_name, {_MOVED}
            FROM moved LEFT JOIN dim_reporting_entity e USING (payer_slug) WHERE payer_slug IS NOT NULL
            ORDER BY lower(e.reporting_entity_name), payer_slug, kind"""
    )
    return list(stream_rows(cursor, PayerMoved))


def _codes_moved(cursor: WatchedCursor) -> list[CodeMoved]:
    cursor.execute(
        f"""SELECT code_type, code, name, {_MOVED}
            FROM moved LEFT JOIN dim_code USING (code_type, code) WHERE payer_slug IS NULL
            ORDER BY code, code_type, kind"""
    )
    return list(stream_rows(cursor, CodeMoved))


def _changed_rates(
    cursor: WatchedCursor,
    market: Market,
    before: str,
    what: str | None,
    order: str,
    limit: int,
    offset: int,
) -> tuple[int, list[ChangedRate]]:
    members = members_condition(market, before)
    sorting = f"{ORDERS[order]}, {', '.join(KEY)}, old, new"
    # The page's rows are chosen first. Names and members are looked up for those rows alone.
    return fetch_page(
        cursor,
        ChangedRate,
        f"""WITH chosen AS (
                SELECT {", ".join(KEY)}, what, old, new, sum(rates)::BIGINT AS rates, count(*) OVER () AS total
                FROM matched JOIN terms USING (term) WHERE $what IS NULL OR what = $what GROUP BY ALL),
            page AS (
                SELECT *, row_number() OVER (ORDER BY {sorting}) AS position
                FROM (SELECT * FROM chosen ORDER BY {sorting} LIMIT $limit OFFSET $offset)),
            shown AS (SELECT * FROM members WHERE who IN (SELECT who FROM page)),
            tins AS (
                SELECT who, count(DISTINCT (tin_type, tin_value)) AS tins, min(tin_value) AS one_tin,
                       min_by(shown_name, tin_value) AS one_name
                FROM shown JOIN xref_group_tin x USING (pg_uid) LEFT JOIN named_tin USING (tin_type, tin_value)
                WHERE {members.sql} GROUP BY who),
            npis AS (
                SELECT who, count(DISTINCT npi) AS npis FROM shown JOIN xref_group_npi x USING (pg_uid)
                WHERE {members.sql} GROUP BY who)
            SELECT total, what, rate_kind(negotiated_type, negotiation_arrangement) AS kind,
                   coalesce(reporting_entity_name, payer_slug) AS reporting_entity_name, payer_slug, code_type, code,
                   old, new, round(new - old, 6) AS difference, new / nullif(old, 0) - 1 AS percent, rates,
                   coalesce(tins, 0) AS tins, one_tin, one_name, coalesce(npis, 0) AS npis, billing_class,
                   billing_code_modifier AS modifier, setting, severity_of_illness,
                   coalesce(service_codes, []) AS service_codes, negotiated_type, negotiation_arrangement
            FROM page
            LEFT JOIN dim_reporting_entity USING (payer_slug)
            LEFT JOIN dim_pos_set USING (pos_set_id)
            LEFT JOIN tins USING (who)
            LEFT JOIN npis USING (who)
            ORDER BY position""",
        {**members.parameters, "what": what, "limit": limit, "offset": offset},
    )
