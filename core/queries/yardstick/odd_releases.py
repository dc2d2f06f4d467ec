"""Releases of fee schedules that seem to be of another year: with its amounts, or with its conversion factor.

A file that is loaded for the wrong year gives every percent of that year a wrong base, and no rate looks odd for it.
"""

from dataclasses import dataclass

from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot

CONVERSION_FACTORS: dict[str, tuple[float, ...]] = {
    "2021": (34.8931,),
    "2022": (34.6062,),
    "2023": (33.8872,),
    "2024": (32.7442, 33.2875),
    "2025": (32.3465,),
    "2026": (33.4009, 33.5675),
}
"""What CMS pays for a relative value unit, by year, as its RVU files (PPRRVU) and final rules have it.

2024 has another one from March 9 on (Consolidated Appropriations Act, 2024), and 2026 a second one for clinicians in
advanced alternative payment models.
"""

LEAST_CODES = 10
"""Fewer amounts may be those of another year by chance."""

_AMOUNTS: dict[str, tuple[str, ...]] = {
    "medicare_prof": ("medicare_prof_rate", "facility_rate"),
    "opps": ("opps_rate",),
    "asc": ("asc_rate",),
    "wcfs": ("wcfs_amount", "facility_amount", "outpatient_amount", "asc_amount", "rural_amount"),
    "clfs": ("amount", "modifier"),
    "asp": ("amount", "modifier"),
    "dmepos": ("amount", "rural_amount", "modifier"),
    "anesthesia": ("amount", "base_units", "modifier"),
    "ambulance": ("amount", "rural_amount", "modifier"),
    "ipps": ("amount", "weight", "modifier"),
}
"""The columns of each schedule whose values make two releases the same. The first ones are the amounts."""


def _print_of(kind: str) -> str:
    """Return SQL of a row for each release of a schedule: how many codes it prices, and a hash of all its amounts.

    A national release is looked at in one state, in its first month. It is one in the middle of their list: Alaska, the
    first one, has factors of its own that seldom change.
    """
    columns = _AMOUNTS[kind]
    # A hash of several values is a sum of theirs, so the same amounts of other codes would have the same one.
    amounts = ", ".join(f"coalesce(b.{name}::VARCHAR, '')" for name in columns)
    return f"""
        SELECT d.kind, d.state, d.release, count(*) AS codes, bit_xor(hash(concat_ws('|', b.code, {amounts}))) AS print
        FROM (SELECT kind, state, release, states[len(states) // 2 + 1] AS of_state
              FROM dim_benchmark WHERE kind = '{kind}') d
        JOIN bench_{kind} b ON b.state = d.of_state AND b.year_month = d.release AND b.release = d.release
        WHERE b.{columns[0]} IS NOT NULL GROUP BY ALL"""


_FACTORS = ", ".join(f"('{year}', {factor})" for year, factors in CONVERSION_FACTORS.items() for factor in factors)

ODD_RELEASES_SQL = f"""
    WITH printed AS ({" UNION ALL ".join(map(_print_of, _AMOUNTS))}),
    copied AS (
        SELECT a.kind, a.state, a.release, min(b.release) AS same_as, any_value(a.codes) AS codes
        FROM printed a JOIN printed b ON b.kind = a.kind AND b.state = a.state AND b.print = a.print
            AND b.codes = a.codes AND b.release[:4] <> a.release[:4]
        WHERE a.codes >= {LEAST_CODES} GROUP BY ALL),
    factor(year, conversion_factor) AS (VALUES {_FACTORS}),
    of_release AS (
        SELECT d.kind, d.state, d.release, max(b.conversion_factor) AS conversion_factor
        FROM (SELECT *, states[1] AS of_state FROM dim_benchmark WHERE kind = 'medicare_prof') d
        JOIN bench_medicare_prof b ON b.state = d.of_state AND b.year_month = d.release AND b.release = d.release
        GROUP BY ALL),
    of_other_year AS (
        SELECT o.*, min(f.year) AS factor_of
        FROM of_release o JOIN factor f ON abs(f.conversion_factor - o.conversion_factor) < 0.00005
        GROUP BY ALL HAVING bool_and(f.year <> o.release[:4]))
    SELECT kind, state, release, same_as, codes, factor_of, conversion_factor
    FROM copied FULL JOIN of_other_year USING (kind, state, release)"""
"""SQL of the releases that have the very same amounts as one of another year (`same_as`), or its factor."""


@dataclass(frozen=True)
class OddRelease:
    """A release that seems to be of another year."""

    kind: str
    state: str
    release: str
    same_as: str | None
    """A release of another year with the very same amounts."""
    codes: int | None
    factor_of: str | None
    """The year whose conversion factor it has."""
    conversion_factor: float | None

    @property
    def factors_of_year(self) -> tuple[float, ...]:
        """The conversion factors of its own year, as far as they are known."""
        return CONVERSION_FACTORS.get(self.release[:4], ())


def list_odd_releases(db: Snapshot) -> list[OddRelease]:
    """Return the releases that seem to be of another year. The question is asked once per generation."""
    return db.ask_once(_ask)


def _ask(db: Snapshot) -> list[OddRelease]:
    return read_rows(db, OddRelease, f"{ODD_RELEASES_SQL} ORDER BY kind, state, release")
