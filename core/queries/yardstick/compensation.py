"""What a state's workers' compensation fee schedule says about a code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from core.queries.baskets.basket_codes import BasketCode
from core.queries.rules.columns import Code, CodeName, CodeType, ReleaseMonth, State, stored
from core.queries.rules.named_rows import read_page, read_rows
from core.store.connection import Snapshot
from core.store.schema.tables import BENCH_WCFS, BENCH_WCFS_MODIFIER, DIM_BENCHMARK

ALL_AMOUNTS = 1_000_000
"""More rows than a list of codes has in any schedule."""


@dataclass(frozen=True)
class CompensationRelease:
    """A loaded release of a state's schedule."""

    state: State
    release: ReleaseMonth
    files: Annotated[list[str], stored(DIM_BENCHMARK, "files", ["GA_2024_medical_fee_schedule.xlsx"])]


@dataclass(frozen=True)
class CompensationAmount:
    """What a schedule says about a code, alone or with a modifier."""

    state: State
    release: ReleaseMonth
    code_type: CodeType
    code: Code
    modifier: Annotated[str, stored(BENCH_WCFS_MODIFIER, "modifier", "26")]
    name: CodeName
    status: Annotated[str, stored(BENCH_WCFS, "wcfs_status", "priced")]
    amount: Annotated[float | None, stored(BENCH_WCFS, "wcfs_amount", 160.66)]
    facility_amount: Annotated[float | None, stored(BENCH_WCFS, "facility_amount", None)]
    rural_amount: Annotated[float | None, stored(BENCH_WCFS, "rural_amount", None)]
    outpatient_amount: Annotated[float | None, stored(BENCH_WCFS, "outpatient_amount", 1730.07)]
    asc_amount: Annotated[float | None, stored(BENCH_WCFS, "asc_amount", 1614.7)]
    base_units: Annotated[float | None, stored(BENCH_WCFS, "base_units", None)]


AMOUNTS = {
    "amount": "Professional",
    "facility_amount": "Professional, in a facility",
    "rural_amount": "Professional, rural",
    "outpatient_amount": "Hospital outpatient",
    "asc_amount": "Surgical center",
    "base_units": "Anesthesia base units",
}
"""The amounts of a row, and what pages call them."""

STATUSES = {
    "priced": "The schedule has an amount for professionals; for an MS-DRG, for the hospital.",
    "by report": "The schedule pays by report, case by case.",
    "base units": "The schedule counts anesthesia base units, which the state’s own factor turns into dollars.",
    "no amount": "The schedule lists the code without an amount for professionals.",
}
"""The statuses of a row, and what they mean to a visitor."""


def list_compensation_releases(db: Snapshot) -> Sequence[CompensationRelease]:
    """Return the loaded releases by state, newest first."""
    return db.ask_once(_releases)


def _releases(db: Snapshot) -> Sequence[CompensationRelease]:
    return read_rows(
        db,
        CompensationRelease,
        "SELECT state, release, files FROM dim_benchmark WHERE kind = 'wcfs' ORDER BY state, release DESC",
    )


def choose_compensation_release(
    releases: Sequence[CompensationRelease], state: str, year_month: str
) -> CompensationRelease | None:
    """Return the release that a state had in a month: the newest that had begun, by the same rule as for rates.

    Without a month return the newest. Return None if no release of the state had begun.
    """
    of_state = [one for one in releases if one.state == state and (not year_month or one.release <= year_month)]
    return max(of_state, key=lambda one: one.release, default=None)


def choose_nearest_release(
    releases: Sequence[CompensationRelease], state: str, year_month: str
) -> CompensationRelease | None:
    """Return the release that was in effect in a month, or else the first that came after it."""
    of_state = [one for one in releases if one.state == state]
    after = min(of_state, key=lambda one: one.release, default=None)
    return choose_compensation_release(of_state, state, year_month) or after


def list_compensation_amounts(
    db: Snapshot,
    release: CompensationRelease,
    code_type: str,
    code: str,
    limit: int,
    offset: int,
    codes: Sequence[BasketCode] = (),
) -> tuple[int, list[CompensationAmount]]:
    """Return what a release says about a code or about listed `codes`, and the number of rows: all modifiers.

    With a code system find exactly that code; CPT and HCPCS count as one. Without one find the codes that begin with
    the text, which may be empty.
    """
    parameters: dict[str, Any] = {"state": release.state, "release": release.release}
    found = "starts_with(code, $code)"
    if codes:
        listed = {"numbers": [one.code for one in codes], "systems": [" ".join(one.systems) for one in codes]}
        parameters |= listed
        found = """EXISTS (
            SELECT 1 FROM (SELECT unnest($numbers) AS number, unnest($systems) AS systems) a
            WHERE a.number = every.code
                AND (a.systems = '' OR list_contains(string_split(a.systems, ' '), every.code_type)))"""
    else:
        parameters["code"] = code
    if code_type and code and not codes:
        # CPT is level I of HCPCS, and either word is used for both.
        systems = "('CPT', 'HCPCS')"
        found = f"code = $code AND (code_type = $code_type OR ($code_type IN {systems} AND code_type IN {systems}))"
        parameters["code_type"] = code_type
    columns = f"wcfs_status AS status, wcfs_amount AS amount, {', '.join(list(AMOUNTS)[1:])}"
    return read_page(
        db,
        CompensationAmount,
        f"""WITH every AS (
                SELECT state, release, code_type, code, '' AS modifier, {columns} FROM bench_wcfs
                WHERE state = $state AND year_month = $release AND release = $release
                    AND wcfs_status <> 'modifiers only'
                UNION ALL SELECT state, release, code_type, code, modifier, {columns} FROM bench_wcfs_modifier
                WHERE state = $state AND release = $release),
            page AS (
                SELECT count(*) OVER () AS total, * FROM every WHERE {found}
                ORDER BY code_type, code, modifier LIMIT $limit OFFSET $offset)
            SELECT p.*, d.name FROM page p LEFT JOIN (
                SELECT if(code_type = 'HCPCS', 'CPT', code_type) AS level, code, min(name) AS name
                FROM dim_code GROUP BY ALL) d
                ON d.code = p.code AND d.level = if(p.code_type = 'HCPCS', 'CPT', p.code_type)
            ORDER BY p.code_type, p.code, p.modifier""",
        {**parameters, "limit": limit, "offset": offset},
    )
