"""Add the options by which a command loads only some of a file's rates, and read them."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.fields.npi import is_npi
from core.fields.tin import possible_tins
from core.load.rate_filters import RateFilter, make_filter
from core.management.base_command import state

_LOOKS_LIKE_PATH = re.compile(r"[/\\]|\.[A-Za-z][A-Za-z0-9]*$")
"""A text that is meant as a path: no code, code system, NPI or TIN has a slash or ends in a dot and a word."""

_TAX_NUMBER = re.compile(r"[0-9][0-9-]*", re.ASCII)


def add_filter_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group(
        "filters",
        "Load only the rates that meet all conditions. What is left out is counted. A later load\n"
        "with a wider filter, or with none, adds only the rest (a file from the web is downloaded\n"
        "again for that). LIST is values separated by commas, or a file of values.",
    )
    group.add_argument("--codes", type=_codes, default=(), metavar="LIST", help="billing codes, such as 99213,0450")
    group.add_argument("--code-types", type=_values, default=(), metavar="LIST", help="code systems, such as CPT,REV")
    group.add_argument("--npis", type=_npis, default=(), metavar="LIST", help="groups that have one of these NPIs")
    group.add_argument("--tins", type=_tins, default=(), metavar="LIST", help="groups that have one of these TINs")
    group.add_argument(
        "--in-state",
        type=state,
        metavar="STATE",
        help="groups with an NPI whose practice address is in this state (needs load_nppes)",
    )


def read_filter(options: dict[str, Any]) -> RateFilter:
    """Return the filter that a command's options ask for."""
    return make_filter(**{name: options[name] for name in ("codes", "code_types", "npis", "tins", "in_state")})


def _values(text: str) -> tuple[str, ...]:
    path = Path(text)
    if _LOOKS_LIKE_PATH.search(text) and not path.is_file():
        raise argparse.ArgumentTypeError(f"{text}: there is no such file; expected values, or a file of values")
    try:
        listed = path.read_text(encoding="utf-8-sig") if path.is_file() else text
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"{text}: cannot be read as a list of values: {error}") from None
    values = tuple(value for value in re.split(r"[\s,;]+", listed) if value)
    if not values:
        raise argparse.ArgumentTypeError(
            f"{text!r} contains no value; expected values separated by commas, or a file of values"
        )
    return values


def _codes(text: str) -> tuple[str, ...]:
    values = _values(text)
    if text in values and not re.search("[0-9]|^CSTM-", text, re.IGNORECASE):
        raise argparse.ArgumentTypeError(f"{text!r} is not a file and has no digit; expected codes, or a file of codes")
    return values


def _npis(text: str) -> tuple[str, ...]:
    return _each(text, "NPI", "ten digits", is_npi)


def _tins(text: str) -> tuple[str, ...]:
    return _each(text, "TIN", "digits, with or without a dash", _is_tax_number)


def _is_tax_number(text: str) -> bool:
    """Return whether a text may be a tax ID in the store: a placeholder, or a person's number, never is."""
    return bool(_TAX_NUMBER.fullmatch(text)) and bool(possible_tins(text))


def _each(text: str, kind: str, shape: str, fits: Callable[[str], bool]) -> tuple[str, ...]:
    values = _values(text)
    odd = next((value for value in values if not fits(value)), None)
    if odd is not None:
        where = "" if odd == text else f" in {text}"
        raise argparse.ArgumentTypeError(
            f"{odd!r}{where} is not a valid {kind}; expected {shape}, or a file of such values"
        )
    return values
