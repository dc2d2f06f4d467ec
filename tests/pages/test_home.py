"""The first page."""

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from core.fields.codes.code_list import WantedCode
from core.pages import home
from core.pages.formats import write_dollars
from core.pages.shared import page
from core.pages.shared.answer_cache import AnswerCache
from core.pages.worked_questions import WorkedQuestion, work_questions
from core.queries import coverage, in_state
from core.queries.classes.rate_classes import choose_class
from core.queries.latest import with_latest
from core.queries.loaded_files import SharedFile
from core.queries.market.market import Market
from core.queries.side_by_side.payer_comparison import compare_payers
from core.store.connection import QueryTimeout, Snapshot
from core.store.query_limits import seconds_left
from tests.pages.markets import MARKET
from tests.queries.one_market import A_RATE, store_of_market
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written
from tests.site import Visitor, csv_rows, serving, tables, text_of


def test_the_first_page_lists_the_available_rates(site: Client, demo: Snapshot) -> None:
    response = site.get("/")
    (loaded,) = tables(response)
    newest = {row.payer_slug: row for row in reversed(coverage.list_coverage(demo))}
    names = sorted((row.reporting_entity_name for row in newest.values()), key=str.lower)
    assert [row[1] for row in loaded[1:]] == names, "each payer once"
    shown = {}
    for row in newest.values():
        key = {"state": row.state, "year_month": row.year_month, "payer": row.payer_slug}
        dollars = Market(**key).where + " AND rate_kind(negotiated_type, negotiation_arrangement) = 'dollars'"
        ((number,),) = demo.rows(f"SELECT count(*) FROM fact_rate f WHERE {dollars}", Market(**key).parameters)
        others = f" and {row.rates - number:,} in other terms" if row.rates > number else ""
        shown[row.reporting_entity_name] = f"{number:,}{others}"
    assert {row[1]: row[3] for row in loaded[1:]} == shown
    assert any(" in other terms" in one for one in shown.values())
    payers = tables(site.get("/payers/"))[0]
    assert {row[0]: row[3] for row in payers[1:]} == shown, "the list of payers says the same"
    assert f"{sum(row.rates for row in coverage.list_coverage(demo)):,} of them, from 3 payers" in text_of(response)
    assert len(csv_rows(site.get("/", {"format": "csv"}))) == 6


def test_worked_questions_have_the_figures_of_their_pages(site: Client, demo: Snapshot) -> None:
    worked = work_questions(demo, with_latest(demo, Market("GA", "")))
    assert len(worked) == 3
    shown = text_of(site.get("/"))
    for one in worked:
        assert f"{one.question} {one.answer}" in shown
        assert site.get(one.address).status_code == 200
    market = choose_class(demo, MARKET).market
    answered = next(one for one in worked if "99213" in one.question)
    figures = re.findall(r"\$([\d.,]+\d)", answered.answer)
    prices = sorted(row.price for row in compare_payers(demo, market, [WantedCode("CPT", "99213")], None)[0][1:])
    assert "Which payer pays more" in answered.question
    assert figures == [write_dollars(prices[-1])[1:], write_dollars(prices[0])[1:]]


def figures_missing(question: WorkedQuestion, response: Any) -> list[str]:
    """Return the dollars, percents, and numbers of organizations that the answer on the page does not have.

    How much rates differ is in the page's table.
    """
    shown = response.content.decode()
    if "differ?" not in question.question:
        shown = " ".join(re.findall(r'<(?:p|section|div) class="answer[^>]*>.*?</(?:p|section)>', shown, re.DOTALL))
    text = re.sub(r"<[^>]*>", " ", shown)
    figures = re.findall(r"\$[\d.,]+\d|\d+%|[\d,]+(?= (?:of its|organizations|rates?\b))", question.answer)
    assert figures, question
    return [one for one in figures if not re.search(rf"(?<![\d.,]){re.escape(one)}(?![\d%]|[.,]\d)", text)]


def test_a_worked_question_leads_to_its_figures(site: Client, demo: Snapshot) -> None:
    market = with_latest(demo, Market("GA", ""))
    one_payer = work_questions(demo, replace(market, payer="example_peach_health_plan"))
    assert "How much do the rates" in one_payer[1].question
    for one in (*work_questions(demo, market), *one_payer):
        assert not figures_missing(one, site.get(one.address)), one


@pytest.mark.parametrize(
    ("amounts", "question"),
    [
        ([106.01], "What is paid for"),
        ([50.0] * 9, "What is paid for"),
        ([50.0, 51.0], "What is paid for"),
        ([50.0, 80.0], "How much do the rates for"),
        ([50.0 + at for at in range(9)], "How much do the rates for"),
    ],
)
def test_it_is_not_asked_how_much_one_price_differs(tmp_path: Path, amounts: list[float], question: str) -> None:
    made = [{"code": code, "group": at % 4, "negotiated_rate": one}
            for code in ("73721", "99213", "45378") for at, one in enumerate(amounts)]  # fmt: skip
    db = store_of_market(tmp_path, *made)
    asked = work_questions(db, with_latest(db, Market("GA", "")))
    assert asked[1].question.startswith(question)
    if len(amounts) == 1:
        assert asked[1].answer.startswith("1 rate: $106.01 (")


def test_days_of_a_file_and_of_the_data_are_not_called_the_same(site: Client) -> None:
    page = text_of(site.get("/"))
    # The demo's files are loaded on the day of its data: that day alone is said, twice.
    days = re.findall(r"(loaded on|Loaded|Data as of) (\w{3} \d+, \d{4})", page)
    assert [words for words, _ in days] == ["Data as of", "Data as of"]
    assert len({day for _, day in days}) == 1


def test_the_payer_that_pays_more_is_the_one_that_its_page_says(tmp_path: Path) -> None:
    """By rates, A pays twice what B does; its middle organization is paid less."""
    rates = [*(("A", 0, 300.0 + at) for at in range(6)), ("A", 1, 100.0), ("B", 2, 150.0)]
    groups: list[Any] = [
        (set(), {("ein", f"10000000{number}") for number in numbers}) for numbers in ([1], range(2, 8), range(20, 26))
    ]
    made = [
        {**A_RATE, "code": code, "reporting_entity_name": f"Payer {payer}", "group": group, "negotiated_rate": rate}
        for code in ("73721", "99213", "45378")
        for payer, group, rate in rates
    ]
    db = store_of(tmp_path, {"2025-08": (groups, made)})
    asked = next(one for one in work_questions(db, with_latest(db, Market("GA", ""))) if "Which payer" in one.question)
    assert asked.answer.startswith("PAYER_B (August 2025): $150.00 to the middle one of its 6 organizations; PAYER_A (")
    assert "$100.00 to the middle one of its 7 organizations" in asked.answer
    with serving(db.root):
        page = Visitor().get(asked.address)
    assert "PAYER_B pays the most, $150.00 to the middle one of its 6 organizations" in text_of(page)
    assert not figures_missing(asked, page)


def test_a_question_whose_providers_practice_in_the_state_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    familiar = ["73721", "99213", "45378", "70450", "27447"]
    made = [{"code": code, "group": at % 2, "negotiated_rate": 10.0 + n} for at, code in enumerate(familiar)
            for n in range(3)]  # fmt: skip
    plain = store_of_market(tmp_path, *made)
    of_month = {"year_month": "2025-08", "payer_slug": "payer_a", "zip": "", "specialty": "", "entity_type": ""}
    db = written(plain.root, {"group_profile": [
        {**of_month, "pg_uid": f"payer_a 2025-08 {group}", "city": city, "npis": 3}
        for group, city in enumerate(("DALLAS, TX", "MACON, GA"))
    ]})  # fmt: skip
    market = with_latest(db, Market("GA", ""))
    assert [next(code for code in familiar if code in one.question) for one in work_questions(db, market)] == [
        "73721", "99213", "45378"
    ], "no file is one of other states"  # fmt: skip
    shared = [SharedFile("PAYER_A", "payer_a", "2025-08", ["GA", "TX"], 15)]
    monkeypatch.setattr(in_state, "list_shared_files", lambda db: shared)
    worked = work_questions(db, market)
    assert [next(code for code in familiar if code in one.question) for one in worked] == ["99213", "70450", "73721"]
    elsewhere = "Most rates are of providers outside Georgia."
    assert [one.elsewhere for one in worked] == ["", "", elsewhere]
    with serving(db.root):
        assert text_of(Visitor().get("/")).count(elsewhere) == 1


def test_a_first_page_without_its_worked_questions_is_not_kept(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def time_out(*_: object) -> None:
        raise QueryTimeout("too slow")

    # Another test may have asked for this page: its answer would be kept.
    monkeypatch.setattr(page, "ANSWERS", AnswerCache(2**20))
    with monkeypatch.context() as patch:
        patch.setattr(home, "work_questions", time_out)
        unfinished = site.get("/", {"state": "GA"})
    assert unfinished.status_code == 200
    assert (unfinished["Cache-Control"], unfinished.get("ETag")) == ("no-store", None)
    assert len(site.get("/", {"state": "GA"}).content) > len(unfinished.content)


def test_the_worked_questions_leave_time_for_the_rest_of_the_page(
    site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[float] = []

    def note_time(db: Snapshot, _market: Market) -> list[WorkedQuestion]:
        left.extend((seconds_left(math.inf), db.limits.seconds))
        return []

    monkeypatch.setattr(page, "ANSWERS", AnswerCache(2**20))
    monkeypatch.setattr(home, "work_questions", note_time)
    site.get("/", {"state": "GA"})
    mine, whole = left
    assert mine <= home.PART_OF_TIME * whole


def test_the_worked_questions_say_whose_they_are(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "answered for Georgia" in text_of(site.get("/"))
    monkeypatch.setattr(page, "ANSWERS", AnswerCache(0))
    periods = coverage.list_periods
    monkeypatch.setattr(coverage, "list_periods", lambda db: [*periods(db), replace(periods(db)[-1], state="TX")])
    shown = site.get("/")
    assert "No state is chosen" in text_of(shown)
    assert 'href="/?state=TX">Texas</a>' in shown.content.decode()
    assert 'href="/?state=GA" aria-current="true">Georgia</a>' in shown.content.decode()
    assert "No state is chosen" not in text_of(site.get("/", {"state": "GA"}))


def test_the_form_takes_a_state_and_words(site: Client) -> None:
    assert "Georgia" in text_of(site.get("/", {"state": "GA"}))
    found = site.get("/", {"state": "GA", "q": "knee"})
    assert 'value="knee"' in found.content.decode()
    assert '<input type="hidden" name="state" value="GA">' in found.content.decode(), "another search keeps the state"
    missing = text_of(site.get("/", {"state": "TX"}))
    assert "No rates of Texas are available yet. There are rates of Georgia" in missing


def test_a_search_says_what_is_not_loaded_before_what_is(site: Client) -> None:
    text = text_of(site.get("/", {"q": "aetna 70450 xyzzy"}))
    assert "No rates of the payer you call “aetna” are loaded here" in text
    assert "Nothing that is loaded is called “xyzzy”. This is what the rest means." in text
    assert text.index("aetna") < text.index("CPT 70450")
