"""Payers, specialties, and cities in the words of a search."""

import pytest

from core.fields.providers.specialty import SPECIALTIES
from core.vocabulary import find_names
from core.vocabulary.find_names import (
    FoundCity,
    FoundNames,
    NamedPayer,
    explain_payer,
    find_city,
    find_payers,
    find_specialty,
)

PAYERS = [
    NamedPayer("evry", "Evry Health"),
    NamedPayer("healthscope", "HealthSCOPE Benefits, Inc."),
    NamedPayer("uhc", "UnitedHealthcare Insurance Company"),
    NamedPayer("bcbstx", "Blue Cross and Blue Shield of Texas"),
    NamedPayer("swhp", "Scott and White Health Plan"),
]
CITIES = {"DALLAS": ("GA", "TX"), "FORT WORTH": ("TX",), "MOBILE": ("AL",), "HIP": ("XX",), "READING": ("PA",)}


@pytest.mark.parametrize(
    ("text", "slugs", "rest"),
    [
        ("uhc", ["uhc"], []),
        ("united healthcare", ["uhc"], []),
        ("bcbs knee", ["bcbstx"], ["knee"]),
        ("blue cross of texas", ["bcbstx"], ["texas"]),
        ("healthscope mri", ["healthscope"], ["mri"]),
        ("health scope mri", ["healthscope"], ["mri"]),
        ("helthscope", ["healthscope"], []),
        ("scott & white", ["swhp"], []),
        ("evry", ["evry"], []),
        ("every health", ["evry"], []),
        ("molina er visit", [], ["er", "visit"]),
        ("health insurance", [], ["health", "insurance"]),
        ("knee scope", [], ["knee", "scope"]),
        ("texas", [], ["texas"]),
        ("", [], []),
    ],
)
def test_payers_are_found_by_names_brands_and_typing_errors(text: str, slugs: list[str], rest: list[str]) -> None:
    assert find_payers(text.split(), PAYERS) == FoundNames(tuple(slugs), tuple(rest))


@pytest.mark.parametrize(
    ("text", "specialty", "rest"),
    [
        ("orthopedic dallas", "Orthopedic surgery", ["dallas"]),
        ("heart doctor", "Cardiology", []),
        ("ent", "Otolaryngology", []),
        ("orthopaedic surgeons atlanta", "Orthopedic surgery", ["atlanta"]),
        ("Family medicine", "Family medicine", []),
        ("smith clinic", "Clinic", ["smith"]),
        ("smith", None, ["smith"]),
    ],
)
def test_specialties_are_found_by_what_people_call_them(text: str, specialty: str | None, rest: list[str]) -> None:
    assert find_specialty(text.split()) == FoundNames((specialty,) if specialty else (), tuple(rest))


def test_every_specialty_with_other_names_is_one() -> None:
    assert set(find_names._specialties().values()) <= set(SPECIALTIES)


@pytest.mark.parametrize(
    ("text", "state", "expected"),
    [
        ("orthopedic dallas", None, FoundCity("DALLAS", None, ("orthopedic",))),
        ("dallas clinic", "TX", FoundCity("DALLAS", "TX", ("clinic",))),
        ("clinic fort worth", None, FoundCity("FORT WORTH", "TX", ("clinic",))),
        ("dallas", "NY", None),
        ("hip", None, None),
        ("hip", "XX", FoundCity("HIP", "XX", ())),
        ("", None, None),
    ],
)
def test_cities_are_found_unless_the_word_means_a_service(
    text: str, state: str | None, expected: FoundCity | None
) -> None:
    assert find_city(text.split(), state, CITIES) == expected


def test_a_brand_finds_its_subsidiaries_if_it_is_not_loaded_itself() -> None:
    others = [payer for payer in PAYERS if payer.payer_slug != "uhc"]
    assert find_payers(["uhc"], others).names == ("healthscope",)


def test_a_payer_that_is_found_by_another_s_name_is_explained() -> None:
    why = explain_payer(["uhc", "knee"], "HealthSCOPE Benefits, Inc.")
    assert why is not None
    assert "not UnitedHealthcare’s network rates" in why
    assert explain_payer(["united", "healthcare"], "HealthSCOPE Benefits, Inc.") == why
    for words, name in (
        (["healthscope"], "HealthSCOPE Benefits, Inc."),
        (["uhc", "healthscope"], "HealthSCOPE Benefits, Inc."),
        (["uhc"], "UnitedHealthcare of Texas"),
    ):
        assert explain_payer(words, name) is None
