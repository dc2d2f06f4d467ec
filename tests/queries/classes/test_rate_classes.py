"""One class of rates at a time: the class of most rates, chosen as a loop over all rates would choose it."""

import statistics
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.codes.code_list import read_codes
from core.fields.places.care_setting import SIDES
from core.queries import rates
from core.queries.classes.rate_classes import choose_class, choose_class_of_codes
from core.queries.code_answer import answer_code, spread_by_terms
from core.queries.comparison.unplaced_payers import find_unplaced
from core.queries.facets import count_choices
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS
from core.queries.market.market_rates import market_cache
from core.queries.market.without_place import count_without_place
from core.queries.side_by_side import payer_comparison
from core.store.connection import Snapshot
from tests.queries.one_market import LABELS, MARKET, store_of_market, with_centers, with_overruled
from tests.queries.slow import Everything, Row, matches, settings_of, sides_of
from tests.queries.tables import written

HOSPITAL = {"billing_class": "institutional", "places": [], "negotiated_rate": 50.0}
CENTER = {"billing_class": "institutional", "places": ["24"], "negotiated_rate": 30.0}


def part_of(fact: Row) -> set[str]:
    return set(fact["billing_code_modifier"].split(",")) & {"26", "TC"}


def choose_slowly(facts: list[Row], asked: Market, usual: str) -> list[list[Row]]:
    """Return the rates of the class with most rates in dollars, of those that may be in one figure.

    On the side where the code is usually rendered they may be half as many. There is one answer for each of the classes
    with as many rates.
    """
    facts = [fact for fact in facts if matches(fact, asked)]
    classes: dict[tuple[str | None, str, str], list[Row]] = {}
    name = "billing_class" if asked.billing_class in STATED else "measured"
    for billing_class in {fact[name] for fact in facts}:
        of_class = [fact for fact in facts if fact[name] == billing_class]
        for modifier in {part for fact in of_class for part in fact["billing_code_modifier"].split(",")}:
            if asked.modifier and (modifier or "none") != asked.modifier:
                continue
            some = [fact for fact in of_class if modifier in fact["billing_code_modifier"].split(",")]
            places = sides_of if billing_class == "professional" else settings_of
            by_setting = {one: [fact for fact in some if one in places(fact)] for fact in some for one in places(fact)}
            # A professional's rates are divided if some are for facilities alone, and some for other places alone.
            alike = any if billing_class == "professional" else all
            whole = asked.care_setting or alike(one == some for one in by_setting.values())
            for setting, one in ({"": some} if whole else by_setting).items():
                if asked.modifier or len({frozenset(part_of(fact)) for fact in one}) == 1:
                    classes[billing_class, modifier, setting] = one
    most = max(map(size, classes.values()), default=0)
    found = []
    for (billing_class, modifier, setting), one in classes.items():
        if size(one) == most:
            reading = classes.get((billing_class, "26", ""), [])
            if usual == PARTS and asked.care_setting == SIDES[1] and size(reading) > (0, len(reading)):
                found.append(reading)
                continue
            side = SIDES[(modifier == "26") if usual == PARTS else (usual in {IN_FACILITIES, PAID_LESS})]
            other = classes.get((billing_class, modifier, side), []) if setting in SIDES else []
            # Rates that are outside because they state no place do not say that the market is there.
            said = [fact for fact in one if fact["places"] or set(SIDES) <= sides_of(fact)]
            needed = size(said)[0] or len(said)
            enough = 2 * (size(other)[0] if size(said)[0] else len(other)) >= needed
            found.append(other if other and enough else one)
    return found or [[]]


def size(rates: list[Row]) -> tuple[int, int]:
    return sum(fact["kind"] == "dollars" for fact in rates), len(rates)


IN_FACILITIES, PARTS, OUTSIDE = "in facilities", "a technical part", "outside"
PAID_LESS = "in facilities, where Medicare pays less"


A_RATE = st.fixed_dictionaries(
    {
        "billing_class": st.sampled_from(["professional", "institutional", None]),
        "billing_code_modifier": st.sampled_from(["", "", "26", "TC", "LT", "26,LT"]),
        "places": st.sampled_from([[], ["11"], ["11", "22"], ["24"], ["21"], ["12", "41"]]),
        "negotiated_type": st.sampled_from(["negotiated", "negotiated", "percentage"]),
        "group": st.integers(0, 3),
        "reporting_entity_name": st.sampled_from(["Payer A", "Payer B"]),
    }
)


STATED = {"professional", "institutional"}

ASKED: tuple[dict[str, Any], ...] = (
    {},
    {"billing_class": "institutional"},
    {"billing_class": "like professional"},
    {"modifier": "26"},
    {"care_setting": "surgical center"},
    {"care_setting": "facility or unstated"},
    {"billing_class": "professional", "modifier": "none", "care_setting": "office"},
)


@given(
    changes=st.lists(A_RATE, min_size=4, max_size=24),
    overruled=st.one_of(st.just([]), st.lists(st.sampled_from(LABELS), max_size=4, unique=True)),
    usual=st.sampled_from([OUTSIDE, IN_FACILITIES, PAID_LESS, PARTS]),
)
def test_the_class_of_most_rates_is_chosen(
    changes: list[dict[str, Any]], overruled: list[tuple[str, str, str]], usual: str
) -> None:
    with TemporaryDirectory() as directory:
        # Each rate has an amount of its own, so that no two of them are one.
        numbered = [{**one, "negotiated_rate": 100.0 + at} for at, one in enumerate(changes)]
        db = with_centers(store_of_market(Path(directory), *numbered), 1)
        if overruled:
            db = with_overruled(db, *overruled)
        db = with_schedule(db, usual)
        facts = Everything(db).of(MARKET)
        for asked in ASKED:
            assert_chosen(db, facts, asked, usual)
        assert_settings_counted(db, facts)


def with_schedule(db: Snapshot, usual: str) -> Snapshot:
    """Return the store's next generation, whose fee schedule says where the code is usually rendered."""
    parts = 10.0 if usual == PARTS else None
    listed = {
        "state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": MARKET.code,
        "nonfacility_na": usual == IN_FACILITIES, "facility_na": usual == PARTS,
        "nonfacility_rate_26": parts, "nonfacility_rate_tc": parts,
        "medicare_prof_rate": 100.0, "facility_rate": 50.0,
    }  # fmt: skip
    surgery = [{**listed, "asc_pi": "A2"}] if usual == PAID_LESS else []
    return written(db.root, {"bench_medicare_prof": [listed], "bench_asc": surgery})


def assert_settings_counted(db: Snapshot, facts: list[Row]) -> None:
    """In each count of settings, the class that a rate is measured as decides whose bill one without a place is."""
    for market in (MARKET, replace(MARKET, care_setting="hospital outpatient")):
        with market_cache(db, market) as cached:
            found = {one.value: one.rates for one in count_choices(cached, market)["care_setting"] if one.rates}
        assert found == Counter(one for fact in facts for one in settings_of(fact))
    left_out = [fact for fact in facts if not fact["places"] and "hospital outpatient" not in settings_of(fact)]
    assert sum(one.rates for one in count_without_place(db, market)) == len(left_out)


def assert_chosen(db: Snapshot, facts: list[Row], asked: dict[str, Any], usual: str) -> None:
    market = replace(MARKET, **asked)
    choice, expected = choose_class(db, market), choose_slowly(facts, market, usual)
    assert [one.chosen for one in choice.classes].count(True) <= 1
    found = [fact for fact in facts if matches(fact, choice.market)]
    assert found in expected
    assert_not_mixed(found, asked)
    assert {name: getattr(choice.market, name) for name in asked} == asked
    for one in choice.classes:
        filters: dict[str, Any] = one.filters
        of_class = replace(MARKET, **filters)
        assert one.rates == sum(matches(fact, of_class) for fact in facts), "what its tab shows"
    assert choose_class(db, replace(market, classes="all")).market == replace(market, classes="all")


def assert_not_mixed(found: list[Row], asked: dict[str, Any]) -> None:
    measured_or_stated = "billing_class" if asked.get("billing_class") in STATED else "measured"
    assert len({fact[measured_or_stated] for fact in found}) <= 1
    if "modifier" not in asked:
        assert len({frozenset(part_of(fact)) for fact in found}) <= 1
    if found and "care_setting" not in asked:
        places = sides_of if found[0][measured_or_stated] == "professional" else settings_of
        assert set.intersection(*(places(fact) for fact in found)), "all of them are paid in one setting"


def test_a_surgical_center_and_a_hospital_are_two_classes(tmp_path: Path) -> None:
    db = store_of_market(tmp_path, HOSPITAL, CENTER, {**CENTER, "group": 1}, {"places": ["24"]}, {"places": ["21"]})
    choice = choose_class(db, MARKET)
    assert [(one.billing_class, one.settings, one.rates, one.chosen) for one in choice.classes] == [
        ("professional", [], 2, True),
        ("institutional", ["surgical center"], 2, False),
        ("institutional", ["hospital outpatient"], 1, False),
    ]
    facilities = choose_class(db, replace(MARKET, billing_class="institutional"))
    assert facilities.market.care_setting == "surgical center"
    assert facilities.filled == {"modifier", "care_setting"}
    assert [row.p50 for row in rates.summarize_rates(db, facilities.market)] == [30.0]


def test_who_is_paid_tells_a_center_from_a_hospital(tmp_path: Path) -> None:
    """A payer lists the same places for all facilities, or none. A hospital's rate that lists several holds in each."""
    facilities = [
        {"billing_class": "institutional", "places": places, "group": group, "negotiated_rate": rate}
        for group, rate in ((0, 50.0), (1, 30.0))
        for places in ([], ["11", "22"], ["24"])
    ]
    db = with_centers(store_of_market(tmp_path, *facilities, {"group": 1}), 1)
    choice = choose_class(db, replace(MARKET, billing_class="institutional"))
    assert {one.care_setting: one.rates for one in choice.classes} == {
        None: 1, "hospital outpatient": 2, "office": 1, "surgical center": 4,
    }  # fmt: skip
    center = replace(MARKET, billing_class="institutional", care_setting="surgical center")
    assert [(row.rates, row.p10) for row in rates.summarize_rates(db, center)] == [(4, 30.0)]
    (listed,) = read_codes("CPT:99213")
    lines, _ = payer_comparison.compare_payers(db, replace(MARKET, billing_class="institutional"), [listed], None)
    assert {line.care_setting: line.rates for line in lines} == {None: 2, "surgical center": 4}


def test_a_modifier_that_whole_fees_and_readings_have_is_no_default(tmp_path: Path) -> None:
    modifiers = ["LT", "LT", "26,LT", "26,LT", "26"]
    db = store_of_market(
        tmp_path, *[{"billing_code_modifier": one, "group": at % 4} for at, one in enumerate(modifiers)]
    )
    choice = choose_class(db, MARKET)
    assert [(one.modifier, one.rates, one.chosen) for one in choice.classes] == [("LT", 4, False), ("26", 3, True)]


def test_one_class_needs_no_filters(tmp_path: Path) -> None:
    db = store_of_market(tmp_path, {}, {"group": 1}, {"places": ["11", "24"]})
    choice = choose_class(db, MARKET)
    assert (choice.market, choice.filled) == (MARKET, frozenset())
    assert [(one.rates, one.chosen) for one in choice.classes] == [(3, True)]


def test_an_office_and_a_facility_are_two_classes_of_a_professional(tmp_path: Path) -> None:
    """One payer lists offices and facilities apart, at two amounts. Another lists no places: its rate is in both."""
    office, facility = {"places": ["11"], "negotiated_rate": 100.0}, {"places": ["21"], "negotiated_rate": 70.0}
    unstated = {"reporting_entity_name": "Payer B", "places": [], "negotiated_rate": 90.0}
    groups = ({"group": 0}, {"group": 1})
    db = store_of_market(tmp_path, *[{**one, **group} for one in (office, facility) for group in groups], unstated)
    choice = choose_class(db, MARKET)
    assert [(one.care_setting, one.rates, one.shared, one.chosen) for one in choice.classes] == [
        ("non-facility or unstated", 3, 1, True), ("facility or unstated", 3, 1, False),
    ]  # fmt: skip
    assert choice.filled == {"billing_class", "modifier", "care_setting"}
    medians = {
        one.care_setting: {row.reporting_entity_name: row.p50 for row in rates.summarize_rates(db, replace(
            MARKET, care_setting=one.care_setting))}
        for one in choice.classes
    }  # fmt: skip
    assert medians == {
        "non-facility or unstated": {"Payer A": 100.0, "Payer B": 90.0},
        "facility or unstated": {"Payer A": 70.0, "Payer B": 90.0},
    }
    # Where a list is for every place, or no rate is for facilities alone, one figure is for all.
    alone = store_of_market(tmp_path / "alone", office, {**facility, "places": ["CSTM-00"]}, unstated)
    assert choose_class(alone, MARKET).market == MARKET


OFFICES, FACILITIES, UNSTATED = {"places": ["11"]}, {"places": ["21"]}, {"places": list[str]()}


@pytest.mark.parametrize(
    ("offices", "facilities", "usual", "chosen"),
    [
        (1, 1, IN_FACILITIES, SIDES[1]),
        (2, 1, IN_FACILITIES, SIDES[1]),
        (3, 1, IN_FACILITIES, SIDES[0]),
        (1, 1, OUTSIDE, SIDES[0]),
        (1, 2, OUTSIDE, SIDES[0]),
        (1, 3, OUTSIDE, SIDES[1]),
        (1, 2, PARTS, SIDES[0]),
    ],
)
def test_a_code_is_looked_at_where_it_is_usually_rendered(
    tmp_path: Path, offices: int, facilities: int, usual: str, chosen: str
) -> None:
    """No knee is replaced in an office. With less than half as many rates there, the others are the market."""
    rates_of = [(OFFICES, offices), (FACILITIES, facilities)]
    changes = [{**places, "negotiated_rate": 10.0 + at} for places, number in rates_of for at in range(number)]
    db = with_schedule(store_of_market(tmp_path, *changes), usual)
    choice = choose_class(db, MARKET)
    assert choice.market.care_setting == chosen
    assert [one.care_setting for one in choice.classes if one.chosen] == [chosen]
    assert choose_class_of_codes(db, MARKET.without("code_type", "code"), ["99213"]).market.care_setting == chosen
    assert choose_class(db, replace(MARKET, care_setting=SIDES[0])).market.care_setting == SIDES[0], "asked for"


@pytest.mark.parametrize(
    ("usual", "offices", "facilities", "unstated", "chosen"),
    [
        (PAID_LESS, 2, 2, 9, SIDES[1]),
        (PAID_LESS, 5, 2, 0, SIDES[0]),
        (PAID_LESS, 5, 2, 9, SIDES[0]),
        (PAID_LESS, 0, 0, 9, None),
        (IN_FACILITIES, 2, 2, 9, SIDES[1]),
        (OUTSIDE, 2, 2, 9, SIDES[0]),
    ],
)
def test_rates_that_state_no_place_are_not_taken_for_those_of_facilities(
    tmp_path: Path, usual: str, offices: int, facilities: int, unstated: int, chosen: str | None
) -> None:
    """Of a colonoscopy Medicare pays half in a facility: a fee for an office would look like twice its amount."""
    rates_of = [(OFFICES, offices), (FACILITIES, facilities), (UNSTATED, unstated)]
    changes = [{**places, "negotiated_rate": 10.0 + at} for places, number in rates_of for at in range(number)]
    db = with_schedule(store_of_market(tmp_path, *changes), usual)
    choice = choose_class(db, MARKET)
    opens_elsewhere = usual == PAID_LESS and chosen != SIDES[1]
    assert (choice.market.care_setting, choice.opens_elsewhere) == (chosen, opens_elsewhere)
    if not chosen:
        return
    # Where Medicare pays the same, such rates are on both sides.
    inside = facilities + unstated * (usual == IN_FACILITIES)
    assert {one.care_setting: (one.rates, one.placeless) for one in choice.classes} == {
        SIDES[0]: (offices + unstated, unstated * (usual != IN_FACILITIES)), SIDES[1]: (inside, 0),
    }  # fmt: skip
    assert not choose_class(db, replace(MARKET, care_setting=SIDES[0])).opens_elsewhere, "asked for"
    assert choose_class(db, replace(MARKET, care_setting=SIDES[1])).market.care_setting == SIDES[1], "asked for"
    asked = replace(MARKET, care_setting=SIDES[1])
    with market_cache(db, asked) as cached:
        of_payers = find_unplaced(cached, asked)
        assert sum(row.rates for row in rates.summarize_rates(cached, asked)) == inside
    of_file = sum(row.rates for row in rates.summarize_rates(db, replace(asked, code=None, code_type=None)))
    assert of_file == inside, "without a code"
    numbered = range(offices + facilities, len(changes))
    aside = [10.0 + at - offices - facilities for at in numbered] if usual != IN_FACILITIES else []
    assert [(one.rates, one.p50) for one in of_payers] == ([(len(aside), statistics.median(aside))] if aside else [])


def test_a_heart_catheter_is_the_physician_s_part_in_facilities(tmp_path: Path) -> None:
    """The list of surgical centers has it as surgery: no heart is catheterized in an office."""
    reading = {"billing_code_modifier": "26", "negotiated_rate": 5.0}
    of_parts = [{**OFFICES, **reading}, {**FACILITIES, **reading, "negotiated_rate": 6.0}]
    db = with_schedule(store_of_market(tmp_path, OFFICES, FACILITIES, {**OFFICES, "group": 1}, *of_parts), PARTS)
    listed = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": MARKET.code, "asc_pi": "G2"}
    db = written(db.root, {"bench_asc": [listed]})
    choice = choose_class(db, MARKET)
    assert (choice.market.modifier, choice.market.care_setting) == ("26", SIDES[1])
    assert (choice.usually_inside, choice.opens_elsewhere) == (True, False)
    asked = choose_class(db, replace(MARKET, modifier="none"))
    assert asked.market.care_setting == SIDES[0], "the whole is billed outside facilities alone"
    outside = choose_class(db, replace(MARKET, care_setting=SIDES[0]))
    assert outside.market.modifier == "none"


def test_in_facilities_a_scan_is_its_reading(tmp_path: Path) -> None:
    """In a hospital nobody bills the whole: a rate that states no place is not meant for it."""
    reading = {"places": ["21"], "billing_code_modifier": "26"}
    db = with_schedule(store_of_market(tmp_path, OFFICES, FACILITIES, {**FACILITIES, "group": 1}, reading), PARTS)
    whole = choose_class(db, MARKET)
    assert (whole.market.modifier, whole.market.care_setting) == ("none", SIDES[0])
    inside = choose_class(db, replace(MARKET, care_setting=SIDES[1]))
    assert (inside.market.modifier, "modifier" in inside.filled) == ("26", True)
    asked_for = replace(MARKET, care_setting=SIDES[1], modifier="none")
    assert choose_class(db, asked_for).market.modifier == "none"


def test_most_codes_of_a_list_decide(demo: Snapshot) -> None:
    month = Market("GA", "2025-08")
    choice = choose_class_of_codes(demo, month, ["99213", "70450", "73721"])
    assert {name: getattr(choice.market, name) for name in CLASS_FILTERS} == {
        "billing_class": "professional", "modifier": "none", "care_setting": "non-facility or unstated",
    }  # fmt: skip
    assert choice.classes[0].codes >= max(one.codes for one in choice.classes)
    assert choose_class_of_codes(demo, month, []).market == month


def test_rates_whose_label_is_overruled_are_of_the_class_that_they_fit(tmp_path: Path) -> None:
    mislabeled = {"reporting_entity_name": "Payer B", "billing_class": "institutional", "places": []}
    hospital = {"reporting_entity_name": "Payer A", "billing_class": "institutional", "places": []}
    changes: list[dict[str, Any]] = [
        {},
        {"group": 1},
        mislabeled,
        {**mislabeled, "group": 1},
        {**mislabeled, "group": 2},
        hospital,
    ]
    db = with_overruled(store_of_market(tmp_path, *changes), ("Payer B", "institutional", "unstated"))
    choice = choose_class(db, MARKET)
    # Without a place, nothing says where a professional's rates are paid. The hospital's needs to list none.
    assert [(one.billing_class, one.care_setting, one.rates, one.chosen) for one in choice.classes] == [
        ("like professional", None, 5, True), ("institutional", "unstated", 3, False), ("professional", None, 2, False),
        ("institutional", "hospital outpatient", 1, False),
    ]  # fmt: skip
    of_class = rates.list_rates(db, choice.market, "rate", 10, 0)
    stated = sorted((row.reporting_entity_name, row.billing_class) for row in of_class)
    assert stated == [("Payer A", "professional")] * 2 + [("Payer B", "institutional")] * 3, "as the files state it"
    as_stated = choose_class(db, replace(MARKET, billing_class="institutional")).market
    assert len(rates.list_rates(db, as_stated, "rate", 10, 0)) == 3
    # All payers together are one spread of both, and each payer's says what it labels its rates.
    everybody, *payers_of = spread_by_terms(db, choice.market)
    assert (everybody.billing_class, everybody.rates) == ("like professional", 5)
    assert {(row.payer_slug, row.billing_class, row.rates) for row in payers_of} == {
        ("payer_b", "institutional", 3), ("payer_a", "professional", 2),
    }  # fmt: skip
    answer = answer_code([everybody, *payers_of])
    assert answer is not None
    assert {row.payer_slug: answer.label_of(row) for row in answer.payers} == {
        "payer_a": "", "payer_b": "institutional",
    }  # fmt: skip


def test_a_center_s_rates_stay_of_facilities_whatever_its_payer_s_other_rates_fit(tmp_path: Path) -> None:
    """Who is paid has chosen their schedule."""
    institutional = {"billing_class": "institutional", "places": []}
    db = with_centers(store_of_market(tmp_path, {}, institutional, {**institutional, "group": 1}), 1)
    db = with_overruled(db, ("Payer A", "institutional", "unstated"))
    choice = choose_class(db, MARKET)
    assert {(one.billing_class, one.care_setting): one.rates for one in choice.classes} == {
        ("like professional", None): 2, ("professional", None): 1,
        ("institutional", "unstated"): 1, ("institutional", "surgical center"): 1,
    }  # fmt: skip
    assert len(rates.list_rates(db, choice.market, "rate", 10, 0)) == 2
    with market_cache(db, choice.market) as cached:
        assert [row.rates for row in rates.summarize_rates(cached, choice.market)] == [1, 1]


def test_a_market_whose_labels_fit_is_asked_nothing_more(tmp_path: Path) -> None:
    """A label that is overruled in another month, or of another payer, changes nothing."""
    hospital = {"billing_class": "institutional", "places": []}
    db = store_of_market(tmp_path, {}, {"group": 1}, hospital)
    before = choose_class(db, MARKET)
    db = with_overruled(db, ("Payer C", "institutional", "unstated"))
    assert choose_class(db, MARKET) == before
    assert choose_class(db, replace(MARKET, payer="payer_a")).market == replace(before.market, payer="payer_a")
