"""The prices that a rule is looked for in, and what each candidate schedule pays for them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from core.queries.comparison.compared_rates import SAME_TERMS
from core.queries.contract_rule.code_families import family_of
from core.queries.contract_rule.fit_rule import Floats
from core.queries.medicare import with_compared_terms
from core.queries.rules.columns import CodeType, Modifier, NegotiatedRate, ReleaseMonth, described
from core.queries.rules.market import Market, counted_rates
from core.queries.rules.market_filters import STATE_MEAN
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.sql import quote

PHYSICIAN_SCHEDULE = "medicare_prof"


@dataclass(frozen=True)
class CommonPrice:
    """The most common rate in dollars of a code with its modifier, in or out of a facility.

    Of rates that are equally common it is the lowest. `rates` have this amount, of `all_rates` for the same service.
    """

    code_type: CodeType
    code: str
    modifier: Modifier
    facility: bool
    negotiated_rate: NegotiatedRate
    rates: int
    all_rates: int

    @property
    def family(self) -> str:
        """The family of services that the code belongs to."""
        return family_of(self.code)


@dataclass(frozen=True)
class CandidateSchedule:
    """One release of the physician fee schedule in one payment locality."""

    release: ReleaseMonth
    state: Annotated[str, described("State of the locality.", "TX")]
    contractor: Annotated[str, described("Medicare contractor, five digits.", "04412")]
    locality: Annotated[str, described("Number of the locality, two digits.", "18")]
    locality_name: Annotated[str, described("Name of the locality as CMS has it.", "HOUSTON")]
    conversion_factor: Annotated[float | None, described("Dollars per relative value unit.", 32.3465)]


def list_common_prices(db: Snapshot, market: Market) -> list[CommonPrice]:
    """Return the prices of a market that are compared with the physician fee schedule, by code."""
    # Which schedule a rate is compared with does not depend on where its group is.
    market = replace(market, area=STATE_MEAN)
    compared, _ = with_compared_terms(db, market)
    rates, parameters = counted_rates(db, market)
    return read_rows(
        db,
        CommonPrice,
        f"""{compared},
            counted AS (
                SELECT if(f.code_type = 'HCPCS', 'CPT', f.code_type) AS code_type, f.code,
                       regexp_extract(c.basis, 'modifier (.*)$', 1) AS modifier,
                       contains(c.basis, ' facility') AS facility, f.negotiated_rate,
                       sum(f.rate_count)::BIGINT AS rates
                FROM {rates} f JOIN compared c ON {SAME_TERMS} WHERE c.schedule = '{PHYSICIAN_SCHEDULE}' GROUP BY ALL)
            SELECT *, (sum(rates) OVER service)::BIGINT AS all_rates FROM counted
            WINDOW service AS (PARTITION BY code_type, code, modifier, facility)
            QUALIFY 1 = row_number() OVER (
                PARTITION BY code_type, code, modifier, facility ORDER BY rates DESC, negotiated_rate)
            ORDER BY code, modifier, facility""",
        parameters,
    )


def list_candidates(db: Snapshot) -> Sequence[CandidateSchedule]:
    """Return every loaded release in every locality, newest first."""
    return db.ask_once(_list_candidates)


def _list_candidates(db: Snapshot) -> Sequence[CandidateSchedule]:
    return read_rows(
        db,
        CandidateSchedule,
        """SELECT DISTINCT release, state, contractor, locality, locality_name, conversion_factor
           FROM bench_medicare_prof_locality
           LEFT JOIN (SELECT release, any_value(conversion_factor) AS conversion_factor
                      FROM bench_medicare_prof GROUP BY release) USING (release)
           ORDER BY release DESC, state, contractor, locality""",
    )


def find_amounts_of(db: Snapshot, prices: Sequence[CommonPrice], candidates: Sequence[CandidateSchedule]) -> Floats:
    """Return what each candidate (column) pays for each price (row), in dollars; nan where it has no amount."""
    found: Floats = np.full((len(prices), len(candidates)), np.nan)
    if not prices or not candidates:
        return found
    states = ", ".join(sorted({quote(one.state) for one in candidates}))
    codes = {quote(one.code) for one in prices}
    # The codes are written out: DuckDB's client takes seconds to bind a list of 10,000. With very many, all are read.
    of_codes = f"AND code IN ({', '.join(sorted(codes))})" if len(codes) <= _MAX_LISTED_CODES else ""
    columns = {tuple(getattr(one, name) for name in _PLACE): n for n, one in enumerate(candidates)}
    rows = {(one.code, one.modifier, one.facility): n for n, one in enumerate(prices)}
    # By columns: as rows, a state's amounts of three releases take a second.
    listed = db.arrow_rows(
        f"""SELECT {", ".join(_PLACE)}, code, modifier, coalesce(nonfacility_rate, facility_rate) AS outside,
                   coalesce(facility_rate, nonfacility_rate) AS inside
            FROM bench_medicare_prof_locality WHERE state IN ({states}) {of_codes}""",
        {},
    )
    for *place, code, modifier, outside, inside in zip(*(one.to_pylist() for one in listed.columns), strict=True):
        column = columns.get(tuple(place))
        for facility, amount in ((False, outside), (True, inside)):
            row = rows.get((code, modifier, facility))
            if row is not None and column is not None and amount:
                found[row, column] = amount
    return found


_PLACE = ("release", "contractor", "locality", "state")
_MAX_LISTED_CODES = 2_000
