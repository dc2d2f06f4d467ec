"""What organizations are paid in two months: every answer against the slow one, random regrouping, and real files."""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.fields.providers.payer_slug import make_payer_slug
from core.load.load_file import load_file
from core.queries import coverage
from core.queries.market.market import Market
from core.queries.over_time import changes, prices_moved
from core.queries.over_time.matching import OUTCOMES
from core.queries.rules.rate_kinds import MACROS
from core.store.connection import QueryLimits, Snapshot
from core.store.generations.store import Store
from core.store.reader import Reader
from core.tic.source import open_documents
from tests.queries import slow_changes
from tests.queries.one_market import A_RATE, MARKET, store_of_months, with_fee
from tests.queries.rates_by_month import facts, members, store_of
from tests.queries.slow import Everything, Row, percentile
from tests.queries.slow_changes import Change
from tests.queries.slow_price import find_odd
from tests.rate_files import file_of, item_of
from tests.stores import open_snapshot

VISITOR_MEMORY = "100MB"
"""Less than a visitor's share of the smallest server."""

months = st.tuples(st.lists(members, min_size=4, max_size=4), st.lists(facts, max_size=12))


def expected_changes(everything: Everything, market: Market, before: str) -> list[Change]:
    """Return what the slow reference finds; `market` has no filters but payer and tin."""
    olds, news = (
        everything.of(Market(**{**vars(market), "year_month": month})) for month in (before, market.year_month)
    )
    loaded = {
        month: {make_payer_slug(fact["reporting_entity_name"]) for fact in everything.facts
                if (fact["state"], fact["year_month"]) == (market.state, month)}
        for month in (before, market.year_month)
    }  # fmt: skip
    odd = [*find_errors(everything, market, before, olds), *find_errors(everything, market, market.year_month, news)]
    return slow_changes.changes(olds, news, tin=market.tin, both=loaded[before] & loaded[market.year_month], odd=odd)


def find_errors(everything: Everything, market: Market, month: str, rates: list[Row]) -> list[str]:
    """Return the uids of the likely errors among a month's rates. Without a code, each code is looked at by itself."""
    codes = [(market.code_type, market.code)] if market.code else {(one["code_type"], one["code"]) for one in rates}
    found: dict[str, bool] = {}
    for code_type, code in codes:
        of_code = [one for one in rates if market.code or (one["code_type"], one["code"]) == (code_type, code)]
        found |= find_odd(everything, Market(market.state, month, code_type, code), of_code)
    return [uid for uid, is_odd in found.items() if is_odd]


def assert_all_changes(db: Snapshot, everything: Everything, market: Market, before: str) -> None:
    expected = expected_changes(everything, market, before)
    found = changes.count_movements(db, market, before)
    for rows, key in (
        (found.payers, lambda row: (row.payer_slug, row.kind)),
        (found.codes, lambda row: (row.code, row.kind, row.code_type in {"CPT", "HCPCS"})),
        (found.tax_ids, lambda row: ((row.tin_type, row.tin_value), row.kind)),
    ):
        by_key: dict[Any, list[Change]] = {}
        for change in expected:
            paid = change.paid
            of = {
                id(found.payers): (paid.payer, paid.kind),
                id(found.codes): (paid.code, paid.kind, paid.system == "CPT"),
                id(found.tax_ids): (paid.payee, paid.kind),
            }[id(rows)]
            if rows is not found.tax_ids or paid.payee:
                by_key.setdefault(of, []).append(change)
        assert {key(row) for row in rows} == set(by_key)
        assert len(rows) == len(by_key)
        for row in rows:
            assert_moved(row, by_key[key(row)])
    assert sum(row.before + row.after for row in found.terms) == sum(row.before + row.after for row in found.payers)
    assert_rows(db, market, before, expected)


def assert_moved(row: changes.Moved, expected: list[Change]) -> None:
    outcomes = Counter(change.what for change in expected)
    for what in ("same", "up", "down", "unclear", "added", "gone"):
        assert getattr(row, what) == outcomes[what], what
    assert row.terms_before + row.terms_after == outcomes["terms"]
    assert row.before == row.kept + row.gone + row.terms_before
    assert row.after == row.kept + row.added + row.terms_after
    unmatched = [change for change in expected if change.what == "unmatched"]
    assert row.unmatched_before == sum(len(change.olds + change.old_errors) for change in unmatched)
    assert row.unmatched_after == sum(len(change.news + change.new_errors) for change in unmatched)
    has_errors = [bool(change.old_errors or change.new_errors) for change in expected if change.what != "unmatched"]
    assert row.left_out == sum(has_errors)
    moved = [c.percent for c in expected if c.what in {"up", "down"} and c.percent is not None]
    kept = [c.percent for c in expected if c.what in {"up", "down", "same"} and c.percent is not None]
    spread = [percentile(moved, share) for share in (0.1, 0.5, 0.9)] if moved else [None] * 3
    assert [row.p10, row.p50, row.p90] == [None if one is None else pytest.approx(one) for one in spread]
    assert row.middle == (pytest.approx(percentile(kept, 0.5)) if kept else None)


def assert_rows(db: Snapshot, market: Market, before: str, expected: list[Change]) -> None:
    total, rows = changes.list_changed_pay(db, market, before, None, "moved", 10**6, 0)
    assert total == len(rows) == len(expected)
    by_key = {change.paid: change for change in expected}
    for row in rows:
        payee = (row.tin_type, row.tin_value) if row.tin_type and row.tin_value else None
        system = "CPT" if row.code_type == "HCPCS" else row.code_type
        change = by_key[
            slow_changes.Paid(
                row.payer_slug, system, row.code, payee, row.billing_class, row.modifier, row.setting, row.place,
                row.severity_of_illness, row.kind,
            )
        ]  # fmt: skip
        assert (row.what, row.old, row.new) == (change.what, change.old, change.new)
        for side, rates, errors in (("old", change.olds, change.old_errors), ("new", change.news, change.new_errors)):
            assert getattr(row, f"{side}_left_out") == (len(errors) if rates else None)
            assert (
                getattr(row, f"{side}_lowest"), getattr(row, f"{side}_highest"), getattr(row, f"{side}_amounts"),
                getattr(row, f"{side}_rates"),
            ) == ((min(rates), max(rates), len(set(rates)), len(rates)) if rates else (None,) * 4)  # fmt: skip
        assert row.percent == (None if change.percent is None else pytest.approx(change.percent))
    for order in changes.ORDERS:
        assert changes.list_changed_pay(db, market, before, None, order, 3, 2) == (
            total, changes.list_changed_pay(db, market, before, None, order, 10**6, 0)[1][2:5],
        )  # fmt: skip
    for what in OUTCOMES:
        of_it = [row for row in rows if row.what == what]
        assert changes.list_changed_pay(db, market, before, what, "moved", 10**6, 0) == (len(of_it), of_it)
    assert changes.list_changed_pay(db, market, before, None, "old", 5, 10**5) == (total, [])


@given(
    months, months, st.sampled_from([None, "payer_a_inc"]), st.sampled_from([None, "99213"]),
    st.sampled_from([None, None, "100000001"]),
)  # fmt: skip
def test_matching_is_that_of_the_slow_reference(
    before: Any, after: Any, payer: str | None, code: str | None, tin: str | None
) -> None:
    with TemporaryDirectory() as directory:
        db = store_of(Path(directory), {"2025-07": before, "2025-08": after})
        assert_all_changes(db, Everything(db), Market("GA", "2025-08", payer=payer, code=code, tin=tin), "2025-07")


facts_with_errors = st.builds(
    lambda rate, group, change: {**A_RATE, "negotiated_rate": rate, "group": group, **change},
    st.sampled_from([0.5, 0.6, 20.0, 20.0, 20.0, 22.0, 25.0, 900.0]),
    st.integers(0, 3),
    st.sampled_from(
        [{}, {}, {}, {}, {"billing_code_modifier": "26"}, {"code_type": "HCPCS"}, {"code": "70450"}, {"places": []},
         {"reporting_entity_name": "Payer B"}, {"negotiated_type": "percentage"}, {"billing_class": None}]
    ),
)  # fmt: skip
"""Rates of which some are far from what Medicare pays, 20 dollars, and mostly from the others as well."""

of_groups = st.lists(members.filter(lambda one: one[1]), min_size=4, max_size=4)
months_with_errors = st.tuples(of_groups, st.lists(facts_with_errors, min_size=9, max_size=16))


@given(
    months_with_errors, months_with_errors, st.sampled_from([None, None, "payer_a"]),
    st.sampled_from([(None, None), (None, "99213"), ("CPT", "99213")]), st.sampled_from([None, None, "100000001"]),
)  # fmt: skip
def test_likely_errors_are_no_prices_unless_there_are_no_others(
    before: Any, after: Any, payer: str | None, of_code: tuple[str | None, str | None], tin: str | None
) -> None:
    code_type, code = of_code
    with TemporaryDirectory() as directory:
        db = with_fee(store_of(Path(directory), {"2025-07": before, "2025-08": after}), 20.0, "2025-07", "2025-08")
        market = Market("GA", "2025-08", payer=payer, code_type=code_type, code=code, tin=tin)
        assert_all_changes(db, Everything(db), market, "2025-07")


def test_the_price_that_is_believed_is_compared(tmp_path: Path) -> None:
    def with_error(rate: float, alone: float) -> list[dict[str, Any]]:
        # 21 rates of another organization say what is usual. One has an obvious error besides its price, and one
        # nothing but an error in the earlier month.
        others = [{"negotiated_rate": 100.0 + step, "group": 1} for step in range(21)]
        return [*others, {"negotiated_rate": 5.62}, {"negotiated_rate": rate}, {"negotiated_rate": alone, "group": 3}]

    db = store_of_months(tmp_path, m2025_07=with_error(118.37, 5.0), m2025_08=with_error(321.2, 110.0))
    db = with_fee(db, 100.0, "2025-07", "2025-08")
    for market in (MARKET, MARKET.without("code_type", "code")):
        _, rows = changes.list_changed_pay(db, market, "2025-07", "up", "moved", 9, 0)
        assert [(one.old, one.new, one.old_left_out, one.new_left_out) for one in rows] == [(118.37, 321.2, 1, 1)]
        (moved,) = changes.count_movements(db, market, "2025-07").payers
        assert (moved.left_out, moved.up, moved.same, moved.unclear) == (1, 1, 1, 1)


PAID = st.dictionaries(
    st.sampled_from([("ein", f"10000000{n}") for n in range(5)]),
    st.sets(st.sampled_from([10.0, 20.0, 35.0]), min_size=1),
    min_size=1,
)
"""What each tax ID is paid: what does not depend on how a payer cuts its groups."""


def groups_of(paid: dict[Any, set[float]], data: st.DataObject) -> tuple[list[Any], list[dict[str, Any]]]:
    """Return groups and rates that pay just this: random groups of tax IDs for each amount, some of them repeated."""
    cut: list[tuple[set[Any], float]] = []
    for amount in sorted({amount for amounts in paid.values() for amount in amounts}):
        left = sorted(tin for tin, amounts in paid.items() if amount in amounts)
        for _ in range(data.draw(st.integers(1, 2))):
            numbers = [data.draw(st.integers(0, 2)) for _ in left]
            cut += [({tin for tin, n in zip(left, numbers, strict=True) if n == number}, amount) for number in range(3)]
    cut = data.draw(st.permutations([one for one in cut if one[0]]))
    groups = [({f"1{number:09d}"}, tins) for number, (tins, _) in enumerate(cut)]
    return groups, [{**A_RATE, "negotiated_rate": rate, "group": number} for number, (_, rate) in enumerate(cut)]


@hypothesis_settings(max_examples=4)
@given(PAID, PAID, st.data())
def test_groups_may_be_split_merged_repeated_and_renumbered(before: Any, after: Any, data: Any) -> None:
    answers = []
    for _ in range(2):
        with TemporaryDirectory() as directory:
            rosters = {"2025-07": groups_of(before, data), "2025-08": groups_of(after, data)}
            db = store_of(Path(directory), rosters)
            rows = changes.list_changed_pay(db, MARKET, "2025-07", None, "moved", 100, 0)[1]
            answers.append(
                [(row.what, row.tin_value, row.old, row.new, row.old_amounts, row.new_amounts) for row in rows]
            )
            assert changes.count_movements(db, MARKET, "2025-07").payers[0].kept == len(set(before) & set(after))
    assert answers[0] == answers[1]
    outcomes = {tin: what for what, tin, *_ in answers[0]}
    assert {tin for tin, what in outcomes.items() if what == "gone"} == {tin for _, tin in set(before) - set(after)}
    assert {tin for tin, what in outcomes.items() if what == "added"} == {tin for _, tin in set(after) - set(before)}


ONE, TWO = {("ein", "100000001")}, {("ein", "100000001"), ("ein", "100000002")}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (({"1912951245"}, ONE), ({"1003027533"}, ONE), ["up"]),
        ((set(), ONE), (set(), TWO), ["added", "up"]),
        ((set(), TWO), (set(), ONE), ["gone", "up"]),
        (({"1912951245"}, set()), ({"1912951245", "1003027533"}, set()), ["added", "up"]),
        # A tax ID that is an NPI and an NPI without a tax ID are the same provider.
        (({"1912951245"}, set()), (set(), {("npi", "1912951245")}), ["up"]),
        ((set(), {("ein", "1912951245")}), (set(), {("npi", "1912951245")}), ["added", "gone"]),
        ((set(), set()), (set(), set()), ["unmatched"]),
    ],
)
def test_who_is_the_same_organization(tmp_path: Path, before: Any, after: Any, expected: list[str]) -> None:
    db = store_of(
        tmp_path,
        {
            "2025-07": ([before], [{**A_RATE, "negotiated_rate": 10.0}]),
            "2025-08": ([after], [{**A_RATE, "negotiated_rate": 11.0}]),
        },
    )
    rows = changes.list_changed_pay(db, MARKET, "2025-07", None, "old", 100, 0)[1]
    assert sorted(row.what for row in rows) == expected


def test_other_terms_are_neither_added_nor_gone(tmp_path: Path) -> None:
    db = store_of_months(
        tmp_path,
        m2025_07=[{}, {"billing_code_modifier": "26", "negotiated_rate": 4.0}],
        m2025_08=[{"code_type": "HCPCS"}, {"billing_code_modifier": "TC"}, {"places": ["11", "22"]}],
    )
    (moved,) = changes.count_movements(db, MARKET.without("code_type"), "2025-07").payers
    assert (moved.same, moved.terms_before, moved.terms_after, moved.added, moved.gone) == (1, 1, 1, 0, 0)
    only_26 = changes.list_changed_pay(
        db, Market("GA", "2025-08", code="99213", modifier="26"), "2025-07", None, "old", 9, 0
    )[1]
    assert [row.what for row in only_26] == ["terms"], "a filter makes nobody go"


def test_a_payer_of_one_month_is_not_compared(tmp_path: Path) -> None:
    other = {"reporting_entity_name": "Payer B"}
    db = store_of_months(tmp_path, m2025_07=[{}], m2025_08=[{}, other])
    assert [row.payer_slug for row in changes.count_movements(db, MARKET, "2025-07").payers] == ["payer_a"]


def test_a_change_from_zero_has_no_percent(tmp_path: Path) -> None:
    db = store_of_months(tmp_path, m2025_07=[{"negotiated_rate": 0.0}], m2025_08=[{}])
    (moved,) = changes.count_movements(db, MARKET, "2025-07").payers
    _, (row,) = changes.list_changed_pay(db, MARKET, "2025-07", None, "moved", 9, 0)
    assert (moved.up, moved.p50, row.difference, row.percent) == (1, None, 10, None)


def test_changes_on_the_demo(demo: Snapshot) -> None:
    everything = Everything(demo)
    for market in (
        Market("GA", "2025-08"),
        Market("GA", "2025-08", "CPT", "70450", payer="example_peach_health_plan"),
        Market("GA", "2025-08", tin=min(tin for fact in everything.facts for _, tin in fact["tins"])),
        Market("GA", "2025-07"),
        Market("TX", "2025-08"),
    ):
        assert_all_changes(demo, everything, market, "2025-07")
    codes = changes.count_movements(demo, Market("GA", "2025-08", payer="example_piedmont_mutual_inc"), "2025-07").codes
    assert [row.code for row in codes if row.added and not row.before] == ["92507"]
    assert [row.code for row in codes if row.gone and not row.after] == ["93000"]


def test_what_payers_have_in_two_months(demo: Snapshot) -> None:
    rows = changes.count_payer_months(coverage.list_coverage(demo), "GA", "2025-07", "2025-08")
    facts = Everything(demo).facts
    for row in rows:
        mine = [fact for fact in facts if make_payer_slug(fact["reporting_entity_name"]) == row.payer_slug]
        counted = Counter(fact["year_month"] for fact in mine)
        assert (row.files_before, row.files_after) == (1, 1)
        assert (row.rates_before, row.rates_after) == (counted["2025-07"], counted["2025-08"])
    assert len(rows) == 3
    (only,) = {
        (row.files_before, row.rates_before)
        for row in changes.count_payer_months(coverage.list_coverage(demo), "GA", "1", "2025-08")
    }
    assert only == (0, 0)


@pytest.mark.in_turns(3, of="real payers")
def test_two_months_of_a_real_payer(shared: Path) -> None:
    with TemporaryDirectory() as directory:
        store = Store(Path(directory))
        for name in ("2025-01-06_Evry-Health", "2025-06-23_Evry-Health"):
            load_file(store, open_documents(shared / "tic" / "payers" / f"{name}_in-network-rates.json.gz")[0], "TX")
        db = open_snapshot(store)
        # 97.5% of the pairs of a tax ID and a code in January are in June too: those that are not are really gone.
        pairs = {
            month: set(
                db.rows(
                    """SELECT DISTINCT tin_value, code FROM (SELECT DISTINCT pg_uid, code FROM fact_rate
                       WHERE year_month = ?) JOIN xref_group_tin USING (pg_uid)""",
                    [month],
                )
            )
            for month in ("2025-01", "2025-06")
        }
        both = pairs["2025-01"] & pairs["2025-06"]
        (row,) = changes.count_movements(db, Market("TX", "2025-06", payer="evry_health"), "2025-01").payers
        assert (row.kept, row.before, row.after) == (len(both), *map(len, pairs.values()))
        assert (row.kept, row.gone) == (101_257, 2_571)
        assert round(row.kept_share, 3) == 0.975
        (row,) = changes.count_movements(db, Market("TX", "2025-06", "CPT", "73721"), "2025-01").payers
        assert (row.before, row.kept, row.gone, row.same, row.up, row.down) == (225, 225, 0, 59, 66, 56)
        # 31 with another number of amounts, which both ends fell of, and 13 whose ends did not move the same way.
        assert row.unclear == 44


@pytest.mark.parametrize(
    ("olds", "news", "what"),
    [
        ([100.0, 200.0], [190.0], "unclear"),  # a contract ended, and the other one was cut
        ([100.0, 200.0], [200.0], "unclear"),  # a contract ended, and the other one stayed
        ([100.0, 200.0], [95.0, 190.0, 210.0], "unclear"),
        ([100.0, 200.0], [101.0, 200.0], "up"),
        ([100.0, 200.0], [97.0, 98.0, 194.0], "unclear"),
        ([100.0, 200.0], [210.0], "unclear"),
        ([100.0, 200.0], [90.0, 215.0], "unclear"),
        ([100.0, 150.0, 200.0], [90.0, 150.0, 210.0], "unclear"),  # with the same median
        ([100.0, 150.0, 200.0], [100.0, 150.0, 201.0], "up"),  # likewise
        ([100.0, 120.0, 150.0, 200.0], [100.0, 119.0, 151.0, 200.0], "unclear"),  # with the same median and ends
        ([100.0, 120.0, 150.0], [100.0, 119.0, 150.0], "down"),
        ([100.0, 120.0, 150.0], [150.0, 100.0, 120.0], "same"),
    ],
)
def test_a_median_over_other_amounts_is_no_raise(
    tmp_path: Path, olds: list[float], news: list[float], what: str
) -> None:
    db = store_of_months(
        tmp_path,
        m2025_07=[{"negotiated_rate": one} for one in olds],
        m2025_08=[{"negotiated_rate": one} for one in news],
    )
    _, rows = changes.list_changed_pay(db, MARKET, "2025-07", None, "moved", 9, 0)
    assert [row.what for row in rows] == [what]


def test_another_set_stands_after_prices_that_moved(tmp_path: Path) -> None:
    cut = [{"negotiated_rate": 100.0, "group": 0}], [{"negotiated_rate": 98.0, "group": 0}]
    mixed = (
        [{"negotiated_rate": one, "group": 1} for one in (100.0, 200.0)],
        [{"negotiated_rate": one, "group": 1} for one in (97.0, 98.0, 194.0)],
    )
    db = store_of_months(tmp_path, m2025_07=[*cut[0], *mixed[0]], m2025_08=[*cut[1], *mixed[1]])
    for rows in (
        changes.list_changed_pay(db, MARKET, "2025-07", None, "moved", 9, 0)[1],
        prices_moved.list_paid_alike(db, MARKET, "2025-07", None, "moved", 9, 0)[1],
    ):
        found = [(row.what, row.old_amounts, row.new_amounts, round(row.percent or 0, 3)) for row in rows]
        assert found == [("down", 1, 1, -0.02), ("unclear", 2, 3, -0.02)]
    (moved,) = changes.count_movements(db, MARKET, "2025-07").payers
    assert round(moved.middle or 0, 3) == -0.02, "a median of another set is no change"


@pytest.mark.in_turns(3, of="real payers")
def test_a_payer_of_many_groups_fits_into_a_visitor_s_memory(tmp_path: Path) -> None:
    groups = [
        {
            "provider_group_id": number,
            "provider_groups": [{"npi": [1_000_000_000 + number * 20 + n for n in range(20)]}],
        }
        for number in range(4_000)
    ]
    store = Store(tmp_path / "data")
    for month in ("2025-07-01", "2025-08-01"):
        content = file_of(item_of(5, references=range(4_000)), provider_references=groups, last_updated_on=month)
        path = tmp_path / f"{month}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        load_file(store, open_documents(path)[0], "GA")
    limits = QueryLimits(memory=VISITOR_MEMORY, temp_directory=str(tmp_path / "temp"), seconds=60)
    db = Reader(store, limits, MACROS).snapshot()
    assert db is not None
    (moved,) = changes.count_movements(db, Market("GA", "2025-08", payer="payer"), "2025-07").payers
    assert moved.same == moved.before == moved.after == 80_000
