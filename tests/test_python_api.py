"""The front door for Python: the examples of docs/python.md, what goes wrong, and what importing it costs."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import beaconpoint
from core.python_api.rate_store import RateStore
from core.queries.market.market import Market
from core.queries.rates_against_medicare import list_against_medicare
from core.queries.yardstick import medicare
from core.runtime.errors import BeaconError
from core.store.connection import Snapshot
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "python.md").read_text()
MARKET = ("GA", "2025-08", "99213")


@pytest.fixture
def store(demo_root: Path) -> RateStore:
    return beaconpoint.open_store(demo_root)


@pytest.fixture
def notebook(demo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the namespace of a notebook that is started where core/data is the demo's data."""
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "data").symlink_to(demo_root)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BEACONPOINT_DATA_DIR", raising=False)
    return {}


def run_cell(code: str, namespace: dict[str, Any]) -> Iterator[Any]:
    """Run a cell statement by statement and yield the value of each expression."""
    for statement in ast.parse(code).body:
        if isinstance(statement, ast.Expr):
            yield eval(ast.unparse(statement), namespace)
        else:
            exec(ast.unparse(statement), namespace)


def test_every_example_of_the_page_returns_rows(notebook: dict[str, Any]) -> None:
    cells = re.findall(r"^```(python|text)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(cells) > 8
    values: list[Any] = []
    for language, text in cells:
        if language == "text":
            assert str(values[-1]).strip() == text.strip()
            continue
        values = list(run_cell(text, notebook))
        for frame in values:
            assert isinstance(frame, pl.DataFrame), text
            assert not frame.is_empty(), text


def test_the_page_shows_every_method() -> None:
    methods = [name for name in vars(RateStore) if not name.startswith("_")]
    assert [name for name in methods if f"store.{name}(" not in PAGE] == []


def test_a_frame_has_the_columns_of_the_question(store: RateStore, demo: Snapshot) -> None:
    expected = list_against_medicare(demo, Market(*MARKET[:2], "CPT", MARKET[2]), "-rate", 5, 0)
    frame = store.rates(*MARKET, "cpt", sort="-rate", limit=5, classes="all")
    assert frame.to_dicts() == [vars(row) for row in expected]
    assert store.rates(*MARKET).height == store.rates(*MARKET, billing_class="professional").height == 50
    assert store.rate_classes(*MARKET)["chosen"].to_list() == [True, False, False]
    no_rates = store.rates("GA", "2025-08", "00000")
    assert no_rates.is_empty()
    assert no_rates.schema == frame.schema


def test_rates_and_their_summary_carry_the_percent_of_medicare(store: RateStore) -> None:
    columns = ("fact_uid", "basis", "medicare", "percent", "reason")
    scans = ("GA", "2025-08", "70450")
    rows = store.rates(*scans, classes="all").select(columns).sort("fact_uid")
    assert rows.equals(store.medicare(*scans, classes="all").select(columns).sort("fact_uid"))
    summary = store.rate_summary(*scans)
    one = summary.row(0, named=True)
    of_payer = store.medicare(*scans, payer=one["payer_slug"])
    assert one["percent_p50"] == pytest.approx(of_payer["percent"].median())
    assert one["compared"] == one["rates"] == of_payer.height


def test_filters_are_normalized_as_the_facts_are(store: RateStore) -> None:
    frame = store.rate_summary(*MARKET, payer="Example Peach Health Plan", pos="11", modifier="none")
    assert frame.equals(store.rate_summary("ga", "2025-08", "99213", payer="example_peach_health_plan", pos="11"))
    assert frame.height == 1
    rev = store.sql("SELECT code FROM dim_code WHERE code_type = 'REV' LIMIT 1")
    if not rev.is_empty():
        assert not store.rates("GA", "2025-08", rev[0, 0].lstrip("0"), "RC").is_empty()


def test_medicare_without_a_code_is_the_whole_month(store: RateStore, demo: Snapshot) -> None:
    frame = store.medicare("GA", "2025-08")
    assert frame.height == medicare.count_outcomes(demo, Market("GA", "2025-08")).total
    assert frame["reason"].is_null().equals(frame["percent"].is_not_null())


def test_a_code_is_looked_up_in_the_workers_compensation_schedule(store: RateStore) -> None:
    scan = store.compensation("ga", "70450", "hcpcs")
    assert scan["modifier"].to_list() == ["", "26", "TC"]
    assert scan["amount"].to_list() == [195.0, 72.0, 123.0]
    assert store.compensation("GA", "7", year_month="2025-03")["code"].unique().sort()[0] == "70450"
    assert store.compensation("GA", year_month="2024-12").is_empty()
    assert store.compensation("TX").schema == scan.schema
    listed = store.compensation("GA", codes=["70450", "99213"])
    assert set(listed["code"]) == {"70450", "99213"}
    beside = store.compensation_medians("GA", ["70450", "99213"])
    assert set(beside["code"]) == {"70450", "99213"}
    assert store.compensation_medians("TX", ["70450"]).is_empty()
    below = store.below_schedule("organizations", "GA", "2025-08", codes=["70450", "99213"])
    assert set(below["code"]) == {"70450", "99213"}
    assert below.select("tin_value", "code").is_unique().all()


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        (lambda store: store.rates("Georgia", "2025-08", "99213"), "state: 'Georgia' is not a state"),
        (lambda store: store.rates("GA", "2025-8", "99213"), "expected YYYY-MM"),
        (lambda store: store.rates(*MARKET, place="11"), "unknown filter place"),
        (lambda store: store.rates(*MARKET, pos="11, 22"), "not one place of service"),
        (lambda store: store.rates(*MARKET, modifier="26,TC"), "not one modifier"),
        (lambda store: store.rates(*MARKET, sort="price"), "sort: 'price' is unknown; expected one of rate"),
        (lambda store: store.npi("3912951245"), "not a valid NPI"),
        (lambda store: store.tin("12-34"), "not a tax ID"),
        (lambda store: store.provider_rates("GA", "2025-08"), "expected npi=, tin=, organization=, or system="),
        (lambda store: store.failing_rows("nothing"), "check: 'nothing' is unknown"),
    ],
)
def test_a_wrong_argument_is_refused_with_what_was_expected(store: RateStore, question: Any, complaint: str) -> None:
    with pytest.raises(BeaconError, match=re.escape(complaint)):
        question(store)


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BeaconError, match="nothing is loaded yet"):
        beaconpoint.open_store(tmp_path)


def test_sql_cannot_read_files_elsewhere(store: RateStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(Exception, match="disabled by configuration"):
        store.sql(f"SELECT * FROM read_csv('{secret}')")


def test_importing_it_loads_neither_django_nor_polars_before_they_are_needed(demo_root: Path) -> None:
    program = f"""
import sys, beaconpoint
assert not {{"polars", "duckdb", "django"}} & set(sys.modules)
store = beaconpoint.open_store({str(demo_root)!r})
assert not store.coverage().is_empty()
assert "django" not in sys.modules
"""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
