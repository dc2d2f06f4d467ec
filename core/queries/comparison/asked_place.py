"""Where rates are compared as rendered: in the places that they list, or in the one that a visitor asks about."""

from dataclasses import dataclass

from core.fields.places.care_setting import PLACE_OF_SETTING, PLACE_OF_SIDE
from core.queries.market.market import Market


@dataclass(frozen=True)
class AskedPlace:
    """Where rates are compared as rendered, whatever other places they hold for. Each is SQL of a place of service."""

    of_all: str | None = None
    of_professionals: str | None = None
    """The place of professionals' fees alone: a facility's own bill keeps the places that it lists."""


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
