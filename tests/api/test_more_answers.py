"""The API's answers about payers, changes, quality, search and facets are those of the queries."""

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.fields.codes import code_list
from core.quality.checks import CHECKS
from core.queries import facets, quality
from core.queries.classes.rate_classes import choose_class
from core.queries.contract_rule.payer_contracts import find_rules_of_payer
from core.queries.find import search
from core.queries.find.middle_rates import find_middle_rates
from core.queries.histogram import build_histogram
from core.queries.loaded_files import list_files
from core.queries.market.market import Market
from core.queries.over_time import changes
from core.queries.over_time.matching import OUTCOMES
from core.queries.payers import networks
from core.queries.profiles import count_profile_choices
from core.queries.side_by_side import payer_comparison
from core.queries.side_by_side.payer_spread import PayerSpread
from core.queries.yardstick import medicare_amounts
from core.store.connection import Snapshot
from tests.api.market import ALL, MARKET, QUERY, plain
from tests.api.walking import get, walk
from tests.queries import slow_changes
from tests.queries.slow import Everything

PEACH = "example_peach_health_plan"
SAVANNAH = "example_savannah_benefit_administrators"
AUGUST = {"state": "GA", "year_month": "2025-08"}


@pytest.fixture(autouse=True)
def patient(settings: Any) -> None:
    """Give queries time on a busy machine."""
    settings.BEACONPOINT_QUERY_SECONDS = 60


def test_every_table_has_the_rows_of_its_query(site: Client, demo: Snapshot) -> None:
    newest = quality.list_runs(demo)[0].run_id
    wanted = code_list.read_codes("99213,CPT:70450,450,0001A")
    professional = compared(
        demo, wanted[:1], None, billing_class="professional", care_setting="non-facility or unstated"
    )
    of_payer = Market("GA", "2025-08", payer=PEACH)
    moved = changes.count_movements(demo, of_payer, "2025-07")
    tables: list[tuple[str, dict[str, Any], Any]] = [
        ("payers", {**AUGUST, "codes": "99213,CPT:70450,450,0001A"}, compared(demo, wanted, None)),
        ("payers", {"codes": "99213", "base": PEACH, "classes": "all"}, compared(demo, wanted[:1], PEACH)),
        ("payers", {"codes": "99213", "billing_class": "professional"}, professional),
        (f"payers/{SAVANNAH}/networks", {}, networks.list_networks(demo, SAVANNAH)),
        (f"payers/{PEACH}/files", {}, list_files(demo, PEACH)),
        ("changes", ALL, changes.list_changed_pay(demo, MARKET, "2025-07", None, "moved", 10**6, 0)[1]),
        ("changes", {**ALL, "what": "up", "sort": "-percent"},
         changes.list_changed_pay(demo, MARKET, "2025-07", "up", "-percent", 10**6, 0)[1]),
        ("changes/payers", {**ALL, "from": "2025-07"}, changes.count_movements(demo, MARKET, "2025-07").payers),
        ("changes/codes", {"payer": PEACH}, sorted(moved.codes, key=lambda row: -row.moved)),
        ("changes/organizations", {"payer": PEACH}, sorted(moved.tax_ids, key=lambda row: -row.moved)),
        ("changes/codes", {"payer": PEACH, "sort": "code"}, moved.codes),
        ("quality", {}, quality.list_check_outcomes(demo, newest)),
        ("quality/places", {"run": str(newest)}, quality.list_checked_places(demo, newest, {}, 10**6)[1]),
        ("quality/places", {"payer": SAVANNAH, "year_month": "2025-08"},
         quality.list_checked_places(demo, newest, {"payer_slug": SAVANNAH, "year_month": "2025-08"}, 10**6)[1]),
        ("quality/months", {}, quality.list_month_cells(demo, newest)),
        ("quality/history", {}, quality.list_history(demo, newest, {})),
        ("quality/history", {"check": "zero_rates"}, quality.list_history(demo, newest, {"check_name": "zero_rates"})),
        ("quality/runs", {}, quality.list_runs(demo)),
        ("rates/facets", ALL, [*(one for some in facets.count_choices(demo, MARKET).values() for one in some),
                                 *(one for some in count_profile_choices(demo, MARKET).values() for one in some),
                                 *facets.count_networks(demo, MARKET), *facets.count_months(demo, MARKET)]),
    ]  # fmt: skip
    for path, parameters, expected in tables:
        rows = [{**row, **({"checked_at": row["checked_at"][:23] + "Z"} if "checked_at" in row else {})}
                for row in plain(expected)]  # fmt: skip
        assert rows, path
        assert walk(site, path, **parameters, limit=1000) == rows, path
        assert walk(site, path, **parameters, limit=max(len(rows) // 3, 1)) == rows, path


def compared(db: Snapshot, wanted: list[code_list.WantedCode], base: str | None, **filters: str) -> list[PayerSpread]:
    found, _ = payer_comparison.compare_payers(db, Market("GA", "2025-08", **filters), wanted, base)
    names = PayerSpread.__dataclass_fields__
    return [PayerSpread(**{name: getattr(one, name) for name in names}) for one in found]


def test_the_other_fields_of_an_answer_are_those_of_their_queries(site: Client, demo: Snapshot) -> None:
    answer = get(site, "payers", codes="99213,XYZ1", payer=PEACH)
    _, counted = payer_comparison.compare_payers(
        demo, Market("GA", "2025-08"), code_list.read_codes("99213,XYZ1"), None
    )
    assert answer["codes"] == plain(counted)
    assert {row["payer_slug"] for row in answer["rows"]} == {None, PEACH}
    assert answer["market"]["payer"] == PEACH
    answer = get(site, "changes/codes", payer=PEACH)
    assert answer["payers"] == plain(
        changes.count_movements(demo, Market("GA", "2025-08", payer=PEACH), "2025-07").payers
    )
    assert answer["compared_with"] == "2025-07"
    assert get(site, "changes", code="99213")["compared_with"] == "2025-07"
    newest = quality.list_runs(demo)[0]
    for path in ("quality", "quality/places", "quality/months"):
        assert get(site, path)["run"]["run_id"] == newest.run_id, path


def test_the_history_lists_only_checks_that_tell_the_payer_apart(site: Client) -> None:
    named = {row["check_name"] for row in walk(site, "quality/history", payer=PEACH)}
    assert named == {check.name for check in CHECKS if "payer" in check.parted}
    assert named < {row["check_name"] for row in walk(site, "quality/history")}


def test_the_contracts_of_a_payer_are_those_of_its_page(site: Client, demo: Snapshot) -> None:
    market = Market("GA", "2025-08", payer=PEACH)
    rows = walk(site, "rule/contracts", payer=PEACH, state="GA")
    assert rows == plain(find_rules_of_payer(demo, market).contracts)
    assert rows
    refused = site.get("/api/v1/rule/contracts", {"payer": PEACH, "state": "GA", "tin": rows[0]["tin_value"]})
    assert refused.status_code == 400


def test_a_histogram_comes_with_medicare_amounts(site: Client, demo: Snapshot) -> None:
    answer = get(site, "rates/histogram", **QUERY, billing_class="professional")
    market = choose_class(demo, Market(**QUERY, billing_class="professional")).market
    found = build_histogram(demo, market)
    assert (answer["bins"], answer["below"], answer["above"]) == (plain(found.bins), found.below, found.above)
    assert (answer["lowest"], answer["highest"]) == (found.lowest, found.highest)
    assert answer["amounts"] == plain(medicare_amounts.count_amount_lines(medicare_amounts.find_amounts(demo, market)))
    assert answer["amounts"]
    assert answer["market"]["billing_class"] == "professional"


@pytest.mark.parametrize("text", ["99213", "knee", "exercize", "piedmont", "example", "1999999999", ""])
def test_search_finds_codes_providers_and_payers(site: Client, demo: Snapshot, text: str) -> None:
    found = search.search_everything(demo, text)
    answer = get(site, "search", q=text)
    assert answer["codes"] == plain(found.codes)
    assert answer["codes_in_all"] == found.codes_in_all
    assert answer["providers"] == plain(found.providers)
    assert answer["payers"] == plain(found.payers)
    assert answer["corrected"] == found.corrected
    assert answer["organizations"] == plain(found.organizations)
    assert answer["organizations_in_all"] == found.organizations_in_all
    assert answer["set_aside"] == list(found.set_aside)
    assert answer["middles"] == plain(list(find_middle_rates(demo, found.codes, found.context.filters).values()))


@hypothesis_settings(max_examples=5)
@given(what=st.sampled_from([None, *OUTCOMES]), sort=st.sampled_from(sorted(changes.ORDERS)), limit=st.integers(9, 60))
def test_following_cursors_returns_each_change_once(
    site: Client, demo: Snapshot, what: str | None, sort: str, limit: int
) -> None:
    everything = Everything(demo)
    months = [everything.of(Market("GA", month, "CPT", "99213")) for month in ("2025-07", "2025-08")]
    expected = [change for change in slow_changes.changes(months[0], months[1]) if what in {None, change.what}]
    found = walk(site, "changes", **ALL, sort=sort, limit=limit, **({"what": what} if what else {}))
    per_row = [(row["what"], row["tin_value"], row["old"], row["new"]) for row in found]
    wanted = [(one.what, one.paid.payee and one.paid.payee[1], one.old, one.new) for one in expected]
    assert sorted(map(str, per_row)) == sorted(map(str, wanted))
