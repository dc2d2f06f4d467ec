"""The codes of a basket: a named set, or a pasted list with its ranges filled in from what is loaded."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.fields.codes.basket_list import BasketItem
from core.fields.codes.billing_code import HCPCS_CODE_PATTERN
from core.fields.codes.code_list import MAX_CODES, WantedCode
from core.queries.code_titles import code_titles
from core.store.connection import Snapshot
from core.vocabulary.baskets import NamedBasket

HCPCS_SYSTEMS = ("CPT", "HCPCS", "CDT")
"""The systems under which payers publish a code of five characters. They count as one here."""


@dataclass(frozen=True)
class BasketCode:
    """One code of a basket, with its title and, if the visitor gave one, its volume."""

    code: str
    systems: tuple[str, ...]
    """The code systems that are meant; none for a code that any system may have."""
    title: str | None = None
    volume: float | None = None

    @property
    def code_type(self) -> str | None:
        """The code system in an address, where one suffices."""
        return self.systems[0] if len(self.systems) == 1 else None


def basket_codes(db: Snapshot, items: Iterable[BasketItem]) -> list[BasketCode]:
    """Return the codes of a list, each once. A range stands for the loaded codes in it; its volume is each one's."""
    titles, systems_of = code_titles(db), db.ask_once(_systems_by_code)
    found: dict[tuple[str, tuple[str, ...]], BasketCode] = {}
    for item in items:
        for wanted in _filled_in(systems_of, item.wanted):
            code, systems = _meaning(systems_of, wanted)
            title = next((titles[system, code] for system in systems if (system, code) in titles), None)
            found.setdefault((code, systems), BasketCode(code, systems, title, item.volume))
    return list(found.values())[:MAX_CODES]


def codes_of_named(db: Snapshot, basket: NamedBasket) -> list[BasketCode]:
    """Return the codes of a named basket."""
    return basket_codes(db, [BasketItem(WantedCode(None, code)) for code in basket.codes])


def with_ranges_filled(db: Snapshot, wanted: Iterable[WantedCode]) -> list[WantedCode]:
    """Return the codes of a list, each once, with the loaded codes of a range in its place."""
    systems_of = db.ask_once(_systems_by_code)
    return list(dict.fromkeys(code for one in wanted for code in _filled_in(systems_of, one)))[:MAX_CODES]


def _systems_by_code(db: Snapshot) -> Mapping[str, frozenset[str]]:
    """Return the systems under which each code is loaded, by code."""
    found: dict[str, set[str]] = {}
    for system, code in db.rows("SELECT code_type, code FROM dim_code ORDER BY code, code_type"):
        found.setdefault(code, set()).add(system)
    return {code: frozenset(systems) for code, systems in found.items()}


def _filled_in(systems_of: Mapping[str, frozenset[str]], wanted: WantedCode) -> Sequence[WantedCode]:
    """Return the loaded codes of a range, or the code itself."""
    if wanted.ends is None:
        return [wanted]
    first, last = wanted.ends
    return [
        WantedCode(wanted.code_type, code)
        for code, systems in systems_of.items()
        if first <= code <= last
        and len(code) == len(first)
        and _letters(code) == _letters(first)
        and (wanted.code_type is None or wanted.code_type in systems)
    ]


def _letters(code: str) -> str:
    return re.sub("[0-9]", "", code)


def _meaning(systems_of: Mapping[str, frozenset[str]], wanted: WantedCode) -> tuple[str, tuple[str, ...]]:
    """Return the number and the systems of a code. Without one, 99213 is CPT or HCPCS, and 450 revenue code 0450."""
    if wanted.code_type in HCPCS_SYSTEMS:
        return wanted.code, HCPCS_SYSTEMS
    if wanted.code_type:
        return wanted.code, (wanted.code_type,)
    if re.fullmatch(HCPCS_CODE_PATTERN, wanted.code):
        return wanted.code, HCPCS_SYSTEMS
    for system, code in wanted.meanings:
        if system and system in systems_of.get(code, frozenset()):
            return code, (system,)
    return wanted.code, ()
