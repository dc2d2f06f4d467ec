"""Lists of codes with volumes, ranges, and the short form of a long list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.codes.basket_list import basket_text, read_basket
from core.fields.codes.code_list import read_codes
from core.fields.codes.short_code_list import LONGEST_PLAIN, lengthen_list, shorten_list


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("73721 120\n27447 40\n73721 5", "73721*125,27447*40"),
        ("code,volume\n73721,12000\n", "73721*12000"),
        ("99213 99214\n99215 99212", "99213,99214,99215,99212"),
        ('"73721","120"\r\n"CPT 27447","1,200.5"', "73721*120,CPT:27447*1200.5"),
        ("73721*120,99213", "73721*120,99213"),
        ("27440–27447; 27130 to 27134 99213 - 99215", "27440-27447,27130-27134,99213-99215"),
        ("0450 0360", "0450,0360"),
        ("99213,450", "99213,450"),
        ("", ""),
    ],
)
def test_baskets_as_they_are_pasted(text: str, expected: str) -> None:
    assert basket_text(read_basket(text)) == expected


@given(st.text('0123456789ABCG:*.,- \n";', max_size=60) | st.text(max_size=30))
def test_a_written_basket_reads_back(text: str) -> None:
    found = basket_text(read_basket(text))
    assert basket_text(read_basket(found)) == found


def test_the_ends_of_a_range() -> None:
    (wanted,) = read_codes("J0100-J0199")
    assert wanted.ends == ("J0100", "J0199")
    assert [one.ends for one in read_codes("27447-27440 J0100-K0199 99213 1-2")] == [None] * 4


@given(st.lists(st.integers(10000, 99999).map(str), max_size=300, unique=True))
def test_a_short_list_means_the_same_codes(codes: list[str]) -> None:
    text = ",".join(codes)
    short = shorten_list(text)
    assert sorted(lengthen_list(short).split(",")) == sorted(text.split(","))
    assert shorten_list(short) == short
    if len(text) > LONGEST_PLAIN:
        assert shorten_list(",".join(reversed(codes))) == short


@pytest.mark.parametrize("text", ["~", "~abc", "~" + "A" * 50, shorten_list("99213," * 100)[:-8]])
def test_a_damaged_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="list is"):
        lengthen_list(text)
