"""The organizations and people whose names, town, or specialty a search names, those with most codes first."""

from dataclasses import dataclass, field
from typing import Annotated

from core.queries.find.known_providers import KNOWN_ORGANIZATION, PROVIDER_NAME, named_cursor
from core.queries.find.organization_rates import organization_rates
from core.queries.rules.columns import (
    OrganizationKey,
    SystemConfidence,
    SystemKey,
    SystemName,
    SystemSource,
    TinCount,
    described,
)
from core.queries.rules.folded_names import contains_words
from core.queries.rules.named_rows import fetch_page
from core.store.connection import Snapshot
from core.store.sql import used_parameters
from core.store.watched_cursor import WatchedCursor

_RATES = "organization_rates"
"""What the tables in memory begin with that organization_rates returns."""

_FOUND = "found_name"
"""The table in memory of the names that a search finds."""


@dataclass(frozen=True)
class FoundOrganization:
    """An organization that a search finds: its tax IDs and the NPIs of its name together, with their rates."""

    organization_id: OrganizationKey
    organization_name: Annotated[str, described("Name of the organization.", "EXAMPLE FAMILY PRACTICE LLC")]
    city: Annotated[str | None, described("Its city; null if no address is known.", "ATLANTA")]
    state: Annotated[str | None, described("Its state; null if no address is known.", "GA")]
    tins: TinCount
    inferred: Annotated[int, described("Number of its tax IDs that are part of it by inference.", 0)]
    name_inferred: Annotated[bool, described("Whether no list names it: its name is that of its members.", False)]
    system_id: SystemKey
    system_name: SystemName
    system_source: SystemSource
    system_confidence: SystemConfidence
    tin: Annotated[str | None, described("The first of its tax IDs; null if none is known to be its own.", "123456789")]
    npi: Annotated[str | None, described("The first NPI of its name and state; null if there is none.", "1234567893")]
    npis: Annotated[int, described("Number of NPIs with its name in its state, whether or not it bills for them.", 10)]
    rates_state: Annotated[
        str | None,
        described("State of the numbers: the one that the text names, or the one with most of its rates.", "GA"),
    ]
    rates: Annotated[
        int | None,
        described("Number of its rates in that state, of each payer's newest month; null if not counted.", 120),
    ]
    codes: Annotated[int | None, described("Number of codes of these rates.", 40)]
    procedures: Annotated[
        int | None,
        described("Number of these codes that are procedures or visits, not laboratory tests, with dollar rates.", 30),
    ]
    other_name: Annotated[
        str | None,
        described("The other name by which it was found; null if its name matches.", "EXAMPLE CLINIC"),
    ] = None


@dataclass(frozen=True)
class Provider:
    """An organization by its tax ID, or a person or organization by its NPI."""

    by: Annotated[str, described("npi or tin.", "npi")]
    value: Annotated[str, described("The NPI or the tax ID.", "1234567893")]
    name: Annotated[str | None, described("Name of the provider, if it is known.", "DOE, JANE")]
    other_name: Annotated[
        str | None,
        described("The other name by which the provider was found; null if its name matches.", "JANE ROE"),
    ] = None
    city: Annotated[
        str | None,
        described("City and state where the NPI practices; null of an EIN, and if it is not known.", "ATLANTA, GA"),
    ] = None


@dataclass(frozen=True)
class NamedPlace:
    """A place and a specialty that a search names. None stands for any."""

    state: str | None = None
    city: str | None = None
    """A city and its state, such as DALLAS, TX; or the city alone."""
    zip: str | None = None
    specialty: str | None = None

    @property
    def has_town(self) -> bool:
        """Return whether a city or a ZIP code is named."""
        return bool(self.city or self.zip)

    @property
    def condition(self) -> str:
        """Return the condition on PROVIDER_NAME that it makes: empty if it is anywhere."""
        city = "city = $city" if ", " in (self.city or "") else "starts_with(city, $city || ', ')"
        state = "" if self.has_town else "state = $state"
        conditions = {"zip": "zip = $zip", "city": city, "state": state, "specialty": "specialty = $specialty"}
        said = [sql for name, sql in conditions.items() if sql and getattr(self, name)]
        return " AND ".join(["\"by\" = 'npi'", *said]) if said else ""

    @property
    def parameters(self) -> dict[str, str]:
        """Return the values that the condition binds."""
        names = ("zip", "city", "specialty", *(() if self.has_town else ("state",)))
        return {name: value for name in names if (value := getattr(self, name))}


@dataclass(frozen=True)
class FoundProviders:
    """What providers a search finds: organizations, each once, and people by their names and by their place."""

    organizations: list[FoundOrganization] = field(default_factory=list)
    organizations_in_all: int = 0
    people: list[Provider] = field(default_factory=list)
    local_people: list[Provider] = field(default_factory=list)
    local_people_in_all: int = 0

    @property
    def is_empty(self) -> bool:
        """Return whether there are none."""
        return not (self.organizations or self.people or self.local_people)


def find_providers(
    db: Snapshot,
    text: str,
    limit: int,
    *,
    within: NamedPlace | None = None,
    at: NamedPlace | None = None,
    state: str | None = None,
) -> FoundProviders:
    """Return the providers whose name and town have each word of a text, at least one of them in the name.

    With `within`, they are of that place. Those `at` a place are found as well, whatever their names. Providers of
    `state` come before the others.
    """
    words, has_all = contains_words(text, "folded", "joined")
    in_name = " OR ".join(f"contains(named, ${name})" for name in words if name.startswith("word"))
    place = (within or NamedPlace()).condition
    named = " AND ".join(filter(None, (f"({has_all})", f"({in_name})", place))) if words else "false"
    local = (at.condition if at else "") or "false"
    if (named, local) == ("false", "false"):
        return FoundProviders()
    first = "starts_with(folded, $word0)" if words else "false"
    values = {**words, **(within or NamedPlace()).parameters, **(at or NamedPlace()).parameters}
    rates = organization_rates(db)
    with named_cursor(db) as (cursor, tables):
        sql = f"""WITH {tables} chosen AS (FROM {PROVIDER_NAME} WHERE ({named}) OR ({local}))
                  SELECT key, "by", value, name, known_as, is_other, city, coalesce({named}, false) AS is_named,
                         coalesce(NOT is_other AND {local}, false) AS is_local, {first} AS first
                  FROM chosen"""
        found = cursor.read_arrow(sql, used_parameters(sql, values))
        if not found.num_rows:
            return FoundProviders()
        cursor.plain.register(_FOUND, found)
        of_states = [f"{_RATES}_{number}" for number in range(len(rates))]
        for name, table in zip(of_states, rates, strict=True):
            cursor.plain.register(name, table)
        no_people = (0, list[Provider]())
        has_people = found["key"].null_count
        total, organizations = fetch_page(
            cursor,
            FoundOrganization,
            _organizations_sql(tables, " UNION ALL ".join(f"FROM {name}" for name in of_states)),
            {"state": state, "limit": limit, "offset": 0},
        )
        _, people = _list_people(cursor, "is_named", limit) if words and has_people else no_people
        number, local_people = _list_people(cursor, "is_local", limit) if at and has_people else no_people
    return FoundProviders(organizations, total, people, local_people, number)


def _organizations_sql(tables: str, rates: str) -> str:
    return f"""
        WITH {tables} organization AS (
            SELECT key, bool_or(is_named) AS is_named, bool_and(is_other) AS is_other, bool_or(first) AS first,
                   -- Of an organization with several towns, the one that is asked for.
                   min(split_part(f.city, ', ', 1)) FILTER (is_local) AS local_city,
                   min(split_part(f.city, ', ', 2)) FILTER (is_local) AS local_state,
                   min(known_as) FILTER (is_other AND is_named) AS known_as
            FROM {_FOUND} f WHERE key IS NOT NULL GROUP BY key),
        counted AS (
            SELECT r.key, r.state AS rates_state, rates, codes, procedures
            FROM ({rates}) r SEMI JOIN organization USING (key)
            QUALIFY row_number() OVER (
                PARTITION BY r.key ORDER BY coalesce(r.state = $state, false) DESC, rates DESC, r.state) = 1)
        SELECT count(*) OVER () AS total, o.* EXCLUDE (key)
               REPLACE (coalesce(local_city, o.city) AS city, coalesce(local_state, o.state) AS state),
               rates_state, rates, codes, procedures,
               if(is_other, known_as, NULL) AS other_name
        FROM organization JOIN {KNOWN_ORGANIZATION} o USING (key) LEFT JOIN counted USING (key)
        -- Rates under a tax ID of somebody else's name say less of an organization than those under its own.
        ORDER BY is_named DESC, is_other, coalesce(o.state = $state, false) DESC,
                 coalesce(procedures, 0) > 0 AND tins > 0 DESC, coalesce(procedures, 0) > 0 DESC, first DESC,
                 procedures DESC NULLS LAST, codes DESC NULLS LAST, tins DESC, organization_name, key
        LIMIT $limit OFFSET $offset"""


def _list_people(cursor: WatchedCursor, condition: str, limit: int) -> tuple[int, list[Provider]]:
    return fetch_page(
        cursor,
        Provider,
        f"""SELECT count(*) OVER () AS total, "by", value, name, if(is_other, known_as, NULL) AS other_name,
                   city
            FROM (FROM {_FOUND} WHERE {condition} AND key IS NULL
                  QUALIFY row_number() OVER (PARTITION BY value ORDER BY is_other, "by" DESC, known_as) = 1)
            ORDER BY first DESC, is_other, name NULLS LAST, value LIMIT $limit OFFSET $offset""",
        {"limit": limit, "offset": 0},
    )
