"""The parameters of where a provider practices and of which specialty it is."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.safestring import SafeString

from core.fields.codes.code_family import list_families
from core.fields.places.practice_place import (
    AREA_PATTERN,
    CITY_PATTERN,
    DEFAULT_MILES,
    ENTITY_TYPES,
    MAX_CITY_LENGTH,
    MAX_MILES,
    NEAR_PATTERN,
    ZIP_PATTERN,
    is_near,
    parse_city,
    parse_near,
    parse_zip,
    split_near,
)
from core.fields.providers.specialty import SPECIALTIES, parse_specialty
from core.pages.formats import write_city
from core.pages.forms.fields import OneOfField, PatternField

_ANY_MEMBER = "A rate is meant if one provider of its group meets this and the other filters by provider."


class _HintedField(PatternField):
    """A parameter whose empty box says what it takes."""

    hint = ""

    def __init__(self) -> None:
        super().__init__()
        self.widget.attrs["placeholder"] = self.hint


class CityField(_HintedField):
    """A city, alone or with its state."""

    label = "City"
    hint = "Atlanta, GA"
    expected = "a city, alone or with its state, such as ATLANTA, GA"
    meaning = f"City of the practice address, such as ATLANTA, GA; without a state, in any. {_ANY_MEMBER}"
    example = "ATLANTA, GA"
    max_characters = MAX_CITY_LENGTH
    pattern = CITY_PATTERN

    def normalize(self, value: str) -> str:
        """Return the city in capitals."""
        return parse_city(value)


class ZipField(PatternField):
    """A ZIP code."""

    label = "ZIP code"
    expected = "a ZIP code: five digits, such as 30303"
    meaning = f"ZIP code of the practice address. {_ANY_MEMBER}"
    example = "30303"
    pattern = ZIP_PATTERN

    def normalize(self, value: str) -> str:
        """Return five digits of nine."""
        return parse_zip(value)


class CountyField(_HintedField):
    """A county, by its FIPS code."""

    label = "County"
    hint = "FIPS code: 13121"
    expected = "a county's FIPS code: five digits, such as 13121"
    meaning = f"FIPS code of the county of the practice ZIP code. {_ANY_MEMBER}"
    example = "13121"
    pattern = AREA_PATTERN


class MetroField(_HintedField):
    """A metropolitan or micropolitan area, or a metropolitan division, by its code."""

    label = "Metropolitan area"
    hint = "CBSA code: 12060"
    expected = "the code of a metropolitan area or division: five digits, such as 12060"
    meaning = f"Code (CBSA) of the metropolitan or micropolitan area, or of a metropolitan division. {_ANY_MEMBER}"
    example = "12060"
    pattern = AREA_PATTERN


class NearBoxes(forms.TextInput):
    """Two boxes, a place and miles, of one parameter."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        """Return the HTML of both boxes, filled in from the one value."""
        place, miles = split_near(value or "")
        size = {"type": "number", "min": "1", "max": str(MAX_MILES), "value": miles, "aria-label": "Miles"}
        size["placeholder"] = f"miles: {DEFAULT_MILES}"
        box = super().render(name, write_city(place), attrs, renderer)
        return SafeString(f'{box} <input name="{MILES}"{flatatt(size)}>')

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> str:  # noqa: ARG002
        """Return the place and the miles as one value; a city without a state is in the state that is asked about."""
        value = str(data.get(name) or "").strip()
        return parse_near(value, str(data.get(MILES) or ""), str(data.get("state") or "")) if value else ""


MILES = "miles"
"""The box for miles. It is no parameter: addresses have place and miles as one value, see `with_miles`."""


def with_miles(given: Mapping[str, str]) -> dict[str, str]:
    """Return what a form has sent as the parameters of an address: the place and the miles as one value."""
    if MILES not in given:
        return dict(given)
    near = NearBoxes().value_from_datadict(given, {}, "near")
    return {name: value for name, value in {**given, "near": near}.items() if name != MILES}


class NearField(_HintedField):
    """A distance from a ZIP code, from a clinic, or from a city."""

    widget = NearBoxes
    label = "Near"
    hint = "ZIP, city, or NPI"
    expected = (
        f"a place and miles: a ZIP code, a city with its state, or an NPI, such as 30303,{DEFAULT_MILES} or Atlanta, "
        f"GA,{DEFAULT_MILES}; at most {MAX_MILES} miles"
    )
    meaning = (
        "A ZIP code, a city with its state, or the NPI of a clinic, and miles: 30303,25 or ATLANTA, GA,25. A provider "
        "is as far away as the middle of its practice ZIP code; a city is in the middle of those of its providers. "
        f"{_ANY_MEMBER}"
    )
    example = f"30303,{DEFAULT_MILES}"
    # For OpenAPI; `accepts` also has the greatest distance.
    pattern = NEAR_PATTERN.replace("[1-9][0-9]{0,2}", f"([1-9][0-9]?|[1-{MAX_MILES // 100 - 1}][0-9]{{2}}|{MAX_MILES})")

    def normalize(self, value: str) -> str:
        """Return the place and the miles, which are DEFAULT_MILES if only a place is given."""
        return parse_near(value) if value else ""

    def accepts(self, value: str) -> bool:
        """Return whether the place is a ZIP code, an NPI, or a city with its state, and is not too far."""
        return is_near(value)


class SpecialtyField(PatternField):
    """A specialty, by its name."""

    label = "Specialty"
    expected = "a specialty, such as Cardiology"
    meaning = f"Specialty of the primary taxonomy code, by our own grouping. {_ANY_MEMBER}"
    example = "Cardiology"
    allowed = SPECIALTIES

    def normalize(self, value: str) -> str:
        """Return the specialty as it is spelled here."""
        return parse_specialty(value) or value


class FamilyField(PatternField):
    """A family of billing codes, by its name."""

    label = "Family of codes"
    expected = "a family of codes, such as ultrasound"
    meaning = "Family of the code by its number, in words of our own."
    example = "ultrasound"
    allowed = list_families()

    def normalize(self, value: str) -> str:
        """Return the family as it is spelled here."""
        return {name.lower(): name for name in self.allowed}.get(value.lower(), value)


class EntityField(OneOfField):
    """Whether a provider is a person or an organization."""

    def __init__(self) -> None:
        super().__init__(
            "individual or organization", ENTITY_TYPES, meaning=f"What the provider is in NPPES. {_ANY_MEMBER}"
        )
