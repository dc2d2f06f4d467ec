"""Every table of the store, declared once: columns, types, keys, order and meaning.

The Parquet files, the empty tables of a new store, the DuckDB views and the data dictionary in `docs/` are all
made from these declarations.
"""

from collections.abc import Iterable

from core.store.schema.benchmark_tables import (
    BENCH_AMBULANCE,
    BENCH_ANESTHESIA,
    BENCH_ANESTHESIA_LOCALITY,
    BENCH_ASC,
    BENCH_ASP,
    BENCH_CLFS,
    BENCH_DMEPOS,
    BENCH_DMEPOS_AREA,
    BENCH_DMEPOS_ZIP,
    BENCH_IPPS,
    BENCH_MEDICARE_PROF,
    BENCH_MEDICARE_PROF_LOCALITY,
    BENCH_OPPS,
    BENCH_WAGE_INDEX,
    BENCH_WCFS,
    BENCH_WCFS_MODIFIER,
    BENCHMARK_TABLES,
    DIM_BENCHMARK,
)
from core.store.schema.columns import Column, Table
from core.store.schema.fit_tables import FIT_TABLES, SCHEDULE_FIT, SURGICAL_CENTER_GROUP
from core.store.schema.organization_tables import HOSPITAL, LISTED_ORGANIZATION, ORGANIZATION, ORGANIZATION_TABLES
from core.store.schema.place_tables import DIM_GROUP_AREA, DIM_ZIP, PLACE_TABLES
from core.store.schema.profile_tables import GROUP_PROFILE, PROFILE_TABLES, PROVIDER_PROFILE
from core.store.schema.provider_tables import (
    DIM_NPI,
    DIM_PROVIDER_GROUP,
    DIM_TAXONOMY,
    DIM_TIN,
    NPI_LOCATION,
    NPI_OTHER_NAME,
    NPPES,
    PROVIDER_TABLES,
    XREF_GROUP_NPI,
    XREF_GROUP_TIN,
    XREF_TIN_NPI,
)
from core.store.schema.quality_tables import DQ_FINDING, DQ_RUN, QUALITY_TABLES
from core.store.schema.rate_tables import (
    CORRECTIONS,
    DIM_BATCH,
    DIM_CODE,
    DIM_CODE_OFFICIAL,
    DIM_PAYER_BRIDGE,
    DIM_POS_SET,
    DIM_REPORTING_ENTITY,
    FACT_RATE,
    FILE_TABLES,
    RATE_BY_GROUP,
    RATE_TABLES,
    REJECTS,
    REMOVED_RATE,
    XREF_BATCH_PLAN,
    XREF_BATCH_SOURCE,
    XREF_BUNDLED_CODE,
    XREF_GROUP_LOCATION,
    XREF_POS,
)
from core.store.schema.utilization_tables import (
    CODE_USE,
    GROUP_SPECIALTY,
    SPECIALTY_SIZE,
    SPECIALTY_USE,
    UTILIZATION,
    UTILIZATION_AREA,
    UTILIZATION_FILE,
    UTILIZATION_PROVIDER,
    UTILIZATION_TABLES,
)

__all__ = [
    "BENCH_AMBULANCE",
    "BENCH_ANESTHESIA",
    "BENCH_ANESTHESIA_LOCALITY",
    "BENCH_ASC",
    "BENCH_ASP",
    "BENCH_CLFS",
    "BENCH_DMEPOS",
    "BENCH_DMEPOS_AREA",
    "BENCH_DMEPOS_ZIP",
    "BENCH_IPPS",
    "BENCH_MEDICARE_PROF",
    "BENCH_MEDICARE_PROF_LOCALITY",
    "BENCH_OPPS",
    "BENCH_WAGE_INDEX",
    "BENCH_WCFS",
    "BENCH_WCFS_MODIFIER",
    "CODE_USE",
    "CORRECTIONS",
    "DIM_BATCH",
    "DIM_BENCHMARK",
    "DIM_CODE",
    "DIM_CODE_OFFICIAL",
    "DIM_GROUP_AREA",
    "DIM_NPI",
    "DIM_PAYER_BRIDGE",
    "DIM_POS_SET",
    "DIM_PROVIDER_GROUP",
    "DIM_REPORTING_ENTITY",
    "DIM_TAXONOMY",
    "DIM_TIN",
    "DIM_ZIP",
    "DQ_FINDING",
    "DQ_RUN",
    "FACT_RATE",
    "GROUP_PROFILE",
    "GROUP_SPECIALTY",
    "HOSPITAL",
    "LISTED_ORGANIZATION",
    "NPI_LOCATION",
    "NPI_OTHER_NAME",
    "NPPES",
    "ORGANIZATION",
    "PROVIDER_PROFILE",
    "RATE_BY_GROUP",
    "REJECTS",
    "REMOVED_RATE",
    "SCHEDULE_FIT",
    "SPECIALTY_SIZE",
    "SPECIALTY_USE",
    "STORED_TABLES",
    "SURGICAL_CENTER_GROUP",
    "TABLES",
    "UTILIZATION",
    "UTILIZATION_AREA",
    "UTILIZATION_FILE",
    "UTILIZATION_PROVIDER",
    "XREF_BATCH_PLAN",
    "XREF_BATCH_SOURCE",
    "XREF_BUNDLED_CODE",
    "XREF_GROUP_LOCATION",
    "XREF_GROUP_NPI",
    "XREF_GROUP_TIN",
    "XREF_POS",
    "XREF_TIN_NPI",
    "Column",
    "Table",
    "newest_format",
]

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        *RATE_TABLES,
        *PROVIDER_TABLES,
        *PLACE_TABLES,
        *ORGANIZATION_TABLES,
        *PROFILE_TABLES,
        *FILE_TABLES,
        *BENCHMARK_TABLES,
        *FIT_TABLES,
        *UTILIZATION_TABLES,
        *QUALITY_TABLES,
    )
}
"""Every table by name, except `rejects`, which has one file per batch, and the copies of the facts (RATE_BY_GROUP)."""

STORED_TABLES = (*TABLES.values(), RATE_BY_GROUP)
"""The tables whose files are listed in a manifest."""


def newest_format(tables: Iterable[Table] = (*STORED_TABLES, REJECTS)) -> int:
    """Return the newest format that introduced one of the tables or one of their columns."""
    return max(max(table.since, *(column.since for column in table.columns)) for table in tables)
