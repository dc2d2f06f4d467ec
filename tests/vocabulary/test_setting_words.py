"""Words that only say where a service is rendered or how much it costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.places.care_setting import HOSPITAL_OUTPATIENT, INPATIENT, OFFICE, SURGICAL_CENTER
from core.vocabulary.setting_words import set_aside_settings


@pytest.mark.parametrize(
    ("text", "rest", "settings"),
    [
        ("colonoscopy cost hospital or office", "colonoscopy", (HOSPITAL_OUTPATIENT, OFFICE)),
        ("how much is a knee MRI in a doctor's office", "knee MRI", (OFFICE,)),
        ("knee mri at a hospital, TX", "knee mri, TX", (HOSPITAL_OUTPATIENT,)),
        ("cataract surgery in a surgery center", "cataract surgery", (SURGICAL_CENTER,)),
        ("knee replacement inpatient price", "knee replacement", (INPATIENT,)),
        ("bluebonnet orthopedics prices", "bluebonnet orthopedics", ()),
        ("left knee mri", None, None),
        ("hospital or office", None, None),
        ("how much", None, None),
        ("73721 office", None, None),
        ("1234567893 hospital", None, None),
        ("", None, None),
    ],
)
def test_they_are_set_aside(text: str, rest: str | None, settings: tuple[str, ...] | None) -> None:
    found = set_aside_settings(text)
    assert (found and found.text, found and found.settings) == (rest, settings)


@given(st.lists(st.sampled_from(["knee", "mri", "office", "hospital", "in", "an", "cost", "surgery", "center", "or"])))
def test_only_words_are_left_out(words: list[str]) -> None:
    found = set_aside_settings(" ".join(words))
    if found:
        rest = found.text.split()
        assert rest
        assert len(rest) < len(words)
        kept = iter(words)
        assert all(word in kept for word in rest), "in the same order"
        assert not {"office", "hospital", "cost", "in"} & set(rest)
