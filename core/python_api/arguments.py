"""What a caller passes, normalized as the values of the facts are, or refused with what was expected."""

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, TypedDict

from core.fields.codes.billing_code import parse_code, parse_code_system
from core.fields.codes.code_list import WantedCode, read_codes
from core.fields.codes.modifier import parse_modifiers
from core.fields.month import is_month
from core.fields.places.care_setting import FOUR_SETTINGS, OTHER_PLACE, SIDES
from core.fields.places.place_of_service import parse_places
from core.fields.places.practice_place import (
    ENTITY_TYPES,
    MAX_MILES,
    ZIP_PATTERN,
    is_near,
    parse_city,
    parse_near,
    parse_zip,
)
from core.fields.places.states import parse_state
from core.fields.providers.npi import is_npi
from core.fields.providers.payer_slug import make_payer_slug
from core.fields.providers.specialty import parse_specialty
from core.fields.providers.tin import is_tin, remove_tin_marks
from core.fields.texts.text import parse_lower
from core.queries.comparison.schedules import BASES
from core.queries.market.market import Market
from core.queries.market.market_filters import (
    ALL_CLASSES,
    AREA,
    AREAS,
    BASIS,
    CLASSES,
    COUNTED,
    FILTERS,
    IMPLAUSIBLE,
    LEFT_OUT,
    NO_MODIFIER,
    NOT_STATED,
    ONE_CLASS,
    YARDSTICK,
    YARDSTICKS,
)
from core.queries.parties.roll_ups import Level
from core.queries.rules.evidence import ALL_RATES, CHOICES, EVIDENCE, LIKELY
from core.runtime.errors import BeaconError

LATEST = "latest"
"""The month that means the newest month of each payer. None means the same."""


class Filters(TypedDict, total=False):
    """What narrows a market beside state, month, and code. Leave out what does not matter.

    `care_setting` is "office", "hospital outpatient", "surgical center", "inpatient", "other place", or "unstated"; or,
    of professionals, "non-facility or unstated" or "facility or unstated".
    `payer` is a payer's name or its payer_slug. `pos` is one place of service, such as 11. `modifier` is one
    modifier, such as 26, or "none". `billing_class`, `setting`, `negotiated_type`, and `arrangement` are as the
    files write them, or "unstated". `network` is the name of a network; `npi` and `tin` are a provider's.
    `organization`, `system`, and `plan` are keys as organization_id, system_id, and plan_key have them. `city`
    ("ATLANTA, GA"), `zip`, `county` (FIPS code), `metro` (code of a metropolitan area or division), `near`
    ("30303,25": a ZIP code or NPI, and miles), `specialty`, and `entity` ("individual" or "organization") are those
    of one provider of the group, who meets all of them. `evidence` is "likely" for the rates that are likely
    performed, or "all" (the default). `basis` ("mpfs", "opps" or "asc") narrows nothing: it compares all rates with
    that schedule of Medicare, whatever class they state. Nor does `area`: "state" compares all rates with the
    state's mean, "own" (the default) with the amount of their provider's own area where it is known. With `yardstick`
    "compensation", percents are of the state's workers' compensation schedule. `classes` is "one"
    (the default: without `billing_class` and `modifier`, a code is answered for the class of rates that most rates
    have, see `RateStore.rate_classes`) or "all". `implausible` is "out" (the default: figures leave out likely errors)
    or "in".
    """

    care_setting: str
    payer: str
    pos: str
    billing_class: str
    modifier: str
    setting: str
    negotiated_type: str
    arrangement: str
    network: str
    npi: str
    tin: str
    organization: str
    system: str
    plan: str
    city: str
    zip: str
    county: str
    metro: str
    near: str
    specialty: str
    entity: str
    evidence: str
    basis: str
    area: str
    classes: str
    yardstick: str
    implausible: str


def parse_market(
    state: str, year_month: str | None, code: str | None, code_type: str | None, filters: Mapping[str, Any]
) -> Market:
    """Return the market that arguments describe, with values normalized as those of the facts are.

    Its month is empty text if the latest file of each payer is asked for.
    """
    month = "" if year_month in {None, LATEST} else check_month(year_month or "")
    known = (*FILTERS, BASIS, AREA, CLASSES, YARDSTICK, IMPLAUSIBLE)
    unknown = set(filters) - set(known)
    if unknown:
        raise BeaconError(f"unknown filter {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    system = parse_code_system(code_type)
    normalized = {
        name: _FILTER_RULES.get(name, parse_lower)(value) for name, value in filters.items() if value is not None
    }
    return Market(check_state(state), month, system, parse_code(system or "", code), **normalized)


def parse_level(organization: str, system: str) -> tuple[Level, str]:
    """Return the level that a key is of, and the key. Raise BeaconError unless exactly one is given."""
    if bool(organization) == bool(system):
        raise BeaconError("expected organization= or system=, one of them")
    return ("organization", organization) if organization else ("system", system)


def check_state(value: str) -> str:
    """Return a state as its two letters in upper case. Raise BeaconError if it is not a state."""
    found = parse_state(value)
    if found is None:
        raise BeaconError(f"state: {value!r} is not a state; expected two letters such as GA")
    return found


def check_month(value: str) -> str:
    """Return a month. Raise BeaconError if it is not YYYY-MM."""
    if not is_month(value):
        raise BeaconError(f"month: {value!r} is not a month; expected YYYY-MM such as 2025-08, or latest")
    return value


def check_care_setting(value: str) -> str:
    """Return a setting. Raise BeaconError if it is none."""
    known = (*FOUR_SETTINGS, OTHER_PLACE, NOT_STATED, *SIDES)
    if value.lower() not in known:
        raise BeaconError(f"care_setting: {value!r} is not a setting; expected one of {', '.join(known)}")
    return value.lower()


def check_place(value: str) -> str:
    """Return a place of service as its two digits. Raise BeaconError if it is not exactly one."""
    places = parse_places(value)
    if len(places) != 1:
        raise BeaconError(f"pos: {value!r} is not one place of service; expected two digits such as 11")
    return places[0]


def check_modifier(value: str) -> str:
    """Return a modifier, or `none` for rates without one. Raise BeaconError if it is not exactly one."""
    if value.strip().lower() == NO_MODIFIER:
        return NO_MODIFIER
    modifier = parse_modifiers(value)
    if not modifier or "," in modifier:
        raise BeaconError(f"modifier: {value!r} is not one modifier; expected one such as 26, or none")
    return modifier


def check_npi(value: str) -> str:
    """Return an NPI. Raise BeaconError if it does not have the form of one."""
    if not is_npi(str(value)):
        raise BeaconError(f"npi: {value!r} is not a valid NPI; expected 10 digits, starting with 1 or 2")
    return str(value)


def check_tin(value: str) -> str:
    """Return the digits of a tax ID. Raise BeaconError if there are not nine or ten."""
    digits = remove_tin_marks(str(value))
    if not is_tin(digits):
        raise BeaconError(f"tin: {value!r} is not a tax ID; expected the 9 digits of an EIN, or an NPI")
    return digits


def check_digits(name: str, value: str) -> str:
    """Return a ZIP code, or the code of a county or area. Raise BeaconError if it does not have five digits."""
    found = parse_zip(value)
    if not re.fullmatch(ZIP_PATTERN, found, re.ASCII):
        raise BeaconError(f"{name}: {value!r} is not five digits; expected some such as 30303")
    return found


def check_near(value: str) -> str:
    """Return a ZIP code or NPI, and miles. Raise BeaconError if it is not these."""
    found = parse_near(value)
    if not is_near(found):
        raise BeaconError(
            f"near: {value!r} is not a place and miles; expected such as 30303,25 or ATLANTA, GA,25, "
            f"at most {MAX_MILES} miles"
        )
    return found


def check_specialty(value: str) -> str:
    """Return a specialty as it is spelled here. Raise BeaconError if there is none of that name."""
    found = parse_specialty(value)
    if found is None:
        raise BeaconError(
            f"specialty: {value!r} is unknown; expected one such as Cardiology (core.fields.providers.specialty)"
        )
    return found


_FILTER_RULES: dict[str, Any] = {
    "care_setting": check_care_setting,
    "payer": make_payer_slug,
    "pos": check_place,
    "modifier": check_modifier,
    "network": str,
    "npi": check_npi,
    "tin": check_tin,
    "city": parse_city,
    "zip": partial(check_digits, "zip"),
    "county": partial(check_digits, "county"),
    "metro": partial(check_digits, "metro"),
    "near": check_near,
    "specialty": check_specialty,
    "entity": lambda value: check_one_of("entity", value.lower(), ENTITY_TYPES),
    EVIDENCE: lambda value: None if check_one_of(EVIDENCE, value.lower(), CHOICES) == ALL_RATES else LIKELY,
    BASIS: lambda value: check_one_of(BASIS, value.lower(), BASES),
    AREA: lambda value: check_one_of(AREA, value.lower(), AREAS),
    CLASSES: lambda value: (
        None if check_one_of(CLASSES, value.lower(), (ONE_CLASS, ALL_CLASSES)) == ONE_CLASS else value.lower()
    ),
    YARDSTICK: lambda value: check_one_of(YARDSTICK, value.lower(), YARDSTICKS),
    IMPLAUSIBLE: lambda value: (
        COUNTED if check_one_of(IMPLAUSIBLE, value.lower(), (COUNTED, LEFT_OUT)) == COUNTED else None
    ),
}
"""The rules of filters whose values are not simply words in lowercase."""


def parse_code_list(wanted: str | Iterable[str]) -> list[WantedCode]:
    """Return a list of codes, which may be one text with several."""
    return read_codes(wanted if isinstance(wanted, str) else " ".join(wanted))


def check_one_of(name: str, value: str, known: Iterable[str]) -> str:
    """Return a value that is one of those known. Raise BeaconError if it is not."""
    if value not in known:
        raise BeaconError(f"{name}: {value!r} is unknown; expected one of {', '.join(known)}")
    return value
