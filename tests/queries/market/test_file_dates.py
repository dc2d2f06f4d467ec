"""Which files are much older than their month: months counted one by one."""

from itertools import product

import pytest

from core.queries.market.file_dates import old_month, old_months
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.reference.nppes import registers
from tests.stores import open_snapshot

MONTHS = [f"{year}-{month:02}" for year, month in product(range(2022, 2026), range(1, 13))]


def test_a_file_is_old_if_more_than_six_months_lie_between() -> None:
    for at, month in enumerate(MONTHS):
        for other, own in enumerate(MONTHS):
            assert old_month(month, f"{own}-15") == (own if at - other > 6 else None)


@pytest.mark.parametrize("text", [None, "", "soon", "0001-01-01", "99"])
def test_a_date_that_is_none_says_nothing(text: str | None) -> None:
    assert old_month("2025-11", text) is None


def test_the_newest_file_of_a_payer_s_month_counts(store: Store, load: Load) -> None:
    dates = {"Old": ["2023-02-01", "20230105", "2/4/2023", ""], "New": ["2023-02-01", "2025-05-01"]}
    for payer, texts in dates.items():
        for text in texts:
            content = registers.rates(registers.SURGEON) | {"reporting_entity_name": payer, "last_updated_on": text}
            load(content, "GA", f"{payer}{len(text)}.json", year_month="2025-11")
    assert dict(old_months(open_snapshot(store))) == {("GA", "2025-11", "old"): "2023-02"}
