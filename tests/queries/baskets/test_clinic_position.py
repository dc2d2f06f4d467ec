"""A clinic's positions, gaps, and totals, against the same figures computed in the obvious way."""

import operator
import statistics
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.fields.codes.basket_list import BasketItem
from core.fields.codes.code_list import WantedCode
from core.queries.baskets.basket_codes import BasketCode, basket_codes
from core.queries.baskets.clinic_answer import ClinicQuestion, answer_clinic
from core.queries.baskets.clinic_gaps import sum_gaps
from core.queries.baskets.clinic_position import (
    NO_OTHERS,
    NO_RATE,
    NO_TAX_IDS,
    NOT_THEIRS,
    OTHER_KIND,
    OTHER_TERMS,
    Positions,
    find_positions,
)
from core.queries.baskets.clinic_rows import AskedLine, Clinic, ClinicPosition
from core.queries.classes.class_counts import count_classes_of_codes
from core.queries.classes.classes_of_codes import ClassesOfList, write_terms
from core.queries.classes.rate_classes import ClassChoice
from core.queries.market.market import Market
from core.queries.parties.organizations import count_totals, list_organizations
from core.store.connection import Snapshot
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import PLACES, store_of
from tests.queries.slow_price import choose_price, largest_contract
from tests.queries.slow_settings import sides_slowly
from tests.queries.tables import written

GA = Market("GA", "2025-08", billing_class="professional")
OURS = Clinic(tin="100000001")  # group 0 of the store
PAYERS = {"payer_a": "Payer A", "payer_b": "Payer B"}

RATE = st.fixed_dictionaries(
    {
        "reporting_entity_name": st.sampled_from(["Payer A", "Payer B"]),
        "code": st.sampled_from(["99213", "99214"]),
        "negotiated_rate": st.sampled_from([10.0, 12.5, 80.0, 100.25]),
        "billing_class": st.sampled_from(["professional", "professional", "institutional"]),
        "billing_code_modifier": st.sampled_from(["", "", "26"]),
        "negotiated_type": st.sampled_from(["negotiated", "negotiated", "percentage"]),
        "places": st.sampled_from([*PLACES, ["21"]]),
        "group": st.integers(0, 6),
    }
)
RATES = st.lists(RATE, max_size=20, unique_by=lambda rate: repr(sorted(rate.items())))
LINE = st.tuples(
    st.sampled_from(["99213", "99214", "73721"]),
    st.sampled_from(["", "26"]),
    st.sampled_from(["", "office", "hospital outpatient"]),
    st.none() | st.sampled_from([0.0, 3.0, 120.0]),
    st.none() | st.sampled_from([12.5, 50.0]),
)
SIDE_OF = {"office": "non-facility or unstated", "hospital outpatient": "facility or unstated"}
NUMBERS = count()
FEW = 5


GROUPS: list[Any] = [
    ({"1912951245"}, {("ein", "100000001")}),
    ({"1003027533"}, {("ein", "100000002")}),
    (set(), set()),
    (set(), {("ein", "100000003")}),
    (set(), {("ein", "100000004"), ("ein", "100000005")}),
    # A contract that the clinic has with another tax ID.
    ({"1912951245"}, {("ein", "100000001"), ("ein", "100000006")}),
    (set(), {("ein", "100000007"), ("ein", "100000008")}),
]
"""NPIs and tax IDs of the groups 0 to 6: more organizations than those of other tests."""
OURS_IN = (0, 5)


def store_of_rates(root: Path, *changes: dict[str, Any]) -> Snapshot:
    """Write a store of one month and these groups, whose rates differ from A_RATE in what is given."""
    return store_of(root, {"2025-08": (GROUPS, [{**A_RATE, **change} for change in changes])})


def found_of(db: Snapshot, clinic: Clinic, lines: Sequence[AskedLine]) -> Positions:
    """Return the positions among all professional rates, or those of the side that a line names."""
    counts = count_classes_of_codes(db, GA, [line.code.code for line in lines])
    choices, terms = [], []
    for at, line in enumerate(lines):
        market = replace(GA, care_setting=SIDE_OF.get(line.setting))
        of_code = [one for one in counts if one.code == line.code.code and one.code_type in line.code.systems]
        choices.append(ClassChoice(market))
        terms.append(write_terms(at, of_code, replace(market, modifier=line.modifier or "none")))
    return find_positions(db, GA, clinic, lines, ClassesOfList(choices, ClassChoice(GA), terms), PAYERS)


def positions_of(db: Snapshot, clinic: Clinic, lines: Sequence[AskedLine]) -> Sequence[ClinicPosition]:
    return found_of(db, clinic, lines).rows


def slow_position(rates: list[dict[str, Any]], line: Any, payer: str) -> dict[str, Any]:
    """Return what is asked of a line at a payer, computed in the obvious way."""
    code, modifier, setting, units, given_rate = line
    of_code = [one for one in rates if one["code"] == code and one["reporting_entity_name"] == payer]
    dollars = [one for one in of_code if one["negotiated_type"] == "negotiated"]
    alike = [one for one in dollars if is_alike(one, modifier, setting)]
    ours = [one for one in alike if one["group"] in OURS_IN]
    own = price_of(ours) if ours else None
    found: dict[str, Any] = {"rate": own, "rates": len(alike), "own_rates": len(ours), "total_gap": None}
    kept = sorted({one["negotiated_rate"] for one in ours})
    if given_rate is not None and alike:
        found["rate"], kept = given_rate, []
    # No rate has a percent of Medicare here, so none is left out.
    found |= {"prices": len(kept), "odd_prices": 0, "lowest": min(kept, default=None)}
    found |= {"highest": max(kept, default=None), "is_odd": False}
    prices = prices_of_organizations(alike)
    found["organizations"] = len(prices)
    found["other_organizations"] = others = len(prices.keys() - {OURS.tin})
    of_others = {tin: price for tin, price in prices.items() if tin != OURS.tin}
    of_market = prices if others >= FEW else of_others
    found["middle"] = middle = statistics.median_low(of_market.values()) if of_market else None
    paid = found["rate"]
    less, same, more = (
        None if paid is None else sum(compared(price, paid) for price in of_others.values())
        for compared in (operator.lt, operator.eq, operator.gt)
    )
    found |= {"paid_less": less, "paid_same": same, "paid_more": more}
    groups = {tin: groups_of(tin, alike) for tin in prices}
    found["one_contract"] = largest_contract(groups)
    paid_more = {groups[tin] for tin, price in of_others.items() if paid is not None and price > paid}
    found["contracts_more"] = None if paid is None else len(paid_more)
    found["position"] = (less + same / 2) / others if others and less is not None and same is not None else None
    gap = paid - middle if paid is not None and middle is not None and others else None
    found |= {"gap_to_middle": gap, "difference": paid / middle - 1 if gap is not None and middle else None}
    found["counts"] = gap is not None and others >= FEW
    found["high"] = high = slow_third_quartile(list(prices.values()))
    found["total_to_high"] = None
    if found["counts"] and units is not None and gap is not None:
        found["total_gap"] = gap * units
        found["total_to_high"] = max(0.0, (high or 0.0) - (paid or 0.0)) * units
    reasons = {
        NO_RATE: not of_code, OTHER_KIND: not dollars, OTHER_TERMS: not alike, NOT_THEIRS: paid is None,
        NO_TAX_IDS: not prices, NO_OTHERS: not others,
    }  # fmt: skip
    found["reason"] = next((reason for reason, holds in reasons.items() if holds), None)
    return found


def slow_third_quartile(prices: list[float]) -> float | None:
    """Return the first of the prices, in order, that three quarters of them do not exceed."""
    ordered = sorted(prices)
    return next((one for at, one in enumerate(ordered, 1) if 4 * at >= 3 * len(ordered)), None)


def prices_of_organizations(alike: list[dict[str, Any]]) -> dict[str, float]:
    """Return the price of each tax ID."""
    tins = {tin for one in alike for _, tin in GROUPS[one["group"]][1]}
    return {tin: price_of([one for one in alike if tin in {its for _, its in GROUPS[one["group"]][1]}]) for tin in tins}


def groups_of(tin: str, alike: list[dict[str, Any]]) -> frozenset[int]:
    """Return the groups that a tax ID has rates of."""
    return frozenset(one["group"] for one in alike if tin in {its for _, its in GROUPS[one["group"]][1]})


def price_of(some: list[dict[str, Any]]) -> float:
    """Return the price in the middle of some rates."""
    return choose_price([one["negotiated_rate"] for one in some])


def slow_payers_middle(rates: list[dict[str, Any]], line: Any) -> float | None:
    """Return the middle of what the payers pay for a line: their middle organization, or else their middle rate."""
    code, modifier, setting, *_ = line
    found = []
    for payer in PAYERS.values():
        alike = [
            one
            for one in rates
            if one["code"] == code and one["reporting_entity_name"] == payer
            and one["negotiated_type"] == "negotiated" and is_alike(one, modifier, setting)
        ]  # fmt: skip
        prices = prices_of_organizations(alike)
        if len(prices) >= FEW:
            found.append(statistics.median_low(prices.values()))
        elif alike:
            found.append(statistics.median(one["negotiated_rate"] for one in alike))
    return statistics.median(found) if found else None


def slow_other_middle(rates: list[dict[str, Any]], line: Any, slug: str) -> float | None:
    """Return what the other payer pays its middle organization for a line, if it has enough of them."""
    code, modifier, setting, *_ = line
    (other,) = (name for key, name in PAYERS.items() if key != slug)
    alike = [
        one
        for one in rates
        if one["code"] == code and one["reporting_entity_name"] == other
        and one["negotiated_type"] == "negotiated" and is_alike(one, modifier, setting)
    ]  # fmt: skip
    prices = prices_of_organizations(alike)
    return statistics.median_low(prices.values()) if len(prices) >= FEW else None


def is_alike(rate: dict[str, Any], modifier: str, setting: str) -> bool:
    """Return whether a rate in dollars is one of a line's market."""
    terms = (rate["billing_class"], rate["billing_code_modifier"])
    return terms == ("professional", modifier) and (
        not setting or SIDE_OF[setting] in sides_slowly("CPT", None, rate["places"])
    )


def of_payer(payer: str, *prices: tuple[int, float], **terms: Any) -> list[dict[str, Any]]:
    """Return the rates of a payer for 99213, by group."""
    plain = {
        key: A_RATE[key] for key in ("billing_class", "billing_code_modifier", "negotiated_type", "code", "places")
    }
    return [
        {**plain, **terms, "reporting_entity_name": payer, "group": group, "negotiated_rate": rate}
        for group, rate in prices
    ]


OF_ENOUGH = [
    # All tax IDs, of which two have the clinic's price, and one price of the clinic's that is far from the others.
    *of_payer("Payer A", (0, 80.0), (1, 100.25), (3, 80.0), (4, 90.0), (6, 120.0), (5, 10.0)),
    *of_payer("Payer A", (0, 80.0), (1, 100.25), (3, 80.0), (4, 90.0), (6, 120.0), (2, 90.0), places=["12"]),
    # Four tax IDs, and one that is not known.
    *of_payer("Payer B", (0, 80.0), (1, 100.25), (4, 12.5), (2, 50.0)),
]
OF_CHEAP = [
    *OF_ENOUGH,
    # A payer with so many low rates that those of the other would be far from all of them together.
    *(one for place in "34567" for one in of_payer("Payer B", (1, 10.0), (4, 10.0), (2, 10.0), places=[f"1{place}"])),
]
ALL_ODD = [*of_payer("Payer A", *((group, 10.0) for group in OURS_IN)), *OF_ENOUGH[1:5], *OF_ENOUGH[7:12]]


@settings(max_examples=6, deadline=None)
@example(OF_ENOUGH, [("99213", "", "", 120.0, None), ("99213", "", "", None, 12.5)])
@example(OF_CHEAP, [("99213", "", "", None, None)])
@example(ALL_ODD, [("99213", "", "", 3.0, None)])
@given(RATES, st.lists(LINE, min_size=1, max_size=4))
def test_positions_and_totals_equal_the_slow_ones(
    tmp_path_factory: pytest.TempPathFactory, rates: list[dict[str, Any]], lines: list[Any]
) -> None:
    db = store_of_rates(tmp_path_factory.mktemp(f"clinic{next(NUMBERS)}"), *rates, {"code": "00000"})
    asked = [AskedLine(basket_codes(db, [BasketItem(WantedCode(None, line[0]))])[0], *line[1:]) for line in lines]
    found = found_of(db, OURS, asked)
    expected = {
        (slug, at): slow_position(rates, line, name) for slug, name in PAYERS.items() for at, line in enumerate(lines)
    }
    priced = {slug for (slug, _), one in expected.items() if one["rate"] is not None}
    wanted = [
        {
            "line": (slug, *lines[at][:4]),
            **one,
            "payers_middle": slow_payers_middle(rates, lines[at]),
            "other_middle": slow_other_middle(rates, lines[at], slug),
        }
        for (slug, at), one in expected.items()
        if slug in priced
    ]
    given_back = [
        {
            "line": (one.payer_slug, one.code, one.modifier, one.setting, one.units),
            **{name: getattr(one, name) for name in (wanted[0] if wanted else ()) if name != "line"},
        }
        for one in found.rows
    ]
    assert sorted(map(rounded, given_back)) == sorted(map(rounded, wanted))
    assert found.paying == {slug for (slug, _), one in expected.items() if one["rates"]}
    for gap in sum_gaps(found.rows):
        here = [one for (slug, _), one in expected.items() if slug == gap.payer_slug]
        counted = [one for one in here if one["counts"]]
        totals = [one["total_gap"] for one in here if one["total_gap"] is not None]
        assert gap.odd == sum(one["is_odd"] for one in here)
        assert gap.thin == sum(one["gap_to_middle"] is not None and not one["is_odd"] for one in here) - len(counted)
        assert gap.totaled == len(totals)
        assert gap.total_to_high == pytest.approx(sum(one["total_to_high"] or 0 for one in here))
        shares = [one["difference"] for one in counted if one["difference"] is not None]
        assert gap.difference == (pytest.approx(statistics.median(shares)) if shares else None)
        assert (gap.priced, gap.below) == (len(counted), sum(one["gap_to_middle"] < 0 for one in counted))
        assert gap.equal == sum(one["gap_to_middle"] == 0 for one in counted)
        assert gap.total == pytest.approx(sum(totals))
        assert gap.shortfall == pytest.approx(sum(total for total in totals if total < 0))


def rounded(row: dict[str, Any]) -> str:
    return repr(
        {name: round(value, 6) + 0.0 if isinstance(value, float) else value for name, value in sorted(row.items())}
    )


@settings(max_examples=4, deadline=None)
@example(OF_ENOUGH)
@given(st.lists(RATE, max_size=20, unique_by=lambda rate: repr(sorted(rate.items()))))
def test_the_figures_are_those_of_the_table_of_organizations(
    tmp_path_factory: pytest.TempPathFactory, rates: list[dict[str, Any]]
) -> None:
    db = store_of_rates(tmp_path_factory.mktemp(f"table{next(NUMBERS)}"), *rates, {"code": "00000"})
    for one in positions_of(db, OURS, [AskedLine(BasketCode("99213", ("CPT", "HCPCS")))]):
        market = replace(GA, code_type="CPT", code="99213", modifier="none", payer=one.payer_slug)
        totals = count_totals(db, market)
        table = list_organizations(db, market, "rates", 100, 0)
        own = [row for row in table if row.tin_value == OURS.tin]
        others = [row for row in table if row.tin_value != OURS.tin]
        assert (one.organizations, one.other_organizations) == (totals.organizations, len(others))
        assert one.paid_more == (None if one.rate is None else sum(row.price > one.rate for row in others))
        assert one.paid_same == (None if one.rate is None else sum(row.price == one.rate for row in others))
        assert [row.price for row in own] == ([one.rate] if own else [])
        if len(others) < FEW:
            assert one.middle == (statistics.median_low(row.price for row in others) if others else None)
        else:
            assert one.middle == totals.middle
        if one.gap_to_middle is not None and len(others) >= FEW:
            assert [row.difference for row in own] == pytest.approx([one.difference])


def test_a_line_with_several_rates_has_their_spread_and_the_position_of_its_price(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    ours = [{"group": 0, "negotiated_rate": rate, "places": [place]} for rate, place in ((260.0, "11"), (336.0, "22"))]
    others = [{"group": group, "negotiated_rate": rate} for group, rate in ((1, 253.0), (3, 250.0), (4, 300.0))]
    db = store_of_rates(tmp_path_factory.mktemp("spread"), *ours, *others, {"group": 6, "negotiated_rate": 400.0})
    (found,) = positions_of(db, OURS, [AskedLine(BasketCode("99213", ("CPT", "HCPCS")))])
    assert (found.own_rates, found.lowest, found.rate, found.highest) == (2, 260.0, 260.0, 336.0)
    assert (found.prices, found.organizations, found.middle) == (2, 7, 300.0)
    assert (found.paid_less, found.paid_same, found.paid_more) == (2, 0, 4)
    assert found.position == pytest.approx(2 / 6)
    assert found.gaps_of_spread == (-40.0, 36.0)
    assert found.to_middle == pytest.approx(300 / 260 - 1)
    (gap,) = sum_gaps([found])
    assert (gap.several, gap.below, gap.below_at_lowest, gap.below_at_highest) == (1, 1, 1, 0)
    in_area = replace(found, area="Atlanta", own_area="Atlanta", highest=found.lowest)
    (gap,) = sum_gaps([found, in_area, replace(found, other_organizations=4, total_gap=None)])
    assert (gap.several, gap.below, gap.below_at_lowest, gap.below_at_highest) == (1, 2, 2, 1), (
        "prices of other areas are no choice, and the thin line is in no count"
    )


def test_a_line_says_how_many_tax_ids_have_the_clinics_rates(tmp_path: Path) -> None:
    db = store_of_rates(tmp_path, *({"group": group, "negotiated_rate": 90.0 + group} for group in (5, 1, 2)))
    (line,) = basket_codes(db, [BasketItem(WantedCode(None, "99213"))])
    (found,) = positions_of(db, OURS, [AskedLine(line)])
    assert (found.tins, found.organizations, found.paid_same) == (2, 3, 1)
    (nobodys,) = positions_of(db, Clinic(), [AskedLine(line, rate=95.0)])
    assert (nobodys.tins, nobodys.is_given, nobodys.other_organizations) == (0, True, 3)


def test_a_clinic_alone_has_no_gap(tmp_path: Path) -> None:
    db = store_of_rates(
        tmp_path,
        {"negotiated_rate": 90.0},
        {"negotiated_rate": 96.0},
        {"negotiated_rate": 120.0, "group": 1, "reporting_entity_name": "Payer B"},
        {"negotiated_rate": 80.0, "group": 2, "code": "99214"},
    )
    line = [AskedLine(BasketCode("99213", ("CPT", "HCPCS")), units=10.0)]
    (found,) = positions_of(db, OURS, line)
    assert (found.rate, found.middle, found.gap_to_middle, found.total_gap) == (90.0, None, None, None)
    assert (found.reason, found.rates, found.organizations, found.other_organizations) == (NO_OTHERS, 2, 1, 0)
    assert found.payers_middle == pytest.approx((93.0 + 120.0) / 2), "of too few organizations, the rate in the middle"
    (gap,) = sum_gaps([found])
    assert (gap.priced, gap.unpriced, gap.total) == (0, 1, 0)
    (unknown,) = positions_of(db, Clinic(), [AskedLine(BasketCode("99214", ("CPT", "HCPCS")), rate=70.0)])
    assert (unknown.reason, unknown.organizations, unknown.position) == (NO_TAX_IDS, 0, None)


def test_without_units_what_is_billed_to_medicare_weighs(tmp_path_factory: pytest.TempPathFactory) -> None:
    rates = [
        {"code": code, "group": group, "negotiated_rate": rate}
        for code, ours in (("99213", 95.0), ("99214", 99.0), ("27093", 10.0), ("73525", 120.0))
        for group, rate in ((0, ours), *((group, 105.0) for group in (1, 3, 4, 6)))
    ]
    plain = store_of_rates(tmp_path_factory.mktemp("billed"), *rates)
    uses = [
        {"code": code, "npi": "1912951245", "place": "O", "services": services}
        for code, services in (("99213", 30.0), ("99214", 100.0), ("73525", 2.0))
    ]
    member = {"npi": "1912951245", "tin_type": "ein", "tin_value": "100000001"}
    month = {"year_month": "2025-08", "payer_slug": "payer_a"}
    db = written(plain.root, {"utilization": uses, "xref_tin_npi": [{**month, **member}], "dim_npi": [member]})
    lines = [AskedLine(BasketCode(code, ("CPT", "HCPCS"))) for code in ("27093", "73525", "99213", "99214")]
    found = [(one.code, one.services, one.total_gap) for one in positions_of(db, OURS, lines)]
    assert found == [
        ("99214", 100.0, -600.0), ("99213", 30.0, -300.0), ("27093", None, None), ("73525", 2.0, 30.0),
    ]  # fmt: skip
    by_npi = positions_of(db, Clinic(npis=("1912951245",)), lines)
    assert [(one.code, one.services, one.total_gap) for one in by_npi] == found
    (gap,) = sum_gaps(by_npi)
    assert (gap.priced, gap.below, gap.totaled, gap.shortfall, gap.total) == (4, 3, 3, -900.0, -870.0)
    rare = store_of_rates(tmp_path_factory.mktemp("once"), *rates)
    once = positions_of(rare, OURS, lines)
    assert [(one.code, one.gap_to_middle, one.total_gap) for one in once] == [
        ("27093", -95.0, None), ("99213", -10.0, None), ("99214", -6.0, None), ("73525", 15.0, None),
    ], "without volumes, the largest shortfall in percent is first, and nothing is added up"  # fmt: skip
    with_units = [AskedLine(line.code, units=10.0 if line.code.code == "27093" else None) for line in lines]
    assert [one.total_gap for one in positions_of(db, OURS, with_units)] == [-950.0, None, None, None]


def test_npis_and_tax_ids_choose_the_same_groups(tmp_path_factory: pytest.TempPathFactory) -> None:
    changes = [{"group": 0, "negotiated_rate": 90.0}, {"group": 1, "negotiated_rate": 110.0}]
    plain = store_of_rates(tmp_path_factory.mktemp("who"), *changes)
    members = [
        {"year_month": "2025-08", "payer_slug": "payer_a", "npi": npi, "tin_type": "ein", "tin_value": tin}
        for npi, tin in (("1912951245", "100000001"), ("1003027533", "100000002"))
    ]
    db = written(plain.root, {"xref_tin_npi": members})
    line = [AskedLine(BasketCode("99213", ("CPT", "HCPCS")), units=10.0)]
    by_tin = positions_of(db, OURS, line)
    by_npi = positions_of(db, Clinic(npis=("1912951245",)), line)
    assert by_tin == by_npi
    assert [(one.rate, one.middle, one.position, one.gap_to_middle, one.total_gap) for one in by_tin] == [
        (90.0, 110.0, 0.0, -20.0, None)
    ]
    assert (by_tin[0].other_organizations, by_tin[0].is_thin) == (1, True)
    both = positions_of(db, Clinic(npis=("1912951245", "1003027533")), line)
    assert [(one.rate, one.total_gap, one.reason) for one in both] == [(90.0, None, NO_OTHERS)]


def test_whom_a_clinic_is_compared_with_does_not_change_its_own_rates(tmp_path: Path) -> None:
    """The clinic is of Macon, and somebody who bills under one of the other tax IDs is of Dallas."""
    plain = store_of_rates(
        tmp_path,
        *({"group": group, "negotiated_rate": 90.0 + group} for group in (0, 1, 3, 4, 6)),
        *({"group": group, "negotiated_rate": 80.0, "reporting_entity_name": "Payer B"} for group in (1, 3, 4, 6)),
    )
    of_month = {"year_month": "2025-08", "payer_slug": "payer_a", "zip": "", "specialty": "", "entity_type": ""}
    cities = {0: "MACON, GA", 1: "DALLAS, TX", 3: "DALLAS, TX"}
    profiles = [
        {**of_month, "pg_uid": f"payer_a 2025-08 {group}", "npis": 1, "city": city} for group, city in cities.items()
    ]
    member = {"year_month": "2025-08", "payer_slug": "payer_a", "npi": "1003027533", "tin_value": "100000002"}
    db = written(
        plain.root,
        {"group_profile": profiles, "xref_tin_npi": [{**member, "tin_type": "ein"}],
         "provider_profile": [{"npi": "1003027533", "city": "DALLAS, TX"}]},
    )  # fmt: skip
    question = ClinicQuestion(GA, OURS, codes=[BasketCode("99213", ("CPT", "HCPCS"))])
    (everywhere,) = answer_clinic(db, question).positions
    (there,) = answer_clinic(db, replace(question, market=replace(GA, city="DALLAS, TX"))).positions
    assert (everywhere.rate, everywhere.organizations, everywhere.middle) == (90.0, 7, 94.0)
    assert (everywhere.other_payer, everywhere.other_middle) == ("PAYER_B", 80.0)
    assert (there.rate, there.own_rates, there.organizations, there.middle) == (90.0, 1, 1, 91.0)
    assert (there.paid_more, there.other_payers, there.is_thin) == (1, 0, True)
    (nobody,) = answer_clinic(db, replace(question, market=replace(GA, city="ROME, GA"))).positions
    assert (nobody.rate, nobody.organizations, nobody.gap_to_middle) == (90.0, 0, None)
