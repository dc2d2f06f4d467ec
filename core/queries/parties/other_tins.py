"""Other tax IDs under which the members of a provider bill.

A clinician may be paid under the tax ID of a clinic and under that of a hospital. A payer that lists only one of them
has no rates under the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from core.queries.market.market import Market
from core.queries.market.market_filters import FILTERS
from core.queries.parties.billed_services import MEMBERS
from core.queries.rules.columns import BusinessName, PayerSlug, RateCount, TinType, TinValue, described
from core.queries.rules.named_rows import read_page, read_rows
from core.store.connection import Snapshot
from core.store.generations.manifest import BY_GROUP
from core.store.market.market_months import in_months
from core.store.sql import used_parameters

Whose = Literal["tin", "organization"]

MOST_MEMBERS = 500
"""Of a larger organization, nobody looks through the tax IDs of its members."""


@dataclass(frozen=True)
class OtherTaxId:
    """A tax ID under which members of a provider bill besides the provider's own."""

    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName
    shared: Annotated[int, described("Number of the provider's NPIs that also bill under it.", 1)]


@dataclass(frozen=True)
class RatesUnderOther:
    """What a payer has for members of a provider under another tax ID."""

    payer_slug: PayerSlug
    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName
    rates: RateCount


def _others(whose: Whose) -> str:
    """Return queries of a WITH clause: `members`, and `others`, their tax IDs besides the own ones."""
    return f"""members AS MATERIALIZED ({MEMBERS[whose]}),
        others AS MATERIALIZED (
            SELECT npi, tin_type, tin_value, business_name FROM tin_by_npi
            WHERE npi IN (SELECT npi FROM members) AND NOT ({FILTERS[whose].condition})
                AND (SELECT count(*) FROM members) <= {MOST_MEMBERS})"""


def list_other_tins(db: Snapshot, whose: Whose, value: str, limit: int) -> tuple[int, list[OtherTaxId]]:
    """Return the other tax IDs of a provider's members, those of most members first, and how many there are."""
    return read_page(
        db,
        OtherTaxId,
        f"""WITH {_others(whose)}
            SELECT count(*) OVER () AS total, tin_type, tin_value, any_value(business_name) AS business_name,
                   count(DISTINCT npi) AS shared
            FROM others GROUP BY tin_type, tin_value ORDER BY shared DESC, tin_value, tin_type
            LIMIT $limit OFFSET $offset""",
        {whose: value, "limit": limit, "offset": 0},
    )


def list_rates_under_others(
    db: Snapshot, market: Market, whose: Whose, value: str, payers: Sequence[str]
) -> list[RatesUnderOther]:
    """Return what some payers have in the market's state and months for the members of a provider under other tax IDs.

    A rate counts if its provider group has one of the members under that tax ID. Most rates first.
    """
    if not payers:
        return []
    whole = Market(market.state, market.year_month, latest=market.latest)
    in_month = in_months("year_month", whole.months_sql) if whole.months else "true"
    sql = f"""WITH {_others(whose)},
            placed AS MATERIALIZED (
                SELECT DISTINCT x.payer_slug, x.tin_type, x.tin_value, x.pg_uid, n.business_name
                FROM group_by_tin x JOIN others n USING (tin_type, tin_value)
                WHERE {in_month} AND x.payer_slug IN (SELECT unnest($payers::VARCHAR[]))
                    AND (x.pg_uid, n.npi) IN (SELECT (pg_uid, npi) FROM group_by_npi WHERE {in_month}
                                              AND npi IN (SELECT npi FROM members)))
            SELECT payer_slug, tin_type, tin_value, business_name, count(*) AS rates
            FROM {BY_GROUP} f JOIN placed USING (pg_uid)
            WHERE f.pg_uid IN (SELECT pg_uid FROM placed) AND {whole.where}
            GROUP BY ALL ORDER BY rates DESC, payer_slug, tin_value, tin_type"""
    values = {**whole.parameters, whose: value, "payers": list(payers)}
    return read_rows(db, RatesUnderOther, sql, used_parameters(sql, values))
