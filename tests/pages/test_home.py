"""The first page."""

import math
import re
from dataclasses import replace

import pytest
from django.test import Client

from core.pages import home
from core.pages.formats import write_dollars
from core.pages.shared import page
from core.pages.shared.answer_cache import AnswerCache
from core.pages.worked_questions import WorkedQuestion, work_questions
from core.queries import coverage
from core.queries.classes.rate_classes import choose_class
from core.queries.code_answer import spread_by_terms
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.store.connection import QueryTimeout, Snapshot
from core.store.query_limits import seconds_left
from tests.pages.markets import MARKET
from tests.site import csv_rows, tables, text_of


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
    spread = next(row for row in spread_by_terms(demo, market) if row.reporting_entity_name is None)
    answered = next(one for one in worked if "99213" in one.question)
    figures = re.findall(r"\$([\d.,]+\d)", answered.answer)
    payers = [
        row.p50 for row in spread_by_terms(demo, market) if row.reporting_entity_name and row.terms == spread.terms
    ]
    assert figures in (
        [write_dollars(max(payers))[1:], write_dollars(min(payers))[1:]],
        [write_dollars(spread.p50)[1:], write_dollars(spread.p25)[1:], write_dollars(spread.p75)[1:]],
    )


def test_a_worked_question_leads_to_its_figures(site: Client, demo: Snapshot) -> None:
    market = with_latest(demo, Market("GA", ""))
    one_payer = work_questions(demo, replace(market, payer="example_peach_health_plan"))
    assert "How much do the rates" in one_payer[1].question
    for one in (*work_questions(demo, market), *one_payer):
        shown = text_of(site.get(one.address))
        figures = re.findall(r"\$[\d.,]+\d|\d+%", one.answer)
        assert figures
        assert not [figure for figure in figures if figure not in shown], one.address


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
