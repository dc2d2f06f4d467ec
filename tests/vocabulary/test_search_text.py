"""What the text of a search says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.places.states import STATES
from core.vocabulary.search_text import CodeSpan, read_search


def said(text: str) -> dict[str, Any]:
    """Return the parts of what a text says that are not empty; codes as SYSTEM:CODE."""
    found = {name: value for name, value in vars(read_search(text)).items() if value}
    return {**found, "codes": [str(code) for code in found["codes"]]} if "codes" in found else found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CPT 73721", {"codes": ["CPT:73721"]}),
        ("CPT73721", {"codes": ["CPT:73721"]}),
        ("cpt® code 73721", {"codes": ["CPT:73721"]}),
        ("73721", {"codes": ["73721"]}),
        ("73721-26", {"codes": ["73721"], "modifiers": ["26"]}),
        ("73721-26-RT", {"codes": ["73721"], "modifiers": ["26", "RT"]}),
        ("73721 tc", {"codes": ["73721"], "modifiers": ["TC"]}),
        ("73721 modifier 26", {"codes": ["73721"], "modifiers": ["26"]}),
        ("73721 mri", {"codes": ["73721"], "words": ["mri"]}),
        ("99213 99214", {"codes": ["99213", "99214"]}),
        ("99213, 99214 and 99215", {"codes": ["99213", "99214", "99215"]}),
        ("27440-27447", {"ranges": [CodeSpan("27440", "27447")]}),
        ("27447–27440", {"ranges": [CodeSpan("27440", "27447")]}),
        ("27440 to 27447", {"ranges": [CodeSpan("27440", "27447")]}),
        ("j1100", {"codes": ["J1100"]}),
        ("drg 470", {"codes": ["MS-DRG:470"]}),
        ("MS DRG 470", {"codes": ["MS-DRG:470"]}),
        ("ms-drg470", {"codes": ["MS-DRG:470"]}),
        ("revenue code 450", {"codes": ["REV:0450"]}),
        ("rev codes 0450, 0360", {"codes": ["REV:0450", "REV:0360"]}),
        ("73721 75201", {"codes": ["73721", "75201"]}),
        ("75201-1234", {"zip_code": "75201"}),
        ("73721 TX", {"codes": ["73721"], "state": "TX"}),
        ("tx 73721", {"codes": ["73721"], "state": "TX"}),
        ("knee mri dallas, tx", {"state": "TX", "words": ["knee", "mri", "dallas"]}),
        ("office visit new mexico", {"state": "NM", "words": ["office", "visit"]}),
        ("knee CT", {"words": ["knee", "CT"]}),
        ("hartford, ct", {"state": "CT", "words": ["hartford"]}),
        ("knee or hip", {"words": ["knee", "or", "hip"]}),
        ("healthscope 73721", {"codes": ["73721"], "words": ["healthscope"]}),
        ("1234567893", {"numbers": ["1234567893"]}),
        ("12-3456789", {"numbers": ["123456789"]}),
        ("99213 1234567893", {"codes": ["99213"], "numbers": ["1234567893"]}),
        ("45378/45380/45385", {"codes": ["45378", "45380", "45385"]}),
        ("EIN 123456789", {"numbers": ["123456789"], "words": ["EIN"]}),
        ("covid 19", {"words": ["covid", "19"]}),
        ("450", {"words": ["450"]}),
        ("", {}),
    ],
)
def test_a_text_says_what_a_person_means(text: str, expected: dict[str, Any]) -> None:
    assert said(text) == expected


@given(st.text(max_size=80) | st.text("0123456789ABCTX-, ", max_size=40))
def test_any_text_can_be_read(text: str) -> None:
    found = read_search(text)
    assert found.state is None or found.state in STATES
    assert all(code.code == code.code.upper() for code in found.codes)
    assert all(one.first <= one.last for one in found.ranges)
