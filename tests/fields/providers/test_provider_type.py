"""CMS's provider types are specialties of the one list, and the types of its files are all in the table."""

import pytest

from core.fields.providers import provider_type
from core.fields.providers.provider_type import specialty_of_type
from core.fields.providers.specialty import SPECIALTIES


def test_every_specialty_of_the_table_is_one_of_the_list() -> None:
    assert set(provider_type._TYPES) <= set(SPECIALTIES)


def test_no_type_stands_for_two_specialties() -> None:
    types = [one.strip() for words in provider_type._TYPES.values() for one in words.split(";")]
    assert len(types) == len(set(types))
    assert all(one == one.lower() for one in types)


@pytest.mark.parametrize(
    ("words", "specialty"),
    [
        ("Micrographic Dermatologic Surgery", "Mohs surgery"),
        ("Family Practice", "Family medicine"),
        ("Independent Diagnostic Testing Facility (IDTF)", "Imaging center"),
        ("  CRNA ", "Nurse anesthetist"),
        ("Ambulatory Surgical Center", "Ambulatory surgical center"),
        ("Neonatology", "Neonatology"),
        ("Wheelwright", None),
        ("", None),
    ],
)
def test_words_name_a_specialty(words: str, specialty: str | None) -> None:
    assert specialty_of_type(words) == specialty
