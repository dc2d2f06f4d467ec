"""Codes found by number or words, and what is there where a code is not."""

from hypothesis import given
from hypothesis import strategies as st

from core.queries import codes
from core.queries.rules.market import Market
from core.store.connection import Snapshot
from tests.queries.slow import Everything


@given(st.text(max_size=12) | st.sampled_from(["knee", "KNEE rep", "992", "99213", "visit known", "%", "_", "'"]))
def test_codes_are_found_by_number_or_words(demo: Snapshot, text: str) -> None:
    every = codes.search_codes(demo, "", 1000)[1]
    number, words = text.strip().upper(), text.lower().split()

    def fits(code: codes.CodeTitle) -> bool:
        said = " ".join(filter(None, (code.name, code.code_desc))).lower()
        return code.code.startswith(number) or all(word in said for word in words)

    total, found = codes.search_codes(demo, text, 1000)
    assert set(found) == {code for code in every if fits(code)}
    assert total == len(found)
    assert [code.code for code in found][:1] == [number] or number not in {code.code for code in found}
    if total > 1:
        assert codes.search_codes(demo, text, 1, 1) == (total, found[1:2])
    assert codes.search_codes(demo, text, 5, 10_000) == (total, [])


def test_what_a_bare_number_may_mean(demo: Snapshot, odd: Snapshot) -> None:
    assert [(c.code_type, c.code) for c in codes.find_possible_codes(demo, "450")] == [("REV", "0450")]
    assert [(c.code_type, c.code) for c in codes.find_possible_codes(demo, "470")] == [("MS-DRG", "470")]
    assert [c.code_type for c in codes.find_possible_codes(odd, "99213")] == ["CPT", "HCPCS", "LOCAL"]
    assert codes.find_possible_codes(demo, "ZZZ") == []


def test_what_is_there_instead(demo: Snapshot) -> None:
    found = codes.find_nearby_codes(demo, "GA", "2025-08", "99212", 4)
    assert [one.code for one in found] == ["99203", "99204", "99213", "99214"]
    everything = Everything(demo)
    for one in found:
        assert one.rates == len(everything.of(Market("GA", "2025-08", one.code_type, one.code)))
    assert codes.find_nearby_codes(demo, "TX", "2025-08", "99212", 4) == []
