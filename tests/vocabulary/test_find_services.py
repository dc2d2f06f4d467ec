"""Services found by what people write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.vocabulary.asked_codes import ASKED_CODES
from core.vocabulary.find_services import correct_words, find_services


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("knee mri", ["73721"]),
        ("MRI of the right knee", ["73721"]),
        ("magnetic resonance imaging knee", ["73721"]),
        ("mri knee with contrast", ["73722"]),
        ("knee mri w/o contrast", ["73721"]),
        ("knee mri with and without contrast", ["73723"]),
        ("cat scan of the head", ["70450"]),
        ("low back mri", ["72148"]),
        ("l-spine mri", ["72148"]),
        ("belly ct", ["74177", "74176", "74178", "74150"]),
        ("ct abdomen with contrast", ["74160"]),
        ("urgent care", ["99213", "99203", "99214", "99204", "S9083"]),
        ("chest x ray", ["71045", "71046"]),
        ("office visit", ["99213", "99214"]),
        ("new patient visit", ["99203", "99204"]),
        ("ER visit", ["99284", "99285", "99283"]),
        ("physical therapy", ["97110"]),
        ("PT eval", ["97161"]),
        ("c-section", ["59510", "59514"]),
        ("tka", ["27447"]),
        ("hip replacement", ["27130"]),
        ("colonoscopy", ["45378", "45380"]),
        ("flu shot", ["90686"]),
        ("ekg", ["93000"]),
        ("cbc", ["85025"]),
        ("a1c", ["83036"]),
        ("therapy session", ["90834", "90837"]),
        ("psychotherapy 45 minutes", ["90834"]),
        ("cortisone shot in the knee", ["20610"]),
        ("broken wrist", ["25600"]),
        ("talk therapy 1 hour", ["90837"]),
        ("how much does a colonoscopy cost", ["45378"]),
        ("wisdom teeth", ["D7240", "D7230"]),
        ("hospital room private", ["0110"]),
    ],
)
def test_plain_words_find_the_commonest_code_first(text: str, codes: list[str]) -> None:
    assert [match.code.code for match in find_services(text)][: len(codes)] == codes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("colonoscpy", "45378"),
        ("kne mri", "73721"),
        ("kneemri", "73721"),
        ("phisical therapy", "97110"),
        ("hip replacment", "27130"),
        ("mamogram", "77067"),
        ("gall bladder removal", "47562"),
        ("ultra sound of the thyroid", "76536"),
        ("vasectmy", "55250"),
        ("arthrosocpy knee", "29881"),
        ("colonosc", "45378"),
    ],
)
def test_typing_errors_and_words_cut_short_are_forgiven(text: str, code: str) -> None:
    assert find_services(text)[0].code.code == code


@pytest.mark.parametrize("text", ["", "the cost of", "xyzzy", "zzzz qqqq", "73721", "dallas", "!!", "smith"])
def test_what_means_no_service_finds_none(text: str) -> None:
    assert find_services(text) == ()


def test_a_service_that_has_more_of_the_words_goes_before_one_that_has_fewer() -> None:
    services = [match.service for match in find_services("lung cancer screening")]
    assert set(services) == {"Lung cancer screening CT"}


@given(st.text(max_size=60))
def test_any_text_is_answered_with_scores_in_order(text: str) -> None:
    found = find_services(text)
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)
    assert all(0 < match.covered <= 1 for match in found)
    assert len({(match.code.code_type, match.code.code) for match in found}) == len(found)


@pytest.mark.parametrize(
    ("given_words", "words"),
    [
        (["colonoscpy"], ["colonoscopy"]),
        (["kneemri"], ["knee", "mri"]),
        (["mammo", "gram"], ["mammo", "gram"]),
        (["methodist"], ["methodist"]),
        (["kne", "replcement"], ["kne", "replacement"]),
    ],
)
def test_words_are_mended_only_if_they_are_near_one_of_the_vocabulary(given_words: list[str], words: list[str]) -> None:
    assert correct_words(given_words) == words


def test_a_kind_of_scan_alone_begins_with_what_is_asked_for_most() -> None:
    """All MRIs match the word alike, and nobody means the heart first."""
    for text in ("MRI", "an mri scan", "magnetic resonance imaging"):
        assert [match.code.code for match in find_services(text)][:3] == ["73721", "72148", "70551"]
    assert find_services("heart mri")[0].code.code == "75557"
    for kind, codes in ASKED_CODES.items():
        found = [match.code.code for match in find_services("x-ray" if kind == "xray" else kind)]
        assert found[: len(codes)] == list(codes), kind
