"""Find payers, specialties, and cities in the words of a search, by their names and by what people call them."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.fields.places.states import STATES
from core.fields.providers.specialty import SPECIALTIES
from core.fields.texts.near_words import find_near_words
from core.vocabulary.find_services import is_service_word
from core.vocabulary.service_words import split_words, stem

_NICKNAMES_FILE = Path(__file__).with_name("payers.toml")
_REASONS_FILE = Path(__file__).with_name("payer_reasons.toml")
_SPECIALTIES_FILE = Path(__file__).with_name("specialties.toml")
_LONGEST_NAME = 5
_MIN_BEGINNING = 4
_GENERIC_WORDS = frozenset((
    "inc", "llc", "ltd", "lp", "health", "healthcare", "plan", "plans", "insurance", "company", "companies", "co",
    "corp", "corporation", "of", "the", "and", "for", "a", "an", "in", "life", "benefit", "benefits", "group",
    "services", "administrators", "administration", "care", "network", "mutual", "medical", "america", "us", "usa",
    "national", "american", "employee", "employees", "trust", "fund", "holdings", "solutions", "systems", "system",
    "hospital", "county", "city", "state", "school",
))  # fmt: skip
"""Words that many payers' names have, and so name none of them."""
_SMALL_WORDS = frozenset({"and", "of", "the"})


@dataclass(frozen=True)
class NamedPayer:
    """A payer, as it is loaded."""

    payer_slug: str
    name: str


@dataclass(frozen=True)
class FoundNames:
    """What names were found in words, and the words that are left."""

    names: tuple[str, ...]
    rest: tuple[str, ...]


@dataclass(frozen=True)
class FoundCity:
    """A city, with its state if the words say it or only one state has such a city, and the words that are left."""

    city: str
    state: str | None
    rest: tuple[str, ...]


def find_payers(words: Sequence[str], payers: Collection[NamedPayer]) -> FoundNames:
    """Return the slugs of the payers that words name, by their names, brands, or abbreviations: "uhc" and "evry"."""
    for first, last in _stretches(words):
        spoken = split_words(" ".join(words[first:last]))
        found = _payers_named(spoken, payers)
        # A payer that is not loaded is named as well, and its name means nothing else.
        if found or " ".join(spoken) in _nicknames():
            return FoundNames(found, (*words[:first], *words[last:]))
    for position, word in enumerate(words):
        near = _near_payers(word.lower(), payers)
        if near:
            after = position + 1
            while after < len(words) and words[after].lower() in _GENERIC_WORDS:
                after += 1
            return FoundNames(near, (*words[:position], *words[after:]))
    return FoundNames((), tuple(words))


def explain_payer(words: Sequence[str], name: str) -> str | None:
    """Return why words name a payer that is called otherwise; None if they say its own name, or nothing is to explain.

    "uhc" finds administrators that belong to the same group, whose rates are not those of UnitedHealthcare's networks.
    """
    said = [" ".join(split_words(" ".join(words[first:last]))) for first, last in _stretches(words)]
    for part, reason in _reasons().items():
        if _contains(name, part) and part not in said and any(one in said for one in reason.named):
            return reason.why
    return None


def find_specialty(words: Sequence[str]) -> FoundNames:
    """Return the specialty that words name, by its name or by what people call it, if there is one."""
    called = _specialties()
    for first, last in _stretches(words):
        found = called.get(_stems(" ".join(words[first:last])))
        if found:
            return FoundNames((found,), (*words[:first], *words[last:]))
    return FoundNames((), tuple(words))


def find_city(words: Sequence[str], state: str | None, cities: Mapping[str, Collection[str]]) -> FoundCity | None:
    """Return the city that words name; `cities` has the states of each, in capitals. The last one of several counts.

    A word that means a service, such as Mobile or Reading, is a city only if the state is said as well.
    """
    for first, last in sorted(_stretches(words), key=lambda ends: (ends[0] - ends[1], -ends[1])):
        name = " ".join(split_words(" ".join(words[first:last]))).upper()
        states = cities.get(name, ())
        if not states or (state and state not in states):
            continue
        if not state and last - first == 1 and (is_service_word(name) or name.title() in STATES.values()):
            continue
        only = next(iter(states)) if len(states) == 1 else None
        return FoundCity(name, state or only, (*words[:first], *words[last:]))
    return None


def _stretches(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the first and last position of every stretch of words, the longest first."""
    for length in range(min(_LONGEST_NAME, len(words)), 0, -1):
        for first in range(len(words) - length + 1):
            yield first, first + length


def _payers_named(spoken: list[str], payers: Collection[NamedPayer]) -> tuple[str, ...]:
    """Return the payers that a stretch of words names, by a nickname or by their own names."""
    for phrases in _nicknames().get(" ".join(spoken), ()):
        found = tuple(one.payer_slug for one in payers if any(_contains(one.name, phrase) for phrase in phrases))
        if found:
            return found
    if not spoken or " ".join(spoken) in _nicknames():
        return ()
    return tuple(one.payer_slug for one in payers if _is_named(spoken, one.name))


def _is_named(spoken: list[str], name: str) -> bool:
    """Return whether a payer's name contains what was said, whole words or their beginning, blanks apart."""
    if len(spoken) > 1 and "".join(spoken) in split_words(name):
        return True
    if all(word in _GENERIC_WORDS or is_service_word(word) for word in spoken) or _is_state(spoken):
        return False
    if len(spoken) == 1 and len(spoken[0]) < _MIN_BEGINNING:
        return spoken[0] in split_words(name)
    return _contains(name, " ".join(spoken))


def _is_state(spoken: list[str]) -> bool:
    return " ".join(spoken).title() in STATES.values()


def _contains(name: str, phrase: str) -> bool:
    compact, words = "".join(_without_small_words(phrase)), _without_small_words(name)
    return bool(compact) and any("".join(words[start:]).startswith(compact) for start in range(len(words)))


def _without_small_words(text: str) -> list[str]:
    return [word for word in split_words(text) if word not in _SMALL_WORDS]


def _near_payers(word: str, payers: Collection[NamedPayer]) -> tuple[str, ...]:
    """Return the payers whose names have a word that this one is with a typing error."""
    if len(word) < _MIN_BEGINNING or is_service_word(word) or _is_state([word]):
        return ()
    names = {payer.payer_slug: set(split_words(payer.name)) - _GENERIC_WORDS for payer in payers}
    near = find_near_words(word, sorted({one for said in names.values() for one in said if len(one) >= _MIN_BEGINNING}))
    return tuple(slug for slug, said in names.items() if near and near[0] in said)


@cache
def _nicknames() -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return what the names of the payers with a nickname contain: any of the first phrases, or else of the next."""
    found = tomllib.loads(_NICKNAMES_FILE.read_text(encoding="utf-8"))
    return {
        " ".join(split_words(name)): tuple(tuple(re.split(r"\s*;\s*", one.strip())) for one in phrases.split("/"))
        for name, phrases in found.items()
    }


@dataclass(frozen=True)
class _Reason:
    named: tuple[str, ...]
    why: str


@cache
def _reasons() -> dict[str, _Reason]:
    """Return the reasons why payers are found by others' names, by what the payers' own names contain."""
    found = tomllib.loads(_REASONS_FILE.read_text(encoding="utf-8"))
    return {part: _Reason(tuple(re.split(r"\s*;\s*", one["named"])), one["why"]) for part, one in found.items()}


@cache
def _specialties() -> dict[str, str]:
    """Return the specialty that each phrase calls."""
    named = {_stems(specialty): specialty for specialty in SPECIALTIES}
    for specialty, phrases in tomllib.loads(_SPECIALTIES_FILE.read_text(encoding="utf-8")).items():
        for phrase in phrases.split(";"):
            named.setdefault(_stems(phrase), specialty)
    return named


def _stems(phrase: str) -> str:
    return " ".join(map(stem, split_words(phrase)))
