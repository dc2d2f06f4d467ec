"""Where a code is usually rendered, by what is loaded: Medicare's services, its fees, or the surgical centers' list."""

from pathlib import Path
from typing import Any

import pytest

from core.fields.places.care_setting import SIDES
from core.queries.comparison.usual_side import find_usual_side
from core.store.connection import Snapshot
from tests.queries.one_market import store_of_market
from tests.queries.tables import written

OUTSIDE, INSIDE = SIDES
OF_CODE = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "45378"}
BOTH = {**OF_CODE, "nonfacility_na": False, "facility_na": False}
INSIDE_ALONE = {**OF_CODE, "nonfacility_na": True, "facility_na": False}
OUTSIDE_ALONE = {**OF_CODE, "nonfacility_na": False, "facility_na": True}
PARTS = {**OUTSIDE_ALONE, "nonfacility_rate_26": 40.0, "nonfacility_rate_tc": 90.0}


def used(facility: float, office: float, state: str = "US") -> list[dict[str, Any]]:
    of_code = {"code": "45378", "state": state}
    return [{**of_code, "place": "facility", "services": facility}, {**of_code, "place": "office", "services": office}]


def listed(indicator: str, month: str = "2025-08") -> dict[str, Any]:
    return {**OF_CODE, "year_month": month, "asc_pi": indicator}


def store(root: Path, prof: dict[str, Any] | None, asc: list[dict[str, Any]], use: list[dict[str, Any]]) -> Snapshot:
    db = store_of_market(root, {})
    tables = {"bench_medicare_prof": [prof] if prof else [], "bench_asc": asc, "utilization_area": use}
    return written(db.root, tables)


@pytest.mark.in_turns(8)
@pytest.mark.parametrize(
    ("prof", "asc", "use", "side"),
    [
        (None, [], [], OUTSIDE),
        (BOTH, [], [], OUTSIDE),
        (INSIDE_ALONE, [], [], INSIDE),
        (INSIDE_ALONE, [listed("P3")], [], INSIDE),
        *((BOTH, [listed(one)], [], INSIDE) for one in ("A2", "G2", "J8")),
        *((BOTH, [listed(one)], [], OUTSIDE) for one in ("P2", "P3", "R2", "Z2", "Z3", "N1", "K2", "D2")),
        (BOTH, [listed("A2", "2025-01"), listed("P3")], [], OUTSIDE),
        (None, [listed("G2")], [], INSIDE),
        (OUTSIDE_ALONE, [listed("G2")], [], OUTSIDE),
        (BOTH, [listed("A2")], used(10.0, 90.0), OUTSIDE),
        (BOTH, [listed("P3")], used(90.0, 10.0), INSIDE),
        (BOTH, [], used(50.0, 50.0), OUTSIDE),
        (INSIDE_ALONE, [], used(10.0, 90.0), OUTSIDE),
        (BOTH, [listed("A2")], used(10.0, 90.0, "TX"), INSIDE),
        (PARTS, [listed("G2")], used(90.0, 10.0), OUTSIDE),
        (PARTS, [], [], OUTSIDE),
    ],
)
def test_the_first_source_that_knows_decides(
    tmp_path: Path,
    prof: dict[str, Any] | None,
    asc: list[dict[str, Any]],
    use: list[dict[str, Any]],
    side: str,
) -> None:
    usual = find_usual_side(store(tmp_path, prof, asc, use), "45378")
    assert usual.side_of("none") == side
    assert usual.has_parts == (prof is PARTS)
    if usual.has_parts:
        assert [usual.side_of(one) for one in ("26", "TC")] == [INSIDE, OUTSIDE], "who bills the reading alone"
        assert usual.in_facilities == bool(asc), "no heart catheter is a scan"
    assert find_usual_side(store(tmp_path, prof, asc, use), None).side_of("none") == OUTSIDE


@pytest.mark.parametrize("code", ["52000", "55700", "45378"])
def test_an_office_procedure_is_not_one_of_surgical_centers(tmp_path: Path, code: str) -> None:
    """CMS has not sorted what was listed before 2008: a bladder scope is done in an office, a colonoscopy is not."""
    of_code = {"code": code}
    db = store(tmp_path, {**BOTH, **of_code}, [{**listed("A2"), **of_code}], [])
    assert find_usual_side(db, code).side_of("none") == (INSIDE if code == "45378" else OUTSIDE)
    most_inside = written(db.root, {"utilization_area": [{**one, **of_code} for one in used(90.0, 10.0)]})
    assert find_usual_side(most_inside, code).side_of("none") == INSIDE, "what is known goes before it"
