"""A code's organizations by contract: those whose rates are those of the same provider groups are one row.

A payer that pays forty organizations by one contract lists their tax IDs in one provider group. Forty rows with the
same figures say no more than one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from core.fields.codes.performing_specialties import list_performing
from core.fields.providers.specialty import ORGANIZATION_SPECIALTIES
from core.queries.market.market import Market
from core.queries.market.market_filters import ALL_CLASSES
from core.queries.market.market_rates import facts_in_memory, market_members
from core.queries.parties.dollar_rates import meant_sql, show_dollar_rates
from core.queries.parties.organizations import ORDERS, show_tins, show_wanted_tins
from core.queries.parties.tax_id_people import TaxIdKey
from core.queries.rules.evidence import list_billing_specialties
from core.queries.rules.keyset import descending, order_by
from core.queries.rules.named_rows import read_by_key, read_row, read_rows
from core.queries.rules.organization_price import counted_prices, lower_median, price_percentiles
from core.queries.rules.percentiles import FIVE_PERCENTILES, mean, percentile_columns
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.schema.tables import PROVIDER_PROFILE, XREF_TIN_NPI
from core.store.sql import used_parameters
from core.store.views import NAMED_TIN

MOST_TOLD = 4
"""The different prices of one contract that are told by their number and their ends, rather than by percentiles."""

MOST_LOOKED_UP = 500
"""The organizations of one contract of which a page finds out who they are."""


@dataclass(frozen=True)
class ContractParty:
    """An organization that a contract is for."""

    tin_type: str
    tin_value: str
    business_name: str | None
    name_confidence: str | None
    npis: int
    specialty: str | None
    """The specialty of most of its NPIs; of those that usually perform the service, if any of them has one."""
    is_likely: bool
    """Whether an NPI under the tax ID has a specialty that usually performs the service."""
    is_person: bool
    is_wanted: bool
    """Whether it has the name that was asked for; true if none was."""

    @property
    def key(self) -> TaxIdKey:
        """Type and value of its tax ID."""
        return self.tin_type, self.tin_value

    @property
    def is_person_as_organization(self) -> bool:
        """Whether it is registered as a person, but with the taxonomy of an organization: no person is a hospital."""
        return self.is_person and self.specialty in ORGANIZATION_SPECIALTIES


@dataclass(frozen=True)
class SharedContract:
    """The rates in dollars of all organizations that have them from the same provider groups. Each counts once."""

    tin_type: str
    tin_value: str
    organizations: int
    wanted: int
    payers: list[str]
    fits: bool
    rates: int
    groups: int
    share: float
    rank: int
    mean: float
    p10: float
    p25: float
    p50: float
    """The price of an organization, see organization_price. The other percentiles are rates as well, without odd ones.

    `mean`, `lowest`, and `highest` are of all rates.
    """
    p75: float
    p90: float
    lowest: float
    highest: float
    prices: int
    """How many different rates there are."""
    few_prices: list[float]
    """The different rates without odd ones, lowest first, if they are at most MOST_TOLD; empty if they are more."""
    oldest_month: str
    newest_month: str
    difference: float | None
    npis: int
    parties: list[ContractParty]

    @property
    def has_few_prices(self) -> bool:
        """Whether it is of one payer and has a few different rates: these have no percentiles worth the name."""
        return len(self.payers) == 1 and 1 < self.prices <= MOST_TOLD

    @property
    def leading(self) -> ContractParty:
        """The organization that the contract is called by."""
        return self.parties[0]

    @property
    def likely(self) -> list[ContractParty]:
        """The organizations that are likely to perform the service, as far as they were looked up."""
        return [one for one in self.parties if one.is_likely]


@dataclass(frozen=True)
class ContractPage:
    """One page of a market's contracts, and how many contracts and organizations there are."""

    contracts: int
    fitting: int
    """The contracts with a provider of a specialty that usually performs the service. They are the first ones."""
    wanted: int
    """The organizations with the name that was asked for."""
    specialties: tuple[str, ...]
    """The specialties that usually perform the service; empty if nothing says which."""
    rows: list[SharedContract]


def list_contracts(db: Snapshot, market: Market, order: str, limit: int, offset: int, words: str = "") -> ContractPage:
    """Return at most `limit` contracts from `offset` on: those of likely performers first, then by one of ORDERS.

    With words, those with an organization whose name or tax ID has them.
    """
    specialties = find_performing(db, market)
    with facts_in_memory(db, market) as memory:
        _show_contracts(memory, market, specialties, words)
        sorting = order_by(descending("fits") + ORDERS[order])
        page = f"SELECT * FROM {_CONTRACTS} ORDER BY {sorting} LIMIT {limit:d} OFFSET {offset:d}"
        memory.show_table(_PAGE, page, {})
        counts = f"""SELECT count(*) AS contracts, count(*) FILTER (fits) AS fitting,
                            coalesce(sum(wanted), 0)::BIGINT AS wanted FROM {_CONTRACTS}"""
        counted = read_row(memory, _ContractCounts, counts)
        parties, npis = _list_parties(memory, market, specialties)
        rows = [
            SharedContract(**row, npis=npis.get(key, 0), parties=parties[key])
            for row in _page_rows(memory, sorting)
            if (key := (row["tin_type"], row["tin_value"])) in parties
        ]
        return ContractPage(**vars(counted), specialties=specialties, rows=rows)


def find_performing(db: Snapshot, market: Market) -> tuple[str, ...]:
    """Return the specialties that usually perform the market's code: the one asked for, if one is.

    They are those of which enough clinicians bill it to Medicare, where that is loaded. Elsewhere, they are known by
    the family of the code, or not.
    """
    if market.specialty:
        return (market.specialty,)
    if not market.code:
        return ()
    return list_billing_specialties(db, market.code) or list_performing(market.code_type or "CPT", market.code)


def find_performing_tins(db: Snapshot, market: Market) -> set[TaxIdKey] | None:
    """Return the tax IDs with rates of the market's code under which, or as which, somebody bills who has a specialty
    that usually performs it; None if nothing says which specialties do."""
    specialties = find_performing(db, market)
    if not specialties:
        return None
    with facts_in_memory(db, market) as memory:
        tins = f"SELECT DISTINCT tin_type, tin_value FROM {show_tins(memory, market)}"
        memory.show_table(_CODE_TIN, tins, used_parameters(tins, market.parameters))
        columns = ["tin_type", "npi"]
        memory.show_rows_of(_CODE_NPI, XREF_TIN_NPI.name, "tin_value", columns, of=_CODE_TIN, months=market.month_names)
        # A tax ID that is an NPI is somebody as well.
        people = f"""SELECT DISTINCT tin_type, tin_value, npi FROM {_CODE_NPI}
                     UNION SELECT tin_type, tin_value, tin_value FROM {_CODE_TIN} WHERE tin_type = 'npi'"""
        memory.show_table(_CODE_PERSON, people, {})
        memory.show_rows_of(_CODE_PROFILE, PROVIDER_PROFILE.name, "npi", ["specialty"], of=_CODE_PERSON)
        found = memory.rows(
            f"""SELECT DISTINCT tin_type, tin_value FROM {_CODE_PERSON} JOIN {_CODE_PROFILE} USING (npi)
                WHERE specialty IN (SELECT unnest($specialties::VARCHAR[]))""",
            {"specialties": list(specialties)},
        )
        return {(kind, value) for kind, value in found}


def _show_contracts(memory: MarketSnapshot, market: Market, specialties: Collection[str], words: str) -> None:
    """Show _TINS, the market's tax IDs with their provider groups, and _CONTRACTS, one row for each set of groups."""
    dollars = show_dollar_rates(memory, market)
    tins = show_tins(memory, market)
    wanted = show_wanted_tins(memory, market, words) if words else ""
    is_wanted = f"(tin_type, tin_value) IN (SELECT (tin_type, tin_value) FROM {wanted})" if wanted else "true"
    of_tins = f"""
        SELECT tin_type, tin_value, list_sort(list(DISTINCT pg_uid)) AS pg_uids, {is_wanted} AS is_wanted
        FROM {tins} WHERE pg_uid IN (SELECT pg_uid FROM {dollars}) GROUP BY tin_type, tin_value"""
    memory.show_table(_TINS, of_tins, market.parameters)
    # Each organization counts once: a contract of forty is forty of them.
    each = "(SELECT p50, unnest(range(organizations)) FROM every WHERE NOT is_all_odd)"
    middle = "NULL::DOUBLE" if market.classes == ALL_CLASSES else f"(SELECT {lower_median('p50')} FROM {each})"
    fitting = fitting_tins = "SELECT NULL::VARCHAR WHERE false"
    if specialties:
        performs = "specialty IN (SELECT unnest($specialties::VARCHAR[]))"
        fitting = f"SELECT pg_uid FROM {market_members(memory, market)} WHERE {performs}"
        # A tax ID that is an NPI is somebody as well, as in the row of the organization.
        memory.show_table(_TIN_NPI, f"SELECT DISTINCT tin_value AS npi FROM {_TINS} WHERE tin_type = 'npi'", {})
        memory.show_rows_of(_TIN_PROFILE, PROVIDER_PROFILE.name, "npi", ["specialty"], of=_TIN_NPI)
        fitting_tins = f"SELECT npi FROM {_TIN_PROFILE} WHERE {performs}"
    rates = meant_sql(memory, market, "(FROM of_group JOIN f USING (pg_uid))", "first_tin")
    # An organization's rank is by its groups: all organizations of a contract share it.
    contracts = f"""
        WITH f AS (SELECT * FROM {dollars}),
        contract AS (
            SELECT pg_uids, count(*) AS organizations, count(*) FILTER (is_wanted) AS wanted,
                   bool_or(tin_type = 'npi' AND tin_value IN ({fitting_tins})) AS bills_fit,
                   min({{'value': tin_value, 'type': tin_type}}) AS first_tin
            FROM {_TINS} GROUP BY pg_uids),
        of_group AS (SELECT *, unnest(pg_uids) AS pg_uid FROM contract),
        every AS (
            SELECT first_tin, pg_uids, any_value(organizations) AS organizations, any_value(wanted) AS wanted,
                   count(*) AS rates, len(pg_uids) AS groups,
                   len(pg_uids) / (SELECT count(DISTINCT pg_uid) FROM f) AS share,
                   list_sort(list(DISTINCT reporting_entity_name)) AS payers,
                   bool_or(bills_fit OR pg_uid IN ({fitting})) AS fits,
                   min(year_month) AS oldest_month, max(year_month) AS newest_month,
                   bool_and(is_odd) AS is_all_odd, min(negotiated_rate) AS lowest, max(negotiated_rate) AS highest,
                   count(DISTINCT negotiated_rate) AS prices,
                   {counted_prices()} AS every_price,
                   if(len(every_price) <= {MOST_TOLD}, every_price, []) AS few_prices,
                   {mean("negotiated_rate")} AS mean,
                   {price_percentiles()} AS percentiles, {percentile_columns("percentiles", FIVE_PERCENTILES)}
            FROM {rates} GROUP BY first_tin, pg_uids),
        ranked AS (
            SELECT *, (1 + sum(organizations) OVER (ORDER BY groups DESC)
                       - sum(organizations) OVER (PARTITION BY groups))::BIGINT AS rank
            FROM every)
        SELECT first_tin.value AS tin_value, first_tin.type AS tin_type,
               * EXCLUDE (first_tin, percentiles, every_price, is_all_odd),
               p50 / nullif({middle}, 0) - 1 AS difference
        FROM ranked WHERE wanted > 0"""
    values = market.parameters | ({"specialties": list(specialties)} if specialties else {})
    memory.show_table(_CONTRACTS, contracts, values)


_TINS, _CONTRACTS, _PAGE = "tin_of_contract", "shared_contract", "contract_page"
_TIN_NPI, _TIN_PROFILE = "npi_of_contract", "profile_of_contract"
_CODE_TIN, _CODE_NPI, _CODE_PERSON, _CODE_PROFILE = "tin_of_code", "npi_of_code", "person_of_code", "profile_of_code"
_PARTY, _PARTY_NAME, _PARTY_NPI, _PARTY_PROFILE = "party", "party_name", "party_npi", "party_profile"
"""The tables in memory of a market's contracts, and of the organizations on a page of them."""


def _page_rows(memory: MarketSnapshot, sorting: str) -> list[dict[str, Any]]:
    with memory.cursor() as cursor:
        cursor.execute(f"SELECT * EXCLUDE (pg_uids) FROM {_PAGE} ORDER BY {sorting}")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _list_parties(
    memory: MarketSnapshot, market: Market, specialties: Collection[str]
) -> tuple[dict[tuple[str, str], list[ContractParty]], dict[tuple[str, str], int]]:
    """Return the organizations of the page's contracts by the contract's first tax ID, and how many NPIs they have.

    The first ones are those that were asked for and likely perform the service; persons are after organizations.
    """
    memory.show_table(
        _PARTY,
        f"""SELECT p.tin_type AS first_type, p.tin_value AS first_value, t.tin_type, t.tin_value, t.is_wanted
            FROM {_PAGE} p JOIN {_TINS} t USING (pg_uids)
            QUALIFY row_number() OVER (
                PARTITION BY p.tin_type, p.tin_value ORDER BY t.is_wanted DESC, t.tin_value, t.tin_type
            ) <= {MOST_LOOKED_UP}""",
        {},
    )
    memory.show_rows_of(
        _PARTY_NAME, NAMED_TIN, "tin_value", ["tin_type", "business_name", "name_confidence"], of=_PARTY
    )
    memory.show_rows_of(
        "party_tin_npi", XREF_TIN_NPI.name, "tin_value", ["tin_type", "npi"], of=_PARTY, months=market.month_names
    )
    # A tax ID that is an NPI is somebody of whom the register may know more.
    memory.show_table(
        _PARTY_NPI,
        f"""SELECT DISTINCT tin_type, tin_value, npi, true AS bills FROM party_tin_npi
            UNION ALL SELECT DISTINCT tin_type, tin_value, tin_value, false FROM {_PARTY} WHERE tin_type = 'npi'""",
        {},
    )
    memory.show_rows_of(_PARTY_PROFILE, PROVIDER_PROFILE.name, "npi", ["specialty", "entity_type"], of=_PARTY_NPI)
    performing = "specialty IN (SELECT unnest($specialties::VARCHAR[]))" if specialties else "false"
    sql = f"""
        WITH known AS (SELECT *, coalesce({performing}, false) AS performs
                       FROM {_PARTY_NPI} LEFT JOIN {_PARTY_PROFILE} USING (npi)),
        counted AS (
            SELECT tin_type, tin_value, specialty, performs, count(DISTINCT npi) AS n FROM known
            WHERE specialty <> '' GROUP BY ALL),
        special AS (
            SELECT tin_type, tin_value, bool_or(performs) AS is_likely,
                   first(specialty ORDER BY performs DESC, n DESC, specialty) AS specialty
            FROM counted GROUP BY tin_type, tin_value),
        people AS (
            SELECT tin_type, tin_value, count(DISTINCT npi) FILTER (bills) AS npis,
                   bool_or(NOT bills AND entity_type = 'individual') AS of_individual
            FROM known GROUP BY tin_type, tin_value)
        SELECT first_type, first_value, tin_type, tin_value, business_name, name_confidence,
               coalesce(npis, 0) AS npis, specialty, coalesce(is_likely, false) AS is_likely,
               coalesce(of_individual, false) AS is_person, is_wanted
        FROM {_PARTY} LEFT JOIN {_PARTY_NAME} USING (tin_type, tin_value)
        LEFT JOIN special USING (tin_type, tin_value) LEFT JOIN people USING (tin_type, tin_value)
        ORDER BY is_wanted DESC, is_likely DESC, is_person, business_name IS NULL, npis DESC, business_name, tin_value,
                 tin_type"""
    found: dict[tuple[str, str], list[ContractParty]] = {}
    values = {"specialties": list(specialties)} if specialties else {}
    for row in read_rows(memory, _PartyRow, sql, values):
        fields = {name: getattr(row, name) for name in ContractParty.__dataclass_fields__}
        found.setdefault((row.first_type, row.first_value), []).append(ContractParty(**fields))
    people = read_by_key(
        memory,
        ["first_type", "first_value"],
        _People,
        f"""SELECT first_type, first_value, count(DISTINCT npi) AS npis
            FROM {_PARTY} JOIN {_PARTY_NPI} USING (tin_type, tin_value) WHERE bills GROUP BY ALL""",
    )
    return found, {(kind, value): row.npis for (kind, value), row in people.items()}


@dataclass(frozen=True)
class _ContractCounts:
    contracts: int
    fitting: int
    wanted: int


@dataclass(frozen=True)
class _PartyRow(ContractParty):
    first_type: str
    first_value: str


@dataclass(frozen=True)
class _People:
    npis: int
