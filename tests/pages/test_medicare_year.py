"""The year of Medicare's amounts that a page names: that of a loaded schedule, or none."""

from pathlib import Path

import pytest

from core.queries.comparison.lookup_scope import list_medicare_years
from core.queries.market.market import Market
from tests.queries.comparison.fee_schedules import Schedule
from tests.queries.one_market import store_of_market
from tests.queries.tables import written
from tests.site import Visitor, serving, text_of

IN_FORCE = "Percent of Medicare uses the amounts in force in the month that a file is listed for."


@pytest.mark.in_turns(4)
@pytest.mark.parametrize(
    ("loaded", "years", "said"),
    [
        ([], [], ""),
        ([("medicare_prof", "2025-01", "US", "GA")], ["2025"], "Percent of Medicare uses 2025 amounts."),
        ([("medicare_prof", "2024-01", "US", "GA")], ["2024"], "Percent of Medicare uses 2024 amounts."),
        ([("clfs", "2025-01", "US", "US")], ["2025"], "Percent of Medicare uses 2025 amounts."),
        ([("ipps", "2024-10", "US", "GA")], ["2025"], "Percent of Medicare uses 2025 amounts."),
        ([("medicare_prof", "2026-01", "US", "GA")], [], ""),
        ([("medicare_prof", "2025-01", "US", "TX")], [], ""),
        ([("wcfs", "2025-01", "GA", "GA")], [], ""),
        ([("medicare_prof", "2025-01", "US", "GA"), ("clfs", "2024-01", "US", "US")], ["2024", "2025"], IN_FORCE),
    ],
)
def test_only_a_year_of_which_a_schedule_is_in_force_is_named(
    tmp_path: Path, loaded: list[tuple[str, str, str, str]], years: list[str], said: str
) -> None:
    db = store_of_market(tmp_path, {}, {})
    records = [Schedule(kind, release, state, [of], []).record() for kind, release, state, of in loaded]
    db = written(db.root, {"dim_benchmark": records})
    assert [sorted(one) for one in list_medicare_years(db, Market("GA", "2025-08"))] == [years]
    with serving(db.root):
        page = text_of(Visitor().get("/rates/?code=99213"))
    assert said in page
    assert page.count("Percent of Medicare uses") == bool(said)
