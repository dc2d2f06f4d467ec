"""Codes found by number or words, and what is there where a code is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.find import codes
from core.queries.find.code_index import CodeIndex, FoundCode
from core.queries.market.market import Market
from core.store.connection import Snapshot
from core.vocabulary.find_services import find_services
from core.vocabulary.service_words import optional_words, stem
from tests.queries.slow import Everything


@given(st.text(max_size=12) | st.sampled_from(["knee", "KNEE rep", "992", "99213", "visit known", "%", "_", "'"]))
def test_codes_are_found_by_number_or_words(demo: Snapshot, text: str) -> None:
    every = codes.search_codes(demo, "", 1000)[1]
    number, words = text.strip().upper(), text.lower().split()

    services = {match.code.code for match in find_services(text)}
    telling = [word for word in words if stem(word) not in optional_words()] or words

    def fits(code: FoundCode) -> bool:
        said = " ".join(filter(None, (code.name, code.code_desc))).lower()
        return code.code.startswith(number) or all(word in said for word in telling) or code.code in services

    total, found = codes.search_codes(demo, text, 1000)
    assert set(found) == {code for code in every if fits(code)}
    assert total == len(found)
    assert [code.code for code in found][:1] == [number] or number not in {code.code for code in found}
    if total > 1:
        assert codes.search_codes(demo, text, 1, 1) == (total, found[1:2])
    assert codes.search_codes(demo, text, 5, 10_000) == (total, [])


def test_codes_are_counted_where_a_search_leads(demo: Snapshot) -> None:
    everything = Everything(demo)
    found = codes.search_codes(demo, "", 1000)[1]
    assert found
    for one in found:
        assert one.state
        assert one.year_month
        assert one.rates == len(everything.of(Market(one.state, one.year_month, one.code_type, one.code)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CPT 70450", ["70450"]),
        ("CPT70450", ["70450"]),
        ("70450-26", ["70450"]),
        ("70450 mri", ["70450"]),
        ("99214 99213", ["99214", "99213"]),
        ("99203-99214", ["99203", "99204", "99213", "99214"]),
        ("drg 470", ["470"]),
        ("rev 450", ["0450"]),
        ("knee replacement", ["27447"]),
        ("tka", ["27447"]),
        ("cat scan of the haed", ["70450"]),
    ],
)
def test_codes_are_found_by_what_a_person_means(demo: Snapshot, text: str, expected: list[str]) -> None:
    found = [one.code for one in codes.search_codes(demo, text, 1000)[1]]
    assert found[: len(expected)] == expected


def test_a_code_that_is_not_loaded_is_not_found_by_number(demo: Snapshot) -> None:
    assert codes.search_codes(demo, "CPT 11111", 10) == (0, [])


def test_what_a_bare_number_may_mean(demo: Snapshot, odd: Snapshot) -> None:
    assert [(c.code_type, c.code) for c in codes.find_possible_codes(demo, "450")] == [("REV", "0450")]
    assert [(c.code_type, c.code) for c in codes.find_possible_codes(demo, "470")] == [("MS-DRG", "470")]
    assert [c.code_type for c in codes.find_possible_codes(odd, "99213")] == ["CPT", "HCPCS", "LOCAL"]
    assert codes.find_possible_codes(demo, "ZZZ") == []


def test_what_is_there_instead(demo: Snapshot) -> None:
    found = codes.find_nearby_codes(demo, Market("GA", "2025-08", code="99212"), 4)
    assert [one.code for one in found] == ["99203", "99204", "99213", "99214"]
    everything = Everything(demo)
    for one in found:
        assert one.rates == len(everything.of(Market("GA", "2025-08", one.code_type, one.code)))
    assert codes.find_nearby_codes(demo, Market("TX", "2025-08", code="99212"), 4) == []


def test_what_comes_with_another_service_is_after_the_familiar_ones() -> None:
    rates = {"88305": 900, "76942": 800, "11111": 700, "73721": 60, "27447": 50, "99213": 10}
    index = CodeIndex(("CPT", code, None, None) for code in rates)
    index.rates = {("CPT", code): {"GA": ("2025-08", number)} for code, number in rates.items()}
    ordered = [code for _, code in index.list_asked_first(["99213"])]
    assert ordered == ["99213", "73721", "27447", "88305", "76942", "11111"]
