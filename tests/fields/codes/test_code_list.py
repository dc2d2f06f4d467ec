"""Lists of codes as people paste them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.codes.code_list import WantedCode, codes_text, read_codes

systems = st.sampled_from([None, "CPT", "HCPCS", "REV", "MS-DRG", "LOCAL"])
codes = st.from_regex(r"[0-9A-Z][0-9.]{0,4}[0-9]", fullmatch=True)


@given(st.text() | st.text("0123456789ABCPTRV-:., \n;", max_size=60))
def test_a_written_list_reads_back(text: str) -> None:
    found = read_codes(text)
    assert read_codes(codes_text(found)) == found
    assert len(set(found)) == len(found)


SEPARATORS = [",", "\r\n", "\t", "; ", " | ", "\u00a0", '","', " / ", ". "]


@given(st.lists(st.tuples(systems, codes), max_size=20), st.sampled_from(SEPARATORS))
def test_anything_separates_codes(wanted: list[tuple[str | None, str]], between: str) -> None:
    texts = [f"{system}:{code}" if system else code for system, code in wanted]
    one_by_one = [found for text in texts for found in read_codes(text)]
    assert read_codes(between.join(texts)) == list(dict.fromkeys(one_by_one))
    assert len(one_by_one) == len(wanted)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("99213, 99214\n99213", "99213,99214"),
        ("cpt:99213;g0439", "CPT:99213,G0439"),
        ("CPT 99213\tCPT 99214\nRC 450 MS-DRG 39", "CPT:99213,CPT:99214,REV:0450,MS-DRG:039"),
        ("CPT 99213 99214", "CPT:99213,99214"),
        ("CPT REV:450", "REV:0450"),
        ("CPT HCPCS J1885", "HCPCS:J1885"),
        ("CPT:HCPCS", "CPT:HCPCS"),
        ("REV:450 rc:0450", "REV:0450"),
        ("450", "450"),
        ("X-1:99213", "X-1:99213"),
        ("1:99213", "1,99213"),
        ('["99213", "0001A"] (Z00.00)', "99213,0001A,Z00.00"),
        ("1-2", "1-2"),
        ("<script>alert(1)</script>", "SCRIPT,ALERT,1"),
        ("Codes: 99213.", "CODES,99213"),
        ("--- , ;;", ""),
        ("CPT", ""),
        ("", ""),
    ],
)
def test_lists_as_they_are_pasted(text: str, expected: str) -> None:
    assert codes_text(read_codes(text)) == expected


@pytest.mark.parametrize(
    "system",
    ["CPT", "HCPCS", "REV", "MS-DRG", "R-DRG", "S-DRG", "APS-DRG", "AP-DRG", "APR-DRG", "APC", "NDC", "ICD", "CDT",
     "HIPPS", "LOCAL", "EAPG", "CSTM-ALL"],
)  # fmt: skip
def test_every_code_system_may_stand_before_its_code(system: str) -> None:
    assert read_codes(f"{system} 99213") == [WantedCode(system, "99213")]
    assert read_codes(f"{system.lower()} 99213") == [WantedCode(system, "99213")]


def test_a_number_without_its_system_may_mean_several_codes() -> None:
    assert WantedCode(None, "45").meanings == [(None, "45"), ("MS-DRG", "045"), ("REV", "0045")]
    assert WantedCode(None, "450").meanings == [(None, "450"), ("REV", "0450")]
    assert WantedCode(None, "0450").meanings == [(None, "0450")]
    assert WantedCode(None, "G0439").meanings == [(None, "G0439")]
    assert WantedCode("CPT", "450").meanings == [("CPT", "450")]


def test_a_wanted_code_is_written_with_its_system() -> None:
    assert str(WantedCode("CPT", "99213")) == "CPT:99213"
    assert str(WantedCode(None, "99213")) == "99213"
