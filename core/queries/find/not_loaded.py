"""What a search names of which no rate is loaded: a payer, a town, a hospital, a word that nothing has.

Without this, one such word would hide everything else that the text says: "colonoscopy san antonio" would find nothing
where no provider is known in San Antonio.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from core.fields.places.states import STATES
from core.queries.find.code_index import CodeIndex
from core.queries.find.named_things import NamedThings
from core.queries.rules.columns import described
from core.queries.rules.folded_names import fold_name, folded_sql, has_words
from core.store.connection import Snapshot
from core.vocabulary.find_names import find_city, find_payers, find_specialty
from core.vocabulary.find_services import is_service_word
from core.vocabulary.search_text import SearchText
from core.vocabulary.service_words import optional_words, stem

_OF_MANY_HOSPITALS = frozenset((
    "the", "of", "at", "and", "hospital", "hospitals", "medical", "center", "centre", "ctr", "health", "healthcare",
    "system", "clinic", "regional", "emergency", "er",
))  # fmt: skip
"""Words that hospitals' names have in one list and not in another, or abbreviated."""


_PROGRAMS = frozenset({"medicare", "medicaid"})
_KINDS_OF_PROGRAM = frozenset({"advantage", "supplement", "managed", "plan", "plans", "rates", "rate"})
"""Words for what payers offer in a public program, which is no payer."""


@dataclass(frozen=True)
class KnownHospital:
    """A hospital of CMS's list, whether or not a rate is loaded for it."""

    name: Annotated[str, described("The hospital's name.", "EXAMPLE MEMORIAL HOSPITAL")]
    city: Annotated[str | None, described("Its city.", "ATLANTA")]
    state: Annotated[str | None, described("Its state.", "GA")]


@dataclass(frozen=True)
class NotLoaded:
    """What a text names without any loaded rate, and the words that are left of it."""

    payer: Annotated[str | None, described("A payer that is known, as the text calls it.", None)] = None
    program: Annotated[
        str | None,
        described("A public program, whose plans are in no file of a payer: Medicare, Medicare Advantage.", None),
    ] = None
    place: Annotated[str | None, described("A place in which no provider is known to practice.", None)] = None
    words: Annotated[str, described("Words that nothing has.", "")] = ""
    hospitals: Annotated[list[KnownHospital], described("Hospitals that lists name, without known rates.", [])] = field(
        default_factory=list
    )

    @property
    def says_something(self) -> bool:
        """Return whether anything is named."""
        return bool(self.payer or self.program or self.place or self.words or self.hospitals)


def find_not_loaded(
    db: Snapshot, said: SearchText, index: CodeIndex, named: NamedThings, limit: int
) -> tuple[NotLoaded, list[str]]:
    """Return what a text names that is not loaded, and what to look for instead, the most words first."""
    place, state, words = _find_place(db, said, index, named)
    hospitals = [] if said.says_codes else _find_hospitals(db, said.words, limit)
    town = None if place else find_city(words, said.state, named.cities)
    if town is not None:
        # A town of the loaded rates' providers is looked for together with the rest.
        words = list(town.rest)
    found = find_payers(words, named.payer_names)
    payer = program = None
    if not found.names and len(found.rest) < len(words):
        payer, words = " ".join(_without(words, found.rest)), list(found.rest)
    if payer and payer.lower() in _PROGRAMS:
        kinds = [word for word in words if word.lower() in _KINDS_OF_PROGRAM]
        program, payer = " ".join((payer, *kinds)).title(), None
        words = [word for word in words if word not in kinds]
    kept, unknown = _known_words(words, index, named)
    if said.says_codes:
        kept = [code.code for code in said.codes if index.has(code)]
        unknown += [code.code for code in said.codes if not index.has(code) and code.code not in (place or "")]
    # A hospital's name says everything: what is left of it would be looked for among codes.
    texts = (
        []
        if said.says_codes or hospitals
        else _texts(kept, town.city.title() if town else None, (town.state if town else None) or state)
    )
    unknown_words = " ".join(unknown) if kept and not hospitals else ""
    return NotLoaded(payer, program, place, unknown_words, hospitals), texts


def _find_place(
    db: Snapshot, said: SearchText, index: CodeIndex, named: NamedThings
) -> tuple[str | None, str | None, list[str]]:
    """Return the place that is named, its state, and the words without it."""
    zips = [code.code for code in said.codes if code.code_type is None and not index.has(code)]
    zips += [said.zip_code] if said.zip_code else []
    rows = db.rows("SELECT zip, county, state FROM dim_zip WHERE zip IN (SELECT unnest($zips))", {"zips": zips})
    for zip_code, county, state in rows:
        if zip_code not in named.zip_codes:
            return f"ZIP {zip_code}{f' ({county}, {STATES.get(state, state)})' if county else ''}", state, said.words
    city = find_city(said.words, said.state, other_cities(db, named))
    if city is None:
        return None, said.state, said.words
    name = city.city.title()
    return (f"{name}, {city.state}" if city.state else name), city.state or said.state, list(city.rest)


def other_cities(db: Snapshot, named: NamedThings) -> Mapping[str, Collection[str]]:
    """Return the cities that have a hospital and no provider of a rate, with their states."""
    cities = db.ask_once(_hospital_cities)
    return {city: states for city, states in cities.items() if city not in named.cities}


def _hospital_cities(db: Snapshot) -> dict[str, list[str]]:
    rows = db.rows(
        "SELECT upper(city), list_sort(list(DISTINCT state)) FROM hospital WHERE city IS NOT NULL GROUP BY 1"
    )
    return dict(rows)


def _find_hospitals(db: Snapshot, words: Sequence[str], limit: int) -> list[KnownHospital]:
    """Return the hospitals whose name, system, and city have each word that tells one hospital from another."""
    telling = [fold_name(word).replace(" ", "") for word in words if word.lower() not in _OF_MANY_HOSPITALS]
    telling = [word for word in telling if word]
    if all(is_service_word(word) for word in telling) or not any(len(word) > 1 for word in telling):
        return []
    maybe = [one for one in db.ask_once(_read_hospitals) if telling[0] in one.joined]
    found = [one for one in maybe if has_words(one.folded, telling)]
    found.sort(key=lambda one: (not one.folded.startswith(telling[0]), one.hospital.name, one.hospital.city or ""))
    return [one.hospital for one in found[:limit]]


@dataclass(frozen=True)
class _HospitalText:
    folded: str
    """Its name, system, and city."""
    joined: str
    """The same without blanks."""
    hospital: KnownHospital


def _read_hospitals(db: Snapshot) -> list[_HospitalText]:
    """Return the hospitals of the list, a few thousand. They are read once, as each search looks at all of them."""
    folded = folded_sql("concat_ws(' ', name, system_name, city)")
    rows = db.rows(
        f"""SELECT {folded} AS folded, name, city, state FROM hospital WHERE name IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY folded, state ORDER BY ccn) = 1"""
    )
    return [
        _HospitalText(folded, folded.replace(" ", ""), KnownHospital(name, city, state))
        for folded, name, city, state in rows
    ]


def _known_words(words: Sequence[str], index: CodeIndex, named: NamedThings) -> tuple[list[str], list[str]]:
    """Return the words that something loaded or the vocabulary has, and the others."""
    payers = find_payers(words, named.payer_names)
    specialty = find_specialty([word for word in payers.rest if stem(word.lower()) not in optional_words()])
    names = set(_without(words, payers.rest)) if payers.names else set()
    if specialty.names:
        names |= set(_without(payers.rest, specialty.rest))
    known = [word for word in words if word in names or is_service_word(word) or index.spells(word.lower())]
    if all(stem(word.lower()) in optional_words() for word in known):
        return [], list(words)
    return known, [word for word in words if word not in known]


def _texts(words: Sequence[str], town: str | None, state: str | None) -> list[str]:
    where = f"{f' {town}' if town else ''}{f', {state}' if state else ''}"
    of_services = [word for word in words if is_service_word(word)]
    return list(dict.fromkeys(" ".join(some) + where for some in (words, of_services) if some))


def _without(words: Sequence[str], rest: Sequence[str]) -> list[str]:
    """Return the words that are not left in `rest`, in order."""
    left = list(rest)
    gone = []
    for word in words:
        if word in left:
            left.remove(word)
        else:
            gone.append(word)
    return gone
