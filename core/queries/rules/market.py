"""The rates that a question is about: state, month, code and filters, as a WHERE clause with bound parameters."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any

from core.fields.place_of_service import EVERY_PLACE
from core.queries.rules.columns import Month, State, described
from core.queries.rules.distance import miles_sql
from core.queries.rules.evidence import EVIDENCE, likely_condition
from core.store.connection import MarketSnapshot, Snapshot
from core.store.generations.manifest import BY_GROUP
from core.store.schema.tables import DIM_GROUP_AREA, FACT_RATE, GROUP_PROFILE, GROUP_SPECIALTY
from core.store.sql import used_parameters
from core.store.views import COUNTED_RATE, MARKET_FACT, NAMED_TIN, payee_sql, with_group_areas

NO_MODIFIER = "none"
"""The value of the filter `modifier` that selects rates without a modifier."""

NOT_STATED = "unstated"
"""The value of a filter that selects rates whose file does not state it."""


@dataclass(frozen=True)
class MarketFilter:
    """A filter of a market: its parameter, what pages call it, and which rates it selects.

    A filter by a term of the rate has a `column` of the fact, by which its choices are counted, and a `condition` on
    fact_rate AS f. Without a condition, it compares the column with the parameter, or finds NOT_STATED where the column
    is null. A filter by provider group has a `group_table` instead, and its condition is one on that table.
    """

    name: str
    label: str
    column: str = ""
    condition: str = ""
    group_table: str = ""

    @property
    def counted(self) -> str:
        """The expression over fact_rate AS f by which the choices of the filter are counted."""
        return f"f.{self.column}" if self.condition else f"coalesce(f.{self.column}, '{NOT_STATED}')"

    def restrict(self, month: str) -> str:
        """Return the condition on fact_rate AS f. `month` is the parameter with the month, or empty for all months."""
        if not self.group_table:
            return self.condition or f"{self.counted} = ${self.name}"
        # A group belongs to one month, and these tables are sorted by it: without it, all months would be read.
        in_month = f"year_month = {month} AND " if month else ""
        # A set of groups rather than a join: a rate that 30 NPIs share stays one rate.
        return f"f.pg_uid IN (SELECT pg_uid FROM {self.group_table} WHERE {in_month}{self.condition})"


_MILES = "split_part($near, ',', 2)::DOUBLE"
_MILES_OF_A_DEGREE = 68.7
"""No degree of latitude is shorter: places farther north or south are ruled out without a cosine."""

_NEAR = f"""zip IN (
    SELECT zip FROM dim_zip JOIN (
        SELECT latitude AS north, longitude AS east FROM dim_zip WHERE zip = split_part($near, ',', 1)
        UNION ALL
        SELECT latitude, longitude FROM provider_profile WHERE npi = split_part($near, ',', 1)) origin
    ON abs(latitude - north) <= {_MILES} / {_MILES_OF_A_DEGREE}
        AND {miles_sql("latitude", "longitude", "north", "east")} <= {_MILES})"""
"""Whether a ZIP code is at most some miles from another, or from that of a provider."""


def _of_roll_up(level: str) -> str:
    """Return a condition on a tax ID: that it rolls up to an organization or a system."""
    return f"(tin_type, tin_value) IN (SELECT (tin_type, tin_value) FROM {NAMED_TIN} WHERE {level}_id = ${level})"


_FILTERS = (
    MarketFilter(
        "payer",
        "Payer",
        "reporting_entity_name",
        """f.reporting_entity_name IN (
               SELECT reporting_entity_name_raw FROM dim_payer_bridge WHERE payer_slug = $payer)""",
    ),
    MarketFilter(
        "pos",
        "Place of service",
        "pos_set_id",
        f"f.pos_set_id IN (SELECT pos_set_id FROM xref_pos WHERE pos IN ($pos, '{EVERY_PLACE}'))",
    ),
    MarketFilter("billing_class", "Billing class", "billing_class"),
    MarketFilter(
        "modifier",
        "Modifier",
        "billing_code_modifier",
        f"""CASE WHEN $modifier = '{NO_MODIFIER}' THEN f.billing_code_modifier = ''
            ELSE list_contains(string_split(f.billing_code_modifier, ','), $modifier) END""",
    ),
    MarketFilter("setting", "Setting", "setting"),
    MarketFilter("negotiated_type", "Rate type", "negotiated_type"),
    MarketFilter("arrangement", "Arrangement", "negotiation_arrangement"),
    MarketFilter(
        "network", "Network", condition="list_contains(network_names, $network)", group_table="dim_provider_group"
    ),
    MarketFilter("npi", "NPI", condition="npi = $npi", group_table="group_by_npi"),
    MarketFilter("tin", "Tax ID", condition="tin_value = $tin", group_table="group_by_tin"),
    MarketFilter("organization", "Organization", condition=_of_roll_up("organization"), group_table="xref_group_tin"),
    MarketFilter("system", "Health system", condition=_of_roll_up("system"), group_table="xref_group_tin"),
    MarketFilter(
        "plan",
        "Plan",
        condition="batch_id IN (SELECT batch_id FROM plan_file WHERE plan_key = $plan)",
        group_table="dim_provider_group",
    ),
    MarketFilter(
        "city",
        "City",
        condition="(city = $city OR starts_with(city, $city || ', ') OR replace(city, ',', '') = $city)",
        group_table=GROUP_PROFILE.name,
    ),
    MarketFilter("zip", "ZIP code", condition="zip = $zip", group_table=GROUP_PROFILE.name),
    MarketFilter("county", "County", condition="county_fips = $county", group_table=GROUP_PROFILE.name),
    MarketFilter("metro", "Metropolitan area", condition="$metro IN (cbsa, division)", group_table=GROUP_PROFILE.name),
    MarketFilter("near", "Within", condition=_NEAR, group_table=GROUP_PROFILE.name),
    MarketFilter("specialty", "Specialty", condition="specialty = $specialty", group_table=GROUP_PROFILE.name),
    MarketFilter(
        "entity", "Individual or organization", condition="entity_type = $entity", group_table=GROUP_PROFILE.name
    ),
    # It depends on the code as well as on the group: `filter_condition` has its condition.
    MarketFilter(EVIDENCE, "Evidence", group_table=GROUP_SPECIALTY.name),
)

FILTERS = {one.name: one for one in _FILTERS}
"""The filters of a market besides state, month and code, by name, in the order of pages, addresses and conditions."""

_CODE_PARAMETERS = ("state", "year_month", "code_type", "code")
"""What chooses the facts of one code."""

PROFILE_FILTERS = tuple(name for name, one in FILTERS.items() if one.group_table == GROUP_PROFILE.name)
"""The filters by where a group's providers practice and what they are. One provider of the group meets all of them."""

_PROVIDER_FILTERS = tuple(name for name, one in FILTERS.items() if one.group_table)
"""The filters by provider group."""

BASIS = "basis"
"""The parameter that asks for one schedule for all rates. It selects none: it decides what they are compared with."""

OWN_AREA, STATE_MEAN = "own", "state"
AREAS = (OWN_AREA, STATE_MEAN)
"""What rates may be compared in: the area of their own provider group where it is known, or always the state's mean."""

AREA = "area"
"""The parameter with one of AREAS, the first if it is not set. Like BASIS, it selects no rates."""

MARKET_PARAMETERS = (*_CODE_PARAMETERS, *FILTERS, BASIS, AREA)
"""Everything that chooses a market. Conditions have this order too: the fact is sorted by state and month, and the most
selective come first."""


@dataclass(frozen=True)
class Market:
    """A selection of rates by state, month, code and filters. A filter that is not set does not narrow it.

    `payer` is a payer_slug; `pos` also matches sets with CSTM-00 (every place); `modifier` is one modifier of the rate,
    or NO_MODIFIER. `billing_class`, `setting`, `negotiated_type` and `arrangement` may be NOT_STATED. An empty
    `year_month` selects every month. `basis` and `area` select no rates, see BASIS and AREA.
    """

    state: State
    year_month: Month
    code_type: Annotated[str | None, described("Code system.", "CPT")] = None
    code: Annotated[str | None, described("Billing code.", "99213")] = None
    payer: Annotated[str | None, described("Key of the payer, as `payer_slug` has it.", None)] = None
    pos: Annotated[str | None, described("Place of service; also matches rates for every place (CSTM-00).", None)] = (
        None
    )
    billing_class: Annotated[str | None, described("Billing class.", None)] = None
    modifier: Annotated[str | None, described("One modifier, or `none` for rates without one.", None)] = None
    setting: Annotated[str | None, described("Setting.", None)] = None
    negotiated_type: Annotated[str | None, described("Type of rate.", None)] = None
    arrangement: Annotated[str | None, described("Arrangement.", None)] = None
    network: Annotated[str | None, described("Name of a network.", None)] = None
    npi: Annotated[str | None, described("NPI.", None)] = None
    tin: Annotated[str | None, described("Tax ID (TIN).", None)] = None
    organization: Annotated[str | None, described("Key of an organization: any of its tax IDs.", None)] = None
    system: Annotated[str | None, described("Key of a health system: any of its organizations.", None)] = None
    plan: Annotated[str | None, described("Key of a health plan: the files that are listed for it.", None)] = None
    city: Annotated[str | None, described("City where a provider of the group practices.", None)] = None
    zip: Annotated[str | None, described("ZIP code where a provider of the group practices.", None)] = None
    county: Annotated[str | None, described("FIPS code of the county where a provider practices.", None)] = None
    metro: Annotated[str | None, described("Code of the metropolitan area or division.", None)] = None
    near: Annotated[str | None, described("A ZIP code or NPI, and miles: 30303,25.", None)] = None
    specialty: Annotated[str | None, described("Specialty of a provider of the group.", None)] = None
    entity: Annotated[str | None, described("individual or organization.", None)] = None
    evidence: Annotated[
        str | None,
        described("`likely` for the rates that are likely performed: all but those with no evidence.", None),
    ] = None
    basis: Annotated[
        str | None,
        described("The Medicare schedule that was asked for; null for the one that each rate belongs to.", None),
    ] = None
    area: Annotated[
        str | None,
        described(
            "Whether rates are compared with Medicare in their providers' own areas (own, the default) or with the "
            "mean of the state (state).",
            None,
        ),
    ] = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The values that `where` binds, by name."""
        return {name: value for name in MARKET_PARAMETERS if (value := getattr(self, name))}

    @property
    def where(self) -> str:
        """The condition on fact_rate AS f. Every value is a named parameter."""
        return self.where_in("$year_month")

    def where_in(self, month: str) -> str:
        """Return the same condition with another parameter as the month. It has no effect on a market of all months."""
        month = month if self.year_month else ""
        if self.code or self.evidence is None:
            return _all_of(self.parameters, month)
        # The evidence depends on each rate's code. It is found for the rates that meet the other conditions.
        others = _all_of([name for name in self.parameters if name != EVIDENCE], month)
        facts = BY_GROUP if self.npi or self.tin else FACT_RATE.name
        asked = f"SELECT DISTINCT f.pg_uid, f.code_type, f.code FROM {facts} f WHERE {others}"
        return f"{others} AND {likely_condition(month, asked)}"

    @property
    def in_any_month(self) -> "Market":
        """The same market in all months."""
        return replace(self, year_month="")

    @property
    def unfiltered(self) -> "Market":
        """The market of the same state, month, code and provider groups, without the other filters."""
        groups = {name: getattr(self, name) for name in _PROVIDER_FILTERS}
        return Market(self.state, self.year_month, self.code_type, self.code, **groups)

    def without(self, *names: str) -> "Market":
        """Return the market without some of its filters."""
        return Market(**{**vars(self), **dict.fromkeys(names)})


def knows_areas(db: Snapshot) -> bool:
    """Return whether the area of any provider group is known."""
    return bool(db.manifest.rows(DIM_GROUP_AREA.name))


def uses_own_areas(db: Snapshot, market: Market) -> bool:
    """Return whether rates are compared in their providers' own areas: nothing else is asked for, and some are known.

    They are not if `db` is a cache in which areas are not counted.
    """
    return wants_own_areas(db, market) and (db.market_values is None or db.counts_areas)


def wants_own_areas(db: Snapshot, market: Market) -> bool:
    """Return whether the areas of provider groups are to be shown: nothing else is asked for, and some are known."""
    return market.area != STATE_MEAN and knows_areas(db)


@contextmanager
def market_cache(db: Snapshot, market: Market, *, areas: bool = False) -> Iterator[Snapshot]:
    """Yield the generation with `counted_rate` of the unfiltered market, where that is one code's or one provider's.

    Every question about the market has the same answer there, and is answered sooner: many facts differ only in whose
    they are. Filters, orders and pages that a visitor asks for next find the rows in memory. With `areas`, rates are
    counted by the areas of their groups as well, which takes longer.
    """
    if market.code is None and market.npi is None and market.tin is None:
        yield db
        return
    facts = market.unfiltered
    if market.code is None or not market.year_month:
        table = BY_GROUP if market.code is None else FACT_RATE.name
        with db.market_snapshot(facts.where, facts.parameters, table, areas=areas) as cached:
            yield cached
        return
    of_code = _code_values(market) or {}
    where = _all_of(name for name in facts.parameters if name not in of_code)
    groups = used_parameters(where, facts.parameters)
    with db.market_snapshot(where, groups, areas=areas, code_values=of_code) as cached:
        yield cached


@contextmanager
def facts_in_memory(db: Snapshot, market: Market) -> Iterator[MarketSnapshot]:
    """Yield the generation with tables of its own: the facts of the market's code if it has one, and not too many."""
    if isinstance(db, MarketSnapshot):
        yield db
        return
    with db.code_snapshot(_code_values(market)) as found:
        yield found


def _code_values(market: Market) -> dict[str, Any] | None:
    """Return what chooses the facts of the market's code; None if it is not of one code in one month."""
    if market.code is None or not market.year_month:
        return None
    return {name: value for name, value in market.parameters.items() if name in _CODE_PARAMETERS}


def counted_rates(db: Snapshot, market: Market, *, areas: bool = False) -> tuple[str, dict[str, Any]]:
    """Return SQL that selects the market's rates, and its parameters. A row stands for `rate_count` rates.

    The columns are those of `counted_rate`, see `Snapshot.market_snapshot`. Where `db` has no cache, they are all of
    market_facts. A cache has `group_area` or not.
    """
    if db.market_values is None:
        facts, parameters = market_facts(db, market, areas=areas)
        return f"(SELECT f.*, 1 AS rate_count FROM ({facts}) f)", parameters
    cached, asked = db.market_values, market.parameters
    chosen = [name for name in _CODE_PARAMETERS if name in cached]
    if any(cached.get(name) != asked.get(name) for name in (*chosen, *_PROVIDER_FILTERS)):
        raise ValueError("the cache is of another market")
    # The cached facts are already those of the network, NPI or TIN, and no longer say whose they are. Conditions that
    # all of them meet are left out: DuckDB keeps the plan of a question without parameters.
    filters = {name: value for name, value in asked.items() if name not in (*chosen, *_PROVIDER_FILTERS)}
    return f"(SELECT * FROM {COUNTED_RATE} f WHERE {_all_of(filters)})", filters


def rates_of_market(db: Snapshot, market: Market) -> tuple[str, dict[str, Any]]:
    """Return SQL of the market's facts with all their columns, and its parameters: from memory where `db` has them."""
    if db.code_values is None:
        return f"(SELECT f.* FROM {FACT_RATE.name} f WHERE {market.where})", market.parameters
    names = [name for name in market.parameters if name not in _CODE_PARAMETERS]
    of_profile = [name for name in names if name in PROFILE_FILTERS]
    where = _all_of(name for name in names if name not in of_profile)
    if of_profile:
        where += f" AND f.pg_uid IN (SELECT pg_uid FROM {_chosen_groups(db, market, of_profile)})"
    return f"(SELECT f.* FROM {MARKET_FACT} f WHERE {where})", used_parameters(where, market.parameters)


def _chosen_groups(db: Snapshot, market: Market, names: Sequence[str]) -> str:
    """Return the table in memory of the groups of a code with a provider who meets these of PROFILE_FILTERS."""
    values = "|".join(f"{name}={getattr(market, name)}" for name in names)
    table = f"groups_{values.encode().hex()}"
    members = market_members(db, market)
    chosen = f"SELECT DISTINCT pg_uid FROM {members} WHERE {profile_condition(names)}"
    db.keep_table(table, chosen, market.parameters)
    return table


def market_members(db: Snapshot, market: Market) -> str:
    """Return SQL of the rows of group_profile for the groups of a code: from memory where `db` has its facts.

    A row is what some providers of a group have in common. Of 300,000 rows of a month, a code has a few hundred.
    """
    rows = f"SELECT * FROM {GROUP_PROFILE.name} WHERE year_month = $year_month"
    if db.code_values is None:
        return f"({rows})"
    # The list is one row to the planner, see rates.count_market.
    groups = f"""SELECT unnest(list) FROM (SELECT list(DISTINCT pg_uid) AS list FROM {MARKET_FACT})"""
    db.keep_table(_MEMBERS, f"{rows} AND pg_uid IN ({groups})", {"year_month": market.year_month})
    return _MEMBERS


_MEMBERS = "market_member"
"""The table in memory of what the providers of a code's groups are."""


def _all_of(names: Iterable[str], month: str = "$year_month") -> str:
    """Return the condition on fact_rate AS f that all of these filters set. `month` is as in `filter_condition`."""
    names = list(names)
    of_profile = [name for name in names if name in PROFILE_FILTERS]
    conditions = [filter_condition(name, month) for name in names if name not in of_profile]
    if of_profile:
        # One set for all of them: a cardiologist of another town and a surgeon of this one are no cardiologist here.
        conditions.append(replace(FILTERS[of_profile[0]], condition=profile_condition(of_profile)).restrict(month))
    return " AND ".join(conditions) or "true"


def profile_condition(names: Iterable[str]) -> str:
    """Return the condition on group_profile that these of PROFILE_FILTERS set, and that a provider of a group meets."""
    return " AND ".join(FILTERS[name].condition for name in names) or "true"


def groups_sql(facts: str) -> str:
    """Return SQL of the provider groups of `facts`, SQL of facts, each with its number of `rates`."""
    return f"SELECT pg_uid, count(*) AS rates FROM {facts} GROUP BY pg_uid"


def market_facts(db: Snapshot, market: Market, *, areas: bool = False) -> tuple[str, dict[str, Any]]:
    """Return what rates_of_market does, with `payee`, and with `group_area` if `areas` are asked for."""
    rates, parameters = rates_of_market(db, market)
    facts = f"SELECT f.*, {payee_sql(db.manifest)} AS payee FROM {rates} f"
    if not areas:
        return facts, parameters
    sql = with_group_areas(facts, by_month=bool(market.year_month))
    return sql, parameters | used_parameters(sql, market.parameters)


RATE_COUNT = "sum(rate_count)::BIGINT"
"""SQL of how many rates the rows of counted_rates stand for."""


def asked_place(market: Market) -> str | None:
    """Return SQL of the one place of service that is asked about, or None."""
    return "$pos" if market.pos else None


def filter_condition(name: str, month: str = "$year_month") -> str:
    """Return the condition of one filter on fact_rate AS f, which binds a parameter of the filter's name.

    `month` is the parameter with the month, or empty for all months. The filter by evidence needs a code.
    """
    if name == EVIDENCE:
        return likely_condition(month)
    if name == "year_month":
        return f"f.year_month = {month}"
    if name in {BASIS, AREA}:
        return f"${name} IS NOT NULL"  # DuckDB refuses a parameter that no condition uses
    return FILTERS[name].restrict(month) if name in FILTERS else f"f.{name} = ${name}"
