"""What tax IDs roll up to: an organization, and a health system, with the evidence of each edge.

A rate counts once at every level, however many tax IDs of the organization its provider group has: the groups are a
set, never a join.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from core.queries.market.market import Market
from core.queries.parties.providers import TAX_ID_COLUMNS, TaxId
from core.queries.rules.columns import (
    GroupCount,
    Month,
    NpiCount,
    OrganizationName,
    PayerName,
    PayerSlug,
    RateCount,
    State,
    SystemConfidence,
    SystemKey,
    SystemName,
    SystemSource,
    TinCount,
    described,
    stored,
)
from core.queries.rules.folded_names import contains_words, folded_sql
from core.queries.rules.named_rows import read_page, read_rows
from core.store.connection import Snapshot
from core.store.schema.tables import HOSPITAL, ORGANIZATION

Level = Literal["organization", "system"]
"""The levels above the tax ID. Each is a filter of a market by this name."""

MAX_COMPARED = 200_000
"""The most rates of an organization or a system that are compared with Medicare and the market: about two seconds."""

_KEYS: dict[Level, str] = {"organization": "organization_id", "system": "system_id"}


@dataclass(frozen=True)
class OrganizationProfile:
    """An organization: its tax IDs together, and the health system that it is part of."""

    organization_id: Annotated[str, stored(ORGANIZATION, "organization_id", "example_family_practice_ga")]
    organization_name: OrganizationName
    city: Annotated[str | None, stored(ORGANIZATION, "city", "ATLANTA")]
    state: Annotated[str | None, stored(ORGANIZATION, "state", "GA")]
    tins: TinCount
    inferred: Annotated[int, described("Number of its tax IDs that are part of it by inference.", 0)]
    system_id: SystemKey
    system_name: SystemName
    system_source: SystemSource
    system_confidence: SystemConfidence


@dataclass(frozen=True)
class SystemProfile:
    """A health system: its organizations together."""

    system_id: Annotated[str, stored(ORGANIZATION, "system_id", "example_health_ga")]
    system_name: Annotated[str, stored(ORGANIZATION, "system_name", "Example Health")]
    organizations: Annotated[int, described("Number of organizations in it.", 3)]
    tins: TinCount
    inferred: Annotated[int, described("Number of its tax IDs that are part of it by inference.", 0)]


@dataclass(frozen=True)
class LargestOrganization:
    """An organization of a state, with what it is large by."""

    organization_id: str
    organization_name: str
    city: str | None
    tins: int
    npis: int


@dataclass(frozen=True)
class RatesByPeriod:
    """The rates of an organization or a system at one payer in a state and month, each counted once."""

    state: State
    year_month: Month
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    rates: RateCount
    groups: GroupCount
    npis: NpiCount


@dataclass(frozen=True)
class SystemHospital:
    """A hospital that a list names as part of a system, whether or not a rate is loaded for it."""

    ccn: Annotated[str, stored(HOSPITAL, "ccn", "110010")]
    name: Annotated[str, stored(HOSPITAL, "name", "Example Hospital")]
    city: Annotated[str | None, stored(HOSPITAL, "city", "ATLANTA")]
    state: Annotated[str | None, stored(HOSPITAL, "state", "GA")]
    system_file: Annotated[str | None, stored(HOSPITAL, "system_file", "chsp-hospital-linkage-2023.csv")]


_PROFILE = """
    SELECT organization_id, any_value(organization_name) AS organization_name, mode(city) AS city,
           mode(state) AS state, count(*) AS tins,
           count(*) FILTER (organization_confidence <> 'high') AS inferred, any_value(system_id) AS system_id,
           any_value(system_name) AS system_name, any_value(system_source) AS system_source,
           any_value(system_confidence) AS system_confidence
    FROM named_tin WHERE organization_id IS NOT NULL"""

_SYSTEM = """
    SELECT system_id, any_value(system_name) AS system_name, count(DISTINCT organization_id) AS organizations,
           count(*) AS tins,
           count(*) FILTER (organization_confidence <> 'high' OR system_confidence <> 'high') AS inferred
    FROM named_tin WHERE system_id IS NOT NULL"""


def find_organization(db: Snapshot, key: str) -> OrganizationProfile | None:
    """Return the organization with a key, or None. The key of a tax ID, ein_123456789, finds its organization."""
    rows = read_rows(
        db,
        OrganizationProfile,
        f"""{_PROFILE} AND organization_id = coalesce(
                (SELECT any_value(organization_id) FROM named_tin WHERE organization_id = $key),
                (SELECT any_value(organization_id) FROM named_tin WHERE tin_type || '_' || tin_value = $key))
            GROUP BY organization_id""",
        {"key": key},
    )
    return rows[0] if rows else None


def find_system(db: Snapshot, key: str) -> SystemProfile | None:
    """Return the health system with a key, or None if no tax ID of the rates is in it."""
    rows = read_rows(db, SystemProfile, f"{_SYSTEM} AND system_id = $key GROUP BY system_id", {"key": key})
    return rows[0] if rows else None


def list_largest(db: Snapshot, state: str, limit: int) -> list[LargestOrganization]:
    """Return the organizations of a state that have the most NPIs under their tax IDs, in whichever files.

    A tax ID that is the NPI of a person is none: payers put others' NPIs under it.
    """
    return read_rows(
        db,
        LargestOrganization,
        """WITH t AS (
               FROM named_tin n ANTI JOIN (SELECT npi FROM dim_npi WHERE entity_type = 'individual') p
                   ON n.tin_type = 'npi' AND n.tin_value = p.npi
               WHERE n.state = $state AND organization_name IS NOT NULL)
           SELECT organization_id, any_value(organization_name) AS organization_name, mode(t.city) AS city,
                  count(DISTINCT (tin_type, tin_value)) AS tins, count(DISTINCT npi) AS npis
           FROM t LEFT JOIN (SELECT DISTINCT tin_type, tin_value, npi FROM xref_tin_npi) USING (tin_type, tin_value)
           WHERE organization_id IS NOT NULL
           GROUP BY organization_id ORDER BY npis DESC, organization_name, organization_id LIMIT $limit""",
        {"state": state, "limit": limit},
    )


def name_of_key(db: Snapshot, level: Level, key: str) -> str | None:
    """Return the name of an organization or a system, or None."""
    rows = db.rows(f"SELECT any_value({level}_name) FROM named_tin WHERE {_KEYS[level]} = ?", [key])
    return str(rows[0][0]) if rows and rows[0][0] else None


def list_tins(db: Snapshot, level: Level, key: str, limit: int, offset: int) -> tuple[int, list[TaxId]]:
    """Return the tax IDs of an organization or a system with the evidence, and how many there are."""
    return read_page(
        db,
        TaxId,
        f"""WITH t AS (FROM named_tin WHERE {_KEYS[level]} = $key),
            people AS (
                SELECT tin_type, tin_value, count(DISTINCT npi) AS npis FROM xref_tin_npi SEMI JOIN t
                USING (tin_type, tin_value) GROUP BY ALL)
            SELECT count(*) OVER () AS total, tin_type, tin_value, {TAX_ID_COLUMNS}, coalesce(npis, 0) AS npis
            FROM t LEFT JOIN people USING (tin_type, tin_value)
            ORDER BY npis DESC, business_name NULLS LAST, tin_value, tin_type LIMIT $limit OFFSET $offset""",
        {"key": key, "limit": limit, "offset": offset},
    )


def list_organizations_of_system(
    db: Snapshot, key: str, limit: int, offset: int
) -> tuple[int, list[OrganizationProfile]]:
    """Return the organizations of a health system by name, and how many there are."""
    return read_page(
        db,
        OrganizationProfile,
        f"""SELECT count(*) OVER () AS total, * FROM ({_PROFILE} AND system_id = $key GROUP BY organization_id)
            ORDER BY organization_name NULLS LAST, organization_id LIMIT $limit OFFSET $offset""",
        {"key": key, "limit": limit, "offset": offset},
    )


def list_hospitals(db: Snapshot, key: str) -> list[SystemHospital]:
    """Return the hospitals that lists name as part of a health system."""
    return read_rows(
        db,
        SystemHospital,
        """SELECT ccn, name, city, state, system_file FROM hospital
           WHERE payer_slug(concat_ws('_', system_name, system_state)) = $key ORDER BY state, city, name, ccn""",
        {"key": key},
    )


def count_rates_of(db: Snapshot, level: Level, key: str) -> list[RatesByPeriod]:
    """Return the number of rates of an organization or a system by state, month, and payer, newest month first."""
    return read_rows(
        db,
        RatesByPeriod,
        f"""WITH t AS (SELECT tin_type, tin_value FROM named_tin WHERE {_KEYS[level]} = $key),
            g AS (SELECT DISTINCT year_month, pg_uid FROM xref_group_tin SEMI JOIN t USING (tin_type, tin_value)),
            counted AS (
                SELECT f.state, f.year_month, f.reporting_entity_name, count(*) AS rates,
                       count(DISTINCT f.pg_uid) AS groups
                FROM rate_by_group f SEMI JOIN g USING (pg_uid) GROUP BY ALL),
            people AS (
                SELECT x.year_month, x.payer_slug, count(DISTINCT npi) AS npis
                FROM xref_tin_npi x SEMI JOIN t USING (tin_type, tin_value) GROUP BY ALL)
            SELECT c.state, c.year_month, reporting_entity_name, payer_slug(reporting_entity_name) AS payer_slug, rates,
                   groups, coalesce(npis, 0) AS npis
            FROM counted c LEFT JOIN people p
                ON p.year_month = c.year_month AND p.payer_slug = payer_slug(reporting_entity_name)
            ORDER BY c.year_month DESC, rates DESC, reporting_entity_name, c.state""",
        {"key": key},
    )


def is_too_large(rates: Iterable[RatesByPeriod], market: Market) -> bool:
    """Return whether an organization or a system has more rates in a market than a page compares one by one."""
    of_market = (one.rates for one in rates if one.state == market.state and one.year_month in market.month_names)
    return market.code is None and sum(of_market) > MAX_COMPARED


def search_systems(db: Snapshot, text: str, limit: int) -> list[SystemProfile]:
    """Return the health systems whose name contains each word."""
    words, has_all = contains_words(text, "folded")
    if not words or not db.ask_once(_knows_systems):
        return []
    return read_rows(
        db,
        SystemProfile,
        f"""SELECT * EXCLUDE (folded)
            FROM (SELECT *, {folded_sql("system_name")} AS folded FROM ({_SYSTEM} GROUP BY system_id))
            WHERE {has_all} ORDER BY tins DESC, system_name, system_id LIMIT $limit""",
        {**words, "limit": limit},
    )


def _knows_systems(db: Snapshot) -> bool:
    return bool(db.rows("SELECT 1 FROM named_tin WHERE system_id IS NOT NULL LIMIT 1"))
