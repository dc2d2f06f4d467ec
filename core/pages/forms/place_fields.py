"""The parameters of where a provider practices and of which specialty it is."""

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
)
from core.fields.providers.specialty import SPECIALTIES, parse_specialty
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


class NearField(_HintedField):
    """A distance from a ZIP code or from a clinic."""

    label = "Within"
    hint = "ZIP or NPI, miles: 30303,25"
    expected = f"a ZIP code or NPI and miles, such as 30303,{DEFAULT_MILES}; at most {MAX_MILES} miles"
    meaning = (
        "A ZIP code, or the NPI of a clinic, and miles: 30303,25. A provider is as far away as the middle of its "
        f"practice ZIP code. {_ANY_MEMBER}"
    )
    example = f"30303,{DEFAULT_MILES}"
    # For OpenAPI; `accepts` also has the greatest distance.
    pattern = NEAR_PATTERN.replace("[1-9][0-9]{0,2}", f"([1-9][0-9]?|[1-{MAX_MILES // 100 - 1}][0-9]{{2}}|{MAX_MILES})")

    def normalize(self, value: str) -> str:
        """Return the place and the miles, which are DEFAULT_MILES if only a place is given."""
        return parse_near(value) if value else ""

    def accepts(self, value: str) -> bool:
        """Return whether the place has the digits of a ZIP code or NPI, and is not too far."""
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
