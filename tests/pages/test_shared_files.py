"""Pages say that a payer's file which was loaded for several states has the same rates in each."""

from datetime import UTC, datetime

import pytest

from core.quality.record import keep_report
from core.quality.report import run_checks
from core.queries import coverage
from core.queries.coverage import Coverage, LoadedRates, SharedFile, count_loaded
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.reference.nppes import registers
from tests.site import Visitor, serving, tables, text_of
from tests.stores import open_snapshot

SENTENCE = "is not divided by state: its rates are the same in Georgia and Texas"


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
    assert advice.endswith("manage.py ingest_mrf --state GA,TX --in-state")
    with serving(store.root):
        home, of_quality = text_of(Visitor().get("/")), Visitor().get("/quality/")
    quality, payers = text_of(of_quality), tables(of_quality)[0]
    assert [row[1] for row in payers[1:]] == ["Georgia", "Georgia, Texas"], "what is so in both is said once"
    assert f"here are {counted.different} of them" in home
    assert f"at {in_states} rates. {of_shared} of them are the same rates in a further state" in quality
    assert f"so {counted.different} are different ones" in quality


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
    monkeypatch.setattr(coverage, "list_coverage", lambda db: loaded)
    shared = [SharedFile("Payer", "payer", "2025-08", ["GA", "TX"], 10)]
    monkeypatch.setattr(coverage, "list_shared_files", lambda db: shared)
    assert count_loaded(None) == expected  # type: ignore[arg-type]
