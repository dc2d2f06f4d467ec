"""A provider group as a payer's file lists it: whom its rates are for, in which networks, plans, and files."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated

from core.queries.code_titles import with_titles
from core.queries.comparison.area_amounts import locality_values
from core.queries.comparison.compared_rates import compared_sql
from core.queries.comparison.lookup_scope import BOUND_CODES, bind_codes, find_scope
from core.queries.comparison.percent_of_areas import list_amounts_of_areas
from core.queries.market.market import Market
from core.queries.market.market_rates import uses_own_areas
from core.queries.parties.providers import TAX_ID_COLUMNS, Npi, TaxId
from core.queries.payers.plans import HealthPlan, list_plans_of_file
from core.queries.rules.asked_first import asked_first_sql
from core.queries.rules.columns import (
    AreasOfPercents,
    Arrangement,
    BillingClass,
    Code,
    CodeName,
    CodeType,
    FileName,
    Modifier,
    Month,
    NegotiatedRate,
    NegotiatedType,
    NetworkNames,
    NpiCount,
    PayerName,
    PayerSlug,
    RateCount,
    RateKind,
    RawGroupId,
    ServiceCodes,
    Setting,
    State,
    TinCount,
    described,
    stored,
)
from core.queries.rules.group_name import first_named_order
from core.queries.rules.named_rows import read_page, read_rows
from core.store.connection import Snapshot
from core.store.generations.manifest import BY_GROUP
from core.store.schema.tables import DIM_BATCH, DIM_PROVIDER_GROUP
from core.store.sql import used_parameters
from core.store.views import payee_sql, with_group_areas

GroupId = Annotated[str, stored(DIM_PROVIDER_GROUP, "pg_uid", "0d9b1c7e2f3a4b5c6d7e8f9a0b1c2d3e")]


@dataclass(frozen=True)
class ProviderGroup:
    """A provider group. Every file defines its own, so it belongs to one payer and month."""

    pg_uid: GroupId
    provider_group_id_raw: RawGroupId
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    year_month: Month
    batch_id: Annotated[str, stored(DIM_PROVIDER_GROUP, "batch_id", "3f5a0c9b7d1e4f60")]
    networks: NetworkNames
    resolved: Annotated[bool, stored(DIM_PROVIDER_GROUP, "resolved", True)]
    tins: TinCount
    npis: NpiCount
    plans: Annotated[int, described("Number of health plans that its file is listed for.", 2)]
    rates: RateCount
    codes: Annotated[int, described("Number of billing codes that have a rate.", 12)]


@dataclass(frozen=True)
class GroupFile:
    """The file that lists a group, as loaded for one state."""

    source: FileName
    state: State
    year_month: Month
    last_updated_on: Annotated[str | None, stored(DIM_BATCH, "last_updated_on", "2025-08-01")]


@dataclass(frozen=True)
class GroupRate:
    """A rate of a provider group."""

    state: State
    code_type: CodeType
    code: Code
    name: CodeName
    kind: RateKind
    negotiated_rate: NegotiatedRate
    negotiated_type: NegotiatedType
    negotiation_arrangement: Arrangement
    billing_class: BillingClass
    setting: Setting
    modifier: Modifier
    service_codes: ServiceCodes
    place_setting: Annotated[
        str, described("What the places are: facility, non-facility, mixed, or unstated.", "non-facility")
    ]
    prices: Annotated[
        int,
        described(
            "Number of different rates of the group for the same code on the same terms (class, modifier, places, and "
            "kind): of several, the file does not say which applies.",
            2,
        ),
    ]
    lowest_price: Annotated[float, described("The lowest of these.", 88.0)]
    highest_price: Annotated[float, described("The highest of these.", 104.0)]
    basis: Annotated[str | None, described("What Medicare's amount is; null if there is none.", "MPFS non-facility")]
    medicare: Annotated[float | None, described("Medicare's amount in dollars; null if there is none.", 86.4)]
    percent: Annotated[float | None, described("The rate's percent of Medicare: 1 is 100%.", 1.2)]
    percent_of_areas: Annotated[
        float | None,
        described(
            "The percent of Medicare that the rate is, if all these prices are a few percents of the amounts of "
            "payment localities or of the nation; null if they are not.",
            1.15,
        ),
    ] = None
    percents: Annotated[
        str | None, described("All these percents, in words.", "115% and 125% of Medicare in 5 areas")
    ] = None
    areas: AreasOfPercents = None


@dataclass(frozen=True)
class GroupEntry:
    """One thing that a provider group has: a tax ID, an NPI, a network, a plan, or a file."""

    kind: Annotated[str, described("tax id, npi, network, plan, or file.", "npi")]
    value: Annotated[str, described("The number, name, or key.", "1234567893")]
    name: Annotated[str | None, described("What it is called, if that is known.", "Example Family Practice")]


_OF_GROUP = "year_month = $year_month AND payer_slug = $payer_slug AND pg_uid = $pg_uid"
"""The tables of members are sorted by these."""


def find_group(db: Snapshot, pg_uid: str) -> ProviderGroup | None:
    """Return a provider group, or None if no loaded rate uses it."""
    rows = read_rows(
        db,
        ProviderGroup,
        f"""WITH g AS MATERIALIZED (SELECT * FROM dim_provider_group WHERE pg_uid = $pg_uid),
            f AS (SELECT count(*) AS rates, count(DISTINCT (code_type, code)) AS codes
                  FROM {BY_GROUP} WHERE pg_uid = $pg_uid)
            SELECT g.pg_uid, g.provider_group_id_raw, coalesce(e.reporting_entity_name, g.payer_slug)
                       AS reporting_entity_name, g.payer_slug, g.year_month, g.batch_id,
                   coalesce(g.network_names, []) AS networks, g.resolved,
                   (SELECT count(*) FROM xref_group_tin x SEMI JOIN g USING (year_month, payer_slug, pg_uid)) AS tins,
                   (SELECT count(*) FROM xref_group_npi x SEMI JOIN g USING (year_month, payer_slug, pg_uid)) AS npis,
                   (SELECT count(DISTINCT plan_key) FROM plan_file p SEMI JOIN g USING (batch_id)) AS plans,
                   f.rates, f.codes
            FROM g LEFT JOIN dim_reporting_entity e USING (payer_slug), f""",
        {"pg_uid": pg_uid},
    )
    return rows[0] if rows else None


def list_tins_of_group(db: Snapshot, group: ProviderGroup, limit: int, offset: int) -> tuple[int, list[TaxId]]:
    """Return the tax IDs of a group, and how many they are. Each has the number of NPIs that bill under it anywhere."""
    return read_page(
        db,
        TaxId,
        f"""WITH page AS (
                SELECT count(*) OVER () AS total, tin_type, tin_value FROM xref_group_tin WHERE {_OF_GROUP}
                ORDER BY tin_value, tin_type LIMIT $limit OFFSET $offset)
            SELECT total, tin_type, tin_value, {TAX_ID_COLUMNS}, coalesce(n.npis, 0) AS npis
            FROM page LEFT JOIN named_tin t USING (tin_type, tin_value) LEFT JOIN (
                SELECT tin_type, tin_value, count(DISTINCT npi) AS npis FROM npi_by_tin
                WHERE tin_value IN (SELECT tin_value FROM page) GROUP BY ALL) n USING (tin_type, tin_value)
            ORDER BY tin_value, tin_type""",
        {**_key(group), "limit": limit, "offset": offset},
    )


def find_leading_tin(db: Snapshot, group: ProviderGroup) -> TaxId | None:
    """Return the tax ID that a group is called by, as in every table of rates."""
    rows = read_rows(
        db,
        TaxId,
        f"""WITH t AS MATERIALIZED (SELECT tin_type, tin_value FROM xref_group_tin WHERE {_OF_GROUP})
            SELECT tin_type, tin_value, {TAX_ID_COLUMNS}, coalesce(n.npis, 0) AS npis
            FROM t LEFT JOIN named_tin USING (tin_type, tin_value) LEFT JOIN (
                SELECT tin_type, tin_value, count(DISTINCT npi) AS npis FROM npi_by_tin
                WHERE tin_value IN (SELECT tin_value FROM t) GROUP BY ALL) n USING (tin_type, tin_value)
            ORDER BY {first_named_order()} LIMIT 1""",
        _key(group),
    )
    return rows[0] if rows else None


def find_main_city(db: Snapshot, group: ProviderGroup) -> tuple[str, str | None] | None:
    """Return the city, and its state, where most of a group's NPIs practice; None if no address is known."""
    rows = db.rows(
        f"""SELECT city, state FROM dim_npi
            SEMI JOIN (SELECT npi FROM xref_group_npi WHERE {_OF_GROUP}) USING (npi)
            WHERE city IS NOT NULL GROUP BY ALL ORDER BY count(*) DESC, city, state LIMIT 1""",
        _key(group),
    )
    return (str(rows[0][0]), rows[0][1]) if rows else None


def list_npis_of_group(db: Snapshot, group: ProviderGroup, limit: int, offset: int) -> tuple[int, list[Npi]]:
    """Return the NPIs of a group by name, and how many they are."""
    columns = ", ".join(f"n.{name}" for name in Npi.__dataclass_fields__)
    return read_page(
        db,
        Npi,
        f"""SELECT count(*) OVER () AS total, {columns}
            FROM dim_npi n SEMI JOIN (SELECT npi FROM xref_group_npi WHERE {_OF_GROUP}) USING (npi)
            ORDER BY name NULLS LAST, npi LIMIT $limit OFFSET $offset""",
        {**_key(group), "limit": limit, "offset": offset},
    )


def _same_terms(one: str, other: str) -> str:
    names = [name.strip() for name in _TERMS.split(",")]
    return " AND ".join(f"{one}.{name} IS NOT DISTINCT FROM {other}.{name}" for name in names)


def count_rates_by_state(db: Snapshot, group: ProviderGroup) -> dict[str, int]:
    """Return how many rates of a group each state has. A file that is not divided by state has the same in each."""
    rows = db.rows(
        f"SELECT state, count(*) FROM {BY_GROUP} WHERE pg_uid = $pg_uid GROUP BY state ORDER BY state",
        {"pg_uid": group.pg_uid},
    )
    return {str(state): int(rates) for state, rates in rows}


def list_rates_of_group(
    db: Snapshot, group: ProviderGroup, limit: int, offset: int, state: str | None = None
) -> list[GroupRate]:
    """Return at most `limit` rates of a group from `offset` on, of a state or of all.

    The codes that people ask for are first (see asked_first_sql), then the others by number. How many rates there are
    is known of the group.
    """
    of_group = "pg_uid = $pg_uid" + (" AND state = $state" if state else "")
    values = {"pg_uid": group.pg_uid, **({"state": state} if state else {})}
    sql = f"""
        WITH placed AS (
            SELECT *, row_number() OVER (
                       ORDER BY {asked_first_sql("code_type", "code")}, code_type, code, billing_class,
                                billing_code_modifier, negotiated_rate, negotiated_type, negotiation_arrangement,
                                setting, pos_set_id, state) AS position,
                   min(negotiated_rate) OVER terms AS lowest_price, max(negotiated_rate) OVER terms AS highest_price,
                   count(DISTINCT negotiated_rate) OVER terms AS prices
            FROM {BY_GROUP} WHERE {of_group}
            WINDOW terms AS (PARTITION BY {_TERMS})),
        page AS MATERIALIZED (SELECT * FROM placed ORDER BY position LIMIT $limit OFFSET $offset),
        -- As a window, the lists of all rates of a large group would take more memory than a question has.
        listed AS (
            SELECT {_TERMS}, list(DISTINCT negotiated_rate) AS each_price FROM {BY_GROUP}
            WHERE {of_group} AND code IN (SELECT code FROM page) GROUP BY ALL)
        SELECT f.state, f.code_type, f.code, d.name,
               rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind, f.negotiated_rate,
               f.negotiated_type, f.negotiation_arrangement, f.billing_class, f.setting,
               f.billing_code_modifier AS modifier, coalesce(p.service_codes, []) AS service_codes, f.pos_set_id,
               place_setting(coalesce(p.service_codes, [])) AS place_setting,
               f.prices, f.lowest_price, f.highest_price,
               NULL::VARCHAR AS basis, NULL::DOUBLE AS medicare, NULL::DOUBLE AS percent,
               NULL::DOUBLE AS percent_of_areas, NULL::VARCHAR AS percents, NULL::VARCHAR AS areas, f.each_price
        FROM (SELECT p.*, l.each_price FROM page p JOIN listed l ON {_same_terms("p", "l")}) f
        LEFT JOIN dim_code d USING (code_type, code) LEFT JOIN dim_pos_set p USING (pos_set_id)
        ORDER BY position"""
    rows = with_titles(db, read_rows(db, _PlacedRate, sql, {**values, "limit": limit, "offset": offset}))
    amounts = {
        state: _compare_with_medicare(db, group, state, {row.code for row in rows if row.state == state})
        for state in {row.state for row in rows}
    }
    several = {(row.state, row.code) for row in rows if row.prices > 1}
    of_areas = {
        state: list_amounts_of_areas(db, state, {code for its, code in several if its == state})
        for state in {state for state, _ in several}
    }
    found = []
    for row in rows:
        fields = {name: value for name, value in vars(row).items() if name not in {"pos_set_id", "each_price"}}
        amount = amounts[row.state].get(tuple(getattr(row, name) for name in _RATE_KEY))
        of_amount = {name: getattr(amount, name) for name in ("basis", "medicare", "percent")} if amount else {}
        by_area = None
        if row.prices > 1 and str(of_amount.get("basis")).startswith("MPFS"):
            by_area = of_areas[row.state].find(row.code, row.modifier, row.each_price)
        if by_area:
            of_amount |= {
                "percent_of_areas": by_area.of_price(row.negotiated_rate).percent,
                "percents": by_area.summary,
                "areas": by_area.words,
            }
        found.append(GroupRate(**{**fields, **of_amount}))
    return found


_TERMS = """state, code_type, code, billing_class, billing_code_modifier, setting, pos_set_id, negotiated_type,
    negotiation_arrangement"""
"""What rates have in common of which the file does not say which applies."""


@dataclass(frozen=True)
class _PlacedRate(GroupRate):
    pos_set_id: str | None = None
    each_price: Sequence[float] = ()


@dataclass(frozen=True)
class _RateAmount:
    code_type: str
    code: str
    billing_class: str | None
    modifier: str
    setting: str | None
    pos_set_id: str | None
    negotiated_type: str | None
    negotiation_arrangement: str | None
    negotiated_rate: float
    basis: str | None
    medicare: float | None
    percent: float | None


_RATE_KEY = tuple(_RateAmount.__dataclass_fields__)[:-3]
"""What decides what a rate of a group in a state is compared with."""


def _compare_with_medicare(
    db: Snapshot, group: ProviderGroup, state: str, codes: Collection[str]
) -> dict[tuple[object, ...], _RateAmount]:
    """Return what the group's rates of some codes in a state are compared with, in the group's own area if known."""
    market = Market(state, group.year_month, payer=group.payer_slug)
    areas = uses_own_areas(db, market)
    facts = f"""SELECT f.*, {payee_sql(db.manifest)} AS payee FROM {BY_GROUP} f
                WHERE f.pg_uid = $pg_uid AND f.state = $state AND f.code IN (SELECT unnest({BOUND_CODES}))"""
    compared = compared_sql(
        "true",
        f"({with_group_areas(facts, market.months_sql) if areas else facts})",
        scope=find_scope(db, market, codes),
        areas=areas,
        localities=locality_values(db) if areas else None,
    )
    sql = f"""{compared}
        SELECT DISTINCT code_type, code, billing_class, billing_code_modifier AS modifier, setting, pos_set_id,
               negotiated_type, negotiation_arrangement, negotiated_rate, basis, medicare, percent
        FROM compared"""
    values = {**market.parameters, "pg_uid": group.pg_uid, "codes": bind_codes(codes)}
    rows = read_rows(db, _RateAmount, sql, used_parameters(sql, values))
    return {tuple(getattr(row, name) for name in _RATE_KEY): row for row in rows}


def list_plans_of_group(db: Snapshot, group: ProviderGroup, limit: int, offset: int) -> tuple[int, list[HealthPlan]]:
    """Return the health plans that the group's file is listed for, and how many they are."""
    return list_plans_of_file(db, group.batch_id, limit, offset)


def list_files_of_group(db: Snapshot, group: ProviderGroup) -> list[GroupFile]:
    """Return the file that lists a group, once for each state that it was loaded for."""
    return read_rows(
        db,
        GroupFile,
        """SELECT source, state, year_month, last_updated_on FROM dim_batch
           WHERE batch_id = $batch_id ORDER BY state""",
        {"batch_id": group.batch_id},
    )


def list_entries(db: Snapshot, group: ProviderGroup, limit: int) -> list[GroupEntry]:
    """Return everything that a group has in one table: tax IDs, NPIs, networks, plans, and files."""
    tins = list_tins_of_group(db, group, limit, 0)[1]
    npis = list_npis_of_group(db, group, limit, 0)[1]
    plans = list_plans_of_group(db, group, limit, 0)[1]
    return [
        *(GroupEntry("tax id", one.tin_value, one.business_name) for one in tins),
        *(GroupEntry("npi", one.npi, one.full_name) for one in npis),
        *(GroupEntry("network", name, None) for name in group.networks),
        *(GroupEntry("plan", one.plan_key, one.plan_name) for one in plans),
        *(
            GroupEntry("file", source, None)
            for source in sorted({one.source for one in list_files_of_group(db, group)})
        ),
    ]


def _key(group: ProviderGroup) -> dict[str, str]:
    return {"pg_uid": group.pg_uid, "payer_slug": group.payer_slug, "year_month": group.year_month}
