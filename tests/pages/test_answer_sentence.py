"""The sentence that the page of a code begins with: of a few rates, and of a market that is narrowed."""

import re
from pathlib import Path

import pytest
from django.test import Client

from core.demo.payer_files import STATE, write_files
from core.load.load_file import load_file
from core.load.rate_filters import RateFilter
from core.pages.formats import write_asked, write_city, write_emptied, write_narrowing
from core.pages.shared.words.answer_words import list_amounts
from core.queries.classes.rate_classes import choose_class
from core.queries.code_answer import answer_code, spread_by_terms
from core.queries.market.market import Market
from core.queries.parties.organizations import count_totals
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.pages.markets import QUERY
from tests.site import serving, text_of


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ([332.91, 377.96], "$332.91 and $377.96"),
        ([90, 100, 100, 1200], "$90.00, $100.00 (twice), and $1,200.00"),
        ([5, 5, 5], "all of $5.00"),
        ([5, 5, 5, 6], "$5.00 (three times) and $6.00"),
        ([5], "$5.00"),
    ],
)
def test_a_few_amounts_are_listed(amounts: list[float], said: str) -> None:
    assert list_amounts(amounts) == said


def test_what_a_market_is_narrowed_to_is_named() -> None:
    filters = [
        ("Payer", "payer", "Evry Health"), ("Billing class", "billing_class", "professional"),
        ("City", "city", "MACON, GA"), ("Tax ID", "tin", "123456789"), ("NPI", "npi", "1234567893"),
    ]  # fmt: skip
    assert write_narrowing(filters) == "payer Evry Health; tax ID 12-3456789; NPI 1234567893"


LEADS = {
    "rates": "In {where}, ", "report": "In {where}, ", "organizations": "In {where}, the middle rate is ",
    "payers": "In {where}, ", "medicare": "In {where}, Example",
    "places": "In {where}: ", "specialties": "In {where}: ",
}  # fmt: skip
"""How the first sentence of each tab of a code begins, with a filter."""


def test_each_tab_says_of_which_place_and_filter_its_first_figure_is(placed_site: Client, placed: Snapshot) -> None:
    def most(column: str) -> str:
        counted = f"SELECT {column} FROM group_profile WHERE {column} <> '' GROUP BY ALL ORDER BY count(*) DESC, 1"
        return str(placed.rows(f"{counted} LIMIT 1")[0][0])

    asked = {**QUERY, "code": "99213", "city": most("city")}
    city = write_city(asked["city"])
    for page, lead in LEADS.items():
        shown = text_of(placed_site.get(f"/{page}/", asked))
        assert lead.format(where=city) in shown, page
        assert "In Georgia, " not in shown
    market = choose_class(placed, Market(**asked)).market
    assert count_totals(placed, market).median != count_totals(placed, market.without("city")).median
    asked = {**QUERY, "code": "99213", "county": most("county_fips"), "specialty": most("specialty")}
    shown = text_of(placed_site.get("/organizations/", asked))
    [county] = re.findall(r"County: (.*?) ✕", shown)
    assert county.endswith(" County, GA")
    assert f"In {county} (specialty {asked['specialty']}), the middle rate is " in shown


def test_what_changed_is_of_the_place_that_is_asked_for(placed: Snapshot) -> None:
    filters = [("Payer", "payer", "Evry Health"), ("City", "city", "MACON, GA"), ("NPI", "npi", "1234567893")]
    assert write_asked("GA", filters) == "Macon, GA (NPI 1234567893)"
    assert write_asked("GA", filters[:1]) == ""


def test_an_empty_answer_names_every_filter() -> None:
    """A class and a modifier are in no other words there, as an answer's terms are."""
    filters = [("Network", "network", "PPO"), ("City", "city", "MACON, GA"), ("Modifier", "modifier", "26")]
    assert write_emptied("GA", filters) == "Macon, GA (network PPO; modifier 26)"
    assert write_emptied("GA", filters[:1]) == "Georgia (network PPO)"
    assert write_emptied("GA", []) == "Georgia"


@pytest.mark.parametrize("page", ["rates", "report"])
def test_the_answer_about_an_organization_lists_its_few_rates_and_names_it(
    site: Client, demo: Snapshot, page: str
) -> None:
    rows = demo.rows("SELECT DISTINCT tin_value FROM xref_group_tin WHERE tin_type = 'ein' ORDER BY tin_value")
    for (tin,) in rows:
        asked = {**QUERY, "tin": tin}
        answer = answer_code(spread_by_terms(demo, choose_class(demo, Market(**asked)).market))
        if answer and 2 <= answer.everybody.rates <= 4:
            break
    else:
        pytest.fail("no organization of the demo has two to four rates of the code")
    row = answer.everybody
    shown = text_of(site.get(f"/{page}/", asked))
    assert f"In Georgia (tax ID {tin[:2]}-{tin[2:]}), " in shown
    assert f"has {row.rates} rates: {list_amounts(row.few_amounts)}" in shown
    assert "rates are between" not in shown


def test_a_payer_without_rates_of_the_code_is_not_said_to_count(tmp_path: Path) -> None:
    """Its newest file has nothing to do with the answer, nor has the time between it and the others."""
    store = Store(tmp_path / "data")
    for path in write_files(tmp_path, ("2024-07", "2025-08")):
        if ("piedmont" if "2024-07" in path.name else "peach") in path.name:
            only = RateFilter(codes=("70450",)) if "peach" in path.name else RateFilter()
            load_file(store, open_documents(path)[0], STATE, only=only)
    with serving(store.root):
        counted = "Each payer counts with its newest file: Example P"
        alone = text_of(Client().get("/rates/", {"state": "GA", "code_type": "CPT", "code": "99213"}))
        assert f"{counted}iedmont Mutual, Inc., July 2024. " in alone
        assert "more than a year apart" not in alone
        both = text_of(Client().get("/rates/", {"state": "GA", "code_type": "CPT", "code": "70450"}))
        assert f"{counted}each Health Plan, August 2025; Example Piedmont Mutual, Inc., July 2024. " in both
        assert "more than a year apart" in both
