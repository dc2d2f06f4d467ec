"""Every rate's one amount of its state's workers' compensation schedule, or one reason, against the slow reference."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.comparison.asked_place import asked_place
from core.queries.comparison.compared_rates import compared_sql
from core.queries.comparison.state_schedule import COMPENSATION_OUTCOME, COMPENSATION_REASONS
from core.queries.market.market import Market
from core.queries.yardstick import medicare
from core.store.schema.ids import pos_set_id
from tests.queries import slow
from tests.queries.comparison.fee_schedules import AN_OFFICE_VISIT, differing, months_in_force
from tests.queries.comparison.slow_comparison import ASKED, Benchmarks, pos_and_side
from tests.queries.comparison.slow_compensation import compensated
from tests.queries.tables import written

Row = dict[str, Any]
AMOUNTS = ("wcfs_amount", "facility_amount", "outpatient_amount", "asc_amount")
NONE = dict.fromkeys([*AMOUNTS, "base_units"])
PLACES = [[], ["11"], ["22"], ["24"], ["21"], ["11", "22"], ["CSTM-00"], ["12", "21", "22"], ["12"]]


def store_of(root: Path, rates: list[Row], lines: list[Row], states: list[str]) -> Any:
    """Write a store with these rates and the lines of schedules, and a record of each state's releases."""
    tables: dict[str, list[Row]] = {"bench_wcfs": [], "bench_wcfs_modifier": [], "fact_rate": []}
    for number, rate in enumerate(rates):
        tables["fact_rate"].append(
            {**rate, "fact_uid": f"{number:04}", "reporting_entity_name": "P", "pos_set_id": pos_set_id(rate["places"])}
        )
    every = [*PLACES, *(rate["places"] for rate in rates)]
    sets = {pos_set_id(places): places for places in every}
    tables["dim_pos_set"] = [{"pos_set_id": key, "service_codes": places} for key, places in sets.items()]
    releases = {(line["state"], line["release"]) for line in lines}
    tables["dim_benchmark"] = [
        {"kind": "wcfs", "state": state, "release": release, "states": [state]}
        for state, release in sorted(releases)
        if state in states
    ]
    with_modifier = {(line["state"], line["release"], line["code_type"], line["code"]) for line in lines}
    for line in lines:
        if line["modifier"]:
            tables["bench_wcfs_modifier"].append(line)
            continue
        with_modifier.discard((line["state"], line["release"], line["code_type"], line["code"]))
        others = [release for state, release in releases if state == line["state"]]
        plain = {name: value for name, value in line.items() if name != "modifier"}
        for month in months_in_force(line["release"], others):
            tables["bench_wcfs"].append({**plain, "year_month": month})
    for state, release, code_type, code in with_modifier:
        key = {"state": state, "release": release, "code_type": code_type, "code": code}
        for month in months_in_force(release, [other for one, other in releases if one == state]):
            tables["bench_wcfs"].append({**NONE, **key, "wcfs_status": "modifiers only", "year_month": month})
    return written(root, tables)


facts = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["GA", "GA", "GA", "TX"]),
        "year_month": st.sampled_from(["2024-12", "2025-01", "2025-06", "2025-07", "2026-03"]),
        "code_type": st.sampled_from(["CPT", "CPT", "CPT", "HCPCS", "MS-DRG", "LOCAL"]),
        "code": st.sampled_from(["70450", "70450", "99213", "470"]),
        "negotiated_type": st.sampled_from(["negotiated", "negotiated", "negotiated", "percentage"]),
        "negotiation_arrangement": st.sampled_from(["ffs", "ffs", "ffs", "bundle"]),
        "negotiated_rate": st.sampled_from([0.0, 10.0, 100.0, 100.0]),
        "billing_class": st.sampled_from(["professional", "professional", "institutional", None]),
        "setting": st.sampled_from([None, None, "outpatient", "inpatient"]),
        "billing_code_modifier": st.sampled_from(["", "", "", "26", "TC", "25", "26,RT", "NU", "50"]),
        "places": st.sampled_from(PLACES),
    }
)
amounts = st.sampled_from([None, None, 50.0, 80.0, 333.33])
lines = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["GA", "GA", "GA", "TX"]),
        "release": st.sampled_from(["2025-01", "2025-01", "2025-07", "2024-10"]),
        "code_type": st.sampled_from(["CPT", "CPT", "HCPCS", "MS-DRG", "LOCAL"]),
        "code": st.sampled_from(["70450", "99213", "470"]),
        "modifier": st.sampled_from(["", "", "26", "TC", "NU", "RR"]),
        **dict.fromkeys(AMOUNTS, amounts),
        "base_units": st.sampled_from([None, None, None, 5.0]),
        "wcfs_status": st.sampled_from(["priced", "by report", "base units", "no amount"]),
    }
)
schedules = st.lists(
    lines,
    min_size=8,
    max_size=20,
    unique_by=lambda one: (one["state"], one["release"], one["code_type"], one["code"], one["modifier"]),
)


@given(st.lists(facts, min_size=15, max_size=30), schedules, st.sampled_from(ASKED))
def test_outcomes_are_those_of_the_slow_reference(rates: list[Row], drawn: list[Row], filters: dict[str, str]) -> None:
    with TemporaryDirectory() as directory:
        db = store_of(Path(directory), rates, drawn, ["GA", "TX"])
        known = Benchmarks(db)
        market = Market("GA", "2025-01", **filters)
        asked = compared_sql("true", place=asked_place(market))
        columns = ", ".join(COMPENSATION_OUTCOME)
        found = db.rows(
            f"{asked} SELECT {columns} FROM compared ORDER BY fact_uid", {"pos": market.pos} if market.pos else {}
        )
    for rate, row in zip(rates, found, strict=True):
        expected = compensated({**rate, "kind": slow.kind(rate)}, known, *pos_and_side(market))
        assert row == (expected.amount, expected.basis, expected.release, expected.reason)
        assert (expected.reason is None) == (expected.amount is not None)
        assert expected.reason is None or expected.reason in COMPENSATION_REASONS


def line(code: str, modifier: str = "", code_type: str = "CPT", status: str = "priced", **given: float) -> Row:
    return {**NONE, "state": "GA", "release": "2025-01", "code_type": code_type, "code": code, "modifier": modifier,
            "wcfs_status": status, **given}  # fmt: skip


SCHEDULE = [
    line("99213", wcfs_amount=150.0, facility_amount=110.0, outpatient_amount=160.0, asc_amount=80.0),
    line("99213", code_type="HCPCS", wcfs_amount=155.0),  # listed under both levels of HCPCS
    line("99214", wcfs_amount=140.0),
    # As Georgia lists a scan: hospitals and surgical centers beside the technical part.
    line("70450", wcfs_amount=195.0),
    line("70450", "26", wcfs_amount=72.0, facility_amount=60.0),
    line("70450", "TC", wcfs_amount=123.0, facility_amount=99.0, outpatient_amount=160.0, asc_amount=85.0),
    line("90837", status="by report", outpatient_amount=240.0),
    line("00100", status="base units", base_units=5.0),
    line("22558", wcfs_amount=3260.0),
    line("99080", status="no amount"),
    line("99221", code_type="LOCAL", wcfs_amount=999.0),
    line("E0601", "NU", code_type="HCPCS", wcfs_amount=900.0),
    line("E0601", "RR", code_type="HCPCS", wcfs_amount=90.0),
    line("76140", "26", wcfs_amount=30.0),
    line("470", code_type="MS-DRG", wcfs_amount=25_000.0),
]
INSTITUTIONAL: Row = {"billing_class": "institutional", "places": []}
OFFICE, FACILITY = "professional", "professional, in a facility"
HOSPITAL, CENTER = "hospital outpatient", "surgical center"


def at(*places: str) -> Row:
    return {"places": list(places)}


def code(number: str, system: str = "CPT") -> Row:
    return {"code": number, "code_type": system}


def modified(modifier: str) -> Row:
    return {"billing_code_modifier": modifier}


CASES: list[tuple[str, Row, str, float | None]] = [
    ("an office", {}, OFFICE, 150),
    ("a facility", at("21"), FACILITY, 110),
    ("a facility, no amount of its own", code("99214") | at("21"), OFFICE, 140),
    ("an office or a facility", at("11", "21"), OFFICE, 150),
    ("mostly facilities", at("12", "21", "22"), FACILITY, 110),
    ("without places", at(), OFFICE, 150),
    ("labeled HCPCS by the payer", code("99213", "HCPCS"), OFFICE, 150),
    ("a modifier that only informs", modified("25"), OFFICE, 150),
    ("the reading", code("70450") | modified("26"), f"{OFFICE}, modifier 26", 72),
    ("the reading, in a hospital", code("70450") | modified("26") | at("22"), f"{FACILITY}, modifier 26", 60),
    ("the reading, of the right side", code("70450") | modified("26,RT"), f"{OFFICE}, modifier 26", 72),
    ("the scan", code("70450") | modified("TC"), f"{OFFICE}, modifier TC", 123),
    ("the scan, in a hospital", code("70450") | modified("TC") | at("22"), "not paid in this setting", None),
    (
        "the scan, mostly in hospitals",
        code("70450") | modified("TC") | at("12", "21", "22"),
        f"{OFFICE}, modifier TC",
        123,
    ),
    ("both sides", code("70450") | modified("50"), "modifier not priced", None),
    ("a code that is priced with a modifier only", code("76140"), "modifier not priced", None),
    ("a hospital", INSTITUTIONAL | at("22"), HOSPITAL, 160),
    ("a hospital's scan", INSTITUTIONAL | code("70450"), HOSPITAL, 160),
    ("a hospital's scan, as such", INSTITUTIONAL | code("70450") | modified("TC"), f"{HOSPITAL}, modifier TC", 160),
    ("a hospital's reading", INSTITUTIONAL | code("70450") | modified("26"), "not paid in this setting", None),
    ("a surgical center", INSTITUTIONAL | at("24"), CENTER, 80),
    ("a surgical center's scan", INSTITUTIONAL | code("70450") | at("24"), CENTER, 85),
    ("a hospital that is not paid for it", INSTITUTIONAL | code("22558"), "not paid in this setting", None),
    ("a surgeon", code("22558") | at("21"), OFFICE, 3260),
    ("by report", code("90837"), "by report", None),
    ("by report for professionals only", INSTITUTIONAL | code("90837"), HOSPITAL, 240),
    ("anesthesia", code("00100"), "anesthesia", None),
    ("listed without an amount", code("99080"), "not priced", None),
    ("not listed", code("12345"), "code not found", None),
    ("rent or purchase not stated", code("E0601", "HCPCS"), "unit not stated", None),
    ("rent", code("E0601", "HCPCS") | modified("RR"), f"{OFFICE}, modifier RR", 90),
    ("a used item", code("E0601", "HCPCS") | modified("UE"), "modifier not priced", None),
    ("a case", INSTITUTIONAL | code("470", "MS-DRG"), "hospital inpatient", 25_000),
    ("a service of an inpatient", INSTITUTIONAL | at("21"), "inpatient", None),
    ("an institutional rate at home", INSTITUTIONAL | at("12"), "other place", None),
    ("a local code", code("99221", "LOCAL"), "other code system", None),
    ("a percentage", {"negotiated_type": "percentage"}, "percentage", None),
    ("a per diem", {"negotiated_type": "per diem"}, "per diem", None),
    ("a bundle", {"negotiation_arrangement": "bundle"}, "bundle", None),
    ("capitation", {"negotiation_arrangement": "capitation"}, "capitation", None),
    ("of an unknown type", {"negotiated_type": None}, "other", None),
    ("zero", {"negotiated_rate": 0.0}, "zero rate", None),
    ("both classes", {"billing_class": "both"}, "class not stated", None),
    ("another state", {"state": "TX"}, "benchmark not loaded", None),
    ("before the release", {"year_month": "2024-12"}, "benchmark not loaded", None),
    ("after the year of the release", {"year_month": "2026-02"}, OFFICE, 150),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, medicare.Comparison]:
    rates = [differing(AN_OFFICE_VISIT, change) for _, change, _, _ in CASES]
    db = store_of(tmp_path_factory.mktemp("cases"), rates, SCHEDULE, ["GA"])
    rows = {
        row.fact_uid: row
        for state in ("GA", "TX")
        for month in ("2024-12", "2025-06", "2026-02")
        for row in medicare.list_comparisons(db, Market(state, month), "rate", 100, 0)
    }
    return {name: rows[f"{number:04}"] for number, (name, *_) in enumerate(CASES)}


@pytest.mark.parametrize(("name", "outcome", "amount"), [(name, found, amount) for name, _, found, amount in CASES])
def test_a_rate_has_one_amount_or_one_reason(
    found: dict[str, medicare.Comparison], name: str, outcome: str, amount: float | None
) -> None:
    row = found[name]
    assert (row.wcfs_reason or row.wcfs_basis, row.wcfs) == (outcome, amount)
    assert (outcome in COMPENSATION_REASONS) == (amount is None)
    assert row.wcfs_release == (None if amount is None else "2025-01")
    assert row.wcfs_percent == (None if amount is None else row.negotiated_rate / amount)


def test_each_reason_can_occur() -> None:
    assert {outcome for _, _, outcome, amount in CASES if amount is None} == set(COMPENSATION_REASONS)


def test_outcomes_and_spreads_count_each_rate_once(tmp_path: Path) -> None:
    rates = [differing(AN_OFFICE_VISIT, {"negotiated_rate": rate}) for rate in (75.0, 150.0, 300.0)]
    rates += [differing(AN_OFFICE_VISIT, at("21")), differing(AN_OFFICE_VISIT, code("12345"))]
    db = store_of(tmp_path, rates, SCHEDULE, ["GA"])
    market = Market("GA", "2025-06")
    outcomes = medicare.count_outcomes(db, market, medicare.COMPENSATION)
    assert (outcomes.total, outcomes.compared, outcomes.reasons) == (5, 4, {"code not found": 1})
    assert [(one.basis, one.release, one.rates) for one in outcomes.bases] == [
        (OFFICE, "2025-01", 3), (FACILITY, "2025-01", 1),
    ]  # fmt: skip
    (spread,) = medicare.summarize_percents(db, market, medicare.COMPENSATION)
    assert spread.rates == 4
    assert spread.p50 == pytest.approx((1.0 + 100 / 110) / 2)
    assert medicare.summarize_percents(db, market) == []
    ordered = medicare.list_comparisons(db, market, "-wcfs_percent", 9, 0)
    assert [row.wcfs_percent for row in ordered] == [2.0, 1.0, pytest.approx(100 / 110), 0.5, None]
