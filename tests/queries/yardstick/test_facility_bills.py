"""Whether a facility sends its own bill for a code, as far as Medicare pays it one."""

from pathlib import Path

from core.queries.yardstick.facility_bills import pays_facilities
from tests.quality.fitted_rates import CODES, PHYSICIANS, rates_of, schedules, store_with


def test_opps_or_asc_has_an_amount(tmp_path: Path) -> None:
    first, second, third = CODES[:3]
    paid = schedules(hospitals={first: 10.0, third: 0.0}, centers={second: 20.0})
    db = store_with(tmp_path, rates_of({first: PHYSICIANS[first]}, 1.0, 0.1), paid)
    assert [pays_facilities(db, "GA", code) for code in (first, second, third)] == [True, True, False]
    assert not pays_facilities(db, "TX", first)
