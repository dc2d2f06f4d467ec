"""The specialties that perform a code are among those that providers have, and of families that codes have."""

from core.fields.codes.code_family import list_families
from core.fields.codes.performing_specialties import PERFORMING, list_performing
from core.fields.providers.specialty import SPECIALTIES


def test_every_family_and_specialty_exists() -> None:
    assert set(PERFORMING) <= set(list_families())
    assert {one for names in PERFORMING.values() for one in names} <= set(SPECIALTIES)


def test_a_knee_replacement_is_a_surgeon_s_and_a_visit_is_anybody_s() -> None:
    knee = list_performing("CPT", "27447")
    assert "Orthopedic surgery" in knee
    assert not {"Physical therapy", "Radiology"} & set(knee)
    assert list_performing("CPT", "99213") == ()
    assert list_performing("MS-DRG", "470") == ()
