"""Where a provider practices, as people write it: a ZIP code, a city, an area's number, and a distance from a place."""

import re

from core.fields.providers.npi import NPI_PATTERN

ZIP_PATTERN = "[0-9]{5}"
AREA_PATTERN = "[0-9]{5}"
"""A county's FIPS code, or the code of a metropolitan area or division."""

DEFAULT_MILES, MAX_MILES = 25, 500
"""How far `near` looks if nobody says how far, and the farthest it looks."""

MAX_CITY_LENGTH = 110
_CITY_WORD = r"[^\s\x00-\x1f\x7f-\x9fa-z,]+"
CITY_PATTERN = rf"{_CITY_WORD}( {_CITY_WORD})*(, [A-Z]{{2}})?"

_CITY_OF_STATE = rf"{_CITY_WORD}( {_CITY_WORD})*, [A-Z]{{2}}"

NEAR_PATTERN = rf"({ZIP_PATTERN}|{NPI_PATTERN}|{_CITY_OF_STATE}),[1-9][0-9]{{0,2}}"

ENTITY_TYPES = ("individual", "organization")


def parse_zip(text: str) -> str:
    """Return the five digits of a ZIP code of five or nine; any other text as it is, without blanks at its ends."""
    match = re.fullmatch(rf"({ZIP_PATTERN})(-?[0-9]{{4}})?", text.strip(), re.ASCII)
    return match[1] if match else text.strip()


def parse_city(text: str) -> str:
    """Return a city in capitals, with one blank between words and after a comma: Dallas , tx is DALLAS, TX."""
    return " ".join(text.upper().replace(",", ", ").split()).replace(" ,", ",")


def parse_near(text: str, miles: str = "", state: str = "") -> str:
    """Return a ZIP code, NPI, or city and a number of miles, such as 75201,25 or MACON, GA,25; other text as it is.

    The miles may be in the text, with blanks and the word miles, or be given apart; without a number they are
    DEFAULT_MILES. A city without its state is in `state`.
    """
    words = text.upper().replace(",", " , ").removesuffix("MILES").split()
    if len(words) > 1 and re.fullmatch("[0-9.]+", words[-1]):
        miles = miles or words[-1]
        words = words[:-1]
    place = parse_city(" ".join(words).rstrip(" ,").replace(" ,", ","))
    if state and re.fullmatch(rf"{_CITY_WORD}( {_CITY_WORD})*", place) and not any(map(str.isdecimal, place)):
        place = f"{place}, {state.upper()}"
    return f"{place},{miles.strip() or DEFAULT_MILES}" if place else ""


def split_near(near: str) -> tuple[str, str]:
    """Return the place and the miles of a text that `parse_near` has returned."""
    place, _, miles = near.rpartition(",")
    return place, miles


def is_near(text: str) -> bool:
    """Return whether a text is a place and miles as `parse_near` returns them, and not too far."""
    return re.fullmatch(NEAR_PATTERN, text, re.ASCII) is not None and int(split_near(text)[1]) <= MAX_MILES
