"""Payers, cities, and ZIP codes of a generation, by which a search box tells what its words name."""

from dataclasses import dataclass
from typing import Annotated

from core.queries import coverage
from core.queries.loaded_files import list_shared_files
from core.queries.rules.columns import PayerName, PayerSlug, RateCount, described
from core.queries.rules.folded_names import folded_sql
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.vocabulary.find_names import NamedPayer

_MAX_PROVIDER_WORDS = 200_000
"""A near word among so many is found in some 30 ms."""


@dataclass(frozen=True)
class FoundPayer:
    """A payer that matches."""

    payer_slug: PayerSlug
    reporting_entity_name: PayerName
    rates: RateCount
    why: Annotated[
        str | None,
        described(
            "Why a payer of another name is found; null if its own name was said.",
            "third-party administrator owned by UnitedHealth Group; not UnitedHealthcare’s network rates",
        ),
    ] = None


@dataclass(frozen=True)
class NamedThings:
    """What the words of a search may name besides codes and providers."""

    payers: dict[str, FoundPayer]
    """The payers by their slug, those with most rates first."""
    cities: dict[str, tuple[str, ...]]
    """The cities of the providers, in capitals, with the states that have one of that name."""
    zip_codes: frozenset[str]
    """The ZIP codes of the providers."""

    @property
    def payer_names(self) -> list[NamedPayer]:
        """The payers' names."""
        return [NamedPayer(one.payer_slug, one.reporting_entity_name) for one in self.payers.values()]


def named_things(db: Snapshot) -> NamedThings:
    """Return what is named in a generation. It is read once."""
    return db.ask_once(_read_named_things)


def _read_named_things(db: Snapshot) -> NamedThings:
    rates: dict[str, int] = {}
    for row in coverage.list_coverage(db):
        rates[row.payer_slug] = rates.get(row.payer_slug, 0) + row.rates
    for one in list_shared_files(db):
        rates[one.payer_slug] -= one.rates * (len(one.states) - 1)
    names = db.rows("SELECT payer_slug, reporting_entity_name FROM dim_reporting_entity")
    payers = [FoundPayer(slug, name, rates.get(slug, 0)) for slug, name in names]
    cities: dict[str, list[str]] = {}
    for (place,) in db.rows("SELECT DISTINCT city FROM provider_profile WHERE city IS NOT NULL ORDER BY city"):
        city, _, state = place.rpartition(", ")
        cities.setdefault(city, []).append(state)
    return NamedThings(
        {
            one.payer_slug: one
            for one in sorted(payers, key=lambda one: (-one.rates, one.reporting_entity_name.lower()))
        },
        {city: tuple(states) for city, states in cities.items()},
        frozenset(one for (one,) in db.rows("SELECT DISTINCT zip FROM provider_profile WHERE zip IS NOT NULL")),
    )


def provider_words(db: Snapshot) -> tuple[str, ...]:
    """Return the words of providers' names, folded, in order; none if they are too many to look for a near one.

    They are read once.
    """
    return db.ask_once(_read_provider_words)


def _read_provider_words(db: Snapshot) -> tuple[str, ...]:
    rows = db.rows(
        f"""SELECT DISTINCT unnest(string_split(folded, ' ')) AS word FROM (
                SELECT {folded_sql("business_name")} AS folded FROM named_tin WHERE business_name IS NOT NULL
                UNION SELECT {folded_sql("name")} FROM dim_npi WHERE name IS NOT NULL)
            ORDER BY word LIMIT {_MAX_PROVIDER_WORDS + 1}"""
    )
    return tuple(word for (word,) in rows) if len(rows) <= _MAX_PROVIDER_WORDS else ()


@dataclass(frozen=True)
class KnownProviders:
    """Of how many of the loaded rates' providers the town and the specialty are known."""

    placed: int
    with_specialty: int
    in_all: int


def count_known_providers(db: Snapshot) -> KnownProviders:
    """Return how many providers of the loaded rates can be found by their town or specialty, and how many there are."""
    return db.ask_once(_count_known_providers)


def _count_known_providers(db: Snapshot) -> KnownProviders:
    (found,) = read_rows(
        db,
        KnownProviders,
        """SELECT count(p.city) AS placed, count(p.specialty) AS with_specialty, count(*) AS in_all
           FROM dim_npi LEFT JOIN provider_profile p USING (npi)""",
    )
    return found
