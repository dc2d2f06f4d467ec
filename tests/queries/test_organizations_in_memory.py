"""Organizations are the same from a code's facts in memory as from the files, whatever the filters."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.parties import organizations
from core.queries.parties.organizations import ORDERS
from core.store.connection import Snapshot

FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "billing_class": st.sampled_from(["professional", "institutional"]),
        "modifier": st.sampled_from(["none", "26"]),
        "pos": st.sampled_from(["11", "22"]),
    },
)


@settings(max_examples=4)
@given(
    code=st.sampled_from(["99213", "70450", "45378", "00000"]),
    filters=FILTERS,
    order=st.sampled_from(sorted(ORDERS)),
    offset=st.integers(0, 3),
)
def test_organizations_of_a_code_in_memory(
    odd: Snapshot, demo: Snapshot, code: str, filters: dict[str, str], order: str, offset: int
) -> None:
    for db in (odd, demo):
        state, year_month = db.rows("SELECT state, max(year_month) FROM dim_batch GROUP BY 1 ORDER BY 2 DESC LIMIT 1")[
            0
        ]
        market = replace(Market(state, year_month, "CPT", code), **filters)
        with market_cache(db, market) as cached:
            assert cached.code_values is not None
            assert organizations.count_totals(cached, market) == organizations.count_totals(db, market)
            found = [organizations.list_organizations(one, market, order, 20, offset) for one in (cached, db)]
            assert found[0] == found[1]
