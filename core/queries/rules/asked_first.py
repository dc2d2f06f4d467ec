"""The codes that people ask for, before the thousands that a payer's list begins with by number."""

from collections import Counter

from core.fields.codes.code_family import HCPCS_SYSTEMS
from core.queries.rules.code_families import accompanying_sql
from core.store.sql import quote
from core.vocabulary.baskets import named_baskets
from core.vocabulary.services import FAMILIAR_CODES, plain_names

_KNOWN_NAMES = ", ".join(quote(f"{system} {code}") for system, code in sorted(plain_names()))

_IN_BASKETS = Counter(code for basket in named_baskets().values() for code in basket.codes)
"""In the usual services of how many specialties a code is."""

_LAST_PLACE = len(FAMILIAR_CODES) + max(_IN_BASKETS.values())


def known_sql(code_type: str, code: str) -> str:
    """Return SQL of whether a code has a plain name of our own."""
    return f"({code_type} || ' ' || {code} IN ({_KNOWN_NAMES}))"


def asked_first_sql(code_type: str, code: str) -> str:
    """Return SQL of the place of a code in a list that begins with what people ask for.

    First the codes that everybody knows, in their order; then the usual services of specialties, those of the most
    specialties first; then others with a plain name of our own; then any others. In both of the last, what only comes
    with another service is last.
    """
    places = {code: _LAST_PLACE - specialties for code, specialties in _IN_BASKETS.items()}
    places |= {code: at for at, code in enumerate(FAMILIAR_CODES)}
    by_place: dict[int, list[str]] = {}
    for one, at in places.items():
        by_place.setdefault(at, []).append(quote(one))
    asked = "".join(f" WHEN {code} IN ({', '.join(codes)}) THEN {at}" for at, codes in sorted(by_place.items()))
    other = f"{_LAST_PLACE} + if({known_sql(code_type, code)}, 0, 2) + {accompanying_sql(code_type, code)}::INT"
    return f"CASE WHEN {code_type} NOT IN {HCPCS_SYSTEMS} THEN {other}{asked} ELSE {other} END"
