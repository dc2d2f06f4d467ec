"""A page that begins with the middle rate says what the middle organization is paid where that is far from it."""

from pathlib import Path

import pytest
from django.test import Client

from core.pages.worked_questions import work_questions
from core.queries.code_answer import list_middles, spread_by_terms
from core.queries.find.code_index import FoundCode
from core.queries.find.middle_rates import find_middle_rates
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.middle_organization import MiddleOrganization, find_middle_organization, find_notable_middle
from core.queries.parties.organizations import count_totals
from core.store.connection import Snapshot
from tests.queries.one_market import A_RATE, MARKET
from tests.queries.rates_by_month import store_of
from tests.site import serving, text_of

GROUPS = [({"1912951245"}, {("ein", f"10000000{number}")}) for number in range(1, 4)]
SAID = "in the middle (the middle organization is paid $20.00)"


def store_with(root: Path, *amounts: tuple[int, float]) -> Snapshot:
    """Return a store of rates, each of a group with an organization of its own."""
    rates = [{**A_RATE, "group": group, "negotiated_rate": amount} for group, amount in amounts]
    return store_of(root, {"2025-08": (GROUPS, rates)})


SEVERAL_OF_ONE = [(0, 10.0), (0, 10.5), (0, 11.0), (0, 11.5), (1, 20.0), (2, 21.0)]
"""One contract of four prices, and two of one: the middle rate is $11.25, the organization in the middle has $20."""


def test_an_organization_counts_once_however_many_rates_it_has(tmp_path: Path) -> None:
    db = store_with(tmp_path, *SEVERAL_OF_ONE)
    with market_cache(db, MARKET) as cached:
        spreads = spread_by_terms(cached, MARKET)
        found = find_notable_middle(cached, MARKET, spreads)
        assert spreads[0].p50 == 11.25
        assert (
            found == MiddleOrganization(3, 20.0, 1) == find_notable_middle(cached, MARKET, list_middles(cached, MARKET))
        )
        assert find_middle_organization(cached, Market(**{**vars(MARKET), "classes": "all"})) is None


@pytest.mark.parametrize(
    ("price", "organizations", "is_said"),
    [
        (110.0, 3, False),
        (111.0, 3, True),
        (89.0, 3, True),
        (90.0, 3, False),
        (300.0, 1, False),
        (None, 0, False),
    ],
)
def test_both_are_said_if_they_are_more_than_a_tenth_apart(
    price: float | None, organizations: int, is_said: bool
) -> None:
    assert MiddleOrganization(organizations, price, 0).differs_from(100.0) == is_said


def test_every_page_that_begins_with_the_middle_says_both(tmp_path: Path) -> None:
    db = store_with(tmp_path, *SEVERAL_OF_ONE)
    code = FoundCode("CPT", "99213", None, None, None, "GA", "2025-08", 6)
    (middle,) = find_middle_rates(db, [code]).values()
    assert (middle.p50, middle.middle_organization) == (11.25, 20.0)
    (with_filter,) = find_middle_rates(db, [code], {"payer": "payer_a"}).values()
    assert (with_filter.p50, with_filter.middle_organization) == (11.25, 20.0)
    assert f"$11.25 {SAID}" in work_questions(db, with_latest(db, Market("GA", "")))[0].answer
    with serving(db.root):
        client, asked = Client(), {"state": "GA", "code": "99213"}
        for page in ("rates", "report"):
            shown = text_of(client.get(f"/{page}/", asked))
            assert "is paid $11.25 in the middle (the middle organization is paid $20.00 ); half of the 6" in shown
        tab = text_of(client.get("/organizations/", asked))
        assert "the middle rate is $11.25 . Counted by tax ID, the middle one of 3 organizations is paid $20.00" in tab


def test_a_contract_of_most_organizations_is_said_with_the_middle_one(tmp_path: Path) -> None:
    """Two of three tax IDs are in the same groups: the third, which is in one of these, is under another contract."""
    groups = [
        (set[str](), {("ein", f"10000000{number}") for number in numbers}) for numbers in ((1, 2, 3), (1, 2), (3,))
    ]
    rates = [{**A_RATE, "group": at, "negotiated_rate": 10.0} for at in (0, 1)]
    rates += [{**A_RATE, "group": 1, "negotiated_rate": 30.0 + at} for at in range(5)]
    rates += [{**A_RATE, "group": 2, "negotiated_rate": 9.0 + at / 10} for at in range(9)]
    db = store_of(tmp_path, {"2025-08": (groups, rates)})
    with market_cache(db, MARKET) as cached:
        found = find_middle_organization(cached, MARKET)
        assert found
        assert (found.organizations, found.one_contract, found.is_one_contract) == (3, 2, True)
        assert count_totals(cached, MARKET).one_contract == 2
    with serving(db.root):
        client, asked = Client(), {"state": "GA", "code": "99213"}
        rates_page, tab = (text_of(client.get(f"/{page}/", asked)) for page in ("rates", "organizations"))
    assert "2 of 3 organizations are under one contract)" in rates_page
    assert "2 of them are under one contract: its price is the middle one." in tab


def test_one_that_is_not_far_is_not_said(tmp_path: Path) -> None:
    amounts = [(0, 10.0), (0, 10.5), (0, 11.0), (1, 10.2), (2, 11.0), (2, 12.0)]
    db = store_with(tmp_path, *amounts)
    with serving(db.root):
        assert "middle organization" not in text_of(Client().get("/rates/", {"state": "GA", "code": "99213"}))
