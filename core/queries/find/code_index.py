"""The codes of a generation in memory, with their words and numbers of rates, for a search box that answers at once."""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import log10
from typing import Annotated

from core.fields.codes.accompanying_code import is_accompanying
from core.fields.codes.code_list import WantedCode
from core.fields.texts.near_words import allowed_errors, find_near_words
from core.queries import coverage
from core.queries.code_titles import CodeKey, code_titles
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.rules.columns import Code, CodeDescription, CodeName, CodeType, described
from core.store.connection import Snapshot
from core.vocabulary.find_services import find_services
from core.vocabulary.search_text import CodeSpan, SearchText, read_search
from core.vocabulary.service_words import optional_words, stem
from core.vocabulary.services import SPELLINGS, plain_names

_NOT_IN_WORDS = re.compile("[^a-z0-9]+")
_SHORTEST_SPELLING = 3
_PER_TENFOLD_RATES = 0.01
"""What ten times as many rates count for the order of codes that fit the words about equally."""


@dataclass(frozen=True)
class FoundCode:
    """A billing code that a search finds, and where most of its rates are."""

    code_type: CodeType
    code: Code
    name: CodeName
    code_desc: CodeDescription
    title: Annotated[
        str | None,
        described(
            "What to call the code: our own plain name, the official title, or the payers' most specific words.",
            "Office visit, established patient, level 3 of 5",
        ),
    ]
    state: Annotated[
        str | None, described("The state that has most rates of the code, or the one that the text names.", "GA")
    ]
    year_month: Annotated[str | None, described("The newest month of that state.", "2025-08")]
    rates: Annotated[int, described("Number of the code's rates in that state, of each payer's newest month.", 12)]

    @property
    def key(self) -> CodeKey:
        """The code system and the code."""
        return self.code_type, self.code


class CodeIndex:
    """What is known of the codes that rates use, as loaded once per generation."""

    def __init__(self, titles: Iterable[tuple[str, str, str | None, str | None]]) -> None:
        self.titles = {(code_type, code): (name, desc) for code_type, code, name, desc in titles}
        self._words = {key: " ".join(text for text in title if text).lower() for key, title in self.titles.items()}
        self._by_number = sorted((code, code_type) for code_type, code in self.titles)
        self.shown: dict[CodeKey, str] = {}
        """What each code is called, see code_titles."""
        self.rates: dict[CodeKey, dict[str, tuple[str, int]]] = {}
        """The newest month of each state that has rates of a code, and how many there are of each payer's newest."""

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """Every word that payers and code sets use, in order."""
        found = {word for text in self._words.values() for word in _NOT_IN_WORDS.split(text)}
        return tuple(sorted(word for word in found if len(word) >= _SHORTEST_SPELLING))

    def count_rates(self, key: CodeKey) -> int:
        """Return the rates of a code in all states, of each payer's newest month."""
        return sum(rates for _, rates in self.rates.get(key, {}).values())

    def describe(self, key: CodeKey, state: str | None = None, among: Collection[str] | None = None) -> FoundCode:
        """Return a code with its rates in a state, which may be none, or in the state that has most of them.

        `among` are the states that are meant, such as a payer's, where the code has rates in any of them.
        """
        name, desc = self.titles[key]
        by_state = self.rates.get(key, {})
        if state is None:
            meant = [one for one in by_state if among and one in among] or by_state
            state = max(meant, key=lambda one: (by_state[one][1], one), default=None)
        month, rates = by_state.get(state or "", (None, 0))
        return FoundCode(*key, name, desc, self.shown.get(key), state, month, rates)

    def describe_named(self, said: SearchText) -> list[FoundCode]:
        """Return the codes that a text names by number, none of which is loaded, as far as the vocabulary has them."""
        plain = plain_names()
        found = {
            (system or "CPT", code): plain.get((system or "CPT", code))
            for wanted in said.codes
            for system, code in wanted.meanings
        }
        return [FoundCode(*key, None, None, title, None, None, 0) for key, title in found.items() if title]

    def find(self, said: SearchText, text: str) -> list[CodeKey]:
        """Return the codes that a text means, best first: by number, by what people call a service, by payers' words.

        `text` is what is left of the search when other things that it names are taken away.
        """
        named = [key for key in self._named(said) if key in self.titles]
        if named or (said.says_codes and not text):
            return list(dict.fromkeys(named))
        number = text.strip().upper()
        by_number = [*self._meant_by(WantedCode(None, number)), *self._starting_with(number)] if number else []
        found = [*by_number, *self._serving(text), *self._with_words(text)]
        return list(dict.fromkeys(found))

    def has_service(self, text: str) -> bool:
        """Return whether a text names a service of the vocabulary of which a code is loaded."""
        return bool(self._serving(text))

    def list_asked_first(self, first: Sequence[str] = ()) -> list[CodeKey]:
        """Return every code: `first`, then those with a plain name of our own, then the others.

        Most rates are first among each, but what only comes with another service is after the rest.
        """
        plain, place = plain_names(), {code: at for at, code in enumerate(first)}
        last = len(place)
        return sorted(
            self.titles,
            key=lambda key: (place.get(key[1], last), key not in plain, is_accompanying(*key), *self._rank(key)),
        )

    def has(self, code: WantedCode) -> bool:
        """Return whether a code is loaded, in whichever of its meanings."""
        return any(True for _ in self._meant_by(code))

    def spells(self, word: str) -> bool:
        """Return whether the payers' or the code sets' descriptions have a word, in lower case."""
        at = bisect_left(self.spellings, word)
        return self.spellings[at : at + 1] == (word,)

    def correct_spelling(self, text: str) -> str | None:
        """Return the text with each unknown word replaced by the nearest of any code; None if a word has none."""
        words = text.lower().split()
        found = [self._nearest(word) for word in words]
        if not words or any(word is None for word in found):
            return None
        corrected = " ".join(word for word in found if word)
        return corrected if corrected != " ".join(words) else None

    def _nearest(self, word: str) -> str | None:
        if self.spells(word):
            return word
        return next(iter(find_near_words(word, self.spellings)), None) if allowed_errors(word) else None

    def _named(self, said: SearchText) -> Iterator[CodeKey]:
        for code in said.codes:
            yield from self._meant_by(code)
        for span in said.ranges:
            yield from self._within(span)

    def _meant_by(self, wanted: WantedCode) -> Iterator[CodeKey]:
        for system, code in wanted.meanings:
            systems = SPELLINGS.get(system, (system,)) if system else ()
            found = [key for key in self._starting_with(code) if key[1] == code and (not systems or key[0] in systems)]
            yield from sorted(found, key=self._rank)

    def _within(self, span: CodeSpan) -> Iterator[CodeKey]:
        for code, code_type in self._by_number[bisect_left(self._by_number, (span.first, "")) :]:
            if code > span.last:
                return
            if len(code) == len(span.first):
                yield code_type, code

    def _starting_with(self, number: str) -> Iterator[CodeKey]:
        for code, code_type in self._by_number[bisect_left(self._by_number, (number, "")) :]:
            if not code.startswith(number):
                return
            yield code_type, code

    def _serving(self, text: str) -> list[CodeKey]:
        """Return the loaded codes of the services that a text means."""
        scores: dict[CodeKey, float] = {}
        for match in find_services(text):
            for system in SPELLINGS.get(match.code.code_type, (match.code.code_type,)):
                key = system, match.code.code
                if key in self.titles:
                    scores[key] = match.score + _PER_TENFOLD_RATES * log10(1 + self.count_rates(key))
        return sorted(scores, key=lambda key: (-scores[key], key))

    def _with_words(self, text: str) -> list[CodeKey]:
        """Return the codes whose descriptions contain each word: whole words before parts of words."""
        said = text.lower().split()
        words = [word for word in said if stem(word) not in optional_words()] or said
        if not words:
            return sorted(self.titles)
        found = [key for key, said in self._words.items() if words[0] in said]
        for word in words[1:]:
            found = [key for key in found if word in self._words[key]]
        whole = {key: len(set(words).intersection(_NOT_IN_WORDS.split(self._words[key]))) for key in found}
        return sorted(found, key=lambda key: (-whole[key], *self._rank(key)))

    def _rank(self, key: CodeKey) -> tuple[int, CodeKey]:
        return -self.count_rates(key), key


def code_index(db: Snapshot) -> CodeIndex:
    """Return the index of a generation. It is made once."""
    return db.ask_once(_make_index)


def find_codes(db: Snapshot, text: str) -> list[CodeKey]:
    """Return the codes that a text means by number or words, best first. Empty text means every code."""
    said = read_search(text)
    return code_index(db).find(said, " ".join(said.words) if said.says_codes else text)


def count_rates_of(db: Snapshot, found: Sequence[FoundCode], payer: str) -> list[FoundCode]:
    """Return codes with the numbers of rates that a payer has in the state that each is shown for."""
    counted: dict[tuple[str, ...], int] = {}
    for state in sorted({one.state for one in found if one.state}):
        market = with_latest(db, Market(state, "", payer=payer))
        rows = db.rows(
            f"""SELECT f.code_type, f.code, count(*) FROM fact_rate f
                WHERE f.code IN (SELECT unnest($codes)) AND {market.where} GROUP BY ALL""",
            {"codes": [one.code for one in found], **market.parameters},
        )
        counted |= {(code_type, code, state): rates for code_type, code, rates in rows}
    return [replace(one, rates=counted.get((*one.key, one.state or ""), 0)) for one in found]


def _make_index(db: Snapshot) -> CodeIndex:
    index = CodeIndex(db.rows("SELECT code_type, code, name, code_desc FROM dim_code"))
    index.shown = code_titles(db)
    for state in dict.fromkeys(period.state for period in coverage.list_periods(db)):
        market = with_latest(db, Market(state, ""))
        rows = db.rows(
            f"SELECT f.code_type, f.code, count(*) FROM fact_rate f WHERE {market.where} GROUP BY ALL",
            market.parameters,
        )
        for code_type, code, rates in rows:
            index.rates.setdefault((code_type, code), {})[state] = (market.newest_month, rates)
    return index
