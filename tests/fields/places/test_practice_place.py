"""Places as people write them."""

import pytest

from core.fields.places.practice_place import is_near, parse_city, parse_near, parse_zip


@pytest.mark.parametrize(
    ("text", "code"), [(" 75201 ", "75201"), ("75201-1234", "75201"), ("752011234", "75201"), ("7520", "7520")]
)
def test_a_zip_code_has_five_digits(text: str, code: str) -> None:
    assert parse_zip(text) == code


@pytest.mark.parametrize(
    ("text", "city"),
    [
        ("dallas tx", "DALLAS TX"),
        ("Dallas,  TX", "DALLAS, TX"),
        ("Dallas ,TX", "DALLAS, TX"),
        ("new york", "NEW YORK"),
        ("ga", "GA"),
        ("st. mary's  ga", "ST. MARY'S GA"),
        ("", ""),
    ],
)
def test_a_city_has_one_spelling(text: str, city: str) -> None:
    assert parse_city(text) == city


@pytest.mark.parametrize(
    ("text", "near", "valid"),
    [
        ("75201", "75201,25", True),
        ("75201, 10", "75201,10", True),
        ("75201 10 miles", "75201,10", True),
        ("1234567893,5", "1234567893,5", True),
        ("75201,0", "75201,0", False),
        ("75201,501", "75201,501", False),
        ("75201,500", "75201,500", True),
        ("dallas", "DALLAS,25", False),
        ("Dallas, tx", "DALLAS, TX,25", True),
        ("fort worth ,tx 10 miles", "FORT WORTH, TX,10", True),
        ("Dallas, TX,40", "DALLAS, TX,40", True),
        ("", "", False),
        ("75201,1.5", "75201,1.5", False),
        ("75201,١", "75201, ١,25", False),
    ],
)
def test_near_is_a_place_and_miles(text: str, near: str, valid: bool) -> None:
    assert parse_near(text) == near
    assert is_near(near) == valid


def test_miles_and_the_state_of_a_city_may_be_given_apart() -> None:
    assert parse_near("atlanta", "10", "ga") == "ATLANTA, GA,10"
    assert parse_near("Atlanta, TN", "", "GA") == "ATLANTA, TN,25"
    assert parse_near("30303", "10", "GA") == "30303,10"
