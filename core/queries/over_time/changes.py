"""What organizations are paid in one month and in an earlier one, by the rules of `matching`."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from core.queries.code_titles import with_titles
from core.queries.coverage import Coverage
from core.queries.market.market import Market
from core.queries.over_time.matching import MATCHED, OUTCOMES, PAID_KEY, TERMS, match
from core.queries.rules.columns import (
    BillingClass,
    BusinessName,
    Code,
    CodeName,
    CodeType,
    Modifier,
    PayerName,
    PayerSlug,
    RateKind,
    Setting,
    SeverityOfIllness,
    described,
)
from core.queries.rules.named_rows import read_rows
from core.queries.rules.percentiles import median, percentile_columns, percentile_list
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.views import NAMED_TIN

ORDERS = {
    "moved": """what NOT IN ('up', 'down'), what = 'same', what = 'unmatched',
                abs(new / nullif(old, 0) - 1) DESC NULLS LAST, what""",
    "percent": "new / nullif(old, 0) - 1 NULLS LAST",
    "-percent": "new / nullif(old, 0) - 1 DESC NULLS LAST",
    "old": "old NULLS LAST",
    "new": "new NULLS LAST",
}
"""How the rows may be sorted. The key follows, which makes every order total."""


@dataclass(frozen=True)
class OfPayer:
    """The payer whose organizations are counted."""

    payer_slug: PayerSlug
    reporting_entity_name: PayerName


@dataclass(frozen=True)
class OfCode:
    """The code whose organizations are counted."""

    code_type: CodeType
    code: Code
    name: CodeName


@dataclass(frozen=True)
class OfTaxId:
    """The organization whose codes are counted."""

    tin_type: Annotated[str, described("ein or npi; npi as well for a provider without a known tax ID.", "ein")]
    tin_value: Annotated[str, described("The tax ID, or the NPI of a provider without a known one.", "123456789")]
    business_name: BusinessName


@dataclass(frozen=True)
class OfTerms:
    """The terms of some rates. Amounts of different terms are never put together."""

    billing_class: BillingClass
    modifier: Modifier
    setting: Setting
    place: Annotated[
        str,
        described(
            "Where the service is rendered: facility, non-facility, mixed, or unstated for professional rates; "
            "outpatient, inpatient, surgical center, other place, or unstated for institutional ones.",
            "non-facility",
        ),
    ]
    severity_of_illness: SeverityOfIllness


@dataclass(frozen=True)
class Moved:
    """What became of what organizations are paid, by kind. It counts tax IDs, once for each payer, code, and terms.

    before = same + up + down + unclear + gone + terms_before, and after = same + up + down + unclear + added +
    terms_after. p10, p50, and p90 are of the changes of medians that went up or down; `middle` is of these and of those
    that stayed the same.
    """

    kind: RateKind
    before: Annotated[int, described("Tax IDs with a rate in the earlier month.", 12)]
    after: Annotated[int, described("Tax IDs with a rate in the later month.", 12)]
    same: Annotated[int, described("Tax IDs all of whose amounts are the same.", 12)]
    up: Annotated[int, described("Tax IDs with as many amounts, of which one or more went up, and none down.", 12)]
    down: Annotated[int, described("Tax IDs with as many amounts, of which one or more went down, and none up.", 12)]
    unclear: Annotated[
        int, described("Tax IDs with another number of amounts, or of which some went up and some down.", 12)
    ]
    added: Annotated[int, described("Tax IDs that the payer has no rate of for the code in the earlier month.", 12)]
    gone: Annotated[int, described("Tax IDs that the payer has no rate of for the code in the later month.", 12)]
    terms_before: Annotated[
        int, described("Tax IDs that have the code in both months, but these terms only in the earlier.", 12)
    ]
    terms_after: Annotated[
        int, described("Tax IDs that have the code in both months, but these terms only in the later.", 12)
    ]
    unmatched_before: Annotated[
        int, described("Rates in the earlier month whose provider the file does not identify.", 12)
    ]
    unmatched_after: Annotated[
        int, described("Rates in the later month whose provider the file does not identify.", 12)
    ]
    left_out: Annotated[
        int,
        described(
            "Tax IDs some of whose rates are left out in either month, as likely errors. They are counted with the "
            "others, by their other rates.",
            2,
        ),
    ]
    middle: Annotated[
        float | None,
        described(
            "Median change of the tax IDs that went up or down or are the same: 0.01 is up 1%, 0 is the same.", 0.01
        ),
    ]
    p10: Annotated[
        float | None, described("10th percentile of the changes of those that went up or down: 0.01 is up 1%.", 0.01)
    ]
    p50: Annotated[
        float | None, described("Median of the changes of those that went up or down: 0.045 is up 4.5%.", 0.045)
    ]
    p90: Annotated[
        float | None, described("90th percentile of the changes of those that went up or down: 0.12 is up 12%.", 0.12)
    ]

    @property
    def moved(self) -> int:
        """Return how many changed."""
        return self.up + self.down + self.added + self.gone

    @property
    def kept(self) -> int:
        """Return how many are in both months."""
        return self.same + self.up + self.down + self.unclear

    @property
    def kept_share(self) -> float:
        """Return the share of the earlier month's that are in the later one too."""
        return self.kept / self.before if self.before else 0.0


@dataclass(frozen=True)
class PayerMoved(Moved, OfPayer):
    """What became of what a payer pays, by kind."""


@dataclass(frozen=True)
class CodeMoved(Moved, OfCode):
    """What became of what is paid for a code, by kind."""


@dataclass(frozen=True)
class TaxIdMoved(Moved, OfTaxId):
    """What became of what an organization is paid, by kind."""


@dataclass(frozen=True)
class TermsMoved(Moved, OfTerms, OfCode, OfPayer):
    """What became of what a payer pays for a code on the same terms."""


M = TypeVar("M", bound=Moved)

SORTS: dict[str, Callable[[Any], Any]] = {
    "moved": lambda row: -row.moved,
    "up": lambda row: -row.up,
    "down": lambda row: -row.down,
    "unclear": lambda row: -row.unclear,
    "added": lambda row: -row.added,
    "gone": lambda row: -row.gone,
    "percent": lambda row: -abs(row.p50 or 0),
    "code": lambda _: 0,
}
"""How codes and organizations may be sorted. The code or tax ID itself follows."""


@dataclass(frozen=True)
class ChangedPay(OfTerms):
    """What a payer pays one tax ID for a code on the same terms, before and after.

    Each distinct amount counts once, in the unit of its kind, and likely errors do not, unless there is nothing else.
    Where the provider is not known, the row has the rates of all such groups.
    """

    what: Annotated[str, described(f"What became of it: {', '.join(OUTCOMES)}.", "up")]
    kind: RateKind
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    code_type: CodeType
    code: Code
    name: CodeName
    tin_type: Annotated[str | None, described("ein or npi; npi as well for a provider without a known tax ID.", "ein")]
    tin_value: Annotated[
        str | None, described("The tax ID, or the NPI of a provider without a known one.", "123456789")
    ]
    business_name: BusinessName
    old: Annotated[
        float | None,
        described("Amount in the middle in the earlier month (of two the lower); null without.", 100.0),
    ]
    old_lowest: Annotated[float | None, described("Lowest amount in the earlier month.", 100.0)]
    old_highest: Annotated[float | None, described("Highest amount in the earlier month.", 100.0)]
    old_amounts: Annotated[int | None, described("Number of distinct amounts in the earlier month.", 1)]
    old_rates: Annotated[int | None, described("Number of rates in the earlier month.", 2)]
    old_left_out: Annotated[
        int | None,
        described("Number of other rates in the earlier month that are left out, as likely errors.", 0),
    ]
    new: Annotated[
        float | None,
        described("Amount in the middle in the later month (of two the lower); null without.", 104.5),
    ]
    new_lowest: Annotated[float | None, described("Lowest amount in the later month.", 104.5)]
    new_highest: Annotated[float | None, described("Highest amount in the later month.", 104.5)]
    new_amounts: Annotated[int | None, described("Number of distinct amounts in the later month.", 1)]
    new_rates: Annotated[int | None, described("Number of rates in the later month.", 2)]
    new_left_out: Annotated[
        int | None,
        described("Number of other rates in the later month that are left out, as likely errors.", 0),
    ]
    difference: Annotated[float | None, described("new - old.", 4.5)]
    percent: Annotated[float | None, described("new / old - 1: 0.1 is up 10%.", 0.045)]


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


@dataclass(frozen=True)
class Movements:
    """What became of what organizations are paid, counted by payer, by terms, by code, and by tax ID.

    What was not asked for is empty.
    """

    payers: list[PayerMoved] = field(default_factory=list)
    terms: list[TermsMoved] = field(default_factory=list)
    codes: list[CodeMoved] = field(default_factory=list)
    tax_ids: list[TaxIdMoved] = field(default_factory=list)


def count_movements(
    db: Snapshot, market: Market, before: str, by: Collection[str] = ("payers", "terms", "codes", "tax_ids")
) -> Movements:
    """Return what became of what organizations are paid from the month `before` to the market's month.

    `by` are names of fields of Movements: a whole payer has thousands of rows by terms, which few questions need.
    """
    with match(db, market, before) as memory:
        counts: dict[str, Callable[[], list[Any]]] = {
            "payers": lambda: sorted(
                _count_moved(memory, PayerMoved, ["payer_slug"], _OF_PAYER),
                key=lambda row: row.reporting_entity_name.lower(),
            ),
            "terms": lambda: with_titles(
                db, _count_moved(memory, TermsMoved, ["payer_slug", "code", "code_system", *TERMS], _OF_TERMS)
            ),
            "codes": lambda: with_titles(db, _count_moved(memory, CodeMoved, ["code", "code_system"], _OF_CODE)),
            "tax_ids": lambda: _count_moved(memory, TaxIdMoved, ["tin_value", "tin_type"], _OF_TAX_ID),
        }
        return Movements(**{name: counts[name]() for name in by})


def list_changed_pay(
    db: Snapshot, market: Market, before: str, what: str | None, order: str, limit: int, offset: int
) -> tuple[int, list[ChangedPay]]:
    """Return at most `limit` rows from `offset` on, in one of ORDERS, and how many such rows there are.

    `what` is one of OUTCOMES, or None for all.
    """
    sorting = f"{ORDERS[order]}, {', '.join(PAID_KEY)}"
    with match(db, market, before) as memory:
        chosen = f"FROM {MATCHED} WHERE $what IS NULL OR what = $what"
        ((total,),) = memory.rows(f"SELECT count(*) {chosen}", {"what": what})
        # The page's rows are chosen first. Names are looked up for those rows alone.
        memory.show_table(
            _PAGE,
            f"""SELECT *, row_number() OVER (ORDER BY {sorting}) AS position {chosen}
                ORDER BY position LIMIT {limit:d} OFFSET {offset:d}""",
            {"what": what},
        )
        memory.show_rows_of(_KNOWN, NAMED_TIN, "tin_value", ["tin_type", "shown_name"], of=_PAGE)
        rows = read_rows(
            memory,
            ChangedPay,
            f"""SELECT p.* EXCLUDE (code_system, position, old_prices, new_prices),
                       shown_name AS business_name, NULL::VARCHAR AS name,
                       coalesce(reporting_entity_name, payer_slug) AS reporting_entity_name,
                       round(new - old, 6) AS difference, new / nullif(old, 0) - 1 AS percent
                FROM {_PAGE} p LEFT JOIN dim_reporting_entity USING (payer_slug)
                LEFT JOIN {_KNOWN} USING (tin_type, tin_value) ORDER BY position""",
        )
    return int(total), with_titles(db, rows)


_PAGE, _KNOWN = "changed_page", "of_changed"
"""The tables in memory of a page's rows, and of the names of their tax IDs."""

_COUNTED = {
    "before": "old IS NOT NULL AND what <> 'unmatched'",
    "after": "new IS NOT NULL AND what <> 'unmatched'",
    **{what: f"what = '{what}'" for what in ("same", "up", "down", "unclear", "added", "gone")},
    "terms_before": "what = 'terms' AND old IS NOT NULL",
    "terms_after": "what = 'terms' AND new IS NOT NULL",
}
"""Which rows each number of Moved counts."""

_HAS_LEFT_OUT = "coalesce(old_left_out, 0) + coalesce(new_left_out, 0) > 0"

_CHANGES = ("p10", "p50", "p90")
_MOVED = f"""
    {", ".join(f"count(*) FILTER ({condition}) AS {name}" for name, condition in _COUNTED.items())},
    coalesce(sum(old_rates + old_left_out) FILTER (what = 'unmatched'), 0)::BIGINT AS unmatched_before,
    coalesce(sum(new_rates + new_left_out) FILTER (what = 'unmatched'), 0)::BIGINT AS unmatched_after,
    count(*) FILTER (what <> 'unmatched' AND {_HAS_LEFT_OUT}) AS left_out,
    {median("new / old - 1", "what IN ('same', 'up', 'down') AND old > 0")} AS middle,
    {percentile_list("new / old - 1", "what IN ('up', 'down') AND old > 0")} AS percentiles"""

_OF_PAYER = """SELECT payer_slug, coalesce(e.reporting_entity_name, payer_slug) AS reporting_entity_name, {moved}
               FROM counted LEFT JOIN dim_reporting_entity e USING (payer_slug)"""
_OF_CODE = """SELECT counted.code_type, counted.code, name, {moved}
              FROM counted LEFT JOIN dim_code USING (code_type, code)"""
_OF_TAX_ID = f"""SELECT tin_type, tin_value, shown_name AS business_name, {{moved}}
                 FROM counted LEFT JOIN {NAMED_TIN} USING (tin_type, tin_value) WHERE tin_value IS NOT NULL"""
_OF_TERMS = f"""SELECT payer_slug, coalesce(e.reporting_entity_name, payer_slug) AS reporting_entity_name,
                       counted.code_type, counted.code, name, {", ".join(TERMS)}, {{moved}}
                FROM counted LEFT JOIN dim_reporting_entity e USING (payer_slug)
                LEFT JOIN dim_code USING (code_type, code)"""


def _count_moved(memory: MarketSnapshot, row_class: type[M], by: Sequence[str], shown: str) -> list[M]:
    """Return the numbers of Moved for each value of the columns `by`, in their order."""
    names = ", ".join(by)
    moved = ", ".join((*_COUNTED, "unmatched_before", "unmatched_after", "left_out", "middle"))
    percentiles = percentile_columns("percentiles", _CHANGES)
    # Changes of a percentage and of dollars are not put together.
    kind = "" if "kind" in by else ", kind"
    code_type = ", min(code_type) AS code_type" if "code" in by else ""
    order = ", ".join(f"counted.{name} NULLS FIRST" for name in (*by, *(["kind"] if kind else [])))
    moved = f"{moved}, {percentiles}" if "kind" in by else f"kind, {moved}, {percentiles}"
    return read_rows(
        memory,
        row_class,
        f"""WITH counted AS (SELECT {names}{kind}{code_type}, {_MOVED} FROM {MATCHED} GROUP BY {names}{kind})
            {shown.format(moved=moved)} ORDER BY {order}""",
    )
