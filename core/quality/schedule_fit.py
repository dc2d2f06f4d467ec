"""Measure how well each payer's rates fit the schedules of both classes.

The comparison reads the result: see core/queries/comparison/label_fit.py for when a label is overruled. Measured are
distinct rates in dollars without modifiers, by code, class and set of places. Of a payer's month with more than twice
SAMPLE_RATES rates, only those of some of its codes are measured, so that a large store costs little more than reading
a few columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.fields.providers.payer_slug import make_payer_slug
from core.queries.comparison.compared_rates import compared_sql
from core.queries.comparison.label_fit import is_overwhelming
from core.queries.comparison.schedules import BASES
from core.queries.rules.measured_class import OTHER_CLASS, SURGICAL_CENTER, other_class_sql, places_sql
from core.queries.rules.named_rows import stream_rows
from core.store.connection import Snapshot
from core.store.sql import quote
from core.store.watched_cursor import WatchedCursor

SAMPLE_RATES = 50_000
"""About how many rates of a payer's month are measured. The spread of so many is known to within 1%."""

MAX_LISTED_CODES = 2_000
"""The most codes that a query lists; more are found by a join."""

MEASURE_SECONDS = 600.0
"""The time limit, in seconds."""

SURGICAL_CENTER_TAXONOMY = "261QA1903X"
"""NUCC's code of ambulatory surgical centers."""

HOSPITAL_TAXONOMIES = ("27", "28")
"""How NUCC's codes of hospitals and of their units begin."""


@dataclass(frozen=True)
class FitScope:
    """The rates that are measured: of all states, months and payers (by name), or of those named."""

    states: tuple[str, ...] = ()
    months: tuple[str, ...] = ()
    payers: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, str]:
        """The values that `where` binds."""
        return {f"{name}_{n}": value for name, values in self._columns.items() for n, value in enumerate(values)}

    @property
    def where(self) -> str:
        """The condition on fact_rate AS f. Each value is a parameter: with a list, DuckDB would read all row groups."""
        conditions = [
            f"f.{name} IN ({', '.join(f'${name}_{n}' for n in range(len(values)))})"
            for name, values in self._columns.items()
            if values
        ]
        return " AND ".join(conditions) or "true"

    @property
    def _columns(self) -> dict[str, tuple[str, ...]]:
        return {"state": self.states, "year_month": self.months, "reporting_entity_name": self.payers}

    def includes_fit(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row of schedule_fit is of the scope."""
        return (
            (not self.states or row["state"] in self.states)
            and (not self.months or row["year_month"] in self.months)
            and (not self.payers or row["reporting_entity_name"] in self.payers)
        )

    def includes_group(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row of surgical_center_group is of the scope: groups have no state."""
        return (not self.months or row["year_month"] in self.months) and (
            not self.payers or row["payer_slug"] in set(map(make_payer_slug, self.payers))
        )


@dataclass(frozen=True)
class ScheduleFit:
    """How well a payer's rates of one class and set of places fit one schedule: a row of schedule_fit."""

    state: str
    year_month: str
    reporting_entity_name: str
    billing_class: str
    places: str
    schedule: str
    of_label: bool
    chosen: bool
    codes: int
    rates: int
    median: float
    spread: float | None


@dataclass(frozen=True)
class SurgicalCenterGroup:
    """A provider group that is a surgical center: a row of surgical_center_group."""

    year_month: str
    payer_slug: str
    pg_uid: str


_BASIS_OF_KIND = {kind: basis for basis, kind in BASES.items()}


@dataclass(frozen=True)
class _FitPair:
    """The fits of the same rates to the schedule of their label and to that of the other class."""

    state: str
    year_month: str
    reporting_entity_name: str
    billing_class: str
    places: str
    codes: int
    rates: int
    label_schedule: str
    other_schedule: str
    label_median: float
    label_spread: float | None
    other_median: float
    other_spread: float | None

    def split(self) -> list[ScheduleFit]:
        """Return both fits, one of which is chosen."""
        overruled = (
            self.label_spread is not None
            and self.other_spread is not None
            and is_overwhelming(self.codes, self.label_spread, self.other_spread, self.other_median)
        )
        return [
            ScheduleFit(
                state=self.state,
                year_month=self.year_month,
                reporting_entity_name=self.reporting_entity_name,
                billing_class=self.billing_class,
                places=self.places,
                schedule=_BASIS_OF_KIND[self.label_schedule if of_label else self.other_schedule],
                of_label=of_label,
                chosen=of_label != overruled,
                codes=self.codes,
                rates=self.rates,
                median=self.label_median if of_label else self.other_median,
                spread=self.label_spread if of_label else self.other_spread,
            )
            for of_label in (True, False)
        ]


def measure_fits(db: Snapshot, scope: FitScope, sample_rates: int = SAMPLE_RATES) -> list[ScheduleFit]:
    """Return how well the rates of the scope fit the schedules; two rows for each payer, class and set of places."""
    with db.cursor(MEASURE_SECONDS) as cursor:
        if not _can_be_measured(cursor):
            return []
        # One month at a time, so that memory does not grow with the store.
        months = cursor.execute(
            f"SELECT DISTINCT f.state, f.year_month FROM fact_rate f WHERE {scope.where} ORDER BY ALL", scope.parameters
        ).fetchall()
        pairs = [
            pair
            for state, month in months
            for pair in _measure_month(cursor, FitScope((state,), (month,), scope.payers), sample_rates)
        ]
    return [fit for pair in pairs for fit in pair.split()]


def find_surgical_centers(db: Snapshot, scope: FitScope) -> list[SurgicalCenterGroup]:
    """Return the provider groups of the scope that are surgical centers: one has the taxonomy, and none is a person or
    a hospital.

    A group that has clinicians or a hospital too may be paid for either: its rates are what their labels and places say
    and are judged by how its payer's rates fit.
    """
    conditions = {"months": "x.year_month IN $months", "slugs": "x.payer_slug IN $slugs"}
    values = {"months": list(scope.months), "slugs": [make_payer_slug(name) for name in scope.payers]}
    parameters = {name: value for name, value in values.items() if value}
    where = " AND ".join(conditions[name] for name in parameters) or "true"
    with db.cursor(MEASURE_SECONDS) as cursor:
        cursor.execute(
            f"""CREATE OR REPLACE TEMP TABLE surgical_center AS
                SELECT npi FROM dim_npi
                WHERE entity_type = 'organization' AND taxonomy_code = '{SURGICAL_CENTER_TAXONOMY}'"""
        )
        if cursor.execute("SELECT count(*) FROM surgical_center").fetchall() == [(0,)]:
            return []
        cursor.execute(
            f"""WITH groups AS (
                    SELECT DISTINCT year_month, payer_slug, pg_uid
                    FROM xref_group_npi x SEMI JOIN surgical_center USING (npi) WHERE {where})
                SELECT year_month, payer_slug, pg_uid
                FROM groups g JOIN xref_group_npi x USING (year_month, payer_slug, pg_uid)
                    LEFT JOIN dim_npi n USING (npi)
                GROUP BY ALL HAVING count(*) FILTER (
                    n.entity_type = 'individual' OR left(n.taxonomy_code, 2) IN {HOSPITAL_TAXONOMIES}) = 0""",
            parameters,
        )
        return list(stream_rows(cursor, SurgicalCenterGroup))


def _measure_month(cursor: WatchedCursor, scope: FitScope, sample_rates: int) -> list[_FitPair]:
    """Return the fits of the rates of one state and month."""
    _sample_rates(cursor, scope, sample_rates)
    cursor.execute(_TERMS)
    cursor.execute(_TERMS_AS_OTHER)
    for name, facts in (("as_label", "fit_terms"), ("as_other", "fit_terms_as_other")):
        # The amounts depend on the terms alone, so each term is compared once, with a rate of one dollar.
        cursor.execute(
            f"""CREATE OR REPLACE TEMP TABLE {name} AS {compared_sql("true", facts)}
                SELECT term, schedule, medicare FROM compared WHERE medicare IS NOT NULL"""
        )
    cursor.execute(_PAIRS_SQL)
    return list(stream_rows(cursor, _FitPair))


def _can_be_measured(cursor: WatchedCursor) -> bool:
    """Return whether schedules of both classes are loaded."""
    kinds = {kind for (kind,) in cursor.execute("SELECT DISTINCT kind FROM dim_benchmark").fetchall()}
    return "medicare_prof" in kinds and bool(kinds & {"opps", "asc"})


def _sample_rates(cursor: WatchedCursor, scope: FitScope, sample_rates: int) -> None:
    """Make the table `fit_rates` of distinct rates: of all codes of a payer, or of some if it has very many rates.

    The codes are chosen first, from two columns. With a list of them, DuckDB reads the other columns of their rates
    alone: of 17 million rates in a month, a payer's took 0.6 seconds of a processor rather than 3.
    """
    cursor.execute(
        f"""CREATE OR REPLACE TEMP TABLE fit_codes AS
            WITH counts AS (
                SELECT f.reporting_entity_name, f.code, count(*) AS n FROM fact_rate f
                WHERE {scope.where} GROUP BY ALL),
            steps AS (
                SELECT reporting_entity_name, greatest(1, sum(n)::UBIGINT // {sample_rates}) AS step
                FROM counts GROUP BY ALL)
            SELECT reporting_entity_name, code FROM counts JOIN steps USING (reporting_entity_name)
            WHERE hash(code) % step = 0""",
        scope.parameters,
    )
    codes = [code for (code,) in cursor.execute("SELECT DISTINCT code FROM fit_codes ORDER BY ALL").fetchall()]
    listed = f"f.code IN ({', '.join(map(quote, codes))})" if 0 < len(codes) <= MAX_LISTED_CODES else "true"
    cursor.execute(
        f"""CREATE OR REPLACE TEMP TABLE fit_rates AS
            SELECT DISTINCT f.state, f.year_month, f.reporting_entity_name, f.code_type, f.code, f.billing_class,
                   f.pos_set_id, f.negotiated_rate
            FROM fact_rate f SEMI JOIN fit_codes USING (reporting_entity_name, code)
            WHERE {scope.where} AND {listed} AND f.code_type IN ('CPT', 'HCPCS')
                AND f.billing_class IN {tuple(OTHER_CLASS)} AND f.billing_code_modifier = '' AND f.negotiated_rate > 0
                AND f.setting IS DISTINCT FROM 'inpatient'
                AND rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'""",
        scope.parameters,
    )


_TERMS = """
    CREATE OR REPLACE TEMP TABLE fit_terms AS
    SELECT row_number() OVER () AS term, *, 1.0::DOUBLE AS negotiated_rate, NULL::VARCHAR AS setting,
           '' AS billing_code_modifier, '' AS payee, 'negotiated' AS negotiated_type, 'ffs' AS negotiation_arrangement
    FROM (SELECT DISTINCT state, year_month, code_type, code, billing_class, pos_set_id FROM fit_rates)"""

_TERMS_AS_OTHER = f"""
    CREATE OR REPLACE TEMP VIEW fit_terms_as_other AS
    SELECT * REPLACE ({other_class_sql("billing_class")} AS billing_class) FROM fit_terms"""


def _kind_sql(billing_class: str) -> str:
    """Return SQL of the kind of benchmark that prices rates of a class and set of places."""
    return f"""CASE {billing_class} WHEN 'professional' THEN 'medicare_prof'
                   ELSE if(places = '{SURGICAL_CENTER}', 'asc', 'opps') END"""


_PAIRS_SQL = f"""
    SELECT state, year_month, reporting_entity_name, billing_class, places, label_schedule, other_schedule,
           count(DISTINCT code) AS codes, count(*) AS rates,
           round(median(negotiated_rate / label_amount), 6) AS label_median,
           round(stddev_samp(ln(negotiated_rate / label_amount)), 6) AS label_spread,
           round(median(negotiated_rate / other_amount), 6) AS other_median,
           round(stddev_samp(ln(negotiated_rate / other_amount)), 6) AS other_spread
    FROM (
        SELECT r.*, {places_sql("r.pos_set_id")} AS places, l.schedule AS label_schedule, l.medicare AS label_amount,
               o.schedule AS other_schedule, o.medicare AS other_amount
        FROM fit_rates r
        JOIN fit_terms t USING (state, year_month, code_type, code, billing_class, pos_set_id)
        JOIN as_label l USING (term) JOIN as_other o USING (term))
    -- A code that one schedule prices for both classes, such as a lab test, says nothing about the class.
    WHERE label_schedule = {_kind_sql("billing_class")}
        AND other_schedule = {_kind_sql(other_class_sql("billing_class"))}
    GROUP BY ALL ORDER BY ALL"""
