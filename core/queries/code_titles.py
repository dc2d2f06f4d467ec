"""The title of each code that people recognize: our plain name, an official one, or payers' most specific words.

Some payers name a code only by its category, "Musculoskeletal Surgery" for 257 codes. How many codes share a text tells
how specific it is.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from core.store.connection import Snapshot
from core.vocabulary.services import plain_names
from core.vocabulary.title_words import write_out

CodeKey = tuple[str, str]
"""A code system and a code."""

R = TypeVar("R")

LONGEST_TITLE = 140
"""Payers' words that are longer are cut: the description has all of them."""

LONGEST_OFFICIAL = 110
"""A longer official title is replaced by its short form, which was written to be shown on one line."""


def choose_titles(
    texts: Mapping[CodeKey, tuple[str | None, str | None]], official: Iterable[CodeKey]
) -> dict[CodeKey, str]:
    """Return the title of each code that has one, given its name and its description.

    Among words of payers, those that the fewest codes share are the title, those not in capitals if as many share both,
    and of these the longer ones. Their short forms are written out, see write_out.
    """
    plain, titled = plain_names(), set(official)
    shared = Counter(text.casefold() for pair in texts.values() for text in {*pair} if text)
    found: dict[CodeKey, str] = {}
    for key, (name, description) in texts.items():
        candidates = [text for text in (name, description) if text]
        if key in plain:
            found[key] = plain[key]
        elif key in titled and candidates:
            found[key] = description if description and len(description) <= LONGEST_OFFICIAL else candidates[0]
        elif candidates:
            best = min(candidates, key=lambda text: (shared[text.casefold()], text.isupper(), -len(text), text))
            best = write_out(best)
            found[key] = best if len(best) <= LONGEST_TITLE else f"{best[:LONGEST_TITLE].rsplit(' ', 1)[0]} …"
    return found


def code_titles(db: Snapshot) -> dict[CodeKey, str]:
    """Return the titles of all codes that rates use. They are chosen once per generation."""
    return db.ask_once(_choose_stored_titles)


def with_titles(db: Snapshot, rows: Iterable[R]) -> list[R]:
    """Return rows of codes, each with the title of its code as its `name`: a payer's own may be that of a category."""
    titles = code_titles(db)
    every: Iterable[Any] = rows
    return [replace(row, name=titles.get((row.code_type, row.code), row.name)) for row in every]


def _choose_stored_titles(db: Snapshot) -> dict[CodeKey, str]:
    texts = {
        (system, code): (name, desc)
        for system, code, name, desc in db.rows("SELECT code_type, code, name, code_desc FROM dim_code")
    }
    return choose_titles(texts, official_codes(db))


def official_codes(db: Snapshot) -> frozenset[CodeKey]:
    """Return the codes whose names are those of an official code set. The names of the others are payers' words."""
    return db.ask_once(_read_official_codes)


def _read_official_codes(db: Snapshot) -> frozenset[CodeKey]:
    official = set(db.rows("SELECT code_type, code FROM dim_code_official"))
    # Payers also label codes of level II CPT, which then have the title of the HCPCS code.
    return frozenset(official | {("CPT", code) for system, code in official if system == "HCPCS"})
