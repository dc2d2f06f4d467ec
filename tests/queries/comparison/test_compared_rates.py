"""Every rate's one basis or one reason, on random rates and schedules, against the slow reference."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.comparison.asked_place import asked_place
from core.queries.comparison.compared_rates import compared_sql
from core.queries.comparison.reasons import MOST_HELPFUL_FIRST, REASONS
from core.queries.market.market import Market
from core.queries.rules.rate_kinds import rate_size
from core.queries.yardstick import medicare
from core.store.connection import Snapshot
from core.store.schema.ids import pos_set_id
from core.store.schema.tables import TABLES
from tests.queries import slow
from tests.queries.comparison import slow_comparison
from tests.queries.comparison.fee_schedules import AN_OFFICE_VISIT, months_in_force
from tests.queries.tables import written

PLACES = [
    [],
    ["11"],
    ["22"],
    ["24"],
    ["21"],
    ["11", "22"],
    ["CSTM-00"],
    ["11", "24"],
    ["21", "61"],
    ["12"],
    ["21", "12"],
    ["12", "21", "22"],
    ["10", "21"],
    ["05", "24"],
    ["10"],
    ["11", "21", "22", "24"],
]
MONTHS = ["2025-01", "2025-06", "2025-07", "2025-12", "2026-03", "2024-12"]
CODES = ["99213", "70450", "G0439", "00100"]
MODIFIERS = ["", "", "", "", "", "26", "TC", "53", "26,RT", "25", "50", "25,50", "TC,U1", "QW", "KX,RR", "NU", "KE,NU"]
NATIONAL = ("clfs", "asp")
ITEMS = (*NATIONAL, "dmepos")
"""The schedules that have a row for each modifier."""

# Most rates can be priced, so that examples reach the rules about places, modifiers and settings. Two in five have an
# amount; with every column drawn alike, one in twenty had.
priced_facts = st.fixed_dictionaries(
    {
        "state": st.just("GA"),
        "year_month": st.sampled_from(MONTHS[:5]),
        "code_type": st.sampled_from(["CPT", "HCPCS"]),
        "code": st.sampled_from(CODES),
        "negotiated_type": st.just("negotiated"),
        "negotiation_arrangement": st.just("ffs"),
        "negotiated_rate": st.sampled_from([0.01, 10.0, 100.0, 5000.0]),
        "billing_class": st.sampled_from(["professional", "professional", "institutional"]),
        "setting": st.sampled_from([None, None, None, "outpatient", "outpatient", "both", "inpatient"]),
        "billing_code_modifier": st.sampled_from(MODIFIERS),
        "places": st.sampled_from(PLACES),
    }
)
odd_facts = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["GA", "TX"]),
        "year_month": st.sampled_from(MONTHS),
        "code_type": st.sampled_from(["CPT", "HCPCS", "MS-DRG", "LOCAL"]),
        "code": st.sampled_from([*CODES, "00000"]),
        "negotiated_type": st.sampled_from(["negotiated", "fee schedule", "derived", "percentage", "per diem", None]),
        "negotiation_arrangement": st.sampled_from(["ffs", "ffs", "bundle", "capitation", None]),
        "negotiated_rate": st.sampled_from([0.0, 0.01, 10.0, 100.0, 5000.0]),
        "billing_class": st.sampled_from(["professional", "institutional", "both", None]),
        "setting": st.sampled_from([None, "inpatient", "outpatient", "both"]),
        "billing_code_modifier": st.sampled_from(MODIFIERS),
        "places": st.sampled_from(PLACES),
    }
)
# Hypothesis takes equal branches of one_of for one branch, so that the weight is drawn as a number.
facts = st.integers(0, 5).flatmap(lambda number: odd_facts if number == 5 else priced_facts)
amounts = st.sampled_from([1.0, 7.5, 20.0, 50.0, 333.33, None])
reasons = st.sampled_from([*[None] * 16, "packaged", "anesthesia", "inpatient", "not priced"])
SI = st.sampled_from(["S", "S", "K", "A", "Q4", "Y", "B", "L", "D", None])
PROFESSIONAL = [column.name for column in TABLES["bench_medicare_prof"].columns if "_rate" in column.name]


def rows_of(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a code's row of a schedule may say."""
    if kind == "medicare_prof":
        status = st.sampled_from(["A", "A", "A", "R", "B", "C", "X", "J", None])
        flags = {"nonfacility_na": st.booleans(), "facility_na": st.booleans(), "status": status}
        return st.fixed_dictionaries({"reason": reasons, **flags, **dict.fromkeys(PROFESSIONAL, amounts)})
    if kind == "opps":
        return st.fixed_dictionaries({"reason": reasons, "opps_mar_stateavg": amounts, "opps_si": SI})
    if kind == "asc":
        return st.fixed_dictionaries(
            {"reason": reasons, "asc_mar_stateavg": amounts, "asc_pi": st.sampled_from(["A2", "B5", "D5", None])}
        )
    if kind in ITEMS:
        says = {"dosage": st.sampled_from(["1 MG", None])} if kind == "asp" else {}
        if kind == "dmepos":
            says = {"list": st.just("DMEPOS"), "category": st.just("CR")}
        row = st.fixed_dictionaries({"amount": amounts, "reason": st.sampled_from([None, None, "not priced"]), **says})
        row = row.map(lambda one: one | {"amount": None if one["reason"] else one["amount"]})
        modifiers = st.sampled_from(["", "", "RR", "NU", "KE,NU", "26"] if kind == "dmepos" else [""])
        return st.dictionaries(modifiers, row, min_size=1)
    raise AssertionError(kind)


@st.composite
def schedules(draw: st.DrawFn) -> dict[str, dict[str, dict[tuple[str, str], dict[str, Any]]]]:
    """By kind and release: the rows of states and codes. Georgia has most codes, Texas few."""
    found: dict[str, Any] = {}
    of_georgia = st.sets(st.tuples(st.just("GA"), st.sampled_from(CODES)), min_size=3)
    of_any = st.sets(st.tuples(st.sampled_from(["GA", "TX"]), st.sampled_from(CODES)), min_size=1)
    for kind in ("medicare_prof", "opps", "asc", *ITEMS):
        releases = st.sampled_from([["2025-01"], ["2025-01", "2025-07"], ["2024-10", "2025-01"], ["2024-10"], []])
        for release in draw(releases):
            keys = draw(st.integers(0, 3).flatmap(lambda number: of_any if number == 3 else of_georgia))
            if kind in NATIONAL:
                keys = {("US", code) for _, code in keys}
            found.setdefault(kind, {})[release] = {key: draw(rows_of(kind)) for key in sorted(keys)}
    return found


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return written(tmp_path_factory.mktemp("empty"), {})


def store_of(root: Path, rates: list[dict[str, Any]], benchmarks: dict[str, Any]) -> Snapshot:
    """Write a store with these rates and schedules."""
    tables: dict[str, list[dict[str, Any]]] = {"fact_rate": [], "dim_pos_set": [], "dim_benchmark": []}
    for number, rate in enumerate(rates):
        fact = {
            **rate,
            "fact_uid": f"{number:04}",
            "reporting_entity_name": "P",
            "pos_set_id": pos_set_id(rate["places"]),
        }
        tables["fact_rate"].append(fact)
    tables["dim_pos_set"] = [{"pos_set_id": pos_set_id(places), "service_codes": places} for places in PLACES]
    for kind, releases in benchmarks.items():
        tables[f"bench_{kind}"] = []
        for release, rows in releases.items():
            states = sorted({state for state, _ in rows})
            one = {"kind": kind, "state": "US", "release": release, "states": states}
            tables["dim_benchmark"].append(one)
            for (state, code), row in rows.items():
                key = {"state": state, "code_type": "HCPCS" if code[0] == "G" else "CPT", "code": code}
                for month in months_in_force(release, releases):
                    of_month = key | {"year_month": month, "release": release}
                    each = [one | {"modifier": name} for name, one in row.items()] if kind in ITEMS else [row]
                    tables[f"bench_{kind}"] += [of_month | one for one in each]
    return written(root, tables)


@given(st.lists(facts, min_size=15, max_size=30), schedules(), st.sampled_from(slow_comparison.ASKED))
def test_outcomes_are_those_of_the_slow_reference(
    rates: list[dict[str, Any]], benchmarks: dict[str, Any], filters: dict[str, str]
) -> None:
    with TemporaryDirectory() as directory:
        db = store_of(Path(directory), rates, benchmarks)
        known = slow_comparison.Benchmarks(db)
        market = Market("GA", "2025-01", **filters)
        asked = compared_sql("true", place=asked_place(market))
        found = db.rows(
            f"""{asked} SELECT fact_uid, reason, basis, medicare, release, other_amount, detail, rule
                FROM compared ORDER BY 1""",
            {"pos": market.pos} if market.pos else {},
        )
        if not filters:
            outcomes = {(row[0], *row[1:4], *row[5:8]) for row in found}
            assert all(set(as_pages_ask(db, rate)) <= outcomes for rate in rates[:3])
    for number, (rate, row) in enumerate(zip(rates, found, strict=True)):
        expected = slow_comparison.compared_in(market, {**rate, "kind": slow.kind(rate)}, known)
        outcome = (expected.reason, expected.basis, expected.amount, expected.release, expected.other)
        assert row[:6] == (f"{number:04}", *outcome), rate
        assert (row[6] or None, row[7]) == (expected.detail or None, expected.rule)
        assert expected.reason is None or expected.reason in REASONS


def as_pages_ask(db: Snapshot, rate: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the outcomes of a rate's code as its page has them: it asks only the schedules that list the code."""
    market = Market(rate["state"], rate["year_month"], rate["code_type"], rate["code"])
    rows = medicare.list_comparisons(db, market, "rate", 99, 0)
    return [(row.fact_uid, row.reason, row.basis, row.medicare, row.other_amount, row.detail, row.rule) for row in rows]


@given(st.sampled_from(["00099", "00100", "00142", "01999", "02000", "0042T", "99213", "1"]), st.floats(0, 500))
def test_the_size_of_a_rate_is_the_same_in_python_and_in_sql(empty: Snapshot, code: str, rate: float) -> None:
    assert empty.rows("SELECT rate_size(?, ?)", [code, rate]) == [(rate_size(code, rate),)]


def test_reasons_are_ranked_once_each() -> None:
    assert len(set(MOST_HELPFUL_FIRST)) == len(MOST_HELPFUL_FIRST)
    before_any_schedule = {
        "percentage", "per diem", "bundle", "capitation", "other", "zero rate", "class not stated", "other place",
        "other code system",
    }  # fmt: skip
    assert set(MOST_HELPFUL_FIRST) | before_any_schedule == set(REASONS)


def test_each_reason_can_occur(tmp_path: Path) -> None:
    cases: dict[str, dict[str, Any]] = {
        "percentage": {"negotiated_type": "percentage"},
        "per diem": {"negotiated_type": "per diem"},
        "bundle": {"negotiation_arrangement": "bundle"},
        "capitation": {"negotiation_arrangement": "capitation"},
        "other": {"negotiated_type": None},
        "zero rate": {"negotiated_rate": 0.0},
        "class not stated": {"billing_class": "both"},
        "inpatient": {"billing_class": "institutional", "places": ["21"]},
        "other place": {"billing_class": "institutional", "places": ["12"]},
        "other code system": {"code_type": "LOCAL"},
        "benchmark not loaded": {"billing_class": "institutional", "places": ["24"]},
        "code not found": {"code": "00000"},
        "code ended": {"code": "99441"},
        "packaged": {"billing_class": "institutional", "places": ["22"]},
        "anesthesia": {"code": "00100"},
        "not priced": {"code": "70450"},
        "modifier not priced": {"billing_code_modifier": "26"},
        "not paid in this setting": {"billing_code_modifier": "TC", "places": ["21"]},
        "contractor priced": {"code": "0042T"},
        "another code": {"code": "0001F"},
        "another schedule": {"code": "80048"},
        "not covered": {"code": "99386"},
        "paid at cost": {"billing_class": "institutional", "code": "90670", "places": ["22"]},
    }
    assert set(cases) | {"unit not stated"} == set(REASONS)
    none = dict.fromkeys(PROFESSIONAL)
    professional = {
        ("GA", "99213"): {**none, "medicare_prof_rate": 90.0, "nonfacility_rate_tc": 50.0, "status": "A"},
        ("GA", "00100"): {**none, "medicare_prof_rate": 90.0, "reason": "anesthesia"},
        ("GA", "70450"): {**none, "status": "A", "nonfacility_na": False},
        ("GA", "0042T"): {**none, "status": "C", "reason": "not priced"},
        ("GA", "0001F"): {**none, "status": "I", "reason": "not priced"},
        ("GA", "80048"): {**none, "status": "X", "reason": "not priced"},
        ("GA", "99386"): {**none, "status": "N", "reason": "not priced"},
    }
    hospital = {
        ("GA", "99213"): {"reason": "packaged", "opps_si": "N"},
        ("GA", "90670"): {"reason": "not priced", "opps_si": "L"},
        ("GA", "99441"): {"reason": "not priced", "opps_si": "D"},
    }
    benchmarks = {"medicare_prof": {"2025-01": professional}, "opps": {"2025-01": hospital}}
    rates = [AN_OFFICE_VISIT, *({**AN_OFFICE_VISIT, **change} for change in cases.values())]
    db = store_of(tmp_path, rates, benchmarks)
    rows = medicare.list_comparisons(db, Market("GA", "2025-06"), "rate", 100, 0)
    assert [row.reason for row in sorted(rows, key=lambda row: row.fact_uid)] == [None, *cases]
    outcomes = medicare.count_outcomes(db, Market("GA", "2025-06"))
    assert outcomes.reasons == dict.fromkeys(cases, 1)
    assert [(one.basis, one.release, one.rates) for one in outcomes.bases] == [("MPFS non-facility", "2025-01", 1)]
