"""The organizations of a town are those with somebody there, and not all of a contract that has somebody there."""

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.middle_organization import find_middle_organization
from core.queries.parties import organizations
from core.queries.parties.shared_contracts import list_contracts
from core.store.connection import Snapshot

MONTH = Market("GA", "2025-08", "CPT", "99213")
IN_MONTH = "year_month = '2025-08'"


def pairs(db: Snapshot, columns: str, table: str, condition: str = IN_MONTH) -> dict[str, set[str]]:
    """Return the second of two columns by the first."""
    found: dict[str, set[str]] = defaultdict(set)
    for one, other in db.rows(f"SELECT {columns} FROM {table} WHERE {condition}"):
        found[one].add(other)
    return found


@pytest.mark.parametrize("names", [("city",), ("city", "specialty"), ("specialty",)])
def test_they_are_those_of_a_loop_over_who_bills_under_them(placed: Snapshot, names: tuple[str, ...]) -> None:
    people = placed.rows("SELECT npi, city, specialty FROM provider_profile WHERE city IS NOT NULL")
    values = {npi: {"city": city, "specialty": specialty} for npi, city, specialty in people}
    groups = pairs(placed, "pg_uid, npi", "xref_group_npi")
    members = [values[npi] for npis in groups.values() for npi in npis if npi in values]
    wanted = Counter(tuple(one[name] for name in names) for one in members if all(one.values())).most_common(3)[-1][0]
    asked = dict(zip(names, wanted, strict=True))
    market = replace(MONTH, **asked)
    there = {npi for npi, one in values.items() if all(one[name] == value for name, value in asked.items())}
    billed = pairs(placed, "tin_type || ' ' || tin_value, npi", "xref_tin_npi")
    of_code = "code = '99213' AND code_type = 'CPT' AND state = 'GA'"
    paid = {
        pg_uid
        for pg_uid, kind in placed.rows(
            f"""SELECT pg_uid, rate_kind(negotiated_type, negotiation_arrangement) FROM fact_rate
                WHERE {IN_MONTH} AND {of_code}"""
        )
        if kind == "dollars" and groups[pg_uid] & there
    }
    every = {tin for pg_uid, tins in pairs(placed, "pg_uid, tin_type || ' ' || tin_value", "xref_group_tin").items()
             for tin in tins if pg_uid in paid}  # fmt: skip
    meant = {tin for tin in every if billed[tin] & there or tin.removeprefix("npi ") in there}
    assert meant < every or (meant == every and "city" not in names)
    found = organizations.list_organizations(placed, market, "rates", 10_000, 0)
    assert {f"{one.tin_type} {one.tin_value}" for one in found} == meant
    assert organizations.count_totals(placed, market).organizations == len(meant)
    assert sum(one.organizations for one in list_contracts(placed, market, "rates", 10_000, 0).rows) == len(meant)
    with market_cache(placed, market) as cached:
        middle = find_middle_organization(cached, market)
    assert middle is not None
    assert middle.organizations == len(meant)
