"""A clinic's positions, gaps, and totals, against the same figures computed in the obvious way."""

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
from core.queries.baskets.clinic_gaps import sum_gaps
from core.queries.baskets.clinic_position import NO_OTHERS, NO_RATE, NOT_THEIRS, OTHER_KIND, OTHER_TERMS, list_positions
from core.queries.baskets.clinic_rows import AskedLine, Clinic, ClinicPosition
from core.queries.classes.class_counts import count_classes_of_codes
from core.queries.classes.classes_of_codes import ClassesOfList, write_terms
from core.queries.classes.rate_classes import ClassChoice
from core.queries.market.market import Market
from core.queries.parties.provider_rates import list_code_rates
from core.store.connection import Snapshot
from tests.queries import slow
from tests.queries.one_market import store_of_market
from tests.queries.rates_by_month import PLACES
from tests.queries.slow_price import choose_price
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
        "group": st.integers(0, 3),
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


def positions_of(db: Snapshot, clinic: Clinic, lines: Sequence[AskedLine]) -> list[ClinicPosition]:
    """Return the positions among all professional rates, or those of the side that a line names."""
    counts = count_classes_of_codes(db, GA, [line.code.code for line in lines])
    choices, terms = [], []
    for at, line in enumerate(lines):
        market = replace(GA, care_setting=SIDE_OF.get(line.setting))
        of_code = [one for one in counts if one.code == line.code.code and one.code_type in line.code.systems]
        choices.append(ClassChoice(market))
        terms.append(write_terms(at, of_code, replace(market, modifier=line.modifier or "none")))
    return list_positions(db, GA, clinic, lines, ClassesOfList(choices, ClassChoice(GA), terms), PAYERS)


def slow_position(rates: list[dict[str, Any]], line: Any, payer: str) -> tuple[Any, ...]:
    """Return the rate, prices, percentile, rates above, total, medians, and reason of a line at a payer."""
    code, modifier, setting, units, given_rate = line
    of_code = [one for one in rates if one["code"] == code and one["reporting_entity_name"] == payer]
    dollars = [one for one in of_code if one["negotiated_type"] == "negotiated"]
    alike = [one for one in dollars if is_alike(one, modifier, setting)]
    ours = [one["negotiated_rate"] for one in alike if one["group"] == 0]
    others = [one["negotiated_rate"] for one in alike if one["group"] != 0]
    medians = middle(others), middle(others + ours)
    own = given_rate if given_rate is not None and alike else price_of(ours, others)
    if own is None:
        reason = NO_RATE if not of_code else OTHER_KIND if not dollars else OTHER_TERMS if not alike else NOT_THEIRS
        return None, 0, None, None, None, *medians, reason
    prices = 0 if given_rate is not None else len(set(ours))
    above = sum(value > own for value in others)
    if not others:
        return own, prices, None, above, None, *medians, NO_OTHERS
    position = statistics.fmean(0.5 if value == own else value < own for value in others)
    total = (own - statistics.median(others)) * (1 if units is None else units) if len(others) >= FEW else None
    return own, prices, position, above, total, *medians, None


def price_of(ours: list[float], others: list[float]) -> float | None:
    """Return what the clinic is paid: the price in the middle of its own that are not far from the payer's rates."""
    odd = [not slow.without_far([rate], ours + others) for rate in ours]
    return choose_price(ours, odd) if ours else None


def is_alike(rate: dict[str, Any], modifier: str, setting: str) -> bool:
    """Return whether a rate in dollars is one of a line's market."""
    terms = (rate["billing_class"], rate["billing_code_modifier"])
    return terms == ("professional", modifier) and (
        not setting or SIDE_OF[setting] in sides_slowly("CPT", None, rate["places"])
    )


def middle(values: list[float]) -> float | None:
    """Return the median; None of nothing."""
    return statistics.median(values) if values else None


def slow_markets(rates: list[dict[str, Any]], line: Any) -> tuple[float | None, float | None]:
    """Return the medians of all payers' rates for a line: of others, and with the clinic's own."""
    code, modifier, setting, *_ = line
    alike = [
        one
        for one in rates
        if one["code"] == code and one["negotiated_type"] == "negotiated" and is_alike(one, modifier, setting)
    ]
    others = [one["negotiated_rate"] for one in alike if one["group"] != 0]
    return middle(others), middle([one["negotiated_rate"] for one in alike])


def rounded(row: tuple[Any, ...]) -> str:
    return repr([round(value, 6) + 0.0 if isinstance(value, float) else value for value in row])


OF_ENOUGH: list[dict[str, Any]] = [
    {
        "reporting_entity_name": payer,
        "code": "99213",
        "negotiated_rate": rate,
        "billing_class": "professional",
        "billing_code_modifier": "",
        "negotiated_type": "negotiated",
        "places": [place],
        "group": group,
    }
    # Payer A has five rates for others, and Payer B four.
    for payer, places in (("Payer A", ("11", "12", "13")), ("Payer B", ("11", "12")))
    for place in places
    for group, rate in ((0, 80.0), (1, 100.25), (2, 12.5))[: 3 if place != "13" else 2]
]


@settings(max_examples=5, deadline=None)
@example(OF_ENOUGH, [("99213", "", "", 120.0, None), ("99213", "", "", None, 12.5)])
@given(RATES, st.lists(LINE, min_size=1, max_size=4))
def test_positions_and_totals_equal_the_slow_ones(
    tmp_path_factory: pytest.TempPathFactory, rates: list[dict[str, Any]], lines: list[Any]
) -> None:
    db = store_of_market(tmp_path_factory.mktemp(f"clinic{next(NUMBERS)}"), *rates, {"code": "00000"})
    asked = [AskedLine(basket_codes(db, [BasketItem(WantedCode(None, line[0]))])[0], *line[1:]) for line in lines]
    found = positions_of(db, OURS, asked)
    expected = {
        (slug, at): slow_position(rates, line, name) for slug, name in PAYERS.items() for at, line in enumerate(lines)
    }
    priced = {slug for (slug, _), one in expected.items() if one[0] is not None}
    wanted = [
        (slug, *lines[at][:4], *one, *slow_markets(rates, lines[at]))
        for (slug, at), one in expected.items()
        if slug in priced
    ]
    given_back = [
        (
            one.payer_slug,
            one.code,
            one.modifier,
            one.setting,
            one.units,
            one.rate,
            one.prices,
            one.percentile,
            None if one.rate is None else one.above,
            one.total,
            one.median,
            one.median_with_own,
            one.reason,
            one.market,
            one.market_with_own,
        )
        for one in found
    ]
    assert sorted(map(rounded, given_back)) == sorted(map(rounded, wanted))
    for gap in sum_gaps(found):
        totals = [one[4] for (slug, _), one in expected.items() if slug == gap.payer_slug and one[4] is not None]
        without_reason = sum(slug == gap.payer_slug and one[-1] is None for (slug, _), one in expected.items())
        assert gap.thin == without_reason - len(totals)
        assert (gap.priced, gap.below) == (len(totals), sum(total < 0 for total in totals))
        assert gap.total == pytest.approx(sum(totals))
        assert gap.shortfall == pytest.approx(sum(total for total in totals if total < 0))


def test_a_line_with_several_rates_has_their_spread_and_the_position_of_its_price(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    ours = [{"group": 0, "negotiated_rate": rate, "places": [place]} for rate, place in ((260.0, "11"), (336.0, "22"))]
    others = [{"group": 1, "negotiated_rate": rate, "places": ["11"]} for rate in (200.0, 250.0, 252.0)]
    more = [{"group": 3, "negotiated_rate": rate, "places": ["22"]} for rate in (253.0, 300.0, 310.0, 400.0)]
    db = store_of_market(tmp_path_factory.mktemp("spread"), *ours, *others, *more)
    (found,) = positions_of(db, OURS, [AskedLine(BasketCode("99213", ("CPT", "HCPCS")))])
    assert (found.own_rates, found.lowest, found.rate, found.highest) == (2, 260.0, 260.0, 336.0)
    assert (found.prices, found.above, found.median, found.median_with_own) == (2, 3, 253.0, 260.0)
    assert (found.rates, found.others, found.ranked) == (9, 7, 8)
    assert found.gaps_of_spread == (7.0, 83.0)
    (gap,) = sum_gaps([found])
    assert (gap.several, gap.below, gap.below_at_lowest, gap.below_at_highest) == (1, 0, 0, 0)
    dear = replace(found, median=300.0, gap=-40.0, total=-40.0)
    (gap,) = sum_gaps([dear, replace(dear, lowest=None, highest=None), replace(dear, others=4)])
    assert (gap.several, gap.below, gap.below_at_lowest, gap.below_at_highest) == (1, 2, 2, 1), (
        "the thin line is in none"
    )
    assert found.is_ranked
    assert found.percentile == pytest.approx(4 / 7)
    market = Market("GA", "2025-08", tin="100000001")
    (row,) = list_code_rates(db, db, market, 10, 0)[1]
    assert row.percentile == pytest.approx(4.5 / 9), (
        "the page of the tax ID is about what is published, its own rates among it"
    )


def test_a_line_says_how_many_tax_ids_have_the_clinics_rates(tmp_path: Path) -> None:
    rates = [{"group": group, "negotiated_rate": rate} for group, rate in ((0, 90.0), (1, 100.0), (2, 110.0))]
    db = store_of_market(tmp_path, *rates)
    of_groups = dict(db.rows("SELECT pg_uid, list(tin_value) FROM xref_group_tin GROUP BY 1"))
    ours = {tin for tins in of_groups.values() if OURS.tin in tins for tin in tins}
    (line,) = basket_codes(db, [BasketItem(WantedCode(None, "99213"))])
    (found,) = positions_of(db, OURS, [AskedLine(line)])
    assert found.tins == len(ours)
    (nobodys,) = positions_of(db, Clinic(), [AskedLine(line, rate=95.0)])
    assert (nobodys.tins, nobodys.is_given) == (0, True)


def test_own_rates_alone_are_no_market(tmp_path: Path) -> None:
    db = store_of_market(
        tmp_path,
        {"negotiated_rate": 90.0},
        {"negotiated_rate": 96.0},
        {"negotiated_rate": 120.0, "group": 1, "reporting_entity_name": "Payer B"},
    )
    line = [AskedLine(BasketCode("99213", ("CPT", "HCPCS")), units=10.0)]
    (found,) = positions_of(db, OURS, line)
    assert (found.rate, found.median, found.gap, found.total, found.percentile) == (90.0, None, None, None, None)
    assert (found.reason, found.rates, found.others, found.median_with_own) == (NO_OTHERS, 2, 0, 93.0)
    assert (found.market, found.market_with_own) == (120.0, 96.0)
    (gap,) = sum_gaps([found])
    assert (gap.priced, gap.unpriced, gap.total) == (0, 1, 0)


def test_without_units_what_is_billed_to_medicare_weighs(tmp_path_factory: pytest.TempPathFactory) -> None:
    rates = [
        {"code": code, "group": group, "negotiated_rate": rate}
        for code, ours in (("99213", 95.0), ("99214", 99.0), ("27093", 10.0), ("73525", 120.0))
        for group, rate in ((0, ours), *((group, 105.0) for group in (1, 3)))
        for place in (["11"], ["12"], ["13"], ["14"], ["15"])[: 1 if group == 0 else 3]
    ]
    plain = store_of_market(tmp_path_factory.mktemp("billed"), *rates)
    uses = [
        {"code": code, "npi": "1912951245", "place": "O", "services": services}
        for code, services in (("99213", 30.0), ("99214", 100.0), ("73525", 2.0))
    ]
    member = {"npi": "1912951245", "tin_type": "ein", "tin_value": "100000001"}
    month = {"year_month": "2025-08", "payer_slug": "payer_a"}
    db = written(plain.root, {"utilization": uses, "xref_tin_npi": [{**month, **member}], "dim_npi": [member]})
    lines = [AskedLine(BasketCode(code, ("CPT", "HCPCS"))) for code in ("27093", "73525", "99213", "99214")]
    found = [(one.code, one.services, one.total) for one in positions_of(db, OURS, lines)]
    assert found == [
        ("99214", 100.0, -600.0), ("99213", 30.0, -300.0), ("27093", None, None), ("73525", 2.0, 30.0),
    ]  # fmt: skip
    by_npi = positions_of(db, Clinic(npis=("1912951245",)), lines)
    assert [(one.code, one.services, one.total) for one in by_npi] == found
    (gap,) = sum_gaps(by_npi)
    assert (gap.priced, gap.below, gap.totaled, gap.shortfall, gap.total) == (4, 3, 3, -900.0, -870.0)
    rare = store_of_market(tmp_path_factory.mktemp("once"), *rates)
    once = positions_of(rare, OURS, lines)
    assert [(one.code, one.total) for one in once][:2] == [("27093", -95.0), ("99213", -10.0)]
    with_units = [AskedLine(line.code, units=10.0 if line.code.code == "27093" else None) for line in lines]
    assert [one.total for one in positions_of(db, OURS, with_units)] == [-950.0, -10.0, -6.0, 15.0]


def test_npis_and_tax_ids_choose_the_same_groups(tmp_path_factory: pytest.TempPathFactory) -> None:
    changes = [{"group": 0, "negotiated_rate": 90.0}, {"group": 1, "negotiated_rate": 110.0}]
    db = store_of_market(tmp_path_factory.mktemp("who"), *changes)
    line = [AskedLine(BasketCode("99213", ("CPT", "HCPCS")), units=10.0)]
    by_tin = positions_of(db, OURS, line)
    by_npi = positions_of(db, Clinic(npis=("1912951245",)), line)
    assert by_tin == by_npi
    assert [(one.rate, one.median, one.percentile, one.gap, one.total) for one in by_tin] == [
        (90.0, 110.0, 0.0, -20.0, None)
    ]
    assert by_tin[0].is_thin
    both = positions_of(db, Clinic(npis=("1912951245", "1003027533")), line)
    assert [(one.rate, one.total, one.reason) for one in both] == [(90.0, None, NO_OTHERS)]
