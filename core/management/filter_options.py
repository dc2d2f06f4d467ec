"""Add the options by which a command loads only some of a file's rates, and read them."""

import argparse
import re
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from core.fields.providers.npi import is_npi
from core.fields.providers.tin import possible_tins
from core.load.rate_filters import RateFilter, StateLoad, make_filter, route_to_states
from core.management.base_command import state
from core.runtime.errors import BeaconError

OWN_STATE = "own"
"""The value of `--in-state` without a state: each state of `--state` gets the rates of its own providers."""

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
        type=_in_state,
        metavar="STATE",
        help="groups with an NPI whose practice address is in this state (needs load_nppes). Without STATE:\n"
        "in the state of --state, or in each of several, so that one reading of a file serves all of them",
    )


def name_own_state(arguments: Sequence[str]) -> list[str]:
    """Return a command line in which an `--in-state` without a state is followed by OWN_STATE.

    argparse would take whatever follows it, such as a file, for its value.
    """
    found: list[str] = []
    for argument, after in zip_longest(arguments, arguments[1:], fillvalue=""):
        found.append(argument)
        if argument == "--in-state" and not re.fullmatch("[A-Za-z]{2}", after):
            found.append(OWN_STATE)
    return found


def read_filter(options: dict[str, Any]) -> RateFilter:
    """Return the filter that a command's options ask for, except for the states of OWN_STATE."""
    filters = {name: options[name] for name in ("codes", "code_types", "npis", "tins")}
    return make_filter(**filters, in_state=None if options["in_state"] == OWN_STATE else options["in_state"])


def read_loads(options: dict[str, Any]) -> tuple[StateLoad, ...]:
    """Return what a command's options ask for: the states, and which rates each gets.

    Raise BeaconError for several states and no way to tell which rates are whose.
    """
    states, only = options["state"] or (), read_filter(options)
    if options["in_state"] == OWN_STATE:
        return route_to_states(states, only)
    if len(states) > 1:
        raise BeaconError(
            f"--state names {len(states)} states, and a file does not say which rates are whose; add --in-state "
            "(without a state), which gives each state the rates of the providers who practice there, or name one state"
        )
    return tuple(StateLoad(state, only) for state in states)


def _in_state(text: str) -> str:
    return OWN_STATE if text == OWN_STATE else state(text)


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
