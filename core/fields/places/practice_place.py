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

NEAR_PATTERN = rf"({ZIP_PATTERN}|{NPI_PATTERN}),[1-9][0-9]{{0,2}}"

ENTITY_TYPES = ("individual", "organization")


def parse_zip(text: str) -> str:
    """Return the five digits of a ZIP code of five or nine; any other text as it is, without blanks at its ends."""
    match = re.fullmatch(rf"({ZIP_PATTERN})(-?[0-9]{{4}})?", text.strip(), re.ASCII)
    return match[1] if match else text.strip()


def parse_city(text: str) -> str:
    """Return a city in capitals, with one blank between words and after a comma: Dallas , tx is DALLAS, TX."""
    return " ".join(text.upper().replace(",", ", ").split()).replace(" ,", ",")


def parse_near(text: str) -> str:
    """Return a ZIP code or NPI and a number of miles, such as 75201,25; other text as it is.

    Blanks and the word miles may be there, and without a number it is DEFAULT_MILES.
    """
    words = text.lower().replace(",", " ").removesuffix("miles").split()
    if len(words) == 1:
        words.append(str(DEFAULT_MILES))
    return ",".join(words)


def is_near(text: str) -> bool:
    """Return whether a text is a place and miles as `parse_near` returns them, and not too far."""
    return re.fullmatch(NEAR_PATTERN, text, re.ASCII) is not None and int(text.partition(",")[2]) <= MAX_MILES
