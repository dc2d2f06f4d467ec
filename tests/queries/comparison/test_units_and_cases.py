"""Rates for anesthesia and inpatient cases: explicit cases, and random ones against the slow reference."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.queries.comparison.compared_rates import compared_sql
from core.reference.benchmark_release import months_in_force
from core.store.connection import Snapshot
from core.store.schema.ids import pos_set_id
from tests.queries import slow
from tests.queries.comparison import slow_comparison
from tests.queries.comparison.fee_schedules import AN_OFFICE_VISIT, Row, differing
from tests.queries.tables import written

LAST_MONTH = {"ipps": 9}

MPFS: Row = {"code_type": "CPT", "code": "00100", "status": "J", "reason": "anesthesia"}
FACTOR: Row = {"code_type": "CPT", "code": "00100", "modifier": "", "base_units": 5, "amount": 20.0, "reason": None}
CASE: Row = {"code_type": "MS-DRG", "code": "039", "modifier": "", "weight": 2.0, "amount": 15_000.0, "reason": None}
Releases = dict[str, dict[str, list[Row]]]
"""The rows of each kind's releases. All are of Georgia."""

FARE: Row = {"code_type": "HCPCS", "code": "A0429", "modifier": "", "amount": 450.0, "rural_amount": 470.5}
SCHEDULES: Releases = {
    "ambulance": {"2025-01": [FARE, FARE | {"code": "A0999", "amount": None, "reason": "not priced"}]},
    "medicare_prof": {"2025-01": [MPFS]},
    "anesthesia": {"2025-01": [FACTOR, FACTOR | {"code": "01999", "base_units": None}]},
    "ipps": {
        "2024-10": [CASE | {"amount": 14_000.0}],
        "2025-10": [CASE, CASE | {"code": "998", "weight": None, "amount": None, "reason": "not priced"}],
    },
}


def store_of(root: Path, rates: list[Row], schedules: Releases) -> Snapshot:
    """Write a store with these rates, whose fact_uid are their numbers, and these schedules."""
    tables: dict[str, list[Row]] = {
        "fact_rate": [
            {
                **rate,
                "fact_uid": f"{number:04}",
                "reporting_entity_name": "P",
                "pos_set_id": pos_set_id(rate["places"]),
            }
            for number, rate in enumerate(rates)
        ],
        "dim_benchmark": [
            {"kind": kind, "state": "US", "release": release, "states": ["GA"]}
            for kind, releases in schedules.items()
            for release in releases
        ],
    }
    sets = {tuple(rate["places"]) for rate in rates}
    tables["dim_pos_set"] = [{"pos_set_id": pos_set_id(list(one)), "service_codes": list(one)} for one in sets]
    for kind, releases in schedules.items():
        tables[f"bench_{kind}"] = [
            {**row, "state": "GA", "year_month": month, "release": release}
            for release, rows in releases.items()
            for month in months_in_force(release, set(releases), LAST_MONTH.get(kind, 12))
            for row in rows
        ]
    return written(root, tables)


ANESTHESIA: dict[str, Any] = {"code": "00100", "negotiated_rate": 45.0, "places": ["22"]}
RIDE: dict[str, Any] = {"code": "A0429", "code_type": "HCPCS", "negotiated_rate": 900.0, "places": ["41"]}
STAY: dict[str, Any] = {
    "code_type": "MS-DRG", "code": "039", "negotiated_rate": 30_000.0, "billing_class": "institutional",
    "setting": "inpatient", "places": [], "year_month": "2025-11",
}  # fmt: skip
UNIT = "Anesthesia conversion factor"
BASE = "IPPS base payment"

# What the rate is, how it differs from an office visit, then its basis and Medicare's amount, or the reason for none.
CASES: list[tuple[str, dict[str, Any], str, float | None]] = [
    ("a price of a unit", ANESTHESIA, UNIT, 20.0),
    ("the least price of a unit", ANESTHESIA | {"negotiated_rate": 15.0}, UNIT, 20.0),
    ("the highest price of a unit", ANESTHESIA | {"negotiated_rate": 100.0}, UNIT, 20.0),
    ("a price of a case", ANESTHESIA | {"negotiated_rate": 100.01}, "anesthesia", None),
    ("less than a unit", ANESTHESIA | {"negotiated_rate": 14.99}, "anesthesia", None),
    ("by report", ANESTHESIA | {"code": "01999"}, UNIT, 20.0),
    ("not listed", ANESTHESIA | {"code": "00102"}, "code not found", None),
    ("a physician alone", ANESTHESIA | {"billing_code_modifier": "AA"}, f"{UNIT}, modifier AA", 20.0),
    ("an anesthetist alone", ANESTHESIA | {"billing_code_modifier": "QZ"}, f"{UNIT}, modifier QZ", 20.0),
    ("a physician with others", ANESTHESIA | {"billing_code_modifier": "QK"}, f"{UNIT}, modifier QK", 10.0),
    ("an anesthetist with a physician", ANESTHESIA | {"billing_code_modifier": "QX"}, f"{UNIT}, modifier QX", 10.0),
    ("one of one", ANESTHESIA | {"billing_code_modifier": "QY"}, f"{UNIT}, modifier QY", 10.0),
    ("more than four at once", ANESTHESIA | {"billing_code_modifier": "AD"}, "modifier not priced", None),
    ("before the release", ANESTHESIA | {"year_month": "2024-12"}, "benchmark not loaded", None),
    ("in the next year", ANESTHESIA | {"year_month": "2026-02"}, UNIT, 20.0),
    ("of an unknown class", ANESTHESIA | {"billing_class": None}, UNIT, 20.0),
    ("a ride", RIDE, "AFS", 450.0),
    ("a ride of a hospital's ambulance", RIDE | {"billing_class": "institutional"}, "AFS", 450.0),
    ("a ride without a price", RIDE | {"code": "A0999"}, "not priced", None),
    ("a case", STAY, BASE, 15_000.0),
    ("a case of the year before", STAY | {"year_month": "2025-09"}, BASE, 14_000.0),
    ("a case before all years", STAY | {"year_month": "2024-09"}, "inpatient", None),
    ("a case after the last year", STAY | {"year_month": "2026-12"}, BASE, 15_000.0),
    ("labeled DRG, with two digits", STAY | {"code_type": "DRG", "code": "39"}, BASE, 15_000.0),
    ("labeled DRG, with three digits", STAY | {"code_type": "DRG"}, BASE, 15_000.0),
    ("of another system of cases", STAY | {"code_type": "APR-DRG"}, "inpatient", None),
    ("a number of another system", STAY | {"code_type": "LOCAL"}, "inpatient", None),
    ("a case that is not paid", STAY | {"code": "998"}, "inpatient", None),
    ("a per diem", STAY | {"negotiated_type": "per diem"}, "per diem", None),
    ("a percentage", STAY | {"negotiated_type": "percentage", "negotiated_rate": 60.0}, "percentage", None),
    ("a surgeon's fee for a case", STAY | {"billing_class": "professional"}, "other code system", None),
]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """Return the outcome of every case by its name."""
    rates = [differing(AN_OFFICE_VISIT, change) for _, change, _, _ in CASES]
    db = store_of(tmp_path_factory.mktemp("cases"), rates, SCHEDULES)
    columns = "reason, basis, medicare, release, detail, percent"
    rows = db.rows(f"{compared_sql('true')} SELECT {columns} FROM compared ORDER BY fact_uid")
    names = columns.split(", ")
    return {name: dict(zip(names, row, strict=True)) for (name, *_), row in zip(CASES, rows, strict=True)}


@pytest.mark.parametrize(("name", "outcome", "amount"), [(name, found, amount) for name, _, found, amount in CASES])
def test_a_rate_has_one_basis_or_one_reason(
    compared: dict[str, Row], name: str, outcome: str, amount: float | None
) -> None:
    row = compared[name]
    assert (row["reason"] or row["basis"], row["medicare"]) == (outcome, amount)


def test_a_row_says_what_it_is_compared_with(compared: dict[str, Row]) -> None:
    assert compared["a price of a unit"]["percent"] == 2.25
    assert compared["a price of a unit"]["detail"] == "per unit, 5 base units, MPFS status J"
    assert compared["by report"]["detail"] == "per unit, base units by report"
    assert compared["a ride"]["detail"] == "urban pickup; rural $470.50"
    assert compared["a case"]["detail"] == "before hospital add-ons, weight 2.0"
    assert compared["a case of the year before"]["release"] == "2024-10"


facts = st.fixed_dictionaries(
    {
        "state": st.just("GA"),
        "year_month": st.sampled_from(["2024-12", "2025-09", "2025-10", "2026-09", "2026-11"]),
        "code_type": st.sampled_from(["CPT", "HCPCS", "MS-DRG", "DRG", "APR-DRG"]),
        "code": st.sampled_from(["00100", "00100", "039", "039", "39", "998"]),
        "negotiated_type": st.just("negotiated"),
        "negotiation_arrangement": st.just("ffs"),
        "negotiated_rate": st.sampled_from([0.0, 14.99, 15.0, 45.0, 100.0, 100.01, 30_000.0]),
        "billing_class": st.sampled_from(["professional", "institutional", None]),
        "setting": st.sampled_from([None, "inpatient", "outpatient"]),
        "billing_code_modifier": st.sampled_from(["", "", "AA", "QK", "QX,QZ", "25", "26"]),
        "places": st.sampled_from([["22"], [], ["21"], ["11"]]),
    }
)
amounts = st.sampled_from([7.5, 20.0, None])
drawn: dict[str, st.SearchStrategy[Row]] = {
    "medicare_prof": st.fixed_dictionaries({"status": st.sampled_from(["J", "A"]), "medicare_prof_rate": amounts}),
    "anesthesia": st.fixed_dictionaries(
        {
            "base_units": st.sampled_from([5, None]),
            "amount": amounts,
            "reason": st.sampled_from([None, None, "not priced"]),
        }
    ),
    "ipps": st.fixed_dictionaries(
        {"weight": st.just(1.5), "amount": amounts, "reason": st.sampled_from([None, None, "not priced"])}
    ),
}


@st.composite
def schedules(draw: st.DrawFn) -> Releases:
    found: Releases = {}
    for kind, plain in (("medicare_prof", MPFS), ("anesthesia", FACTOR), ("ipps", CASE)):
        for release in draw(st.sampled_from([["2024-10"], ["2024-10", "2025-10"], ["2025-04"], []])):
            codes = draw(st.sampled_from([[plain["code"]], [plain["code"]], [plain["code"], "998"], ["00102"]]))
            found.setdefault(kind, {})[release] = [plain | draw(drawn[kind]) | {"code": code} for code in codes]
    return found


@settings(max_examples=5)  # a store each
@given(st.lists(facts, min_size=15, max_size=30), schedules())
def test_outcomes_are_those_of_the_slow_reference(rates: list[Row], benchmarks: Releases) -> None:
    with TemporaryDirectory() as directory:
        db = store_of(Path(directory), rates, benchmarks)
        known = slow_comparison.Benchmarks(db)
        columns = "fact_uid, reason, basis, medicare, release, detail, rule"
        found = db.rows(f"{compared_sql('true')} SELECT {columns} FROM compared ORDER BY 1")
    for number, (rate, row) in enumerate(zip(rates, found, strict=True)):
        expected = slow_comparison.compared({**rate, "kind": slow.kind(rate)}, known)
        outcome = (expected.reason, expected.basis, expected.amount, expected.release, expected.detail or None)
        assert (*row[:5], row[5] or None, row[6]) == (f"{number:04}", *outcome, expected.rule), rate
