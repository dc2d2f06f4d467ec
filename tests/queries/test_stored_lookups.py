"""What pages say about a provider is the same whether its lookups are stored or not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.queries.facets import count_choices
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.parties import provider_rates, providers
from core.queries.parties.line_medians import STORED_LOOKUPS
from core.queries.rules.rate_kinds import MACROS
from core.store.changes.provider_order import copy_by_group
from core.store.changes.store_lookups import store_lookups
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.stores import copy_store, open_snapshot


@pytest.fixture(scope="module")
def two_ways(demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Snapshot, Snapshot]:
    """Return the demo without and with everything that is stored for speed."""
    root = tmp_path_factory.mktemp("lookups") / "data"
    copy_store(demo_root, root)
    store = Store(root)
    copy_by_group(store)
    assert store_lookups(store, STORED_LOOKUPS, MACROS)
    return open_snapshot(Store(demo_root)), open_snapshot(store)


def ask(db: Snapshot, by: providers.By, value: str, filters: dict[str, Any]) -> list[Any]:
    periods = providers.list_provider_periods(db, by, value)
    said: list[Any] = [periods, providers.list_groups(db, by, value)]
    if by == "npi":
        said += [providers.find_npi(db, value), providers.list_tins_of_npi(db, value)]
    else:
        said += [providers.find_tins(db, value), providers.list_npis_of_tin(db, value, 20, 0)]
    for period in periods[:1]:
        market = replace(Market(period.state, period.year_month, **filters), **{by: value})
        whole = Market(period.state, period.year_month, npi=market.npi, tin=market.tin)
        with market_cache(db, whole) as cached:
            said.append(provider_rates.list_code_rates(db, cached, market, 20, 0))
            said.append(count_choices(cached, market, ["payer"]))
    return said


@settings(max_examples=4)
@given(st.data())
def test_a_provider_is_the_same_stored_or_not(two_ways: tuple[Snapshot, Snapshot], data: st.DataObject) -> None:
    plain, quick = two_ways
    by: providers.By = data.draw(st.sampled_from(("npi", "tin")))
    column = "npi" if by == "npi" else "tin_value"
    known = [row[0] for row in plain.rows(f"SELECT DISTINCT {column} FROM xref_tin_npi ORDER BY 1")]
    value = data.draw(st.sampled_from([*known, "1234567893"]))
    filters = data.draw(
        st.sampled_from([{}, {"billing_class": "professional"}, {"pos": "11"}, {"code": "99213"}, {"modifier": "26"}])
    )
    assert ask(quick, by, value, filters) == ask(plain, by, value, filters)
