"""The side that each rate of a provider is compared on, slowly: look at all rates of its line in the market."""

from typing import Any

from core.fields.places.care_setting import SIDES
from core.queries.comparison.usual_side import find_usual_side
from core.store.connection import Snapshot
from tests.queries.slow import Row, grouped
from tests.queries.slow_settings import sides_slowly

TERMS = ("code_type", "code", "kind", "billing_class", "billing_code_modifier")
LINE = (*TERMS, "care_setting")


def sides_of_fee(fact: Row) -> set[str]:
    """Return the sides that a rate is on. Only professionals have two."""
    if fact["billing_class"] != "professional":
        return set(SIDES)
    places = fact["places"]
    return sides_slowly(fact["code_type"], fact["setting"], places, outside_without_places=fact["paid_less"])


Lines = dict[tuple[Any, ...], list[Row]]
"""Rates by TERMS."""


def lines_of(facts: list[Row]) -> Lines:
    """Return the rates by their terms."""
    return grouped(facts, *TERMS)


def choose_sides(db: Snapshot, facts: list[Row], lines: Lines) -> None:
    """Say of each rate which side of its line in the market it is compared on; none where the line has no two sides."""
    divided = {
        terms
        for terms, some in lines.items()
        if all(any(side not in sides_of_fee(one) for one in some) for side in SIDES)
    }
    for fact in facts:
        fact["care_setting"] = None
        if tuple(fact[name] for name in TERMS) in divided:
            usual = find_usual_side(db, fact["code"]).side_of(fact["billing_code_modifier"])
            sides = sides_of_fee(fact)
            fact["care_setting"] = usual if usual in sides else sides.pop()


def on_side(lines: Lines, line: tuple[Any, ...]) -> list[Row]:
    """Return the rates of a line (LINE)."""
    return [one for one in lines.get(line[:-1], []) if line[-1] is None or line[-1] in sides_of_fee(one)]
