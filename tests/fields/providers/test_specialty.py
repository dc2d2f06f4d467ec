"""The grouping of taxonomy codes into specialties."""

import csv

import pytest

from core.fields.providers.specialty import (
    ORGANIZATION_SPECIALTIES,
    SPECIALTIES,
    SPECIALTY_CODES,
    find_specialty,
    parse_specialty,
)
from tests.paths import SHARED

TAXONOMY = SHARED / "codes" / "nucc_taxonomy_251.csv"


@pytest.mark.parametrize(
    ("code", "specialty"),
    [
        ("207R00000X", "Internal medicine"),
        ("207RC0000X", "Cardiology"),
        ("207RI0011X", "Interventional cardiology"),
        ("207RH0005X", "Internal medicine"),
        ("2084P0800X", "Psychiatry"),
        ("2084N0400X", "Neurology"),
        ("2084P0804X", "Child psychiatry"),
        ("207QS0010X", "Sports medicine"),
        ("207XX0005X", "Orthopedic surgery"),
        ("2086S0105X", "Hand surgery"),
        ("202C00000X", "Other physicians"),
        ("363LP0808X", "Psychiatric nurse practitioner"),
        ("363LF0000X", "Nurse practitioner"),
        ("103K00000X", "Applied behavior analysis"),
        ("1223S0112X", "Oral surgery"),
        ("122300000X", "Dentistry"),
        ("2251X0800X", "Physical therapy"),
        ("261QA1903X", "Ambulatory surgical center"),
        ("261QP2300X", "Clinic"),
        ("282N00000X", "Hospital"),
        ("282NC0060X", "Critical access hospital"),
        ("332B00000X", "Medical equipment"),
        ("3336C0003X", "Pharmacy"),
        ("207rc0000x", "Cardiology"),
        ("999999999X", None),
        ("", None),
    ],
)
def test_the_longest_beginning_that_fits_decides(code: str, specialty: str | None) -> None:
    assert find_specialty(code) == specialty


def test_a_beginning_belongs_to_one_specialty() -> None:
    beginnings = [one for text in SPECIALTY_CODES.values() for one in text.split()]
    assert len(beginnings) == len(set(beginnings))


def test_a_specialty_is_found_by_its_name_in_any_case() -> None:
    assert parse_specialty(" hematology AND oncology ") == "Hematology and oncology"
    assert parse_specialty("nothing") is None


@pytest.mark.skipif(not TAXONOMY.exists(), reason="NUCC's taxonomy is not here")
def test_every_code_of_the_taxonomy_has_a_specialty_and_every_beginning_a_code() -> None:
    with TAXONOMY.open(encoding="utf-8-sig", newline="") as file:
        codes = [row["Code"] for row in csv.DictReader(file)]
    assert [code for code in codes if find_specialty(code) is None] == []
    beginnings = [one for text in SPECIALTY_CODES.values() for one in text.split()]
    assert [one for one in beginnings if not any(code.startswith(one) for code in codes)] == []
    assert {find_specialty(code) for code in codes} == set(SPECIALTIES)


def test_no_person_is_a_hospital() -> None:
    assert {"Hospital", "Ambulatory surgical center", "Laboratory", "Hospice"} <= ORGANIZATION_SPECIALTIES
    assert not ORGANIZATION_SPECIALTIES & {"Hospital medicine", "Orthopedic surgery", "Paramedic", "Optometry"}
    # A sole practitioner may sell what these codes stand for.
    assert not ORGANIZATION_SPECIALTIES & {"Optician and eyewear", "Orthotics and prosthetics"}
