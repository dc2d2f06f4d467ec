"""What became of an organization's prices for each code, in dollars; and what became of organizations paid alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from core.queries.code_titles import with_titles
from core.queries.market.market import Market
from core.queries.over_time.changes import ORDERS, OfCode, OfPayer, OfTerms
from core.queries.over_time.matching import MATCHED, TERMS, match
from core.queries.rules.named_rows import read_page, read_rows
from core.store.connection import Snapshot
from core.store.views import NAMED_TIN


@dataclass(frozen=True)
class PricesMoved:
    """How the distinct prices of one month moved to those of another, the lowest to the lowest and so on.

    They are only paired where there are as many in both months. Otherwise nothing says which became which, and what can
    be told is how far the lowest and the highest moved.
    """

    before: int
    after: int
    ups: tuple[float, ...] = ()
    downs: tuple[float, ...] = ()
    same: int = 0
    ends: tuple[float, float] | None = None

    @property
    def is_paired(self) -> bool:
        """Whether each price has a counterpart."""
        return self.before == self.after

    @property
    def is_clear(self) -> bool:
        """Whether it is a raise, a cut, or neither, by the rule of OUTCOMES: none is where some rose and some fell."""
        return self.is_paired and not (self.ups and self.downs)


def pair_prices(old: Sequence[float], new: Sequence[float]) -> PricesMoved:
    """Return how prices moved. A price of zero has no percent, and counts as up with infinity if it is raised."""
    if len(old) != len(new):
        known = bool(old and new) and min(old) > 0
        ends = (min(new) / min(old) - 1, max(new) / max(old) - 1) if known else None
        return PricesMoved(len(old), len(new), ends=ends)
    pairs = list(zip(sorted(old), sorted(new), strict=True))
    changes = [after / before - 1 if before else float("inf") for before, after in pairs if after != before]
    ups, downs = sorted(one for one in changes if one > 0), sorted((one for one in changes if one < 0), reverse=True)
    return PricesMoved(len(old), len(new), tuple(ups), tuple(downs), len(pairs) - len(changes))


@dataclass(frozen=True)
class CodePrices(OfTerms, OfCode, OfPayer):
    """The distinct prices that one payer pays an organization for a code on the same terms, in both months."""

    kind: str
    old_prices: list[float]
    new_prices: list[float]
    left_out: int
    """The other rates of both months, which are likely errors."""

    @property
    def old(self) -> float | None:
        """The price in the middle of the earlier month, of two the lower one; None without a price."""
        return median_low(self.old_prices) if self.old_prices else None

    @property
    def new(self) -> float | None:
        """The price in the middle of the later month, of two the lower one; None without a price."""
        return median_low(self.new_prices) if self.new_prices else None

    @property
    def difference(self) -> float | None:
        """The median of the later month less that of the earlier one; None where that is nobody's raise or cut."""
        if self.old is None or self.new is None or not self.moved.is_clear:
            return None
        return round(self.new - self.old, 6)

    @property
    def percent(self) -> float | None:
        """The difference as a share of the earlier median."""
        return None if self.difference is None or self.new is None or not self.old else self.new / self.old - 1

    @property
    def moved(self) -> PricesMoved:
        """How the prices moved."""
        return pair_prices(self.old_prices, self.new_prices)


def list_code_prices(db: Snapshot, market: Market, before: str) -> list[CodePrices]:
    """Return an organization's prices in both months by code, those whose medians differ most in dollars first.

    Of prices in other units, the difference is not in dollars: they are last. Tax IDs of one organization are together.
    """
    key = f"payer_slug, code_system, code, kind, {', '.join(name for name in TERMS if name != 'kind')}"
    with match(db, market, before) as memory:
        rows = read_rows(
            memory,
            CodePrices,
            f"""SELECT m.* EXCLUDE (code_system), name,
                       coalesce(reporting_entity_name, payer_slug) AS reporting_entity_name
                FROM (
                    SELECT {key}, min(code_type) AS code_type, {_together("old_prices")}, {_together("new_prices")},
                           sum(coalesce(old_left_out, 0) + coalesce(new_left_out, 0))::BIGINT AS left_out
                    FROM {MATCHED} WHERE what <> 'unmatched' GROUP BY {key}) m
                LEFT JOIN dim_reporting_entity USING (payer_slug) LEFT JOIN dim_code USING (code_type, code)""",
        )
    return with_titles(
        db,
        sorted(
            rows,
            key=lambda row: (
                row.kind != "dollars", -abs(row.difference or 0), row.difference is None, row.code_type, row.code,
                row.payer_slug, row.modifier or "", row.place, row.billing_class or "",
            ),
        ),
    )  # fmt: skip


def _together(prices: str) -> str:
    """Return SQL of the distinct prices of all rows together."""
    every = f"flatten(list({prices}) FILTER ({prices} IS NOT NULL))"
    return f"coalesce(list_sort(list_distinct({every})), []) AS {prices}"


@dataclass(frozen=True)
class PaidAlike(OfTerms):
    """Organizations that a payer pays the same for a code in both months, on the same terms."""

    what: str
    kind: str
    payer_slug: str
    reporting_entity_name: str
    organizations: int
    tin_type: str | None
    tin_value: str | None
    """The first of their tax IDs."""
    tins: list[str]
    """The first MOST_NAMED tax IDs."""
    old: float | None
    old_lowest: float | None
    old_highest: float | None
    old_amounts: int | None
    old_rates: int | None
    old_left_out: int | None
    new: float | None
    new_lowest: float | None
    new_highest: float | None
    new_amounts: int | None
    new_rates: int | None
    new_left_out: int | None
    difference: float | None
    percent: float | None


MOST_NAMED = 50
"""The organizations of a row that a page names. The download has all."""

_FIGURES = tuple(
    f"{month}{figure}"
    for month in ("old", "new")
    for figure in ("", "_lowest", "_highest", "_amounts", "_rates", "_left_out")
)


def list_paid_alike(
    db: Snapshot, market: Market, before: str, what: str | None, order: str, limit: int, offset: int
) -> tuple[int, list[PaidAlike]]:
    """Return at most `limit` rows from `offset` on, in one of ORDERS, and how many such rows there are.

    A contract is recognized by its figures in both months, because payers renumber their provider groups in each file.
    `what` is one of OUTCOMES, or None for all.
    """
    alike = ", ".join(("what", "payer_slug", *TERMS, *_FIGURES))
    with match(db, market, before) as memory:
        return read_page(
            memory,
            PaidAlike,
            f"""WITH every AS (
                    SELECT {alike}, count(*) AS organizations,
                           min({{'value': tin_value, 'type': tin_type}}) AS first_tin,
                           list(DISTINCT tin_value ORDER BY tin_value)[:{MOST_NAMED}] AS tins
                    FROM {MATCHED} WHERE $what IS NULL OR what = $what GROUP BY {alike}),
                page AS (
                    SELECT *, count(*) OVER () AS total, row_number() OVER (
                        ORDER BY {ORDERS[order]}, payer_slug, first_tin, {", ".join(TERMS)}) AS position
                    FROM every ORDER BY position LIMIT $limit OFFSET $offset)
                SELECT p.* EXCLUDE (first_tin, position), first_tin.value AS tin_value, first_tin.type AS tin_type,
                       coalesce(reporting_entity_name, payer_slug) AS reporting_entity_name,
                       round(new - old, 6) AS difference, new / nullif(old, 0) - 1 AS percent
                FROM page p LEFT JOIN dim_reporting_entity USING (payer_slug) ORDER BY position""",
            {"what": what, "limit": limit, "offset": offset},
        )


def name_tins(db: Snapshot, rows: Sequence[PaidAlike]) -> dict[str, str]:
    """Return what the tax IDs of some rows are called, where that is known."""
    tins = {tin for row in rows for tin in row.tins if tin}
    found = db.list_rows_of(NAMED_TIN, "tin_value", tins, ["shown_name"])
    return {row["tin_value"]: row["shown_name"] for row in found if row["shown_name"]}
