"""What a question about some codes in one state and a few months need not look up: each look-up costs milliseconds."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.fields.codes.billing_code import CODE_WIDTHS
from core.queries.comparison.schedules import OWN_SCHEDULES, SCHEDULES, Schedule
from core.queries.market.market import Market
from core.store.connection import Snapshot
from core.store.market.market_months import each_month_sql

_WCFS = "wcfs"


class ReleaseInForce(NamedTuple):
    """The release of a schedule that is in force in a state and month.

    `ended` is the last month of its rows, if the schedule's year is over. `is_national`: it has one row for all states.
    `has_state`: it has amounts for the state.
    """

    release: str
    ended: str | None
    is_national: bool
    has_state: bool

    def in_force(self, month: str) -> str:
        """Return SQL of the month of its rows. `month` is SQL of the month of the rates."""
        return f"'{self.ended}'" if self.ended else month

    @property
    def rows_state(self) -> str:
        """SQL of the state of its rows."""
        return "'US'" if self.is_national else "$state"


@dataclass(frozen=True)
class LookupScope:
    """What rates are compared with: `schedules`, the ones to ask, in the order of SCHEDULES.

    If all rates are of one state and a few months, and of one code or a few, these are the parameters `$state`, those
    of the market's months, and `$code` or `$codes`. `periods` has what is in force, by the month's parameter and by
    schedule.
    """

    schedules: tuple[Schedule, ...] = SCHEDULES
    periods: Mapping[str, Mapping[str, ReleaseInForce]] | None = None
    has_codes: bool = False
    """Whether there is a list of codes, `$codes` as bind_codes writes it, rather than one code."""
    is_kept: bool = False
    """Whether what is looked up is in tables of the market in memory, see keep_lookups."""
    keeps_areas: bool = False
    """Whether that is so of the amounts of areas as well."""

    may_have_compensation: bool = True
    """Whether any release of a workers' compensation schedule of the state is loaded, or the state is not known."""

    @property
    def has_compensation(self) -> bool:
        """Whether the state may have a workers' compensation schedule."""
        return self.may_have_compensation and (
            self.periods is None or any(_WCFS in one for one in self.periods.values())
        )


ANYTHING = LookupScope()
"""Any schedule, state, month and code."""


def find_scope(db: Snapshot, market: Market, codes: Collection[str] = ()) -> LookupScope:
    """Return the scope of a market's rates, or of those of its codes `codes`.

    A schedule that follows others and does not list the code has no amount for it, and its reason (code not found)
    tells less than theirs: without it, the answer is the same.
    """
    listed = db.ask_once(_codes_by_schedule)
    asked = set(as_listed(codes or filter(None, [market.code])))
    schedules = tuple(
        one
        for one in SCHEDULES
        if one.kind in OWN_SCHEDULES or (bool(asked & listed[one.kind]) if asked else bool(listed[one.kind]))
    )
    if not (asked and market.state and market.months):
        of_state = any(one.kind == _WCFS and one.state in {market.state, ""} for one in db.ask_once(_releases))
        return LookupScope(schedules, may_have_compensation=of_state or not market.state)
    names = zip(each_month_sql(market.months), market.month_names, strict=True)
    periods = {parameter: _periods(db, market.state, month) for parameter, month in names}
    return LookupScope(schedules, periods, has_codes=bool(codes))


def list_codes(db: Snapshot, rates: str, parameters: dict[str, Any]) -> list[str]:
    """Return the codes of `rates`, SQL of rates, for the scope of rates of many codes: without any rate, none.

    With the codes written out, only the rows of schedules that are needed are read: of a payer with 12,000 codes,
    comparing takes two seconds rather than fourteen.
    """
    codes = db.rows(f"SELECT DISTINCT code FROM {rates} ORDER BY code", parameters)
    return [code for (code,) in codes] or [_NO_CODE]


_NO_CODE = ""
"""What stands for the codes of no rates. No schedule lists it, while a scope without codes is of all of them."""


def as_listed(codes: Iterable[str]) -> list[str]:
    """Return the codes as schedules may list them: a DRG has three digits there."""
    return sorted({spelled for code in codes for spelled in (code, code.zfill(CODE_WIDTHS["MS-DRG"]))})


def bind_codes(codes: Iterable[str]) -> str:
    """Return what the parameter `$codes` of a scope with these codes is: a line for each code.

    DuckDB takes 0.1 ms for each value of a list that is bound, two seconds for the codes of a hospital.
    """
    return "\n".join(as_listed(codes))


BOUND_CODES = "string_split($codes::VARCHAR, chr(10))"
"""SQL of the list of codes that bind_codes has written."""


def _codes_by_schedule(db: Snapshot) -> dict[str, frozenset[str]]:
    """Return the codes of each schedule that is not a rate's own: a few thousand, whichever releases list them."""
    tables = {one.kind: f"bench_{one.kind}" for one in SCHEDULES if one.kind not in OWN_SCHEDULES}
    return {
        kind: frozenset(code for (code,) in db.rows(f"SELECT DISTINCT code FROM {table}"))
        if db.manifest.rows(table)
        else frozenset()
        for kind, table in tables.items()
    }


def list_medicare_years(db: Snapshot, market: Market) -> list[frozenset[str]]:
    """Return the years of Medicare's amounts that the rates of each of the market's months are compared with.

    A month has no year where no schedule is in force for the state.
    """
    return [
        frozenset(
            (one.ended or month)[:4]
            for kind, one in _periods(db, market.state, month).items()
            if kind != _WCFS and one.has_state
        )
        for month in market.month_names
    ]


class _Release(NamedTuple):
    kind: str
    state: str
    release: str
    states: list[str]


def _releases(db: Snapshot) -> list[_Release]:
    """Return the releases that are loaded, oldest first."""
    found = db.rows("SELECT kind, state, release, states FROM dim_benchmark ORDER BY release")
    return [_Release(*row) for row in found]


def _last_month(release: _Release) -> str:
    """Return the last month that the table has the release for: the end of the schedule's year."""
    ends = next((one.last_month for one in SCHEDULES if one.kind == release.kind), 12)
    year, month = int(release.release[:4]), int(release.release[5:])
    return f"{year + (month > ends)}-{ends:02}"


def _periods(db: Snapshot, state: str, year_month: str) -> dict[str, ReleaseInForce]:
    """Return what the query `periods` of compared_rates.py finds for one state and month."""
    return {
        one.kind: ReleaseInForce(
            release=one.release,
            ended=last if (last := _last_month(one)) < year_month else None,
            is_national="US" in one.states,
            has_state=bool({"US", state} & set(one.states)),
        )
        for one in db.ask_once(_releases)
        if one.state in {"US", state} and one.release <= year_month
    }
