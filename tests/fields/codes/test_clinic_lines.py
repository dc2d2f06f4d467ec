"""A clinic's lines as they are pasted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.codes.clinic_lines import MAX_LINES, is_list_of_codes, read_clinic_lines


def test_lines_with_and_without_headings_and_in_any_order() -> None:
    plain, _ = read_clinic_lines("73721,26,office,1 ,412.50\n99213,,,,")
    headed, bad = read_clinic_lines(
        "\ufeffRate;Code;Units;Setting;Modifier\r\n$412.50;73721;1;11;26\r\n\r\n;99213;;;\r\n"
    )
    assert bad == []
    assert [(one.wanted.code, one.modifier, one.setting, one.units, one.rate) for one in plain] == [
        ("73721", "26", "office", 1.0, 412.5),
        ("99213", "", "", None, None),
    ]
    assert [(one.row, one.wanted, one.rate) for one in headed] == [
        (2, plain[0].wanted, 412.5),
        (4, plain[1].wanted, None),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("knee,,,1,", "code: 'knee' is not one billing code, such as 73721"),
        ("73721,,moon,1,", "setting: 'moon' is not one of office, hospital outpatient, surgical center, inpatient"),
        ("73721,,,-1,", "units: '-1' is not a number, such as 120"),
        ("73721,,,1,=1+1", "rate: '=1+1' is not a number, such as 412.50"),
        ("73721-73723,,,1,", "code: '73721-73723' is not one billing code, such as 73721"),
    ],
)
def test_a_bad_row_is_named_with_its_number(row: str, reason: str) -> None:
    good, bad = read_clinic_lines(f"code,modifier,setting,units,rate\n99213,,,1,\n{row}")
    assert len(good) == 1
    assert [(one.row, one.reason) for one in bad] == [(3, reason)]


@given(st.text(max_size=200) | st.text('0123456789,;\t\n"$. A', max_size=80))
def test_no_text_raises(text: str) -> None:
    good, bad = read_clinic_lines(text)
    assert len(good) + len(bad) <= text.count("\n") + 1


def test_too_many_lines_are_refused() -> None:
    good, bad = read_clinic_lines("99213\n" * (MAX_LINES + 1))
    assert good == []
    assert [one.row for one in bad] == [MAX_LINES + 1]


@pytest.mark.parametrize(
    ("text", "is_list"),
    [
        ("99213", True),
        ("99213, 70450; g0121\nCPT 99214 CPT:99215", True),
        ("73721*120 27440-27447", True),
        ("", False),
        ("knee", False),
        ("99213 knee", False),
        ("73721,,,120", False),
        ("73721,26,office,120,250", False),
        ("code,rate\n99213,95", False),
        ("99213\t\t\t\t95", False),
    ],
)
def test_a_list_of_codes_is_told_from_lines_with_columns(text: str, is_list: bool) -> None:
    assert is_list_of_codes(text) == is_list
