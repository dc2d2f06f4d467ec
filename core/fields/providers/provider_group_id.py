"""The id by which a file's rates name its provider groups."""

import re
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from core.fields.texts.clean_text import distinct_id
from core.fields.texts.text import parse_text, write_number

MAX_GROUP_ID_LENGTH = 200
"""The characters that an id may have. A longer one is replaced by its beginning and its hash."""

_DECIMAL_TEXT = re.compile(r"-?(0|[1-9]\d*)\.\d+", re.ASCII)


def parse_provider_group_id(value: Any, exact: AbstractSet[str] = frozenset()) -> str | None:
    """Return a provider group's id as one text, so that a definition (690.64470) and its uses ("690.6447") meet.

    `exact` are spellings that are ids by themselves, because the file defines two spellings of one number.
    """
    found = parse_text(value)
    if exact and (spelling := spell_provider_group_id(value)) in exact:
        return spelling
    if found is None:
        return None
    if isinstance(value, str):
        # Only decimals: "007" and "1e3" may be names, and no payer is known to write a whole number in two ways.
        found = write_number(Decimal(found)) if _DECIMAL_TEXT.fullmatch(found) else value.strip()
    return distinct_id(found, MAX_GROUP_ID_LENGTH)


def spell_provider_group_id(value: Any) -> str | None:
    """Return a provider group's id as the file spells it: 320.25970 keeps its last zero. `value` has its Decimals."""
    # A number with an exponent has no other spelling of its own: nobody writes ids in two ways with one.
    spelling = str(value) if isinstance(value, Decimal) else None
    return spelling if spelling and _DECIMAL_TEXT.fullmatch(spelling) else parse_text(value)
