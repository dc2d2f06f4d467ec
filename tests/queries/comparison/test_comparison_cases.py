"""A table of rates, and what each is compared with: the rules of compared_rates.py, to be read."""

from typing import Any

import pytest

from core.queries.comparison.compared_rates import compared_sql, is_plausible
from core.queries.comparison.reasons import REASONS
from core.queries.comparison.schedules import RULES
from core.queries.market.market import Market
from core.queries.yardstick import medicare
from core.store.connection import Snapshot
from tests.queries.comparison.case_schedules import SCHEDULES, VISIT
from tests.queries.comparison.fee_schedules import AN_OFFICE_VISIT, Schedule, differing, store_of_schedules

# Short names of what a rate may differ in.
INSTITUTIONAL = {"billing_class": "institutional"}
OUTPATIENT = {"billing_class": "institutional", "setting": "outpatient"}
INPATIENT = {"billing_class": "institutional", "setting": "inpatient"}


def at(*places: str) -> dict[str, Any]:
    return {"places": sorted(places)}


def modified(modifier: str) -> dict[str, Any]:
    return {"billing_code_modifier": modifier}


def code(code: str, code_type: str = "CPT") -> dict[str, Any]:
    return {"code": code, "code_type": code_type}


def in_month(month: str) -> dict[str, Any]:
    return {"year_month": month}


OFFICE, FACILITY = "MPFS non-facility", "MPFS facility"
UHC_FACILITIES = (
    "02", "10", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61",
)  # fmt: skip
"""The list that UnitedHealthcare's platform publishes for services in facilities."""

# What the rate is, how it differs from an office visit, then its basis and Medicare's amount, or the reason for none.
CASES: list[tuple[str, dict[str, Any], str, float | None]] = [
    ("a visit in an office", {}, OFFICE, 90),
    ("labelled HCPCS by the payer", code("99213", "HCPCS"), OFFICE, 90),
    ("a level II code", code("G0439", "HCPCS"), OFFICE, 130),
    ("a level II code labelled CPT", code("G0439"), OFFICE, 130),
    ("by fee schedule", {"negotiated_type": "fee schedule"}, OFFICE, 90),
    ("a derived rate", {"negotiated_type": "derived"}, OFFICE, 90),
    # Places decide between the two amounts of the physician fee schedule.
    ("in a hospital", at("21"), FACILITY, 60),
    ("in two facilities", at("22", "24"), FACILITY, 60),
    ("in an office or a hospital", at("11", "22"), OFFICE, 90),
    ("in every facility and an office", at("11", *UHC_FACILITIES), OFFICE, 90),
    ("in every facility and telehealth at home", at(*UHC_FACILITIES), FACILITY, 60),
    ("in a surgical center and an unlisted place", at("05", "24"), FACILITY, 60),
    ("telehealth at home", at("10"), OFFICE, 90),
    ("in two facilities and a home", at("12", "21", "22"), FACILITY, 60),
    ("in a facility and two homes", at("12", "13", "21"), OFFICE, 90),
    ("in a facility and a home", at("12", "21"), OFFICE, 90),
    ("without places", at(), OFFICE, 90),
    ("in every place", at("CSTM-00"), OFFICE, 90),
    ("in an unlisted place", at("05"), OFFICE, 90),
    # CMS publishes one amount for both settings where it has none for one of them (NA).
    ("in a hospital, NA there, older release", code("99214") | at("21"), OFFICE, 90),
    ("without places, amount for offices only", code("99214") | at(), OFFICE, 90),
    ("in an office, NA there, older release", code("99221"), FACILITY, 70),
    ("without places, amount for facilities only", code("99221") | at(), FACILITY, 70),
    ("in every place, amount for facilities only", code("99221") | at("CSTM-00"), FACILITY, 70),
    ("in an office or a hospital, amount for facilities only", code("99221") | at("11", "22"), FACILITY, 70),
    ("in a hospital, amount for facilities only", code("99221") | at("22"), FACILITY, 70),
    ("in an office, NA there", code("27447"), FACILITY, 1300),
    ("in a hospital, NA in offices", code("27447") | at("21"), FACILITY, 1300),
    ("in a hospital, NA there", code("71046") | at("21"), OFFICE, 30),
    ("in an office, NA in hospitals", code("71046"), OFFICE, 30),
    ("no amount", code("80053"), "not priced", None),
    ("no amount, in a hospital", code("80053") | at("21"), "not priced", None),
    ("no amount, without places", code("80053") | at(), "not priced", None),
    # Modifiers have amounts of their own.
    ("the reading, in an office", modified("26"), f"{OFFICE}, modifier 26", 40),
    ("the reading, in a hospital", modified("26") | at("21"), f"{FACILITY}, modifier 26", 30),
    ("the reading, facility amount only, no places", code("70450") | modified("26") | at(),
     f"{FACILITY}, modifier 26", 33),
    ("the scan, in an office", modified("TC"), f"{OFFICE}, modifier TC", 50),
    ("the scan, in a hospital", modified("TC") | at("21"), "not paid in this setting", None),
    ("the scan, in a hospital, amount for offices in both columns", code("71046") | modified("TC") | at("21"),
     "not paid in this setting", None),
    ("the scan, mostly in hospitals", modified("TC") | at("12", "21", "22"), f"{OFFICE}, modifier TC", 50),
    ("the scan, without places", modified("TC") | at(), f"{OFFICE}, modifier TC", 50),
    ("the reading, in a hospital, NA there without modifier", code("71046") | modified("26") | at("21"),
     f"{FACILITY}, modifier 26", 9),
    ("discontinued, in an office", modified("53"), f"{OFFICE}, modifier 53", 20),
    ("discontinued, in a hospital", modified("53") | at("21"), f"{FACILITY}, modifier 53", 15),
    ("a modifier that only informs", modified("25"), OFFICE, 90),
    ("telehealth", modified("95"), OFFICE, 90),
    ("the left side", modified("LT"), OFFICE, 90),
    ("three modifiers that only inform", modified("59,GP,KX"), OFFICE, 90),
    ("the reading, of the right side", modified("26,RT"), f"{OFFICE}, modifier 26", 40),
    ("both sides", modified("50"), "modifier not priced", None),
    ("an assistant at surgery", modified("AS"), "modifier not priced", None),
    ("a modifier that informs and one that pays", modified("25,50"), "modifier not priced", None),
    ("the reading, reduced", modified("26,52"), "modifier not priced", None),
    ("a payer's own modifier", modified("U1"), "modifier not priced", None),
    ("a modifier that offices have no amount for", code("99221") | modified("26"), "modifier not priced", None),
    # Kinds of figures, the first reason that applies.
    ("a percentage", {"negotiated_type": "percentage"}, "percentage", None),
    ("a per diem", {"negotiated_type": "per diem"}, "per diem", None),
    ("a percentage of a bundle", {"negotiated_type": "percentage", "negotiation_arrangement": "bundle"},
     "percentage", None),
    ("a bundle", {"negotiation_arrangement": "bundle"}, "bundle", None),
    ("a capitation", {"negotiation_arrangement": "capitation"}, "capitation", None),
    ("type not stated", {"negotiated_type": None}, "other", None),
    ("arrangement not stated", {"negotiation_arrangement": None}, "other", None),
    ("a rate of zero", {"negotiated_rate": 0.0}, "zero rate", None),
    ("a rate of zero for an unknown code", {"negotiated_rate": 0.0} | code("00000"), "zero rate", None),
    ("class not stated", {"billing_class": None}, "class not stated", None),
    ("both classes", {"billing_class": "both"}, "class not stated", None),
    ("a local code", code("99213", "LOCAL"), "other code system", None),
    ("a revenue code", code("0450", "REV") | OUTPATIENT | at("22"), "other code system", None),
    ("an unknown code", code("00000"), "code not found", None),
    ("anesthesia", code("00100"), "anesthesia", None),
    ("anesthesia with a modifier", code("00100") | modified("26"), "anesthesia", None),
    # Institutional rates: the setting, the places and the code system decide on the schedule.
    ("a hospital, no places", INSTITUTIONAL | at(), "OPPS", 120),
    ("a hospital in every place", INSTITUTIONAL | at("CSTM-00"), "OPPS", 120),
    ("a hospital's outpatient place", INSTITUTIONAL | at("22"), "OPPS", 120),
    ("an emergency room", INSTITUTIONAL | at("23"), "OPPS", 120),
    ("off campus", INSTITUTIONAL | at("19"), "OPPS", 120),
    ("inpatient and outpatient places", INSTITUTIONAL | at("21", "22"), "OPPS", 120),
    ("outpatient place or surgical center", INSTITUTIONAL | at("22", "24"), "OPPS", 120),
    ("a surgical center", INSTITUTIONAL | at("24"), "ASC", 50),
    ("a surgical center or an office", INSTITUTIONAL | at("11", "24"), "ASC", 50),
    ("a surgical center or a hospital bed", INSTITUTIONAL | at("21", "24"), "ASC", 50),
    ("inpatient places", INSTITUTIONAL | at("21", "61"), "inpatient", None),
    ("inpatient places, both settings", INSTITUTIONAL | at("21") | {"setting": "both"}, "inpatient", None),
    ("inpatient setting in an outpatient place", INPATIENT | at("22"), "inpatient", None),
    ("inpatient setting, no places", INPATIENT | at(), "inpatient", None),
    ("outpatient setting in an inpatient place", OUTPATIENT | at("21"), "OPPS", 120),
    ("outpatient setting in inpatient and other places", OUTPATIENT | at("21", "12"), "OPPS", 120),
    ("inpatient and other places", INSTITUTIONAL | at("21", "12"), "other place", None),
    ("institutional at home", INSTITUTIONAL | at("12"), "other place", None),
    ("outpatient setting at home", OUTPATIENT | at("12"), "other place", None),
    ("packaged", INSTITUTIONAL | code("99214") | at("22"), "packaged", None),
    ("listed without a price", INSTITUTIONAL | code("70450") | at("22"), "not priced", None),
    ("not listed by OPPS", INSTITUTIONAL | code("99221") | at("22"), "code not found", None),
    ("institutional with a modifier", INSTITUTIONAL | modified("26") | at("22"), "modifier not priced", None),
    ("institutional with a modifier that informs", INSTITUTIONAL | modified("25") | at("22"), "OPPS", 120),
    # What a schedule says of a code passes it on, or says why it has no amount.
    ("therapy in a hospital", INSTITUTIONAL | code("97110") | at("22"), OFFICE, 28),
    ("therapy in a hospital, with a modifier", INSTITUTIONAL | code("97110") | modified("GP") | at("22"), OFFICE, 28),
    ("a mammogram in a hospital", INSTITUTIONAL | code("77067") | at("22"), f"{OFFICE}, modifier TC", 90),
    ("a laboratory test in a hospital", INSTITUTIONAL | code("80048") | at("22"), "CLFS", 8.46),
    ("a laboratory test that MPFS does not list", code("85025"), "CLFS", 7.77),
    ("a laboratory test with a waiver", code("85025") | modified("QW"), "CLFS", 7.77),
    ("a laboratory test labelled HCPCS, in an independent laboratory",
     INSTITUTIONAL | code("85025", "HCPCS") | at("81"), "CLFS", 7.77),
    ("a laboratory test in a surgical center", INSTITUTIONAL | code("85025") | at("24"), "CLFS", 7.77),
    ("a laboratory test, class not stated", code("85025") | {"billing_class": None}, "CLFS", 7.77),
    ("the reading of a laboratory test", code("85025") | modified("26"), "modifier not priced", None),
    ("a laboratory test before the schedule", code("85025") | in_month("2024-12"), "benchmark not loaded", None),
    ("a laboratory test priced by the contractor", code("0020M"), "contractor priced", None),
    ("a laboratory test for inpatients", INPATIENT | code("85025") | at("21"), "inpatient", None),
    ("a drug in an office", code("J0300", "HCPCS"), "ASP", 0.042),
    ("a drug that only hospitals' prices list", code("J3399", "HCPCS"), "OPPS", 2000),
    ("a procedure that only hospitals' prices list", code("C9600", "HCPCS"), "code not found", None),
    ("a drug, nothing thrown away", code("J0300", "HCPCS") | modified("JZ"), "ASP", 0.042),
    ("a drug without a limit", code("A9606", "HCPCS"), "contractor priced", None),
    ("a drug that a hospital's schedule does not list", INSTITUTIONAL | code("J0300", "HCPCS") | at("22"),
     "code not found", None),
    ("a new walker", code("E0143", "HCPCS") | modified("NU") | at("12"), "DMEPOS, modifier NU", 59.29),
    ("a rented walker", code("E0143", "HCPCS") | modified("KX,RR"), "DMEPOS, modifier RR", 5.93),
    ("a used walker", code("E0143", "HCPCS") | modified("UE"), "modifier not priced", None),
    ("a walker, not said whether new or rented", code("E0143", "HCPCS"), "unit not stated", None),
    ("a new walker, amount for rural areas only", code("E0143", "HCPCS") | modified("KE,NU"),
     "modifier not priced", None),
    ("a brace, of the left side", code("L1833", "HCPCS") | modified("LT"), "DMEPOS", 541.68),
    ("a brace from a hospital, by its schedule", INSTITUTIONAL | code("L1833", "HCPCS") | at("22"), "DMEPOS", 541.68),
    ("equipment priced by the contractor", code("V2786", "HCPCS"), "contractor priced", None),
    ("nutrition at home, institutional", INSTITUTIONAL | code("B4150", "HCPCS") | at("12"), "DMEPOS", 0.47),
    ("an ambulance", INSTITUTIONAL | code("A0429", "HCPCS") | at("22"), "another schedule", None),
    ("inpatient only", INSTITUTIONAL | code("27447") | at("22"), "inpatient", None),
    ("not covered in a hospital", INSTITUTIONAL | code("99386") | at("22"), "not covered", None),
    ("another code in a hospital", INSTITUTIONAL | code("0001F") | at("22"), "another code", None),
    ("a vaccine in a hospital", INSTITUTIONAL | code("90670") | at("22"), "paid at cost", None),
    ("packaged in a surgical center", INSTITUTIONAL | code("20930") | at("24"), "packaged", None),
    ("another code in a surgical center", INSTITUTIONAL | code("0001F") | at("24"), "another code", None),
    ("a device in a surgical center", INSTITUTIONAL | code("0042T") | at("24"), "contractor priced", None),
    ("at cost in a surgical center", INSTITUTIONAL | code("90670") | at("24"), "paid at cost", None),
    ("not listed by ASC", INSTITUTIONAL | code("99221") | at("24"), "code not found", None),
    ("an ended code, of a hospital", INSTITUTIONAL | code("G2012", "HCPCS") | at("22"), "code ended", None),
    ("an ended code, of a surgical center", INSTITUTIONAL | code("G2012", "HCPCS") | at("24"), "code ended", None),
    ("an ended code, of a clinician", code("G2012", "HCPCS"), "code ended", None),
    ("a dental service that hospitals are paid for", INSTITUTIONAL | code("D0140", "HCPCS") | at("22"), "OPPS", 82.02),
    ("a dentist's service that hospitals are paid for", code("D0140", "HCPCS"), "code not found", None),
    ("a dental service that no hospital is paid for", INSTITUTIONAL | code("D0145", "HCPCS") | at("22"),
     "not covered", None),
    ("bundled", code("20930"), "packaged", None),
    ("priced by the contractor", code("0042T"), "contractor priced", None),
    ("restricted, without relative values", code("D0330"), "contractor priced", None),
    ("not covered", code("99386"), "not covered", None),
    ("another code", code("0001F"), "another code", None),
    ("another schedule that does not list the code", code("A0429", "HCPCS"), "another schedule", None),
    # Which release is in force.
    ("before the first release", in_month("2024-12"), "benchmark not loaded", None),
    ("in a release's first month", in_month("2025-01"), OFFICE, 90),
    ("in the last month before the next release", in_month("2025-09"), OFFICE, 90),
    ("in the next release's first month", in_month("2025-10"), OFFICE, 95),
    ("in the year after the last release", in_month("2026-03"), OFFICE, 95),
    ("a surgical center before its schedule", INSTITUTIONAL | at("24") | in_month("2025-03"),
     "benchmark not loaded", None),
    ("a surgical center in its schedule's first month", INSTITUTIONAL | at("24") | in_month("2025-04"), "ASC", 50),
    ("the newest release lacks the state", INSTITUTIONAL | at("22") | in_month("2025-07"),
     "benchmark not loaded", None),
    ("a state without amounts", {"state": "TX"}, "benchmark not loaded", None),
]  # fmt: skip

FACILITY_PLACES = ["02", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61"]
OTHER_PLACES = [
    "01", "03", "04", "09", "10", "11", "12", "13", "14", "15", "16", "17", "20", "25", "27", "32", "33", "49", "50",
    "54", "55", "57", "58", "60", "62", "65", "71", "72", "81", "99",
]  # fmt: skip
DRG_SYSTEMS = ["MS-DRG", "R-DRG", "S-DRG", "APS-DRG", "AP-DRG", "APR-DRG", "DRG"]

Compared = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """Return the outcome of every case by its name: one store has them all."""
    cases = {
        **{f"case: {name}": change for name, change, _, _ in CASES},
        **{f"place: {place}": at(place) for place in (*FACILITY_PLACES, *OTHER_PLACES)},
        **{f"system: {system}": INSTITUTIONAL | code("470", system) | at() for system in DRG_SYSTEMS},
    }
    rates = [differing(AN_OFFICE_VISIT, change) for change in cases.values()]
    db = store_of_schedules(tmp_path_factory.mktemp("cases"), rates, SCHEDULES)
    with db.cursor() as cursor:
        cursor.execute(f"{compared_sql('true')} SELECT * FROM compared ORDER BY fact_uid")
        names = [str(column[0]) for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    assert [row["fact_uid"] for row in rows] == [f"{n:04}" for n in range(len(rates))], "each rate has one outcome"
    return dict(zip(cases, rows, strict=True))


@pytest.mark.parametrize(("name", "outcome", "amount"), [(name, found, amount) for name, _, found, amount in CASES])
def test_a_rate_has_one_basis_or_one_reason(compared: Compared, name: str, outcome: str, amount: float | None) -> None:
    row = compared[f"case: {name}"]
    assert (row["reason"] or row["basis"], row["medicare"]) == (outcome, amount)
    assert (outcome in REASONS) == (amount is None)
    assert (row["reason"] is None) == (row["basis"] is not None) == (row["release"] is not None)
    assert row["percent"] == (None if amount is None else 100 / amount)


@pytest.mark.parametrize("place", FACILITY_PLACES)
def test_each_facility_place_alone_has_the_facility_amount(compared: Compared, place: str) -> None:
    row = compared[f"place: {place}"]
    assert (row["places"], row["basis"], row["medicare"]) == ("facility", FACILITY, 60)


@pytest.mark.parametrize("place", OTHER_PLACES)
def test_each_other_place_alone_has_the_non_facility_amount(compared: Compared, place: str) -> None:
    row = compared[f"place: {place}"]
    assert (row["places"], row["basis"], row["medicare"]) == ("non-facility", OFFICE, 90)


@pytest.mark.parametrize("system", DRG_SYSTEMS)
def test_each_drg_system_is_inpatient(compared: Compared, system: str) -> None:
    assert compared[f"system: {system}"]["reason"] == "inpatient"


def test_the_setting_of_places_has_four_names(compared: Compared) -> None:
    names = (
        "in a hospital", "a visit in an office", "in an office or a hospital", "in a facility and a home",
        "in two facilities and a home", "in every place", "without places",
    )  # fmt: skip
    assert [compared[f"case: {name}"]["places"] for name in names] == [
        "facility", "non-facility", "non-facility", "mixed", "mixed", "mixed", "unstated",
    ]  # fmt: skip


def test_lists_that_allow_both_settings_have_both_amounts(compared: Compared) -> None:
    """The other amount is shown beside the one that the percent is of."""
    both = {
        "in an office or a hospital": 60, "in every facility and an office": 60, "in two facilities and a home": 90,
        "in a facility and a home": 60, "in every place": 60, "in a hospital": None, "a visit in an office": None,
        "in every facility and telehealth at home": None, "in a surgical center and an unlisted place": None,
        "without places": None, "the scan, mostly in hospitals": None, "a hospital in every place": None,
    }  # fmt: skip
    assert {name: compared[f"case: {name}"]["other_amount"] for name in both} == both


def test_an_amount_of_the_other_setting_says_so(compared: Compared) -> None:
    office, facility = "CMS publishes no separate office amount", "CMS publishes no separate facility amount"
    notes = {
        "in an office, NA there": office, "in an office, NA there, older release": office,
        "without places, amount for facilities only": office, "in a hospital, NA there": facility,
        "in a hospital, NA there, older release": facility, "in a hospital, NA in offices": None,
        "in an office, NA in hospitals": None, "a visit in an office": None, "in a hospital": None,
    }  # fmt: skip
    for name, note in notes.items():
        assert compared[f"case: {name}"]["detail"] == ", ".join(filter(None, ["status A", note])), name


def test_a_rate_says_what_chose_its_schedule(compared: Compared) -> None:
    names = ("a visit in an office", "a hospital, no places", "therapy in a hospital", "a vaccine in a hospital")
    assert [compared[f"case: {name}"]["rule"] for name in names] == ["class", "class", "code", None]
    assert compared["case: therapy in a hospital"]["detail"] == "status A, OPPS status A"
    # The other rules are about who is paid and what a visitor asks for: tests/quality/test_schedule_fit.py.
    assert {row["rule"] for row in compared.values()} - {None} == set(RULES) - {"provider", "fit", "visitor"}


def test_a_place_that_is_asked_about_decides(tmp_path: Any) -> None:
    rates = [
        differing(AN_OFFICE_VISIT, change)
        for change in (
            at("11", "22"), at(*UHC_FACILITIES, "11"), at("CSTM-00"), INSTITUTIONAL | at("22", "24"),
            INSTITUTIONAL | at("CSTM-00"),
        )
    ]  # fmt: skip
    db = store_of_schedules(tmp_path, rates, SCHEDULES)
    found = {
        pos: [
            (row.places, row.basis, row.medicare, row.other_amount)
            for row in medicare.list_comparisons(db, Market("GA", "2025-06", "CPT", "99213", pos=pos), "rate", 9, 0)
        ]
        for pos in ("11", "22", "24")
    }
    office, facility = ("non-facility", OFFICE, 90, None), ("facility", FACILITY, 60, None)
    assert found["11"] == [office, office, office, ("non-facility", None, None, None)]
    assert found["22"] == [
        facility,
        facility,
        facility,
        ("facility", "OPPS", 120, None),
        ("facility", "OPPS", 120, None),
    ]
    assert found["24"] == [facility, facility, ("facility", "ASC", 50, None), ("facility", "ASC", 50, None)]


def test_the_schedule_s_row_is_named(compared: Compared) -> None:
    row = compared["case: in the year after the last release"]
    assert (row["release"], row["in_force"], row["detail"]) == ("2025-10", "2025-12", "status A")
    assert compared["case: a hospital, no places"]["detail"] == "status V"
    assert compared["case: a surgical center"]["detail"] == "indicator P3"
    without = compared["case: packaged"]
    assert (without["release"], without["in_force"], without["detail"], without["plausible"]) == (None,) * 4


def test_a_code_listed_under_both_levels_of_hcpcs_prices_each_rate_once(tmp_path: Any) -> None:
    twice = [VISIT, VISIT | {"code_type": "HCPCS", "medicare_prof_rate": 33.0}]
    rates = [differing(AN_OFFICE_VISIT, {"code_type": system}) for system in ("CPT", "HCPCS")]
    db = store_of_schedules(tmp_path, rates, [Schedule("medicare_prof", "2025-01", "US", ["GA"], twice)])
    outcomes = medicare.count_outcomes(db, Market("GA", "2025-06"))
    assert (outcomes.total, outcomes.compared) == (2, 2)
    assert [row.medicare for row in medicare.list_comparisons(db, Market("GA", "2025-06"), "rate", 9, 0)] == [90, 90]


def test_a_dental_or_local_row_prices_no_medicare_rate(tmp_path: Any) -> None:
    rows = [VISIT | {"code_type": "CDT"}, VISIT | {"code_type": "LOCAL", "code": "99214"}]
    rates = [AN_OFFICE_VISIT, differing(AN_OFFICE_VISIT, code("99214"))]
    db = store_of_schedules(tmp_path, rates, [Schedule("medicare_prof", "2025-01", "US", ["GA"], rows)])
    assert medicare.count_outcomes(db, Market("GA", "2025-06")).reasons == {"code not found": 2}


@pytest.mark.parametrize(("rate", "plausible"), [(44.99, 0), (45.0, 1), (2700.0, 1), (2700.01, 0)])
def test_half_and_thirty_times_medicare_are_plausible(tmp_path: Any, rate: float, plausible: int) -> None:
    """The rule is asked in three ways: of a rate, of all rates, and for a chart's percents."""
    rates = [differing(AN_OFFICE_VISIT, {"negotiated_rate": rate})]
    db: Snapshot = store_of_schedules(tmp_path, rates, [Schedule("medicare_prof", "2025-01", "US", ["GA"], [VISIT])])
    market = Market("GA", "2025-06", "CPT", "99213")
    (row,) = medicare.list_comparisons(db, market, "rate", 9, 0)
    (spread,) = medicare.summarize_percents(db, market)
    ((of_rule,),) = db.rows(f"{compared_sql('true')} SELECT plausible FROM compared")
    assert row.percent is not None
    assert [row.plausible, 1 - spread.implausible, of_rule, is_plausible(row.percent)] == [plausible] * 4
