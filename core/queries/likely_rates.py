"""How likely it is that rates are performed, and medians weighted by how often they are."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any

from core.queries.comparison.left_out import rates_in_figures
from core.queries.market.market import Market
from core.queries.market.market_rates import rates_of_market
from core.queries.rules.columns import described
from core.queries.rules.evidence import LEVELS, NONE, UNSCORED, group_uses_sql, knows_utilization
from core.queries.rules.named_rows import read_by_key, read_rows
from core.store.connection import Snapshot
from core.store.market.market_months import in_months
from core.store.sql import used_parameters

Evidence = Annotated[
    str | None,
    described(
        "How likely it is that the provider group performs the service: "
        + "; ".join(f"{name}: {meaning}" for name, meaning in LEVELS.items())
        + " Null until Medicare's utilization is loaded.",
        "billed",
    ),
]
WeightedMedian = Annotated[
    float | None,
    described(
        "Median weighted by services to Medicare patients: a clinician's services are spread evenly over the rates of "
        "the row that the clinician has. Null if none of them billed the code.",
        96.4,
    ),
]
Services = Annotated[
    float | None, described("Services that members of these provider groups billed to Medicare.", 1250.0)
]

Beneficiaries = Annotated[
    int | None, described("Medicare patients of these members; one of two members counts twice.", 410)
]
BillingSpecialty = Annotated[
    str | None,
    described(
        "Of the specialties of the group's members, the one most of whose clinicians bill the code.", "Cardiology"
    ),
]
SpecialtyShare = Annotated[
    float | None,
    described("The share of that specialty's clinicians who bill the code to Medicare: 0.25 is a quarter.", 0.4),
]

_ROUNDING = 0.999999999
"""Sums of shares that should be exactly half of the services may be a little less."""


@dataclass(frozen=True)
class EvidenceLevel:
    """How many rates have one level of evidence."""

    evidence: Annotated[str, described(f"The level: one of {', '.join(LEVELS)}.", "billed")]
    rates: Annotated[int, described("Number of rates.", 12)]
    in_dollars: Annotated[int, described("Number of these that are in dollars for one service.", 12)]
    dollars: Annotated[float, described("Sum of the rates in dollars.", 1164.5)]
    meaning: Annotated[str, described("What the level means.", LEVELS["billed"])]


@dataclass(frozen=True)
class GroupUse:
    """What a provider group and its specialties bill of one code."""

    evidence: Evidence
    services: Services
    beneficiaries: Beneficiaries
    specialty: BillingSpecialty
    share: SpecialtyShare


@dataclass(frozen=True)
class WeightedSpread:
    """The median of a payer's rates weighted by services."""

    weighted_p50: WeightedMedian
    weighted_rates: int
    services: Services


@dataclass(frozen=True)
class UseYears:
    """The years of what is known about a code, and whether it is from CMS's whole file."""

    first_year: int
    last_year: int
    clinicians: int

    @property
    def words(self) -> str:
        """Return the years in words."""
        return str(self.last_year) if self.first_year == self.last_year else f"{self.first_year} to {self.last_year}"


def find_use_years(db: Snapshot, code: str) -> UseYears | None:
    """Return the years of what Medicare's files have of a code, or None if they have nothing."""
    sql = "SELECT first_year, last_year, clinicians FROM code_use WHERE code = $code"
    found = read_rows(db, UseYears, sql, {"code": code})
    return found[0] if found else None


def count_evidence(db: Snapshot, market: Market) -> list[EvidenceLevel]:
    """Return how many rates of the market have each level of evidence, whatever its filter by evidence.

    Each rate counts once, however many members bill its code. The answer is empty until utilization is loaded.
    """
    if not knows_utilization(db):
        return []
    market = market.without("evidence")
    facts, parameters = rates_of_market(db, market)
    uses, values = _uses(db, market)
    sql = f"""
        WITH counted AS MATERIALIZED (
            SELECT f.pg_uid, f.code_type, f.code, count(*) AS rates, count(*) FILTER (kind = 'dollars') AS in_dollars,
                   sum(f.negotiated_rate) FILTER (kind = 'dollars') AS dollars
            FROM (SELECT *, rate_kind(negotiated_type, negotiation_arrangement) AS kind FROM {facts}) f GROUP BY ALL)
        SELECT evidence, sum(rates)::BIGINT AS rates, sum(in_dollars)::BIGINT AS in_dollars,
               round(coalesce(sum(dollars), 0), 2) AS dollars
        FROM counted JOIN ({uses}) USING (pg_uid, code_type, code) GROUP BY evidence"""
    values |= parameters
    found = {row.evidence: row for row in read_rows(db, _LevelCount, sql, used_parameters(sql, values))}
    return [
        EvidenceLevel(name, row.rates, row.in_dollars, row.dollars, meaning)
        for name, meaning in LEVELS.items()
        if (row := found.get(name))
    ]


@dataclass(frozen=True)
class _LevelCount:
    evidence: str
    rates: int
    in_dollars: int
    dollars: float


@dataclass(frozen=True)
class EvidenceSwitch:
    """What the switch between all rates and those likely performed shows: how many rates and dollars each leaves."""

    levels: list[EvidenceLevel]
    years: UseYears | None

    @property
    def rates(self) -> int:
        """Return how many rates there are."""
        return sum(level.rates for level in self.levels)

    @property
    def is_scored(self) -> bool:
        """Return whether anything can be said of some of the rates."""
        return any(level.rates and level.evidence != UNSCORED for level in self.levels)

    @property
    def dollars(self) -> float:
        """Return the sum of the rates in dollars."""
        return sum(level.dollars for level in self.levels)

    @property
    def likely_rates(self) -> int:
        """Return how many rates are likely performed."""
        return leave_likely(self.levels)[0]

    @property
    def likely_dollars(self) -> float:
        """Return the sum of the rates in dollars that are likely performed."""
        return leave_likely(self.levels)[1]


def find_evidence_switch(db: Snapshot, market: Market) -> EvidenceSwitch | None:
    """Return what the switch shows, or None where there is no code or nothing is known of utilization."""
    if not market.code or not (levels := count_evidence(db, market)):
        return None
    return EvidenceSwitch(levels, find_use_years(db, market.code))


def leave_likely(levels: Collection[EvidenceLevel]) -> tuple[int, float]:
    """Return how many rates, and how many dollars, the filter by evidence leaves."""
    left = [level for level in levels if level.evidence != NONE]
    return sum(level.rates for level in left), sum(level.dollars for level in left)


def find_group_uses(db: Snapshot, market: Market, groups: Collection[str] | None = None) -> dict[str, GroupUse]:
    """Return what these provider groups bill of the market's code, by pg_uid: all groups with rates if None.

    Empty until utilization is loaded.
    """
    if not market.code or not knows_utilization(db) or (groups is not None and not groups):
        return {}
    uses, values = _uses(db, market, of_groups=groups is not None)
    some = "true" if groups is None else "pg_uid IN (SELECT unnest($groups::VARCHAR[]))"
    sql = f"SELECT pg_uid, services, beneficiaries, specialty, share, evidence FROM ({uses}) WHERE {some}"
    values["groups"] = sorted(groups or ())
    found = read_by_key(db, ["pg_uid"], GroupUse, sql, used_parameters(sql, values))
    return {pg_uid: use for (pg_uid,), use in found.items()}


def _uses(db: Snapshot, market: Market, *, of_groups: bool = False) -> tuple[str, dict[str, Any]]:
    """Return SQL of what the provider groups of the market bill, see group_uses_sql, and its parameters.

    Where the facts of a code are in memory, so is the answer, for the other questions of a page and other filters. With
    `of_groups`, the groups are those of the parameter `groups`, if it is not.
    """
    month, code = market.months_sql, "$code" if market.code else ""
    if db.code_values is not None:
        of_code = market.of_code
        facts, values = rates_of_market(db, of_code)
        asked = f"SELECT DISTINCT pg_uid, code_type, code FROM {facts}"
        uses = group_uses_sql(asked, code, of_code.months_sql)
        db.keep_table(_GROUP_USE, uses, {**of_code.parameters, **values})
        return f"FROM {_GROUP_USE}", {}
    if of_groups:
        asked = "SELECT unnest($groups::VARCHAR[]) AS pg_uid, $code_type AS code_type, $code AS code"
        return group_uses_sql(asked, code, month), {**market.parameters, "code_type": market.code_type or "CPT"}
    facts, values = rates_of_market(db, market)
    asked = f"SELECT DISTINCT pg_uid, code_type, code FROM {facts}"
    return group_uses_sql(asked, code, month), {**market.parameters, **values}


_GROUP_USE = "group_use"
"""The table in memory of what the groups of a code bill."""


def weigh_rates(db: Snapshot, market: Market) -> dict[tuple[str, str, str | None, str], WeightedSpread]:
    """Return the medians weighted by services, by kind, payer, class, and modifier. Empty if nothing is known.

    A clinician's services are spread evenly over the rates of the row that the clinician has, so that each service
    counts once, and a rate that many groups repeat weighs no more than one. The weighted median is the lowest rate up
    to which at least half of the services are.
    """
    if not market.code or not knows_utilization(db):
        return {}
    facts, parameters = rates_in_figures(db, market)
    row = "kind, reporting_entity_name, billing_class, modifier"
    in_month = f"AND {in_months('x.year_month', market.months_sql)}" if market.months else ""
    uses, values = _uses(db, market)
    sql = f"""
        WITH rated AS MATERIALIZED (
            SELECT rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind, f.reporting_entity_name,
                   f.billing_class, f.billing_code_modifier AS modifier, f.pg_uid, f.negotiated_rate, count(*) AS n
            FROM {facts} f GROUP BY ALL),
        used AS MATERIALIZED (
            SELECT x.pg_uid, x.npi, sum(u.services) AS services
            FROM xref_group_npi x JOIN (SELECT npi, services FROM utilization WHERE code = $code) u USING (npi)
            WHERE x.pg_uid IN (SELECT pg_uid FROM ({uses}) WHERE services IS NOT NULL) {in_month}
            GROUP BY x.pg_uid, x.npi),
        spread AS (
            SELECT {row}, negotiated_rate, r.pg_uid, n,
                   n * services / sum(n) OVER (PARTITION BY {row}, npi) AS weight
            FROM rated r JOIN used USING (pg_uid)),
        of_groups AS (
            SELECT {row}, negotiated_rate, pg_uid, any_value(n) AS n, sum(weight) AS weight FROM spread GROUP BY ALL),
        of_rates AS (
            SELECT {row}, negotiated_rate, sum(n)::BIGINT AS n, sum(weight) AS weight FROM of_groups GROUP BY ALL),
        summed AS (
            SELECT *, sum(weight) OVER (PARTITION BY {row} ORDER BY negotiated_rate) AS up_to,
                   sum(weight) OVER (PARTITION BY {row}) AS services
            FROM of_rates)
        SELECT {row}, min(negotiated_rate) FILTER (up_to >= services / 2 * {_ROUNDING}) AS weighted_p50,
               sum(n)::BIGINT AS weighted_rates, any_value(services) AS services
        FROM summed GROUP BY {row}"""
    values |= {**market.parameters, **parameters}
    keys = ["kind", "reporting_entity_name", "billing_class", "modifier"]
    found = read_by_key(db, keys, WeightedSpread, sql, used_parameters(sql, values))
    return {(kind, name, label, modifier): spread for (kind, name, label, modifier), spread in found.items()}
