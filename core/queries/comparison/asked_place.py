"""Where rates are compared as rendered: in the places that they list, or in the one that a visitor asks about."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.fields.places.care_setting import PLACE_OF_SETTING, PLACE_OF_SIDE
from core.queries.market.market import Market


@dataclass(frozen=True)
class AskedPlace:
    """Where rates are compared as rendered, whatever other places they hold for. Each is SQL of a place of service."""

    of_all: str | None = None
    of_professionals: str | None = None
    """The place of professionals' fees alone: a facility's own bill keeps the places that it lists."""
    of_codes: tuple["AskedPlace", ...] = ()
    """The places of some codes, by their numbers in the parameter that number_places returns, from 1 on."""


ANYWHERE = AskedPlace()
"""Every rate is compared as rendered in the places that it lists."""


def asked_place(market: Market) -> AskedPlace:
    """Return where the market's rates are compared as rendered: the place, the setting, or the side that is asked for.

    A fee for either place, or for none, is in facilities what Medicare pays there. A side is one of a professional's
    fees: which schedule a facility is paid by still depends on the places that it lists.
    """
    if market.pos:
        return AskedPlace(of_all="$pos")
    if market.care_setting in PLACE_OF_SETTING:
        return AskedPlace(of_all=f"'{PLACE_OF_SETTING[market.care_setting]}'")
    if market.care_setting in PLACE_OF_SIDE:
        return AskedPlace(of_professionals=f"'{PLACE_OF_SIDE[market.care_setting]}'")
    return ANYWHERE


ASKED_PLACES = "asked_places"
"""The parameter that says which codes are looked at where."""

ASKED_OF_CODES = f"""
    SELECT split_part(line, chr(9), 1)::INTEGER AS asked, split_part(line, chr(9), 2) AS code
    FROM (SELECT unnest(string_split(${ASKED_PLACES}::VARCHAR, chr(10))) AS line)"""
"""SQL of the codes that are looked at in a place of their own, with its number."""


def number_places(markets: Mapping[str, Market]) -> tuple[AskedPlace, str]:
    """Return where the rates of codes are compared, each as its market asks, and the parameter ASKED_PLACES.

    Without any code that is looked at in a certain place, they are compared wherever they say, and there is none.
    """
    places = {code: asked_place(market) for code, market in sorted(markets.items())}
    numbers = {place: at for at, place in enumerate(dict.fromkeys(places.values()), 1)}
    if set(numbers) <= {ANYWHERE}:
        return ANYWHERE, ""
    return AskedPlace(of_codes=tuple(numbers)), "\n".join(f"{numbers[one]}\t{code}" for code, one in places.items())
