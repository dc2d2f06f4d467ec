"""The rates that a question is about: state, month, code and filters, as a WHERE clause with bound parameters."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field

from core.fields.places.care_setting import SIDES
from core.queries.rules.columns import Month, State, described
from core.queries.rules.evidence import EVIDENCE, likely_condition
from core.queries.rules.latest_files import LatestFiles
from core.queries.rules.market_filters import (
    CLASSES,
    CODE_PARAMETERS,
    MARKET_PARAMETERS,
    PROFILE_FILTERS,
    PROVIDER_FILTERS,
    STATE_MEAN,
    ZIPS_NEAR,
    all_of,
    profile_condition,
    with_often_asked,
)
from core.queries.rules.measured_class import LIKE_CLASSES
from core.queries.rules.rate_kinds import CARE_SETTINGS_OF_SETS
from core.store.connection import MarketSnapshot, Snapshot
from core.store.generations.manifest import BY_GROUP
from core.store.market.market_facts import MONTHS
from core.store.market.market_months import (
    MarketMonth,
    MarketMonths,
    facts_in_months,
    in_months,
    month_parameters,
    months_sql,
)
from core.store.schema.profile_tables import OF_ZIP
from core.store.schema.tables import DIM_GROUP_AREA, FACT_RATE, GROUP_PROFILE
from core.store.sql import used_parameters
from core.store.views import COUNTED_RATE, MARKET_FACT, payee_sql, with_group_areas


@dataclass(frozen=True)
class Market:
    """A selection of rates by state, month, code and filters. A filter that is not set does not narrow it.

    `payer` is a payer_slug; `pos` also matches sets with CSTM-00 (every place); `modifier` is one modifier of the rate,
    or NO_MODIFIER. `billing_class`, `setting`, `negotiated_type` and `arrangement` may be NOT_STATED. An empty
    `year_month` selects the newest month of each payer, if `latest` has them (see core/queries/latest.py), or else
    every month. `basis`, `area`, `classes`, and `yardstick` select no rates, see BASIS, AREA, CLASSES, and YARDSTICK.
    """

    state: State
    year_month: Month
    code_type: Annotated[str | None, described("Code system.", "CPT")] = None
    code: Annotated[str | None, described("Billing code.", "99213")] = None
    care_setting: Annotated[
        str | None,
        described(
            "office, hospital outpatient, surgical center, inpatient, other place, or unstated; or, of professionals, "
            "one of `non-facility or unstated` and `facility or unstated`.",
            None,
        ),
    ] = None
    payer: Annotated[str | None, described("Key of the payer, as `payer_slug` has it.", None)] = None
    pos: Annotated[str | None, described("Place of service; also matches rates for every place (CSTM-00).", None)] = (
        None
    )
    billing_class: Annotated[str | None, described("Billing class.", None)] = None
    modifier: Annotated[str | None, described("One modifier, or `none` for rates without one.", None)] = None
    setting: Annotated[str | None, described("Setting as the file states it.", None)] = None
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
    classes: Annotated[
        str | None,
        described(
            "`all` if rates of all classes were asked for; null if the answer is about the class with most rates.", None
        ),
    ] = None
    yardstick: Annotated[
        str | None,
        described(
            "What rates are measured by: null for Medicare, `compensation` for the state's workers' compensation "
            "schedule.",
            None,
        ),
    ] = None
    latest: Annotated[Any, Field(exclude=True)] = None
    """LatestFiles of the state, or None. Any, so that texts by name can be the arguments of a market."""

    @property
    def months(self) -> MarketMonths:
        """The months of the market's rates, newest first, and the payers whose rates of each it has; none for all."""
        if self.year_month:
            return (MarketMonth(self.year_month),)
        if self.latest is None:
            return ()
        latest: LatestFiles = self.latest
        month = latest.month_of(self.payer) if self.payer else ""
        return (MarketMonth(month),) if month else latest.months

    @property
    def one_month(self) -> str:
        """The month of all of the market's rates; empty text if they may be of several."""
        return self.months[0].year_month if len(self.months) == 1 else ""

    @property
    def newest_month(self) -> str:
        """The newest month of the market; empty text for a market of every month."""
        return self.months[0].year_month if self.months else ""

    def month_of(self, payer_slug: str) -> str:
        """Return the month of a payer's rates in the market; empty text for a market of every month."""
        latest: LatestFiles | None = self.latest
        return self.year_month or (latest.month_of(payer_slug) if latest else "")

    @property
    def month_names(self) -> list[str]:
        """The months of the market without their payers, newest first."""
        return [one.year_month for one in self.months]

    @property
    def months_sql(self) -> str:
        """The parameters of the months, for `in_months`."""
        return months_sql(self.months)

    @property
    def parameters(self) -> dict[str, Any]:
        """The values that `where` binds, by name."""
        others = {name: value for name in self._set_parameters if (value := getattr(self, name))}
        return {**({"state": self.state} if self.state else {}), **month_parameters(self.months), **others}

    @property
    def _set_parameters(self) -> list[str]:
        chosen_otherwise = {"state", "year_month", CLASSES}
        return [name for name in MARKET_PARAMETERS if name not in chosen_otherwise and getattr(self, name)]

    @property
    def filter_names(self) -> list[str]:
        """The names of the parameters that are set besides those that choose the facts of a code."""
        return [name for name in self._set_parameters if name not in CODE_PARAMETERS]

    @property
    def where(self) -> str:
        """The condition on fact_rate AS f. Every value is a named parameter."""
        return self._where(facts_in_months(self.months), self.months_sql)

    def where_in(self, month: str) -> str:
        """Return the same condition with another parameter as the month. It has no effect on a market of all months."""
        return self._where(in_months("f.year_month", month), month) if self.months else self.where

    def _where(self, of_months: str, month: str) -> str:
        names = self._set_parameters
        first = " AND ".join(["f.state = $state"] * bool(self.state) + [of_months] * bool(self.months))
        if self.code or self.evidence is None:
            return _and(first, all_of(names, month, measured=self.measured_filters))
        # The evidence depends on each rate's code. It is found for the rates that meet the other conditions.
        names = [name for name in names if name != EVIDENCE]
        others = _and(first, all_of(names, month, measured=self.measured_filters))
        facts = BY_GROUP if self.of_provider else FACT_RATE.name
        asked = f"SELECT DISTINCT f.pg_uid, f.code_type, f.code FROM {facts} f WHERE {others}"
        return f"{others} AND {likely_condition(month, asked)}"

    @property
    def is_measured(self) -> bool:
        """Whether the billing class is one of LIKE_CLASSES: rates are selected by the class they are measured as."""
        return self.billing_class in LIKE_CLASSES

    @property
    def measured_filters(self) -> Collection[str]:
        """The filters that are set and select by the class that rates are measured as.

        Where a rate lists no place, that class decides whose bill it is. The sides of professionals ask for no class.
        """
        by_class = ["billing_class"] * self.is_measured
        return by_class + ["care_setting"] * (self.care_setting is not None and self.care_setting not in SIDES)

    @property
    def of_provider(self) -> bool:
        """Whether it is the market of one provider: of an NPI, a tax ID, or all tax IDs of an organization or system.

        Its provider groups are few, so its facts are found by group.
        """
        return bool(self.npi or self.tin or self.organization or self.system)

    @property
    def in_any_month(self) -> "Market":
        """The same market in all months."""
        return replace(self, year_month="", latest=None)

    @property
    def of_code(self) -> "Market":
        """The market of the same state, month and code, without any filter."""
        return Market(self.state, self.year_month, self.code_type, self.code, latest=self.latest)

    @property
    def unfiltered(self) -> "Market":
        """The market of the same state, month, code and provider groups, without the other filters."""
        return replace(self.of_code, **{name: getattr(self, name) for name in PROVIDER_FILTERS})

    def without(self, *names: str) -> "Market":
        """Return the market without some of its filters."""
        return Market(**{**vars(self), **dict.fromkeys(names)})


def _and(*conditions: str) -> str:
    return " AND ".join(one for one in conditions if one not in {"", "true"}) or "true"


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
    if market.code is None and not market.of_provider:
        yield db
        return
    facts = market.unfiltered
    of_code, month = _code_values(market), facts.months_sql
    if of_code is None:
        table = BY_GROUP if market.code is None else FACT_RATE.name
        with db.market_snapshot(facts.where, facts.parameters, table, areas=areas, month=month) as cached:
            yield cached
        return
    with db.market_snapshot(
        lambda memory: _where_in_memory(memory, facts), facts.parameters, areas=areas, month=month, code_values=of_code
    ) as cached:
        yield cached


@contextmanager
def percent_cache(db: Snapshot, market: Market) -> Iterator[Snapshot]:
    """Yield a snapshot for several questions about percents of one market, which compares its rates once.

    A code's or a provider's rates are in memory, counted by area if they are compared in their own areas. Of a market
    without either, only what the rates are compared with is kept, see with_compared_terms.
    """
    if market.code or market.of_provider:
        with market_cache(db, market, areas=uses_own_areas(db, market)) as cached:
            yield cached
        return
    with facts_in_memory(db, market) as memory:
        yield memory


@contextmanager
def facts_in_memory(db: Snapshot, market: Market) -> Iterator[MarketSnapshot]:
    """Yield the generation with tables of its own: the facts of the market's code if it has one, and not too many."""
    if isinstance(db, MarketSnapshot):
        yield db
        return
    with db.code_snapshot(_code_values(market)) as found:
        yield found


def _code_values(market: Market) -> dict[str, Any] | None:
    """Return what chooses the facts of the market's code; None if it is not of one code, or of every month."""
    # Of all payers: the facts of a code are read once, whichever payer is looked at.
    months = market.without("payer").months
    if market.code is None or not months:
        return None
    of_code = {name: getattr(market, name) for name in ("state", "code_type", "code") if getattr(market, name)}
    return {**of_code, MONTHS: months}


def counted_rates(db: Snapshot, market: Market, *, areas: bool = False) -> tuple[str, dict[str, Any]]:
    """Return SQL that selects the market's rates, and its parameters. A row stands for `rate_count` rates.

    The columns are those of `counted_rate`, see `Snapshot.market_snapshot`. Where `db` has no cache, they are all of
    market_facts. A cache has `group_area` or not.
    """
    if db.market_values is None:
        facts, parameters = market_facts(db, market, areas=areas)
        return f"(SELECT f.*, 1 AS rate_count FROM ({facts}) f)", parameters
    cached, asked = db.market_values, market.unfiltered.parameters
    # The cache of a provider has all of its codes.
    of_code = [name for name in ("code_type", "code") if name not in cached]
    if cached != {name: value for name, value in asked.items() if name not in of_code}:
        raise ValueError("the cache is of another market")
    # The cached facts are already those of the network, NPI or TIN, and no longer say whose they are. Conditions that
    # all of them meet are left out: DuckDB keeps the plan of a question without parameters.
    names = [name for name in market.filter_names if name not in PROVIDER_FILTERS]
    filters = {name: getattr(market, name) for name in (*of_code, *names) if getattr(market, name)}
    of_rates = from_memory(db, market, all_of(filters, "", counted=True, measured=market.measured_filters))
    selection = f"SELECT * FROM {COUNTED_RATE} f WHERE {of_rates}"
    return _selected(db, COUNTED_RATE, selection, filters)


def rates_of_market(db: Snapshot, market: Market) -> tuple[str, dict[str, Any]]:
    """Return SQL of the market's facts with all their columns, and its parameters: from memory where `db` has them."""
    if db.code_values is None:
        return f"(SELECT f.* FROM {FACT_RATE.name} f WHERE {market.where})", market.parameters
    selection = f"SELECT f.* FROM {MARKET_FACT} f WHERE {_where_in_memory(db, market)}"
    # Of all payers, whose months may be more than those of one.
    parameters = {**market.without("payer").parameters, **market.parameters}
    return _selected(db, MARKET_FACT, selection, used_parameters(selection, parameters))


def _where_in_memory(db: Snapshot, market: Market) -> str:
    """Return the condition of the market's filters on the facts of its code, AS f: in memory where `db` has them."""
    names, whole = market.filter_names, market.without("payer")
    of_profile = [name for name in names if name in PROFILE_FILTERS] if db.code_values is not None else []
    others = [name for name in names if name not in of_profile]
    where = from_memory(db, market, all_of(others, whole.months_sql, measured=market.measured_filters))
    if of_profile:
        where += f" AND f.pg_uid IN (SELECT pg_uid FROM {_chosen_groups(db, whole, of_profile)})"
    return where


def _selected(db: Snapshot, table: str, selection: str, parameters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return SQL of a selection from a table in memory, and its parameters: none where the selection can be kept."""
    has_condition = bool(parameters)
    selection, parameters = with_often_asked(selection, parameters)
    if has_condition and isinstance(db, MarketSnapshot) and db.count_shown(table) <= _MAX_SELECTED:
        return db.keep_selection(table, selection, parameters), {}
    return f"({selection})", parameters


_MAX_SELECTED = 20_000
"""Of how many rows a selection is kept. Copying more takes longer than planning a page's questions again."""


def _chosen_groups(db: Snapshot, market: Market, names: Sequence[str]) -> str:
    """Return the table in memory of the groups of a code with a provider who meets these of PROFILE_FILTERS."""
    values = "|".join(f"{name}={getattr(market, name)}" for name in names)
    table = f"groups_{values.encode().hex()}"
    members = market_members(db, market)
    chosen = f"SELECT DISTINCT pg_uid FROM {members} WHERE {members_condition(db, market, names)}"
    db.keep_table(table, chosen, market.parameters)
    return table


def members_condition(db: Snapshot, market: Market, names: Iterable[str]) -> str:
    """Return the condition on market_members that these of PROFILE_FILTERS set."""
    return from_memory(db, market, profile_condition(names))


def from_memory(db: Snapshot, market: Market, condition: str) -> str:
    """Return a condition that reads what it needs from tables in memory, where `db` can show them.

    They are made once, for all codes: the settings of care of each set of places, and the ZIP codes around a place.
    """
    if not isinstance(db, MarketSnapshot):
        return condition
    if CARE_SETTINGS_OF_SETS in condition:
        db.shown.add(_CARE_SETTINGS, db.ask_once(_care_settings_of_sets))
        condition = condition.replace(CARE_SETTINGS_OF_SETS, f"SELECT * FROM {_CARE_SETTINGS}")
    if ZIPS_NEAR in condition:
        db.keep_for_all_markets(_NEAR_ZIPS, ZIPS_NEAR, {"near": market.near})
        condition = condition.replace(ZIPS_NEAR, f"SELECT zip FROM {_NEAR_ZIPS}")
    return condition


def _care_settings_of_sets(db: Snapshot) -> Any:
    return db.arrow_rows(CARE_SETTINGS_OF_SETS, {})


_CARE_SETTINGS, _NEAR_ZIPS = "care_setting_of_set", "near_zip"
"""The tables in memory that from_memory shows."""


def market_members(db: Snapshot, market: Market) -> str:
    """Return SQL of the rows of group_profile for the groups of a code: from memory where `db` has its facts.

    A row is what some providers of a group have in common. Of 300,000 rows of a month, a code has a few hundred.
    """
    if not isinstance(db, MarketSnapshot) or db.code_values is None:
        return f"(SELECT * FROM {GROUP_PROFILE.name} WHERE {in_months('year_month', market.months_sql)})"
    # Of all payers, so that the table in memory is the same whichever is looked at.
    months = market.without("payer").month_names
    db.make_for(
        _MEMBERS,
        tuple(months),
        lambda: db.show_rows_of(_MEMBERS, GROUP_PROFILE.name, "pg_uid", _OF_MEMBER, of=MARKET_FACT, months=months),
    )
    return _MEMBERS


_OF_MEMBER = ("zip", "city", "specialty", "entity_type", *OF_ZIP)
"""What is known of the providers of a group, besides how many they are."""

_MEMBERS = "market_member"
"""The table in memory of what the providers of a code's groups are."""


OF_PROVIDER_GROUP = ("batch_id", "network_names")
"""What questions look up about provider groups: the same for all, so that it is in memory once."""


def groups_sql(facts: str) -> str:
    """Return SQL of the provider groups of `facts`, SQL of facts, each with its number of `rates`."""
    return f"SELECT pg_uid, count(*) AS rates FROM {facts} GROUP BY pg_uid"


def market_facts(db: Snapshot, market: Market, *, areas: bool = False) -> tuple[str, dict[str, Any]]:
    """Return what rates_of_market does, with `payee`, and with `group_area` if `areas` are asked for."""
    rates, parameters = rates_of_market(db, market)
    facts = f"SELECT f.*, {payee_sql(db.manifest)} AS payee FROM {rates} f"
    if not areas:
        return facts, parameters
    sql = with_group_areas(facts, market.months_sql)
    return sql, parameters | used_parameters(sql, market.parameters)


RATE_COUNT = "sum(rate_count)::BIGINT"
"""SQL of how many rates the rows of counted_rates stand for."""


def asked_place(market: Market) -> str | None:
    """Return SQL of the one place of service that is asked about, or None."""
    return "$pos" if market.pos else None
