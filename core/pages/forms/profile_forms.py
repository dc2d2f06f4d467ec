"""The forms of the pages by place and by specialty."""

from core.pages.forms.fields import OneOfField
from core.pages.forms.market_forms import ComparedForm
from core.queries.profiles import PLACES

COLORS = ("percent", "median")
"""What may color the map."""

PLACE_WORDS = {"county": "Counties", "metro": "Metropolitan areas", "city": "Cities", "zip": "ZIP codes"}


class PlacesForm(ComparedForm):
    """Rates by where providers practice."""

    tables = ("places",)

    by = OneOfField("kind of place", PLACES, default=PLACES[0], meaning="What a row is. County, if omitted.")
    color = OneOfField("color", COLORS, meaning="What colors the map: the percent of Medicare, or the median rate.")

    @property
    def places(self) -> list[tuple[str, str]]:
        """The kinds of places, and what the page calls them."""
        return [(name, PLACE_WORDS[name]) for name in PLACES]


class SpecialtiesForm(ComparedForm):
    """Rates by what providers are."""

    tables = ("specialties", "entities")
