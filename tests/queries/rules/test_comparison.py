"""Every rate's one basis or one reason, on random rates and schedules, against the slow reference."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.queries import medicare
from core.queries.rules.comparison import REASONS, compared_sql
from core.queries.rules.market import Market
from core.store.connection import Snapshot
from core.store.schema.ids import pos_set_id
from core.store.schema.tables import TABLES
from tests.queries import slow
from tests.queries.rules.fee_schedules import AN_OFFICE_VISIT, months_in_force
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
]
MONTHS = ["2025-01", "2025-06", "2025-07", "2025-12", "2026-03", "2024-12"]
CODES = ["99213", "70450", "G0439", "00100"]
MODIFIERS = ["", "", "", "", "", "26", "TC", "53", "26,RT"]

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
PROFESSIONAL = [column.name for column in TABLES["bench_medicare_prof"].columns if "_rate" in column.name]


def rows_of(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a code's row of a schedule may say."""
    if kind == "medicare_prof":
        flags = {"nonfacility_na": st.booleans(), "facility_na": st.booleans(), "status": st.just("A")}
        return st.fixed_dictionaries({"reason": reasons, **flags, **dict.fromkeys(PROFESSIONAL, amounts)})
    if kind == "opps":
        return st.fixed_dictionaries({"reason": reasons, "opps_mar_stateavg": amounts, "opps_si": st.just("S")})
    if kind == "asc":
        return st.fixed_dictionaries({"reason": reasons, "asc_mar_stateavg": amounts, "asc_pi": st.just("A2")})
    columns = ("wcfs_amount", "facility_amount", "outpatient_amount", "asc_amount")
    return st.fixed_dictionaries(dict.fromkeys(columns, amounts))


@st.composite
def schedules(draw: st.DrawFn) -> dict[str, dict[str, dict[tuple[str, str], dict[str, Any]]]]:
    """By kind and release: the rows of states and codes. Georgia has most codes, Texas few."""
    found: dict[str, Any] = {}
    of_georgia = st.sets(st.tuples(st.just("GA"), st.sampled_from(CODES)), min_size=3)
    of_any = st.sets(st.tuples(st.sampled_from(["GA", "TX"]), st.sampled_from(CODES)), min_size=1)
    for kind in ("medicare_prof", "opps", "asc", "wcfs"):
        releases = st.sampled_from([["2025-01"], ["2025-01", "2025-07"], ["2024-10", "2025-01"], ["2024-10"], []])
        for release in draw(releases):
            keys = draw(st.integers(0, 3).flatmap(lambda number: of_any if number == 3 else of_georgia))
            found.setdefault(kind, {})[release] = {key: draw(rows_of(kind)) for key in sorted(keys)}
    return found


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
            for state in states if kind == "wcfs" else ["US"]:
                one = {"kind": kind, "state": state, "release": release, "states": states}
                tables["dim_benchmark"].append(one)
            for (state, code), row in rows.items():
                key = {"state": state, "code_type": "HCPCS" if code[0] == "G" else "CPT", "code": code}
                for month in months_in_force(release, releases):
                    tables[f"bench_{kind}"].append({**key, **row, "year_month": month, "release": release})
    return written(root, tables)


@given(st.lists(facts, min_size=15, max_size=30), schedules())
def test_outcomes_are_those_of_the_slow_reference(rates: list[dict[str, Any]], benchmarks: dict[str, Any]) -> None:
    with TemporaryDirectory() as directory:
        db = store_of(Path(directory), rates, benchmarks)
        known = slow.Benchmarks(db)
        sql = f"{compared_sql('true')} SELECT fact_uid, reason, basis, medicare, release, wcfs FROM compared ORDER BY 1"
        found = db.rows(sql)
    for number, (rate, row) in enumerate(zip(rates, found, strict=True)):
        expected = slow.compared({**rate, "kind": slow.kind(rate)}, known)
        assert row[:-1] == (f"{number:04}", expected.reason, expected.basis, expected.amount, expected.release)
        assert row[-1] == compensation(rate, known)
        assert expected.reason is None or expected.reason in REASONS


def compensation(rate: dict[str, Any], known: slow.Benchmarks) -> float | None:
    """Return what workers' compensation pays for the code without a modifier, of the rate's kind."""
    if rate["billing_code_modifier"] or rate["code_type"] not in {"CPT", "HCPCS"}:
        return None
    schedule = known.in_force("wcfs", rate["state"], rate["year_month"]) or {}
    row = schedule.get(rate["code"])
    if row is None:
        return None
    found: float | None = None
    if rate["billing_class"] == "professional":
        found = row["wcfs_amount"]
        inside = bool(rate["places"]) and all(place in slow.FACILITY for place in rate["places"])
        if inside and row["facility_amount"] is not None:
            found = row["facility_amount"]
    elif rate["billing_class"] == "institutional":
        column = {"opps": "outpatient_amount", "asc": "asc_amount"}.get(slow.institutional_schedule(rate))
        found = row[column] if column else None
    return found


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
        "packaged": {"billing_class": "institutional", "places": ["22"]},
        "anesthesia": {"code": "00100"},
        "not priced": {"code": "70450"},
        "modifier not priced": {"billing_code_modifier": "26"},
        "not paid in this setting": {"places": ["21"]},
    }
    assert set(cases) == set(REASONS)
    none = dict.fromkeys(PROFESSIONAL)
    professional = {
        ("GA", "99213"): {**none, "medicare_prof_rate": 90.0, "facility_na": True, "status": "A"},
        ("GA", "00100"): {**none, "medicare_prof_rate": 90.0, "reason": "anesthesia"},
        ("GA", "70450"): {**none, "status": "A", "nonfacility_na": False},
    }
    benchmarks = {
        "medicare_prof": {"2025-01": professional},
        "opps": {"2025-01": {("GA", "99213"): {"reason": "packaged", "opps_si": "N"}}},
    }
    rates = [AN_OFFICE_VISIT, *({**AN_OFFICE_VISIT, **change} for change in cases.values())]
    db = store_of(tmp_path, rates, benchmarks)
    rows = medicare.list_comparisons(db, Market("GA", "2025-06"), "rate", 100, 0)
    assert [row.reason for row in sorted(rows, key=lambda row: row.fact_uid)] == [None, *cases]
    outcomes = medicare.count_outcomes(db, Market("GA", "2025-06"))
    assert outcomes.reasons == dict.fromkeys(cases, 1)
    assert [(one.basis, one.release, one.rates) for one in outcomes.bases] == [("MPFS non-facility", "2025-01", 1)]
