"""Contracts that several organizations share are the same as a slow look at each organization finds."""

from collections import defaultdict
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.parties.organizations import count_wanted, list_organizations
from core.queries.parties.shared_contracts import ContractPage, find_performing, list_contracts
from tests.queries.one_market import A_RATE, MARKET, with_fee
from tests.queries.rates_by_month import store_of
from tests.queries.slow_price import choose_percentiles, choose_price
from tests.queries.surgeons import NPIS, store_of_surgeons
from tests.queries.tables import written
from tests.site import Visitor, serving

TINS = [("ein", "100000001"), ("ein", "100000002"), ("ein", "100000003"), ("npi", "1912951245")]

groups = st.lists(st.tuples(st.just(set[str]()), st.sets(st.sampled_from(TINS), max_size=3)), min_size=4, max_size=4)
rates = st.lists(
    st.fixed_dictionaries(
        {
            "group": st.integers(0, 3),
            "negotiated_rate": st.sampled_from([10.0, 20.0, 33.5]),
            "negotiated_type": st.sampled_from(["negotiated", "negotiated", "percentage"]),
            "reporting_entity_name": st.sampled_from(["Payer A", "Payer B"]),
        }
    ),
    min_size=1,
    max_size=12,
)


def slow_contracts(groups: list[Any], rates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the contracts by looking at each organization's groups."""
    dollars = [rate for rate in rates if rate["negotiated_type"] == "negotiated"]
    of_tin: dict[Any, set[Any]] = defaultdict(set)
    for rate in dollars:
        for tin in groups[rate["group"]][1]:
            of_tin[tin].add((rate["reporting_entity_name"], rate["group"]))
    by_groups: dict[Any, list[Any]] = defaultdict(list)
    for tin, some in of_tin.items():
        by_groups[frozenset(some)].append(tin)
    medians = [
        choose_price(
            [rate["negotiated_rate"] for rate in dollars if (rate["reporting_entity_name"], rate["group"]) in some]
        )
        for some in of_tin.values()
    ]
    found = []
    for some, tins in by_groups.items():
        paid = [rate["negotiated_rate"] for rate in dollars if (rate["reporting_entity_name"], rate["group"]) in some]
        found.append(
            {
                "tins": sorted(tins),
                "groups": len(some),
                "payers": sorted({payer for payer, _ in some}),
                "rates": len(paid),
                "p50": choose_price(paid),
                "percentiles": choose_percentiles(paid),
                "lowest": min(paid),
                "highest": max(paid),
                "prices": len(set(paid)),
                "few_prices": sorted(set(paid)) if len(set(paid)) < 5 else [],
                "has_few_prices": len({payer for payer, _ in some}) == 1 and len(set(paid)) in {2, 3, 4},
                "mean": fmean(paid),
                "difference": choose_price(paid) / choose_price(medians) - 1,
                "rank": 1 + sum(len(other) > len(some) for other in of_tin.values()),
            }
        )
    return sorted(found, key=lambda one: one["tins"])


def plain(found: ContractPage) -> list[dict[str, Any]]:
    """Return contracts as slow_contracts does."""
    columns = (
        "groups",
        "payers",
        "rates",
        "p50",
        "lowest",
        "highest",
        "prices",
        "few_prices",
        "has_few_prices",
        "mean",
        "difference",
        "rank",
    )
    rows = [
        {
            "tins": sorted((one.tin_type, one.tin_value) for one in row.parties),
            **{name: getattr(row, name) for name in columns},
            "percentiles": [row.p10, row.p25, row.p50, row.p75, row.p90],
        }
        for row in found.rows
    ]
    return sorted(rows, key=lambda one: one["tins"])


@settings(max_examples=5)
@given(groups=groups, rates=rates)
def test_organizations_with_the_same_groups_are_one_contract(groups: list[Any], rates: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        db = store_of(Path(folder), {"2025-08": (groups, [{**A_RATE, **rate} for rate in rates])})
        expected = slow_contracts(groups, rates)
        found = list_contracts(db, MARKET, "-p50", 99, 0)
        assert plain(found) == expected
        alone = {(one.tin_type, one.tin_value): one.difference for one in list_organizations(db, MARKET, "p50", 99, 0)}
        assert alone == {tin: one["difference"] for one in expected for tin in one["tins"]}
        assert sum((one or 0) > 0 for one in alone.values()) <= len(alone) / 2, "at most half are above the middle one"
        assert found.contracts == len(expected)
        assert [row.p50 for row in found.rows] == sorted((row.p50 for row in found.rows), reverse=True)
        assert [row.organizations for row in found.rows] == [len(row.parties) for row in found.rows]
        with market_cache(db, MARKET) as cached:
            assert list_contracts(cached, MARKET, "-p50", 99, 0) == found


def test_few_prices_are_those_that_somebody_can_mean(tmp_path: Path) -> None:
    """Of six rates, two are left out; of one contract, all are."""
    groups: list[Any] = [({NPIS[number]}, {("ein", f"10000000{number + 1}")}) for number in range(3)]
    amounts = [(0, one) for one in (12.88, 13.88, 100.0, 110.0, 120.0, 130.0)] + [(1, 14.0), (1, 15.0), (2, 105.0)]
    made = [{**A_RATE, "group": group, "negotiated_rate": amount} for group, amount in amounts]
    db = store_of(tmp_path, {"2025-08": (groups, made)})
    db = with_fee(db, 90.0)
    rows = list_contracts(db, MARKET, "-p50", 9, 0).rows
    assert [(row.p50, row.few_prices, row.prices) for row in rows] == [
        (110.0, [100.0, 110.0, 120.0, 130.0], 4),
        (105.0, [105.0], 1),
        (14.0, [14.0, 15.0], 2),
    ]
    with serving(db.root):
        page = Visitor().get("/organizations/", {"state": "GA", "code": MARKET.code}).content.decode()
    assert page.count('<circle class="dot"') == 7
    assert "price $110.00, one of $100.00, $110.00, $120.00, $130.00." in page
    assert "Thin line" not in page


KNEE = Market("GA", "2025-08", "CPT", "27447")


def test_those_who_are_likely_to_perform_it_are_first(tmp_path: Path) -> None:
    db = store_of_surgeons(tmp_path)
    found = list_contracts(db, KNEE, "-p50", 9, 0)
    assert [(row.p50, row.fits) for row in found.rows] == [(10, True), (50, False)]
    assert (found.contracts, found.fitting, found.wanted) == (2, 1, 3)
    shared, alone = found.rows
    assert [(one.business_name, one.specialty, one.is_likely, one.npis) for one in shared.parties] == [
        ("PEACH ORTHOPEDICS", "Orthopedic surgery", True, 1),
        ("PEACH THERAPY", "Physical therapy", False, 1),
    ]
    assert (shared.npis, shared.likely, alone.likely) == (2, shared.parties[:1], [])
    # Of a visit, nothing is known: by rate alone.
    assert find_performing(db, MARKET) == ()
    therapy = list_contracts(db, Market("GA", "2025-08", "CPT", "27447", specialty="Physical therapy"), "-p50", 9, 0)
    assert [(row.p50, row.leading.business_name) for row in therapy.rows] == [
        (50, "O'BRIEN THERAPY"),
        (10, "PEACH THERAPY"),
    ]


def test_a_tax_id_that_is_an_npi_is_somebody_who_may_perform_it(tmp_path: Path) -> None:
    """A surgical center bills under its own NPI, and its contract lists a therapist."""
    group = ({NPIS[2]}, {("npi", NPIS[3])})
    db = store_of(tmp_path, {"2025-08": ([group], [{**A_RATE, "code": "27447"}])})
    center = {"npi": NPIS[3], "specialty": "Ambulatory surgical center", "entity_type": "organization"}
    for specialty, fits in (("Ambulatory surgical center", True), ("Physical therapy", False)):
        found = list_contracts(
            written(db.root, {"provider_profile": [{**center, "specialty": specialty}]}), KNEE, "p50", 9, 0
        )
        [row] = found.rows
        assert (row.fits, row.leading.is_likely, found.fitting) == (fits, fits, int(fits))


def test_what_is_billed_to_medicare_goes_before_the_family_of_the_code(tmp_path: Path) -> None:
    use = {"code": "27447", "services": 900.0}
    db = written(
        store_of_surgeons(tmp_path).root,
        {
            "code_use": [{**use, "clinicians": 50, "first_year": 2023, "last_year": 2023}],
            "specialty_use": [
                {**use, "specialty": "Physical therapy", "clinicians": 30, "share": 0.01},
                {**use, "specialty": "Orthopedic surgery", "clinicians": 20, "share": 0.009},
            ],
        },
    )
    assert find_performing(db, KNEE) == ("Physical therapy",)


def test_an_organization_is_found_by_words_of_its_name_or_digits_of_its_tax_id(tmp_path: Path) -> None:
    db = store_of_surgeons(tmp_path)
    for words, tins in {
        "orthop": ["100000002"],
        "obrien": ["100000003"],
        "PEACH": ["100000001", "100000002"],
        "00-003": ["100000003"],
        "nobody": [],
    }.items():
        listed = list_organizations(db, KNEE, "p50", 9, 0, words=words)
        assert sorted(one.tin_value for one in listed) == tins, words
        assert {one.share for one in listed} <= {0.5}, "of the whole market"
        assert count_wanted(db, KNEE, words) == len(tins)
        found = list_contracts(db, KNEE, "p50", 9, 0, words)
        assert sorted(one.tin_value for row in found.rows for one in row.parties if one.is_wanted) == tins
        assert found.wanted == len(tins)
    (shared,) = list_contracts(db, KNEE, "p50", 9, 0, "therapy peach").rows
    assert (shared.leading.business_name, shared.organizations, shared.wanted) == ("PEACH THERAPY", 2, 1)
