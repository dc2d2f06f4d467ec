"""The name of an organization within a longer text: "Gulf Orthopedics knee MRI" asks for a service of a clinic."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.queries.find.code_index import CodeIndex
from core.queries.find.known_providers import MAX_KEPT_NAMES, PROVIDER_NAME, named_cursor
from core.queries.find.named_things import NamedThings
from core.queries.find.not_loaded import other_cities
from core.queries.find.organizations import FoundOrganization, find_providers
from core.queries.rules.folded_names import fold_name, folded_sql
from core.store.connection import Snapshot
from core.vocabulary.find_names import find_city, find_payers, find_specialty
from core.vocabulary.find_services import is_service_word
from core.vocabulary.search_text import read_search
from core.vocabulary.service_words import optional_words, stem

_MOST_WORDS = 10
_MIN_LETTERS = 4
"""A shorter word is no beginning of a name's word, and no name by itself."""

_MOST_ALIKE = 5000
"""Of so many names that begin alike, the further words of a text are looked for."""


@dataclass(frozen=True)
class NameInText:
    """Words of a text that an organization's name begins with, those of it that follow, and where both are."""

    beginning: str
    """Folded, see _fold."""
    first: int
    last: int

    def words_of(self, words: Sequence[str]) -> Sequence[str]:
        """Return the words of the name."""
        return words[self.first : self.last]


def find_name_in(
    db: Snapshot, words: Sequence[str], state: str | None, index: CodeIndex, named: NamedThings
) -> NameInText | None:
    """Return the longest stretch of words that organizations' names begin with; None if there is none.

    One of its words must mean nothing else: "knee clinic" and "Dallas imaging center" are no names here.
    """
    # A word that may be a town without any rate is no name by itself, but may be a part of one.
    of_part = _telling_words(words, state, named, [named.cities])
    if not of_part:
        return None
    alone = _telling_words(words, state, named, [named.cities, other_cities(db, named)])
    names = db.ask_once(_read_names)
    folded = [_fold(word) for word in words]
    for length in range(min(_MOST_WORDS, len(words)), 0, -1):
        for first in range(len(words) - length + 1):
            last = first + length
            telling = alone if length == 1 else of_part
            if telling.isdisjoint(range(first, last)) or (length == 1 and index.spells(words[first].lower())):
                continue
            beginning = " ".join(filter(None, folded[first:last]))
            alike = _that_begin(names, beginning)
            if alike:
                return NameInText(beginning, first, _end_of_name(alike, folded, last, telling))
    return None


def _telling_words(
    words: Sequence[str], state: str | None, named: NamedThings, cities: Iterable[Mapping[str, Collection[str]]]
) -> set[int]:
    """Return the positions of the words that mean no service, place, payer, or specialty, nor nothing at all."""
    city = next((found for some in cities if (found := find_city(words, state, some))), None)
    rest: Sequence[str] = city.rest if city else words
    rest = find_payers(rest, named.payer_names).rest
    rest = find_specialty([word for word in rest if stem(word.lower()) not in optional_words()]).rest
    return {
        position
        for position, word in enumerate(words)
        if word in rest
        and len(word) >= _MIN_LETTERS
        and not (is_service_word(word) or stem(word.lower()) in optional_words())
    }


def _that_begin(names: Sequence[str], beginning: str) -> Sequence[str]:
    """Return the names that begin with some words, of which the last may not be written to its end."""
    whole = list(_from(names, f"{beginning} "))
    at = bisect_left(names, beginning)
    if list(names[at : at + 1]) == [beginning]:
        whole.insert(0, beginning)
    if whole or len(beginning.rpartition(" ")[2]) < _MIN_LETTERS:
        return whole
    return list(_from(names, beginning))


def _from(names: Sequence[str], beginning: str) -> Iterator[str]:
    at = bisect_left(names, beginning)
    for name in names[at : at + _MOST_ALIKE]:
        if not name.startswith(beginning):
            return
        yield name


def _end_of_name(alike: Sequence[str], folded: Sequence[str], last: int, telling: Collection[int]) -> int:
    """Return where the words end that names have which begin alike: "Gulf Orthopedics Denton" is ...OF DENTON."""
    left = [set(name.split()) for name in alike]
    while last < len(folded):
        word = folded[last]
        left = [one for one in left if word in one]
        if not left or not (last in telling or word.isdigit() or not is_service_word(word)):
            return last
        last += 1
    return last


def _read_names(db: Snapshot) -> tuple[str, ...]:
    """Return the folded names of organizations, in order; none if they are too many to be kept."""
    with named_cursor(db) as (cursor, tables):
        sql = f"""WITH {tables} named AS (
                      SELECT DISTINCT trim(regexp_replace({folded_sql("known_as")}, ' +', ' ', 'g')) AS name
                      FROM {PROVIDER_NAME} WHERE key IS NOT NULL)
                  FROM named ORDER BY name LIMIT {MAX_KEPT_NAMES + 1}"""
        rows = cursor.execute(sql, {}).fetchall()
    return tuple(sorted(name for (name,) in rows)) if len(rows) <= MAX_KEPT_NAMES else ()


MOST_OF_NAME = 200
"""Of so many organizations with a name, those are shown first that have a rate for what is asked for."""


@dataclass(frozen=True)
class NamedOrganizations:
    """The organizations that a part of a text names, and the rest of the text, in their state if they share one."""

    organizations: Sequence[FoundOrganization]
    in_all: int
    rest: str


def find_organizations_in(db: Snapshot, text: str, index: CodeIndex, named: NamedThings) -> NamedOrganizations | None:
    """Return the organizations whose names begin with words of a text that says more than that; None if it does not."""
    said = read_search(text)
    if said.numbers or not (said.says_codes or len(said.words) > 1):
        return None
    name = find_name_in(db, said.words, said.state, index, named)
    if name is None or (rest := _without_name(text, name.words_of(said.words))) is None:
        return None
    found = find_providers(db, " ".join(name.words_of(said.words)), MOST_OF_NAME, state=said.state)
    organizations = [one for one in found.organizations if _begins(one, name.beginning)]
    if not organizations:
        return None
    states = {one.rates_state for one in organizations if one.rates_state}
    where = f", {states.pop()}" if len(states) == 1 and not said.state else ""
    is_cut = len(found.organizations) < found.organizations_in_all
    return NamedOrganizations(
        organizations, found.organizations_in_all if is_cut else len(organizations), f"{rest}{where}"
    )


def _begins(one: FoundOrganization, beginning: str) -> bool:
    names = (one.organization_name, one.other_name or "")
    return any(_fold(name).startswith(beginning) for name in names)


def _fold(name: str) -> str:
    """Return a name as fold_name has it, with single blanks, as _read_names has all of them."""
    return " ".join(fold_name(name).split())


def _without_name(text: str, name: Sequence[str]) -> str | None:
    """Return a text without the words of a name; None if they are not one after another, or nothing is left."""
    pieces = text.split()
    said = [read_search(piece).words for piece in pieces]
    for first in range(len(pieces)):
        words: list[str] = []
        last = first
        while last < len(pieces) and len(words) < len(name):
            words += said[last] or [pieces[last]]
            last += 1
        if words == list(name):
            return " ".join([*pieces[:first], *pieces[last:]]).strip(" ,") or None
    return None
