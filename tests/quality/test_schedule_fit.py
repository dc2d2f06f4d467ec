"""How well rates fit the schedules of both classes, when that overrules a label, and what is then compared."""

from dataclasses import asdict, replace
from math import log
from pathlib import Path
from statistics import median, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.quality.fit_record import update_fits
from core.quality.schedule_fit import FitScope, ScheduleFit, find_surgical_centers, measure_fits
from core.queries.comparison.label_fit import is_overwhelming, needed_ratio
from core.queries.comparison.overruled_labels import list_overruled_labels
from core.queries.market.market import Market
from core.queries.yardstick import medicare
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.quality.fitted_rates import CENTERS, HOSPITALS, PHYSICIANS, amounts, rates_of, schedules, store_with
from tests.stores import open_snapshot

ALL = FitScope()
GEORGIA = Market("GA", "2025-06")
HOSPITAL = {"billing_class": "institutional", "places": []}
CENTER = {"billing_class": "professional", "places": ["24"]}


def fits_of(db: Snapshot) -> dict[tuple[str, str, str], ScheduleFit]:
    return {(fit.billing_class, fit.places, fit.schedule): fit for fit in measure_fits(db, ALL)}


def updated(db: Snapshot, scope: FitScope = ALL) -> Snapshot:
    """Return the store's next generation, in which the fits are kept."""
    update_fits(Store(db.root), db, scope)
    return open_snapshot(Store(db.root))


def bases_of(db: Snapshot, market: Market = GEORGIA) -> dict[str, int]:
    return {one.basis: one.rates for one in medicare.count_outcomes(db, market).bases}


def test_rates_that_fit_the_other_class_are_compared_with_its_schedule(tmp_path: Path) -> None:
    """A file labels everything institutional, and pays a percent of the physician fee schedule."""
    db = updated(store_with(tmp_path, rates_of(PHYSICIANS, 1.28, 0.3, **HOSPITAL)))
    (label,) = list_overruled_labels(db, GEORGIA)
    assert (label.billing_class, label.places, label.schedule, label.label_schedule) == (
        "institutional", "unstated", "mpfs", "opps",
    )  # fmt: skip
    assert label.codes == label.rates == 120
    assert label.median == pytest.approx(1.28, abs=0.08)
    assert label.spread == pytest.approx(0.3, abs=0.05)
    assert label.label_spread > 1.5
    assert label.sentence == (
        f"Example Payer labels its rates without a place of service institutional. They fit the physician fee schedule "
        f"({label.median:.0%} in the middle) far better, code by code, than OPPS ({label.label_median:.0%}), so they "
        f"are compared with the physician fee schedule."
    )
    assert bases_of(db) == {"MPFS non-facility": 120}
    rows = medicare.list_comparisons(db, GEORGIA, "rate", 200, 0)
    assert {row.billing_class for row in rows} == {"institutional"}, "the facts keep the label"
    assert {row.rule for row in rows} == {"fit"}
    assert all(row.medicare == PHYSICIANS[row.code] for row in rows)


@pytest.mark.parametrize(
    ("paid", "times", "spread", "change"),
    [
        pytest.param(HOSPITALS, 1.8, 0.3, HOSPITAL, id="a hospital's rates"),
        pytest.param(HOSPITALS, 1.8, 0.9, HOSPITAL, id="a hospital's rates, loosely"),
        pytest.param(amounts(9), 3.0, 0.2, HOSPITAL, id="a hospital's own charges"),
        pytest.param(PHYSICIANS, 1.2, 0.2, CENTER, id="a surgeon's rates in a surgical center"),
        pytest.param(PHYSICIANS, 1.2, 0.2, {}, id="a physician's rates"),
        pytest.param(PHYSICIANS, 0.1, 0.1, HOSPITAL, id="rates for another unit: no plausible median"),
    ],
)
def test_without_overwhelming_evidence_the_label_holds(
    tmp_path: Path, paid: dict[str, float], times: float, spread: float, change: dict[str, Any]
) -> None:
    db = updated(store_with(tmp_path, rates_of(paid, times, spread, **change)))
    assert list_overruled_labels(db, GEORGIA) == []
    expected = {"institutional": "OPPS", "professional": "MPFS "}[change.get("billing_class", "professional")]
    assert all(basis.startswith(expected) for basis in bases_of(db))
    assert {row.rule for row in medicare.list_comparisons(db, GEORGIA, "rate", 200, 0)} == {"class"}


def test_a_surgical_center_s_fees_published_as_professional(tmp_path: Path) -> None:
    db = updated(store_with(tmp_path, rates_of(CENTERS, 0.7, 0.34, **CENTER)))
    (label,) = list_overruled_labels(db, GEORGIA)
    assert (label.schedule, label.label_schedule, label.places) == ("asc", "mpfs", "surgical center")
    assert label.sentence.startswith(
        "Example Payer labels its rates for surgical centers (place of service 24 alone) professional. They fit ASC ("
    )
    assert bases_of(db) == {"ASC": 120}
    (spread,) = medicare.summarize_percents(db, GEORGIA)
    assert spread.p50 == pytest.approx(0.7, abs=0.06)


# A pulse generator, a colonoscopy, and a cataract: Medicare pays surgical centers 26,281.67, 489.47 and 1,214.31
# before the wage index, and surgeons there 322.56, 171.53 and 508.03.
SURGEONS = {"63685": 322.56, "45378": 171.53, "66984": 508.03}
FEES = {"63685": 24_700.0, "45378": 460.0, "66984": 1_141.0}
PUBLISHED = {"63685": 22_123.74, "45378": 500.0, "66984": 1_027.9}


def test_three_codes_are_enough_if_the_fit_is_that_much_better(tmp_path: Path) -> None:
    """Three procedures of a surgical center, of which the surgeon's fees would be 70, 3 and 2 times Medicare."""
    db = updated(store_with(tmp_path, rates_of(PUBLISHED, 1, 0, **CENTER), schedules(SURGEONS, {}, FEES)))
    assert bases_of(db) == {"ASC": 3}
    rows = medicare.list_comparisons(db, GEORGIA, "rate", 9, 0)
    assert [round(row.percent or 0, 2) for row in rows] == [1.09, 0.9, 0.9]


def test_two_codes_are_not_enough(tmp_path: Path) -> None:
    two = {code: PUBLISHED[code] for code in ("63685", "45378")}
    db = updated(store_with(tmp_path, rates_of(two, 1, 0, **CENTER), schedules(SURGEONS, {}, FEES)))
    assert bases_of(db) == {"MPFS facility": 2}


def test_each_set_of_places_is_judged_by_itself(tmp_path: Path) -> None:
    """A hospital's outpatient rates with places are what they say; those without are a physician's."""
    rates = rates_of(PHYSICIANS, 1.3, 0.2, **HOSPITAL)
    rates += rates_of(HOSPITALS, 1.5, 0.2, billing_class="institutional", places=["22"])
    db = updated(store_with(tmp_path, rates))
    assert [(one.places, one.schedule) for one in list_overruled_labels(db, GEORGIA)] == [("unstated", "mpfs")]
    assert bases_of(db) == {"MPFS non-facility": 120, "OPPS": 120}


def test_another_payer_and_another_month_keep_their_labels(tmp_path: Path) -> None:
    rates = rates_of(PHYSICIANS, 1.3, 0.2, **HOSPITAL)
    good = rates_of(HOSPITALS, 1.3, 0.2, **HOSPITAL)
    later = [rate | {"year_month": "2025-07"} for rate in good]
    other = [rate | {"reporting_entity_name": "Another Payer"} for rate in good]
    bridge = {"reporting_entity_name_raw": "Another Payer", "payer_slug": "another_payer"}
    db = updated(store_with(tmp_path, rates + later + other, dim_payer_bridge=[bridge]))
    assert bases_of(db) == {"MPFS non-facility": 120, "OPPS": 120}
    assert bases_of(db, Market("GA", "2025-07")) == {"OPPS": 120}
    assert bases_of(db, Market("GA", "2025-06", payer="another_payer")) == {"OPPS": 120}
    assert list_overruled_labels(db, Market("GA", "2025-06", payer="another_payer")) == []


@pytest.mark.parametrize(
    ("codes", "ratio"), [(3, 10.31), (10, 3.0), (30, 1.85), (68, 1.5), (2000, 1.5)]
)  # fmt: skip
def test_fewer_codes_need_a_clearer_difference(codes: int, ratio: float) -> None:
    assert needed_ratio(codes) == pytest.approx(ratio, abs=0.01)
    assert is_overwhelming(codes, ratio + 0.02, 1.0, 1.2)
    assert not is_overwhelming(codes, ratio - 0.02, 1.0, 1.2)


@pytest.mark.parametrize(("middle", "enough"), [(0.49, False), (0.5, True), (4.0, True), (4.01, False)])
def test_an_implausible_median_is_no_fit(middle: float, enough: bool) -> None:
    assert is_overwhelming(500, 1.0, 0.2, middle) is enough


def test_rates_equal_to_a_percent_of_the_other_schedule_fit_it_whatever_the_label(tmp_path: Path) -> None:
    db = updated(store_with(tmp_path, rates_of(PHYSICIANS, 1.5, 0, **HOSPITAL)))
    assert bases_of(db) == {"MPFS non-facility": 120}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(PHYSICIANS)[:8]), st.floats(1, 10_000),
            st.sampled_from(["professional", "institutional", "both"]),
            st.sampled_from([[], ["24"], ["22"], ["11"]]), st.sampled_from(["", "", "26"]),
        ),
        min_size=1, max_size=40,
    )
)  # fmt: skip
def test_fits_are_those_of_a_slow_reference(tmp_path_factory: pytest.TempPathFactory, drawn: list[Any]) -> None:
    rates = [
        rate
        for code, dollars, billing_class, places, modifier in drawn
        for rate in rates_of(
            {code: dollars}, 1, 0, billing_class=billing_class, places=places, billing_code_modifier=modifier
        )
    ]
    found = measure_fits(store_with(tmp_path_factory.mktemp("fits"), rates), ALL)
    expected: dict[tuple[str, str, str], list[float]] = {}
    codes: dict[tuple[str, str, str], set[str]] = {}
    for code, dollars, billing_class, places in {
        (code, dollars, billing_class, tuple(places))
        for code, dollars, billing_class, places, modifier in drawn
        if not modifier and billing_class != "both" and tuple(places) != ("11",)
    }:
        kind = {(): "unstated", ("24",): "surgical center"}.get(places, "other")
        hospital = ("asc", CENTERS) if kind == "surgical center" else ("opps", HOSPITALS)
        for schedule, paid in (("mpfs", PHYSICIANS), hospital):
            key = (billing_class, kind, schedule)
            expected.setdefault(key, []).append(dollars / paid[code])
            codes.setdefault(key, set()).add(code)
    assert {(fit.billing_class, fit.places, fit.schedule) for fit in found} == set(expected)
    for fit in found:
        key = (fit.billing_class, fit.places, fit.schedule)
        ratios = expected[key]
        assert (fit.rates, fit.codes) == (len(ratios), len(codes[key]))
        assert fit.median == pytest.approx(median(ratios), rel=1e-4, abs=1e-5)
        spread = stdev(map(log, ratios)) if len(ratios) > 1 else None
        assert fit.spread == (spread if spread is None else pytest.approx(spread, abs=1e-5))
        assert fit.of_label == ((fit.billing_class == "professional") == (fit.schedule == "mpfs"))


def test_nothing_new_makes_no_generation(tmp_path: Path) -> None:
    db = store_with(tmp_path, rates_of(PHYSICIANS, 1.3, 0.2, **HOSPITAL))
    assert update_fits(Store(db.root), db)
    db = open_snapshot(Store(db.root))
    assert not update_fits(Store(db.root), db)
    assert not update_fits(Store(db.root), db, FitScope(("GA",), ("2025-06",), ("Example Payer",)))
    assert open_snapshot(Store(db.root)).manifest.generation == db.manifest.generation


def test_a_scope_leaves_what_is_known_of_the_others(tmp_path: Path) -> None:
    rates = rates_of(PHYSICIANS, 1.3, 0.2, **HOSPITAL)
    other = [rate | {"reporting_entity_name": "Another Payer"} for rate in rates]
    later = [rate | {"year_month": "2025-07"} for rate in rates]
    db = store_with(tmp_path, rates + other + later)
    whole = updated(db)
    before = whole.rows("SELECT * FROM schedule_fit")
    assert len(before) == 6
    for scope in (
        FitScope(months=("2025-06",)),
        FitScope(payers=("Another Payer",)),
        FitScope(("GA",)),
        FitScope(("TX",)),
    ):
        assert [asdict(fit)["year_month"] for fit in measure_fits(whole, FitScope(months=("2025-07",)))] == [
            "2025-07"
        ] * 2
        assert updated(whole, scope).rows("SELECT * FROM schedule_fit") == before


def test_a_large_month_is_measured_by_some_of_its_codes(tmp_path: Path) -> None:
    db = store_with(tmp_path, rates_of(PHYSICIANS, 1.3, 0.2, **HOSPITAL))
    sampled = measure_fits(db, ALL, sample_rates=40)
    assert 10 < sampled[0].codes < 80
    assert sampled[0].spread == pytest.approx(measure_fits(db, ALL)[0].spread or 0, rel=0.3)


def test_without_schedules_of_both_classes_nothing_is_measured(tmp_path: Path) -> None:
    db = store_with(tmp_path, rates_of(PHYSICIANS, 1.3, 0.2, **HOSPITAL), schedules()[1:])
    assert measure_fits(db, ALL) == []
    assert not update_fits(Store(db.root), db)


# Who the providers are, by NPPES.
NPPES = [
    {"npi": "1003000001", "entity_type": "organization", "taxonomy_code": "261QA1903X"},
    {"npi": "1003000002", "entity_type": "individual", "taxonomy_code": "207W00000X"},
    {"npi": "1003000003", "entity_type": "organization", "taxonomy_code": "282N00000X"},
    {"npi": "1003000004"},
]
GROUPS = {
    "center": ["1003000001"], "center and hospital": ["1003000001", "1003000003"],
    "center and unknown": ["1003000001", "1003000004"], "center and surgeon": ["1003000001", "1003000002"],
    "surgeon": ["1003000002"], "hospital": ["1003000003"], "unknown": ["1003000004"],
}  # fmt: skip


def of_groups(*places: str, billing_class: str = "professional") -> list[dict[str, Any]]:
    """Return a rate of 100 dollars for each group: too few to fit anything."""
    (rate,) = rates_of({"20000": 100.0}, 1, 0, billing_class=billing_class, places=list(places))
    return [rate | {"pg_uid": name} for name in GROUPS]


def store_of_groups(root: Path, rates: list[dict[str, Any]]) -> Snapshot:
    member = {"year_month": "2025-06", "payer_slug": "example_payer"}
    pairs = [member | {"pg_uid": name, "npi": npi} for name, npis in GROUPS.items() for npi in npis]
    return store_with(root, rates, dim_npi=NPPES, xref_group_npi=sorted(pairs, key=lambda pair: str(pair["pg_uid"])))


def test_a_surgical_center_is_paid_the_facility_s_fee(tmp_path: Path) -> None:
    db = updated(store_of_groups(tmp_path, of_groups("24")))
    rows = medicare.list_comparisons(db, GEORGIA, "rate", 99, 0)
    found = dict(
        zip(GROUPS, ((row.basis, row.rule) for row in sorted(rows, key=lambda row: row.fact_uid)), strict=True)
    )
    center, surgeon = ("ASC", "provider"), ("MPFS facility", "class")
    assert found == {
        "center": center, "center and hospital": surgeon, "center and unknown": center, "center and surgeon": surgeon,
        "surgeon": surgeon, "hospital": surgeon, "unknown": surgeon,
    }  # fmt: skip
    assert bases_of(db) == {"ASC": 2, "MPFS facility": 5}


@pytest.mark.parametrize("places", [["22", "24"], []])
def test_a_surgical_center_is_no_hospital(tmp_path: Path, places: list[str]) -> None:
    """A payer writes the same places, or none, for all facilities: the label says as little as the places."""
    db = updated(store_of_groups(tmp_path, of_groups(*places, billing_class="institutional")))
    assert bases_of(db) == {"ASC": 2, "OPPS": 5}
    centers = replace(GEORGIA, care_setting="surgical center", billing_class="institutional")
    assert medicare.count_outcomes(db, centers).total == (7 if places else 2)


@pytest.mark.parametrize("places", [["11"], ["22", "24"], []])
def test_a_surgical_center_s_other_rates_are_what_they_say(tmp_path: Path, places: list[str]) -> None:
    db = updated(store_of_groups(tmp_path, of_groups(*places)))
    assert {row.rule for row in medicare.list_comparisons(db, GEORGIA, "rate", 99, 0)} == {"class"}


def test_surgical_centers_are_found_in_the_scope(tmp_path: Path) -> None:
    db = store_of_groups(tmp_path, of_groups("24"))
    assert len(find_surgical_centers(db, ALL)) == 2
    assert len(find_surgical_centers(db, FitScope(payers=("Example Payer",), months=("2025-06",)))) == 2
    assert find_surgical_centers(db, FitScope(payers=("Another",))) == []
    assert find_surgical_centers(db, FitScope(months=("2025-07",))) == []


def test_what_a_visitor_asks_for_decides(tmp_path: Path) -> None:
    rates = rates_of(PHYSICIANS, 1.28, 0.3, **HOSPITAL) + of_groups("24")
    db = updated(store_of_groups(tmp_path, rates))
    for basis, expected in (("mpfs", {"MPFS non-facility", "MPFS facility"}), ("opps", {"OPPS"}), ("asc", {"ASC"})):
        market = Market("GA", "2025-06", basis=basis)
        assert set(bases_of(db, market)) == expected
        assert {row.rule for row in medicare.list_comparisons(db, market, "rate", 999, 0)} == {"visitor"}
        assert sum(bases_of(db, market).values()) == len(rates)
