"""Lookups: answers that pages look up by provider or by code, stored in the order in which they are looked for.

A lookup is a query of some tables. `manage.py copy_by_group` stores its answer, which belongs to the files of these
tables. Where it is not stored, or one of the files has been replaced, the query itself is asked, and has the same
answer. See docs/decisions/0066-lookups.md.
"""

from dataclasses import dataclass

from core.store.schema.columns import Table
from core.store.schema.organization_tables import ORGANIZATION
from core.store.schema.provider_tables import (
    DIM_NPI,
    DIM_PROVIDER_GROUP,
    DIM_TIN,
    XREF_GROUP_NPI,
    XREF_GROUP_TIN,
    XREF_TIN_NPI,
)
from core.store.schema.rate_tables import FACT_RATE

ROW_GROUP_ROWS = 20_480
"""The least that DuckDB likes to read. A provider has a few rows; the fewer others stand around them the better."""


@dataclass(frozen=True)
class Lookup:
    """A query, the tables it reads, and the order of its stored answer.

    In the query, each table's name stands in braces. With `by_shard`, there is an answer for each shard of the facts.
    """

    name: str
    sources: tuple[Table, ...]
    order: tuple[str, ...]
    query: str = ""
    by_shard: bool = False
    version: int = 1
    """To be raised with every change of the query, or of a view it reads: stored answers of the old one end there."""

    @property
    def signature(self) -> str:
        """Return what a stored answer depends on besides its sources' files."""
        return " ".join((self.name, str(self.version), *(name for table in self.sources for name in table.names)))


GROUP_BY_NPI = Lookup(
    "group_by_npi",
    (XREF_GROUP_NPI, DIM_PROVIDER_GROUP),
    ("npi", "year_month", "payer_slug", "pg_uid"),
    """SELECT x.npi, x.year_month, x.payer_slug, x.pg_uid, g.batch_id, g.network_names
       FROM {xref_group_npi} x LEFT JOIN {dim_provider_group} g USING (year_month, pg_uid)""",
)

GROUP_BY_TIN = Lookup(
    "group_by_tin",
    (XREF_GROUP_TIN, DIM_PROVIDER_GROUP),
    ("tin_value", "year_month", "payer_slug", "pg_uid", "tin_type"),
    """SELECT x.tin_value, x.tin_type, x.year_month, x.payer_slug, x.pg_uid, g.batch_id, g.network_names
       FROM {xref_group_tin} x LEFT JOIN {dim_provider_group} g USING (year_month, pg_uid)""",
)

NPI_BY_TIN = Lookup(
    "npi_by_tin",
    (XREF_TIN_NPI, DIM_NPI),
    ("tin_value", "name", "npi", "tin_type"),
    """SELECT * FROM (SELECT DISTINCT tin_value, tin_type, npi FROM {xref_tin_npi}) JOIN {dim_npi} USING (npi)""",
)

TIN_BY_NPI = Lookup(
    "tin_by_npi",
    (XREF_TIN_NPI, DIM_TIN, ORGANIZATION),
    ("npi", "tin_type", "tin_value"),
    """SELECT x.npi, n.npis, t.*
       FROM (SELECT DISTINCT npi, tin_type, tin_value FROM {xref_tin_npi}) x
       JOIN (SELECT tin_type, tin_value, count(DISTINCT npi) AS npis FROM {xref_tin_npi} GROUP BY ALL) n
           USING (tin_type, tin_value)
       JOIN named_tin t USING (tin_type, tin_value)""",
)

TIN_NPI_COUNT = Lookup(
    "tin_npi_count",
    (XREF_TIN_NPI,),
    ("year_month", "tin_value", "tin_type"),
    """SELECT year_month, tin_type, tin_value, count(DISTINCT npi) AS npis FROM {xref_tin_npi}
       GROUP BY year_month, tin_type, tin_value""",
)

TIN_PEOPLE = Lookup(
    "tin_people",
    (XREF_TIN_NPI, DIM_NPI),
    ("tin_value", "tin_type"),
    """WITH member AS (
           SELECT tin_type, tin_value, npi, upper(left(state, 2)) AS state,
                  upper(city) || coalesce(', ' || upper(left(state, 2)), '') AS place,
                  if(entity_type = 'organization', name, NULL) AS organization
           FROM (SELECT DISTINCT tin_type, tin_value, npi FROM {xref_tin_npi}) LEFT JOIN {dim_npi} USING (npi)),
       placed AS (
           SELECT tin_type, tin_value, place, count(*) AS n FROM member WHERE place IS NOT NULL GROUP BY ALL),
       called AS (
           SELECT tin_type, tin_value, organization, count(*) AS n FROM member WHERE organization IS NOT NULL
           GROUP BY ALL)
       SELECT tin_type, tin_value, npis, states, main_city, example FROM (
           SELECT tin_type, tin_value, count(*) AS npis,
                  list_sort(list(DISTINCT state) FILTER (state IS NOT NULL)) AS states
           FROM member GROUP BY ALL)
       LEFT JOIN (
           SELECT tin_type, tin_value, arg_min(place, (-n, place)) AS main_city FROM placed GROUP BY ALL)
           USING (tin_type, tin_value)
       LEFT JOIN (
           SELECT tin_type, tin_value, arg_min(organization, (-n, organization)) AS example FROM called GROUP BY ALL)
           USING (tin_type, tin_value)""",
)
"""Who bills under a tax ID: how many, their states, the city of most, and the organization with most NPIs."""

LINE_MEDIAN = Lookup(
    "line_median", (FACT_RATE,), ("state", "year_month", "code", "code_type"), by_shard=True, version=3
)
"""Its query is in core/queries/parties/line_medians.py, which knows what a kind of rate and a median are."""

LINE_AMOUNT = Lookup(
    "line_amount", (FACT_RATE,), ("state", "year_month", "code", "code_type"), by_shard=True, version=2
)
"""The rates of each payer, counted, from which the lines of several months are made. Its query is there as well."""

LOOKUPS = (GROUP_BY_NPI, GROUP_BY_TIN, NPI_BY_TIN, TIN_BY_NPI, TIN_NPI_COUNT, TIN_PEOPLE, LINE_MEDIAN, LINE_AMOUNT)
"""All lookups. Their files are in the manifest under one name, LOOKUP."""

LOOKUP = "lookup"
"""What the manifest calls the stored answers of lookups. They have no stable path: only the site reads them."""
