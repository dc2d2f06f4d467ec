"""Which fees come on top of one, by the ranges of codes."""

import pytest

from core.vocabulary import separate_fees
from core.vocabulary.separate_fees import Preventive, SeparateFees, find_separate_fees


@pytest.mark.parametrize(
    ("code", "procedure", "imaging", "anesthesia", "pathology", "preventive"),
    [
        ("45378", True, False, "00811", None, Preventive.SOMETIMES),
        ("45380", True, False, "00811", "88305", Preventive.SOMETIMES),
        ("G0121", True, False, "00812", None, Preventive.YES),
        ("43239", True, False, "00731", "88305", Preventive.NO),
        ("27447", True, False, "01402", None, Preventive.NO),
        ("64483", True, False, None, None, Preventive.NO),
        ("73721", False, True, None, None, Preventive.NO),
        ("77067", False, True, None, None, Preventive.YES),
        ("99396", False, False, None, None, Preventive.YES),
        # An office visit, drawing blood, a laboratory test, anesthesia itself, therapy, and a code of category III.
        *((code, False, False, None, None, Preventive.NO)
          for code in ("99213", "36415", "80053", "00811", "97110", "0123T", "J1100")),
    ],
)  # fmt: skip
def test_what_comes_on_top_of_a_fee(
    code: str, procedure: bool, imaging: bool, anesthesia: str | None, pathology: str | None, preventive: Preventive
) -> None:
    found = find_separate_fees("CPT", code)
    assert (found.is_procedure, found.is_imaging, found.preventive) == (procedure, imaging, preventive)
    companions = [one and one.code for one in (found.anesthesia, found.pathology)]
    assert companions == [anesthesia, pathology]
    assert found.says_anything == (procedure or imaging or preventive is not Preventive.NO)


def test_other_code_systems_have_no_such_fees() -> None:
    for code_type, code in (("MS-DRG", "45378"), ("RC", "0360"), ("CDT", "D0120"), ("CPT", None)):
        assert find_separate_fees(code_type, code) == SeparateFees()


def test_every_companion_has_a_name_of_our_own() -> None:
    for code, ranges in (*separate_fees._ANESTHESIA, *separate_fees._PATHOLOGY):
        for first, last in ranges:
            assert first <= last
            found = find_separate_fees("CPT", first)
            assert code in {one.code for one in (found.anesthesia, found.pathology) if one}
            assert all(one.name for one in (found.anesthesia, found.pathology, *found.screenings) if one)
