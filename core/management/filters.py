"""The options by which a command loads only some of a file's rates."""

import argparse
import re
from pathlib import Path
from typing import Any

from core.management.base import state
from core.mrf.filters import Filter, made_of


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    group = parser.add_argument_group(
        "filters",
        "Load only some rates; conditions hold together. What is left out is counted, and a later load with a wider "
        "filter, or none, adds just the rest. Each LIST is values with commas between them, or a file of values.",
    )
    group.add_argument("--codes", type=_values, default=(), metavar="LIST", help="billing codes, such as 99213,0450")
    group.add_argument("--code-types", type=_values, default=(), metavar="LIST", help="code systems, such as CPT,REV")
    group.add_argument("--npis", type=_values, default=(), metavar="LIST", help="groups that have one of these NPIs")
    group.add_argument("--tins", type=_values, default=(), metavar="LIST", help="groups that have one of these TINs")
    group.add_argument(
        "--in-state",
        type=state,
        metavar="STATE",
        help="groups with an NPI whose practice address is in this state (needs load_nppes)",
    )


def filter_of(options: dict[str, Any]) -> Filter:
    """The filter that a command's options ask for."""
    return made_of(**{name: options[name] for name in ("codes", "code_types", "npis", "tins", "in_state")})


def _values(text: str) -> tuple[str, ...]:
    path = Path(text)
    try:
        listed = path.read_text(encoding="utf-8-sig") if path.is_file() else text
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"{text}: cannot be read as a list of values: {error}") from None
    values = tuple(value for value in re.split(r"[\s,;]+", listed) if value)
    if not values:
        raise argparse.ArgumentTypeError(f"{text!r} holds no value; expected some, with commas between them, or a file")
    return values
