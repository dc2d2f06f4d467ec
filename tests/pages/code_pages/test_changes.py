"""A month compared with an earlier one."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client

from core.demo.payer_files import STATE, write_files
from core.load.load_file import load_file
from core.pages.formats import write_dollars
from core.pages.shared.words.change_words import count_paid
from core.queries.market.market import Market
from core.queries.over_time import changes, prices_moved
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.fixture_types import Load
from tests.pages.markets import MONTH, PEACH, PIEDMONT, QUERY
from tests.reference.nppes import registers
from tests.site import Visitor, serving, tables, text_of

PIEDMONT_NAME = "Example Piedmont Mutual, Inc."


def test_changes_of_a_payer_and_a_code(site: Client, demo: Snapshot) -> None:
    response = site.get("/changes/", {**QUERY, "payer": PIEDMONT, "classes": "all"})
    by_payer, every = tables(response)[0], tables(response)[-1]
    market = Market("GA", "2025-08", "CPT", "99213", payer=PIEDMONT)
    found = changes.count_movements(demo, market, "2025-07")
    (moved,) = found.payers
    other = moved.terms_before + moved.terms_after
    figures = (
        moved.before,
        moved.after,
        moved.up,
        moved.down,
        moved.unclear,
        moved.added,
        moved.gone,
        other,
        moved.same,
    )
    assert by_payer[1][1:10] == [str(figure) for figure in figures]
    total, rows = prices_moved.list_paid_alike(demo, market, "2025-07", None, "moved", 50, 0)
    assert len(every) - 1 == len(rows)
    assert [row[0] for row in every[1:]] == [row.what for row in rows]
    assert [row[3].split()[0] for row in every[1:]] == [write_dollars(row.new) if row.new else "–" for row in rows]
    assert f"1–{total} of {total}" in text_of(response)
    lead = max(found.terms, key=lambda row: (row.kept, row.after))
    assert (lead.up, lead.down, lead.same) == (5, 5, 10)
    assert "Of 20 organizations that Example Piedmont Mutual, Inc. pays in both" in text_of(response)
    assert "5 are paid more, 5 less, and 10 the same ; the median change is 0.0%" in text_of(response)
    # The sentence's figure, and another one that says of what it is.
    assert by_payer[0][10:] == ["Median change", "Median of those up or down"]
    assert by_payer[1][10] == "0.0%"
    only_up = site.get("/changes/", {**QUERY, "payer": PIEDMONT, "classes": "all", "what": "up"})
    assert {row[0] for row in tables(only_up)[-1][1:]} == {"up"}
    assert "only up ✕" in text_of(only_up)


def test_changes_of_a_payer_by_code_and_organization(site: Client, demo: Snapshot) -> None:
    found = changes.count_movements(demo, Market(**MONTH, payer=PIEDMONT), "2025-07")
    for sort, key in (("", lambda row: -row.moved), ("added", lambda row: -row.added)):
        response = site.get("/changes/", {"payer": PIEDMONT, **({"sort": sort} if sort else {})})
        _, by_code, by_organization = tables(response)
        assert [row[2] for row in by_code[1:]] == [str(row.after) for row in sorted(found.codes, key=key)][:50]
        assert [row[2] for row in by_organization[1:]] == [str(row.after) for row in sorted(found.tax_ids, key=key)][
            :20
        ]
    assert "Changes from July 2025 to August 2025 in Georgia" in text_of(response)
    moved = found.payers[0]
    assert f"Of {moved.before:,} pairs of an organization and a code" in text_of(response)


def test_changes_of_an_organization(site: Client, demo: Snapshot) -> None:
    one = changes.count_movements(demo, Market(**MONTH, payer=PIEDMONT), "2025-07").tax_ids[0]
    response = site.get("/changes/", {**MONTH, "tin": one.tin_value})
    found = changes.count_movements(demo, Market(**MONTH, tin=one.tin_value), "2025-07")
    assert {row.tin_value for row in found.tax_ids} == {one.tin_value}
    prices = prices_moved.list_code_prices(demo, Market(**MONTH, tin=one.tin_value), "2025-07")
    assert {(row.code, row.kind) for row in prices} == {(row.code, row.kind) for row in found.codes}
    assert len(tables(response)[1]) - 1 == min(len(prices), 50)


def test_without_a_code_the_page_begins_with_what_each_payer_changed(site: Client, demo: Snapshot) -> None:
    response = site.get("/changes/")
    shown = " ".join(text_of(response).split())
    for row in changes.count_movements(demo, Market(**MONTH), "2025-07").payers:
        if row.kind == "dollars":
            words = f"Of {row.kept:,} prices (an organization and a code) that {row.reporting_entity_name} has in both"
            assert words in shown
            assert shown.split(words)[1].startswith(f" July 2025 and August 2025, {count_paid(row)}")
    assert [row[1:] for row in tables(response)[0][1:]] == [
        ["528", "1", "528", "1"], ["1,008", "1", "1,008", "1"], ["1,040", "1", "1,040", "1"],
    ]  # fmt: skip
    earliest = site.get("/changes/", {"year_month": "2025-07"})
    assert "No month before July 2025 is available for Georgia" in text_of(earliest)


def test_a_payer_of_one_month_has_nothing_to_compare_with(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    for path in write_files(tmp_path, ("2025-08",))[:1]:
        load_file(store, open_documents(path)[0], STATE)
    with serving(store.root):
        response = Client().get("/changes/", {"payer": PEACH, "code": "99213"}, follow=True)
        assert response.status_code == 200
        assert "No month before August 2025 is available for Georgia" in text_of(response)


def test_different_numbers_of_files_are_pointed_out(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    before, after = (path for path in write_files(tmp_path) if "piedmont" in path.name)
    again = after.with_name("again.json")
    again.write_bytes(after.read_bytes() + b"\n")
    for path in (before, after, again):
        load_file(store, open_documents(path)[0], STATE)
    with serving(store.root):
        shown = text_of(Client().get("/changes/", {"payer": PIEDMONT, "code": "99213"}, follow=True))
        assert "The months have different numbers of files: Example Piedmont Mutual, Inc. 1 and 2." in shown


@pytest.fixture(scope="module")
def other_months(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Yield a client of a store in which Peach has the newest month alone, and Piedmont two older ones."""
    folder = tmp_path_factory.mktemp("other_months")
    store = Store(folder / "data")
    for path in write_files(folder, ("2025-06", "2025-07", "2025-08")):
        if ("peach" if "2025-08" in path.name else "piedmont") in path.name:
            load_file(store, open_documents(path)[0], STATE)
    with serving(store.root):
        yield Client()


COMPARED = "Changes from June 2025 to July 2025 in Georgia"


@pytest.mark.parametrize("code", [{}, {"code_type": "CPT", "code": "99213"}])
def test_without_months_those_of_a_payer_with_two_are_compared(other_months: Client, code: dict[str, str]) -> None:
    shown = text_of(other_months.get("/changes/", {"state": "GA", **code}))
    assert COMPARED in shown
    assert "Not compared" not in shown
    of_peach = text_of(other_months.get("/changes/", {"state": "GA", **code, "payer": PEACH}))
    assert COMPARED not in of_peach, "a payer of one month"


def test_months_that_were_asked_for_stay_and_others_are_offered(other_months: Client) -> None:
    asked = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "99213", "from": "2025-07"}
    for payer in ({}, {"payer": PIEDMONT}):
        page = other_months.get("/changes/", {**asked, **payer}, follow=True)
        assert "Changes from July 2025 to August 2025 in Georgia" in text_of(page)
        said = "These can be compared: Example Piedmont Mutual, Inc. , June 2025 to July 2025"
        assert said in text_of(page)
        (address,) = re.findall(rf'<a href="([^"]*)">{PIEDMONT_NAME}</a>', page.content.decode())
        compared = text_of(other_months.get(address.replace("&amp;", "&")))
        assert COMPARED in compared
        assert "By payer" in compared


def test_months_that_were_filled_in_stay_on_the_page(other_months: Client) -> None:
    """The form, with which another payer is chosen, and the tabs mean the latest file of each payer."""
    asked = {"state": "GA", "code_type": "CPT", "code": "99213"}
    page = other_months.get("/changes/", asked).content.decode()
    assert "year_month=" not in page.partition('<nav class="tabs"')[2].partition("</nav>")[0]
    assert "year_month=" not in page.partition("<nav")[2].partition("</nav>")[0], "nor the navigation of the site"
    assert '<option value="2025-07" selected>' not in page
    assert '<option value="" selected>Newest that can be compared' in page
    chosen = other_months.get("/changes/", {**asked, "year_month": "2025-07"}, follow=True).content.decode()
    tabs = chosen.partition('<nav class="tabs"')[2].partition("</nav>")[0]
    assert "/rates/?state=GA&amp;year_month=2025-07&amp;code_type=CPT&amp;code=99213" in tabs
    assert '<option value="2025-07" selected>' in chosen


def test_a_clinic_has_a_line_for_each_code_in_dollars(site: Client, demo: Snapshot) -> None:
    market = Market(**MONTH, payer=PIEDMONT)
    moved = max(changes.count_movements(demo, market, "2025-07").tax_ids, key=lambda row: row.up + row.down)
    response = site.get("/changes/", {"payer": PIEDMONT, "tin": moved.tin_value})
    every = prices_moved.list_code_prices(demo, replace(market, tin=moved.tin_value), "2025-07")
    shown = tables(response)[-1][1:]
    assert [row[1:3] for row in shown] == [
        [write_dollars(one) if one is not None else "–" for one in (row.old, row.new)] for row in every[:50]
    ]
    differences = [abs(row.difference or 0) for row in every if row.kind == "dollars"]
    assert differences == sorted(differences, reverse=True)
    assert max(differences) > 0
    assert any(re.search(r"price.*(up|down) \([+−]", row[5]) for row in shown)
    assert "may give three numbers" in text_of(response)


def test_what_is_unclear_has_no_percent(store: Store, load: Load) -> None:
    """One contract was cut and one ended: the median of what is left is no change of anything."""
    for month, amounts in (("2025-07", (100, 200)), ("2025-08", (190,))):
        content = registers.rates(registers.CLINIC) | {"last_updated_on": f"{month}-01"}
        (price,) = content["in_network"][0]["negotiated_rates"][0]["negotiated_prices"]
        prices = [price | {"negotiated_rate": amount} for amount in amounts]
        content["in_network"][0]["negotiated_rates"][0]["negotiated_prices"] = prices
        load(content, name=f"{month}.json")
    with serving(store.root):
        response = Visitor().get("/changes/", {"code": "99213"})
    heads, row = tables(response)[-1]
    assert row[heads.index("Outcome")] == "unclear"
    assert row[heads.index("Difference")] == "–"
    assert row[heads.index("Change")] == "another set of prices"
    assert "1 is unclear, as the file has another number of prices, or some are higher and some lower" in text_of(
        response
    )
