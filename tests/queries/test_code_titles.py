"""What codes are called: words that tell one code from another, not a category of hundreds."""

from core.pages.shared.words.labels import title_of
from core.queries.code_titles import choose_titles, code_titles
from core.queries.find.codes import CodeTitle
from core.store.connection import Snapshot

CATEGORY = "Musculoskeletal Surgery"


def test_a_category_that_many_codes_share_is_not_a_title() -> None:
    texts: dict[tuple[str, str], tuple[str | None, str | None]] = {
        ("CPT", f"2001{number}"): (CATEGORY, f"Bone thing {number}") for number in range(9)
    }
    assert choose_titles(texts, []) == {("CPT", f"2001{number}"): f"Bone thing {number}" for number in range(9)}


def test_our_plain_name_goes_first_then_an_official_title_then_payers_words() -> None:
    texts: dict[tuple[str, str], tuple[str | None, str | None]] = {
        ("CPT", "27447"): (CATEGORY, "TOTAL KNEE ARTHROPLASTY"),
        ("HCPCS", "A0021"): ("Outside state ambulance serv", "Ambulance service, outside state per mile"),
        ("HCPCS", "A0022"): ("Short title", "long " * 40),
        ("CPT", "20000"): (CATEGORY, None),
        ("CPT", "20001"): (None, None),
    }
    assert choose_titles(texts, [("HCPCS", "A0021"), ("HCPCS", "A0022")]) == {
        ("CPT", "27447"): "Total knee replacement",
        ("HCPCS", "A0021"): "Ambulance service, outside state per mile",
        ("HCPCS", "A0022"): "Short title",
        ("CPT", "20000"): CATEGORY,
    }


def test_payers_words_in_capitals_are_the_last_choice_and_written_out() -> None:
    texts: dict[tuple[str, str], tuple[str | None, str | None]] = {
        ("CPT", "20002"): ("RMVL OF A LONG AND WINDING THING", "Thing removed"),
        ("CPT", "20003"): ("RMVL W/O GRAFT", None),
    }
    assert choose_titles(texts, []) == {("CPT", "20002"): "Thing removed", ("CPT", "20003"): "Removal without graft"}


def test_titles_are_those_of_loaded_codes(demo: Snapshot) -> None:
    titles = code_titles(demo)
    assert titles["CPT", "70450"] == "Head CT without contrast"
    assert set(titles) <= set(demo.rows("SELECT code_type, code FROM dim_code"))


def test_a_row_of_two_systems_has_the_title_of_either() -> None:
    titles = {("HCPCS", "70450"): "Head CT"}
    assert title_of(CodeTitle("CPT or HCPCS", "70450", "CT", None), titles) == "Head CT"
    assert title_of(CodeTitle("CPT", "70450", "CT", None), titles) == "CT"
    assert title_of(CodeTitle("CPT", "70450", None, None), titles) == ""
    assert title_of(None, titles) == ""
