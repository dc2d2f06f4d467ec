"""Split a text into words as the vocabulary of services has them: one spelling, one abbreviation, the stem alone."""

import re
import threading
import tomllib
from functools import cache, lru_cache
from pathlib import Path

import snowballstemmer

from core.fields.texts.folded_text import fold_case_and_accents

_WORDS_FILE = Path(__file__).with_name("words.toml")
_WORD = re.compile(r"[a-z0-9]+")
_POSSESSIVE = re.compile(r"['’]s?\b")
_LONGEST_WORD = 40
"""A longer word is none of the vocabulary, and comparing it with every word would take long."""


class _Stemmers(threading.local):
    """A stemmer keeps the word that it works on, so that each thread needs its own."""

    def __init__(self) -> None:
        self.english = snowballstemmer.stemmer("english")


_STEMMERS = _Stemmers()

Phrase = tuple[str, ...]


def split_words(text: str) -> list[str]:
    """Return the words of a text in lower case, without accents and marks: "Crohn's X-ray" is crohn, x, ray."""
    return _WORD.findall(_POSSESSIVE.sub("", fold_case_and_accents(text)))


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Return the stem of a word: injections is inject."""
    return str(_STEMMERS.english.stemWord(word[:_LONGEST_WORD]))


def service_words(words: list[str]) -> list[str]:
    """Return the stems of words after each synonym and abbreviation is replaced by the vocabulary's own."""
    rewrites, longest = _rewrites()
    found: list[str] = []
    position = 0
    while position < len(words):
        for length in range(min(longest, len(words) - position), 0, -1):
            replaced = rewrites.get(tuple(words[position : position + length]))
            if replaced:
                found.extend(replaced)
                position += length
                break
        else:
            found.append(words[position])
            position += 1
    return [stem(word) for word in found]


@cache
def optional_words() -> frozenset[str]:
    """Return the stems of the words that say nothing of what is looked for."""
    return frozenset(stem(word) for words in _words_file()["optional"].values() for word in words.split())


@cache
def telling_words() -> frozenset[str]:
    """Return the stems of the optional words that tell the codes of one service from each other, such as "both"."""
    return frozenset(stem(word) for word in _words_file()["optional"]["telling"].split())


@cache
def _words_file() -> dict[str, dict[str, str]]:
    return tomllib.loads(_WORDS_FILE.read_text(encoding="utf-8"))


@cache
def _rewrites() -> tuple[dict[Phrase, Phrase], int]:
    """Return what each phrase is replaced by, and how many words the longest has."""
    found = {
        tuple(split_words(phrase)): tuple(split_words(kept))
        for kept, phrases in _words_file()["same"].items()
        for phrase in phrases.split(";")
    }
    return found, max(map(len, found))


@cache
def known_spellings() -> frozenset[str]:
    """Return every word for which the vocabulary has another one, and every word that says nothing."""
    rewrites, _ = _rewrites()
    spelled = {word for phrase in rewrites for word in phrase if len(word) > 1}
    return frozenset(spelled).union(*(words.split() for words in _words_file()["optional"].values()))
