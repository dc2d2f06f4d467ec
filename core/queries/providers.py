"""Who an NPI or a tax number is, and its rates: a rate that a group's 30 NPIs share is one rate of each."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Literal

from core.store.connection import Snapshot

By = Literal["npi", "tin"]

_GROUPS = {
    "npi": "SELECT DISTINCT year_month, payer_slug, pg_uid FROM xref_group_npi WHERE npi = $value",
    "tin": "SELECT DISTINCT year_month, payer_slug, pg_uid FROM xref_group_tin WHERE tin_value = $value",
}
"""The groups of an NPI, or of a tax number whichever its type."""


@dataclass(frozen=True)
class Npi:
    """What is known of an NPI; all but the number is None until NPPES is loaded."""

    npi: str
    entity_type: str | None
    name: str | None
    credential: str | None
    taxonomy_code: str | None
    taxonomy: str | None
    address: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    deactivated_on: date | None


_NPI = ", ".join(field.name for field in fields(Npi))


@dataclass(frozen=True)
class Tin:
    """A tax number and how many NPIs bill under it."""

    tin_type: str
    tin_value: str
    business_name: str | None
    npis: int


@dataclass(frozen=True)
class Groups:
    """The groups of a provider at one payer in one month."""

    year_month: str
    reporting_entity_name: str
    payer_slug: str
    groups: int
    networks: list[str]


@dataclass(frozen=True)
class CodeRates:
    """A provider's rates for one code at one payer: one kind, class and modifier."""

    state: str
    year_month: str
    reporting_entity_name: str
    payer_slug: str
    code_type: str
    code: str
    name: str | None
    kind: str
    billing_class: str | None
    modifier: str
    rates: int
    lowest: float
    p50: float
    highest: float


def npi(db: Snapshot, value: str) -> Npi | None:
    """The NPI, or None where no fact's group names it."""
    rows = db.rows(f"SELECT {_NPI} FROM dim_npi WHERE npi = ?", [value])
    return Npi(*rows[0]) if rows else None


def register_loaded(db: Snapshot) -> bool:
    """Whether the register of providers has been loaded: any NPI has a name."""
    return bool(db.rows("SELECT 1 FROM dim_npi WHERE name IS NOT NULL LIMIT 1"))


def tins(db: Snapshot, value: str) -> list[Tin]:
    """The tax numbers of that value (an EIN and an NPI can share one), none where no fact's group names it."""
    rows = db.rows(
        """SELECT tin_type, tin_value, business_name,
                  (SELECT count(DISTINCT npi) FROM xref_tin_npi x
                   WHERE x.tin_type = t.tin_type AND x.tin_value = t.tin_value)
           FROM dim_tin t WHERE tin_value = ? ORDER BY tin_type""",
        [value],
    )
    return [Tin(*row) for row in rows]


def tins_of_npi(db: Snapshot, value: str) -> list[Tin]:
    """The tax numbers under which an NPI bills."""
    rows = db.rows(
        """SELECT tin_type, tin_value, any_value(business_name), count(DISTINCT others.npi)
           FROM (SELECT DISTINCT tin_type, tin_value FROM xref_tin_npi WHERE npi = ?)
           JOIN xref_tin_npi others USING (tin_type, tin_value)
           LEFT JOIN dim_tin USING (tin_type, tin_value)
           GROUP BY ALL ORDER BY tin_type, tin_value""",
        [value],
    )
    return [Tin(*row) for row in rows]


def npis_of_tin(db: Snapshot, value: str, limit: int, offset: int) -> tuple[int, list[Npi]]:
    """The NPIs that bill under a tax number, and how many there are."""
    rows = db.rows(
        f"""SELECT count(*) OVER (), {_NPI}
           FROM (SELECT DISTINCT npi FROM xref_tin_npi WHERE tin_value = ?) JOIN dim_npi USING (npi)
           ORDER BY name NULLS LAST, npi LIMIT ? OFFSET ?""",
        [value, limit, offset],
    )
    return (rows[0][0] if rows else 0), [Npi(*row[1:]) for row in rows]


def groups(db: Snapshot, by: By, value: str) -> list[Groups]:
    """The provider's groups, by month and payer."""
    rows = db.rows(
        f"""SELECT m.year_month, reporting_entity_name, m.payer_slug, count(*),
                   list_sort(list_distinct(flatten(list(coalesce(network_names, [])))))
            FROM ({_GROUPS[by]}) m
            LEFT JOIN dim_provider_group g USING (pg_uid)
            LEFT JOIN dim_reporting_entity e ON e.payer_slug = m.payer_slug
            GROUP BY ALL ORDER BY m.year_month DESC, reporting_entity_name""",
        {"value": value},
    )
    return [Groups(*row) for row in rows]


def code_rates(db: Snapshot, by: By, value: str, limit: int, offset: int) -> tuple[int, list[CodeRates]]:
    """The provider's rates by code and payer, newest month first, and how many such rows there are."""
    rows = db.rows(
        f"""SELECT count(*) OVER (), f.state, f.year_month, f.reporting_entity_name,
                   payer_slug(f.reporting_entity_name) AS slug, f.code_type, f.code, any_value(d.name),
                   rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind,
                   f.billing_class, f.billing_code_modifier,
                   count(*), min(negotiated_rate), quantile_cont(negotiated_rate, 0.5), max(negotiated_rate)
            FROM fact_rate f LEFT JOIN dim_code d ON d.code_type = f.code_type AND d.code = f.code
            WHERE f.pg_uid IN (SELECT pg_uid FROM ({_GROUPS[by]}))
            GROUP BY ALL
            ORDER BY f.year_month DESC, f.state, f.code, f.code_type, kind, f.reporting_entity_name, f.billing_class,
                     f.billing_code_modifier
            LIMIT $limit OFFSET $offset""",
        {"value": value, "limit": limit, "offset": offset},
    )
    return (rows[0][0] if rows else 0), [CodeRates(*row[1:]) for row in rows]
