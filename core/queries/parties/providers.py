"""A provider by its NPI or tax ID: what the register says, its tax IDs, groups, networks, and where it is loaded."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Literal

from core.queries.rules.columns import (
    BusinessName,
    GroupCount,
    Month,
    NameConfidence,
    NameSource,
    NetworkNames,
    NpiCount,
    NpiNumber,
    OrganizationConfidence,
    OrganizationKey,
    OrganizationName,
    OrganizationSource,
    PayerName,
    PayerSlug,
    State,
    SystemConfidence,
    SystemKey,
    SystemName,
    SystemSource,
    TinType,
    TinValue,
    stored,
)
from core.queries.rules.named_rows import read_page, read_rows
from core.store.connection import Snapshot
from core.store.schema.tables import DIM_NPI, NPI_LOCATION, NPI_OTHER_NAME

By = Literal["npi", "tin", "organization", "system"]
"""What names a provider. Each is a filter of a market by this name."""

BY: tuple[By, ...] = ("npi", "tin", "organization", "system")

_GROUP = "SELECT DISTINCT year_month, payer_slug, pg_uid, batch_id, network_names"
_GROUPS = {
    "npi": f"{_GROUP} FROM group_by_npi WHERE npi = $value",
    "tin": f"{_GROUP} FROM group_by_tin WHERE tin_value = $value",
    **{
        level: f"""{_GROUP} FROM group_by_tin
            SEMI JOIN (FROM named_tin WHERE {level}_id = $value) USING (tin_type, tin_value)"""
        for level in ("organization", "system")
    },
}
"""The groups of an NPI, of a tax ID whichever its type, or of the tax IDs that roll up to an organization or system."""

_HOMES = {
    "npi": "SELECT any_value(state) FROM dim_npi WHERE npi = $value",
    "tin": """SELECT coalesce(
        (SELECT mode(state) FROM named_tin WHERE tin_value = $value),
        (SELECT mode(state) FROM (SELECT DISTINCT npi, state FROM npi_by_tin WHERE tin_value = $value)))""",
    **{level: f"SELECT mode(state) FROM named_tin WHERE {level}_id = $value" for level in ("organization", "system")},
}
"""The state where a provider practices, null if that is not known."""


@dataclass(frozen=True)
class Npi:
    """What is known about an NPI: only the number until NPPES is loaded."""

    npi: NpiNumber
    entity_type: Annotated[str | None, stored(DIM_NPI, "entity_type", "individual")]
    name: Annotated[str | None, stored(DIM_NPI, "name", "DOE, JANE")]
    credential: Annotated[str | None, stored(DIM_NPI, "credential", "MD")]
    taxonomy_code: Annotated[str | None, stored(DIM_NPI, "taxonomy_code", "207Q00000X")]
    taxonomy: Annotated[str | None, stored(DIM_NPI, "taxonomy", "Family Medicine")]
    address: Annotated[str | None, stored(DIM_NPI, "address", "1 EXAMPLE ST")]
    city: Annotated[str | None, stored(DIM_NPI, "city", "ATLANTA")]
    state: Annotated[str | None, stored(DIM_NPI, "state", "GA")]
    postal_code: Annotated[str | None, stored(DIM_NPI, "postal_code", "303031234")]
    deactivated_on: Annotated[date | None, stored(DIM_NPI, "deactivated_on", None)]
    first_name: Annotated[str | None, stored(DIM_NPI, "first_name", "JANE")]
    middle_name: Annotated[str | None, stored(DIM_NPI, "middle_name", "Q")]
    suffix: Annotated[str | None, stored(DIM_NPI, "suffix", "JR.")]
    other_name: Annotated[str | None, stored(DIM_NPI, "other_name", "JANE ROE")]
    other_name_kind: Annotated[str | None, stored(DIM_NPI, "other_name_kind", "former name")]
    address_2: Annotated[str | None, stored(DIM_NPI, "address_2", "STE 200")]
    updated_on: Annotated[date | None, stored(DIM_NPI, "updated_on", "2025-05-01")]

    @property
    def full_name(self) -> str | None:
        """Return the name with a person's middle name and suffix."""
        if not self.name or not self.first_name:
            return self.name
        last = self.name.removeprefix(self.first_name).strip()
        return " ".join(part for part in (self.first_name, self.middle_name, last, self.suffix) if part)


_NPI = ", ".join(field.name for field in fields(Npi))


@dataclass(frozen=True)
class OtherName:
    """Another name of a provider, such as one it does business under."""

    other_name: Annotated[str, stored(NPI_OTHER_NAME, "other_name", "EXAMPLE FAMILY CLINIC")]
    other_name_kind: Annotated[str | None, stored(NPI_OTHER_NAME, "other_name_kind", "doing business as")]


@dataclass(frozen=True)
class PracticeLocation:
    """A practice address of a provider besides its first."""

    address: Annotated[str, stored(NPI_LOCATION, "address", "2 EXAMPLE ST")]
    address_2: Annotated[str | None, stored(NPI_LOCATION, "address_2", "FLOOR 3")]
    city: Annotated[str | None, stored(NPI_LOCATION, "city", "MACON")]
    state: Annotated[str | None, stored(NPI_LOCATION, "state", "GA")]
    postal_code: Annotated[str | None, stored(NPI_LOCATION, "postal_code", "312010002")]
    phone: Annotated[str | None, stored(NPI_LOCATION, "phone", "4785550100")]

    @property
    def parts(self) -> list[str]:
        """Return what is known of the address before the postal code."""
        return [part for part in (self.address, self.address_2, self.city, self.state) if part]


@dataclass(frozen=True)
class TaxId:
    """A tax ID, and the number of NPIs that bill under it."""

    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName
    name_source: NameSource
    name_confidence: NameConfidence
    organization_id: OrganizationKey
    organization_name: OrganizationName
    organization_source: OrganizationSource
    organization_confidence: OrganizationConfidence
    system_id: SystemKey
    system_name: SystemName
    system_source: SystemSource
    system_confidence: SystemConfidence
    npis: NpiCount


TAX_ID_COLUMNS = ", ".join(field.name for field in fields(TaxId) if field.name not in {"tin_type", "tin_value", "npis"})
"""The columns of NAMED_TIN that a TaxId has, as SQL."""


@dataclass(frozen=True)
class ProviderGroupPage:
    """The provider groups of a provider at one payer in one month."""

    year_month: Month
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    groups: GroupCount
    networks: NetworkNames


@dataclass(frozen=True)
class LoadedPeriod:
    """A state and month in which a provider has groups."""

    state: State
    year_month: Month
    groups: GroupCount


def find_npi(db: Snapshot, value: str) -> Npi | None:
    """Return the NPI, or None if no provider group names it."""
    rows = read_rows(db, Npi, f"SELECT {_NPI} FROM dim_npi WHERE npi = $npi", {"npi": value})
    return rows[0] if rows else None


def list_other_names(db: Snapshot, value: str) -> list[OtherName]:
    """Return the other names of an NPI, each once."""
    return read_rows(
        db,
        OtherName,
        """SELECT other_name, any_value(other_name_kind) AS other_name_kind FROM (
               SELECT 0 AS position, other_name, other_name_kind FROM dim_npi WHERE npi = $npi
               UNION ALL SELECT position, other_name, other_name_kind FROM npi_other_name WHERE npi = $npi)
           WHERE other_name IS NOT NULL GROUP BY other_name ORDER BY min(position), other_name""",
        {"npi": value},
    )


def list_locations(db: Snapshot, value: str) -> list[PracticeLocation]:
    """Return the practice addresses of an NPI besides its first."""
    return read_rows(
        db,
        PracticeLocation,
        """SELECT address, address_2, city, state, postal_code, phone
           FROM npi_location WHERE npi = $npi ORDER BY position""",
        {"npi": value},
    )


def is_register_loaded(db: Snapshot) -> bool:
    """Return whether the provider register (NPPES) has been loaded: any NPI has a name."""
    return bool(db.rows("SELECT 1 FROM dim_npi WHERE name IS NOT NULL LIMIT 1"))


def find_tins(db: Snapshot, value: str) -> list[TaxId]:
    """Return the tax IDs of that value: none if no provider group names it, two if an EIN and an NPI share it."""
    return read_rows(
        db,
        TaxId,
        f"""SELECT tin_type, tin_value, {TAX_ID_COLUMNS},
                  (SELECT count(*) FROM npi_by_tin x
                   WHERE x.tin_value = $tin AND x.tin_type = t.tin_type) AS npis
           FROM named_tin t WHERE tin_value = $tin ORDER BY tin_type""",
        {"tin": value},
    )


def list_tins_of_npi(db: Snapshot, value: str) -> list[TaxId]:
    """Return the tax IDs under which an NPI bills."""
    return read_rows(
        db,
        TaxId,
        f"""SELECT tin_type, tin_value, {TAX_ID_COLUMNS}, npis FROM tin_by_npi
            WHERE npi = $npi ORDER BY tin_type, tin_value""",
        {"npi": value},
    )


def list_npis_of_tin(db: Snapshot, value: str, limit: int, offset: int) -> tuple[int, list[Npi]]:
    """Return the NPIs that bill under a tax ID, and how many there are."""
    return read_page(
        db,
        Npi,
        f"""SELECT count(*) OVER () AS total, {_NPI}
            FROM (SELECT DISTINCT {_NPI} FROM npi_by_tin WHERE tin_value = $tin)
            ORDER BY name NULLS LAST, npi LIMIT $limit OFFSET $offset""",
        {"tin": value, "limit": limit, "offset": offset},
    )


def list_groups(db: Snapshot, by: By, value: str) -> list[ProviderGroupPage]:
    """Return the number of the provider's groups and their networks, by month and payer."""
    return read_rows(
        db,
        ProviderGroupPage,
        f"""SELECT m.year_month, reporting_entity_name, m.payer_slug, count(*) AS groups,
                   list_sort(list_distinct(flatten(list(coalesce(network_names, []))))) AS networks
            FROM ({_GROUPS[by]}) m
            LEFT JOIN dim_reporting_entity e ON e.payer_slug = m.payer_slug
            GROUP BY ALL ORDER BY m.year_month DESC, reporting_entity_name""",
        {"value": value},
    )


def list_provider_periods(db: Snapshot, by: By, value: str) -> list[LoadedPeriod]:
    """Return the states and months in which a provider has groups: first the state where it practices, newest first.

    A file may be loaded for a state where the provider is not: payers' files are national.
    """
    return read_rows(
        db,
        LoadedPeriod,
        f"""SELECT b.state, m.year_month, count(DISTINCT m.pg_uid) AS groups
            FROM ({_GROUPS[by]}) m JOIN dim_batch b USING (batch_id)
            GROUP BY b.state, m.year_month
            ORDER BY coalesce(b.state = ({_HOMES[by]}), false) DESC, m.year_month DESC, groups DESC, b.state""",
        {"value": value},
    )
