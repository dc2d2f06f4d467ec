"""Pages say that a payer's file which was loaded for several states has the same rates in each."""

import shlex
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command

from core.load.rate_filters import RateFilter
from core.quality.record import keep_report
from core.quality.report import run_checks
from core.queries.coverage import Coverage, list_coverage
from core.queries.in_state import find_in_state
from core.queries.loaded_files import SharedFile, list_shared_files
from core.queries.market.market import Market
from core.queries.payers import loaded_payers
from core.queries.payers.loaded_payers import LoadedRates, count_loaded
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.load.npi_states import place
from tests.rate_files import file_of, item_of
from tests.reference.nppes import registers
from tests.site import Visitor, serving, tables, text_of
from tests.stores import open_snapshot

SENTENCE = "is not divided by state: its rates are the same in Georgia and Texas"


@pytest.mark.in_turns(3)
@pytest.mark.parametrize("page", ["rates", "payers", "medicare", "organizations", "baskets", "report", "tin/123456789"])
def test_the_same_rates_in_two_states_are_told(store: Store, load: Load, page: str) -> None:
    load(registers.rates(registers.SURGEON), "GA")
    load(registers.rates(registers.SURGEON), "TX")
    load({**registers.rates(registers.CLINIC), "reporting_entity_name": "Another"}, "GA", "another.json")
    code = {} if page.startswith("tin") else {"codes" if page == "baskets" else "code": "99213"}
    with serving(store.root):
        text = text_of(Visitor().get(f"/{page}/", {"state": "GA", **code}))
    assert f"The file of Example {SENTENCE}" in text
    assert "The file of Another" not in text
    if page == "payers":
        with serving(store.root):
            of_payer = text_of(Visitor().get("/payers/", {"state": "GA", "payer": "example"}))
            of_other = text_of(Visitor().get("/payers/", {"state": "GA", "payer": "another"}))
        assert "a file that is not divided by state (the same rates in Georgia and Texas)" in of_payer
        assert "not divided by state" not in of_other


def test_the_counts_of_the_first_page_and_of_the_checks_add_up(store: Store, load: Load) -> None:
    load(registers.rates(registers.SURGEON), "GA")
    load(registers.rates(registers.SURGEON), "TX")
    load({**registers.rates(registers.CLINIC), "reporting_entity_name": "Another"}, "GA", "another.json")
    db = open_snapshot(store)
    in_states = db.rows("SELECT count(*) FROM fact_rate")[0][0]
    of_shared = db.rows("SELECT count(*) FROM fact_rate WHERE state = 'TX'")[0][0]
    counted = count_loaded(db)
    assert counted == LoadedRates(newest=in_states - of_shared, earlier=0, repeated=of_shared)
    assert counted.in_states == in_states
    report = run_checks(db)
    keep_report(store, report)
    (advice,) = report.advice
    assert advice.startswith(f"the file of Example, 2025-08, has the same {of_shared} rates in GA and TX, wherever")
    assert advice.endswith(
        "manage.py correct_rates --payer example --year-month 2025-08 --outside-state --reason 'not of the state'"
    )
    with serving(store.root):
        home, of_quality = text_of(Visitor().get("/")), Visitor().get("/quality/")
    quality, payers = text_of(of_quality), tables(of_quality)[0]
    assert [row[1] for row in payers[1:]] == ["Georgia", "Georgia, Texas"], "what is so in both is said once"
    assert f"here are {counted.different} of them" in home
    assert f"at {in_states} rates. {of_shared} of them are the same rates in a further state" in quality
    assert f"so {counted.different} are different ones" in quality


def test_the_advice_for_a_shared_file_leaves_each_state_its_own_rates(store: Store, load: Load) -> None:
    """The same number of rates in both states, but of other providers: no longer the same rates."""
    numbers = ("581234501", "581234502")
    references = [
        {"provider_group_id": n, "provider_groups": [{"npi": [int(npi)], "tin": {"type": "ein", "value": numbers[n]}}]}
        for n, npi in enumerate((registers.SURGEON, registers.CLINIC))
    ]
    national = file_of(item_of(10, references=[0]), item_of(20, references=[1]), provider_references=references)
    load(national, "GA")
    load(national, "TX")
    place(store, **{f"npi{registers.SURGEON}": "GA", f"npi{registers.CLINIC}": "TX"})
    report = run_checks(open_snapshot(store))
    keep_report(store, report)
    assert [one.count for one in report.findings if one.name == "outside_state"] == [2]
    (advice,) = report.advice
    market = Market("GA", "2025-08", "CPT", "99213")
    assert find_in_state(open_snapshot(store), market)
    with serving(store.root):
        call_command(*shlex.split(advice.partition("manage.py ")[2]), stdout=StringIO(), stderr=StringIO())
        of_georgia = text_of(Visitor().get("/rates/", {"state": "GA", "code": "99213"}))
    db = open_snapshot(store)
    assert db.rows("SELECT state, negotiated_rate FROM fact_rate ORDER BY 1") == [("GA", 10.0), ("TX", 20.0)]
    assert (list(list_shared_files(db)), run_checks(db).advice) == ([], [])
    assert "not divided by state" not in of_georgia
    assert "$10.00" in of_georgia


def test_a_file_that_was_routed_to_its_states_is_not_shared(store: Store, load: Load) -> None:
    place(store, **{f"npi{registers.SURGEON}": "GA"})
    load(registers.rates(registers.SURGEON), "GA", only=RateFilter(in_state="GA"))
    load(registers.rates(registers.SURGEON), "TX", only=RateFilter(in_state="GA"))
    db = open_snapshot(store)
    assert [one.rates for one in list_coverage(db)] == [1, 1]
    assert list(list_shared_files(db)) == []


def test_a_national_file_of_one_state_is_told_once_it_was_checked(store: Store, load: Load) -> None:
    load(registers.rates(registers.SURGEON), "TX")
    place(store, **{f"npi{registers.SURGEON}": "GA"})
    market = Market("TX", "2025-08", "CPT", "99213")
    assert find_in_state(open_snapshot(store), market) == []
    keep_report(store, run_checks(open_snapshot(store)))
    assert [one.rates for one in find_in_state(open_snapshot(store), market)] == [1, 1]


@pytest.mark.parametrize(
    ("later", "expected"),
    [((), LoadedRates(10, 0, 10)), (("TX",), LoadedRates(15, 0, 10)), (("GA", "TX"), LoadedRates(10, 10, 10))],
)
def test_a_shared_file_counts_once_whatever_month_is_the_newest(
    monkeypatch: pytest.MonkeyPatch, later: tuple[str, ...], expected: LoadedRates
) -> None:
    """The payer has a file of 10 rates in both states in August, and one of 5 in some of them in September."""

    def row(state: str, month: str, rates: int) -> Coverage:
        return Coverage(state, month, "Payer", "payer", 1, rates, datetime(2025, 10, 1, tzinfo=UTC))

    newer = [row(state, "2025-09", 5) for state in later]
    loaded = [*newer, row("GA", "2025-08", 10), row("TX", "2025-08", 10)]
    monkeypatch.setattr(loaded_payers, "list_coverage", lambda db: loaded)
    shared = [SharedFile("Payer", "payer", "2025-08", ["GA", "TX"], 10)]
    monkeypatch.setattr(loaded_payers, "list_shared_files", lambda db: shared)
    assert count_loaded(None) == expected  # type: ignore[arg-type]
