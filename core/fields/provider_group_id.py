"""The id by which a file's rates name its provider groups."""

import re
from decimal import Decimal
from typing import Any

from core.fields.text import parse_text, write_number

_DECIMAL_TEXT = re.compile(r"-?(0|[1-9]\d*)\.\d+", re.ASCII)


def parse_provider_group_id(value: Any) -> str | None:
    """Return a provider group's id as one text, so that a definition (690.64470) and its uses ("690.6447") meet."""
    found = parse_text(value)
    # Only decimals: "007" and "1e3" may be names, and no payer is known to write a whole number in two ways.
    if found and isinstance(value, str) and _DECIMAL_TEXT.fullmatch(found):
        return write_number(Decimal(found))
    return found
