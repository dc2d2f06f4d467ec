"""A month against another: every answer against the slow one, on random months, on the demo and on real files."""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.payer_slug import make_payer_slug
from core.load.load_file import load_file
from core.queries import changes, coverage
from core.queries.rules.market import Market
from core.queries.rules.matching import OUTCOMES
from core.queries.rules.rate_kinds import MACROS
from core.store.connection import QueryLimits, Reader, Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.queries import slow_changes
from tests.queries.one_market import MARKET, store_of_months
from tests.queries.rates_by_month import NPIS, facts, members, store_of
from tests.queries.slow import Everything, percentile
from tests.queries.slow_changes import Change
from tests.rate_files import file_of, item_of
from tests.stores import open_snapshot

VISITOR_MEMORY = "100MB"
"""Less than a visitor's share of the smallest server."""

months = st.tuples(st.lists(members, min_size=4, max_size=4), st.lists(facts, max_size=12))


def assert_all_changes(db: Snapshot, everything: Everything, market: Market, before: str, orders: bool = True) -> None:
    expected = slow_changes.changes(
        everything.of(Market(**{**vars(market), "year_month": before})), everything.of(market)
    )
    payers, codes = changes.count_movements(db, market, before)
    of_payers: dict[Any, list[Change]] = {}
    of_codes: dict[Any, list[Change]] = {}
    for change in expected:
        fact = change.fact
        of_payers.setdefault((make_payer_slug(fact["reporting_entity_name"]), fact["kind"]), []).append(change)
        of_codes.setdefault((fact["code_type"], fact["code"], fact["kind"]), []).append(change)
    assert {(row.payer_slug, row.kind) for row in payers} == set(of_payers)
    assert {(row.code_type, row.code, row.kind) for row in codes} == set(of_codes)
    assert len(payers) + len(codes) == len(of_payers) + len(of_codes)
    for payer in payers:
        assert_moved(payer, of_payers[payer.payer_slug, payer.kind])
    for code in codes:
        assert_moved(code, of_codes[code.code_type, code.code, code.kind])
    assert_rates(db, market, before, expected)
    if orders:
        assert_orders(db, market, before)


def assert_moved(row: changes.Moved, expected: list[Change]) -> None:
    outcomes = Counter(change.what for change in expected)
    for what in ("same", "up", "down", "added", "gone"):
        assert getattr(row, what) == outcomes[what], what
    assert row.before == sum(change.old is not None for change in expected)
    assert row.after == sum(change.new is not None for change in expected)
    assert row.before == row.same + row.up + row.down + row.gone + row.unmatched_before
    assert row.after == row.same + row.up + row.down + row.added + row.unmatched_after
    percents = [change.percent for change in expected if change.what in {"up", "down"}]
    known = [percent for percent in percents if percent is not None]
    spread = [percentile(known, share) for share in (0.1, 0.5, 0.9)] if known else [None] * 3
    assert [row.p10, row.p50, row.p90] == [None if one is None else pytest.approx(one) for one in spread]


def key_of(change: Change) -> tuple[Any, ...]:
    fact = change.fact
    names = ("code_type", "code", "billing_class", "billing_code_modifier", "setting", "severity_of_illness",
             "negotiated_type", "negotiation_arrangement")  # fmt: skip
    who = (len(fact["tins"]), min((tin for _, tin in fact["tins"]), default=None))
    slug = make_payer_slug(fact["reporting_entity_name"])
    terms = tuple(fact[name] for name in names)
    return (change.what, slug, *terms, tuple(fact["places"]), *who, change.old, change.new)


def shown_key(row: changes.ChangedRate) -> tuple[Any, ...]:
    return (row.what, row.payer_slug, row.code_type, row.code, row.billing_class, row.modifier, row.setting,
            row.severity_of_illness, row.negotiated_type, row.negotiation_arrangement, tuple(row.service_codes),
            row.tins, row.one_tin, row.old, row.new)  # fmt: skip


def assert_rates(db: Snapshot, market: Market, before: str, expected: list[Change]) -> None:
    total, rows = changes.list_changed_rates(db, market, before, None, "moved", 10**6, 0)
    assert total == len(rows)
    shown: Counter[Any] = Counter()
    for row in rows:
        shown[shown_key(row)] += row.rates
        assert row.difference == (
            None if row.old is None or row.new is None else pytest.approx(row.new - row.old, abs=1e-6)
        )
        assert row.percent == (pytest.approx(row.new / row.old - 1) if row.old and row.new is not None else None)
        assert (row.what == "unmatched") == (row.tins == row.npis == 0)
    assert shown == Counter(key_of(change) for change in expected)


def assert_orders(db: Snapshot, market: Market, before: str) -> None:
    total, rows = changes.list_changed_rates(db, market, before, None, "moved", 10**6, 0)
    for order in changes.ORDERS:
        assert changes.list_changed_rates(db, market, before, None, order, 3, 2) == (
            total, changes.list_changed_rates(db, market, before, None, order, 10**6, 0)[1][2:5],
        )  # fmt: skip
    assert changes.list_changed_rates(db, market, before, None, "old", 5, 10**5) == (total, [])
    for what in OUTCOMES:
        of_it = [row for row in rows if row.what == what]
        counted, found = changes.list_changed_rates(db, market, before, what, "moved", 10**6, 0)
        assert (counted, found) == (len(of_it), of_it)


@given(months, months, st.sampled_from([None, "payer_a_inc", "payer_b"]), st.sampled_from([None, "99213"]))
def test_matching_is_that_of_the_slow_reference(before: Any, after: Any, payer: str | None, code: str | None) -> None:
    with TemporaryDirectory() as directory:
        db = store_of(Path(directory), {"2025-07": before, "2025-08": after})
        assert_all_changes(db, Everything(db), Market("GA", "2025-08", payer=payer, code=code), "2025-07")


@given(months)
def test_a_month_is_the_same_as_itself(month: Any) -> None:
    with TemporaryDirectory() as directory:
        db = store_of(Path(directory), {"2025-07": month, "2025-08": month})
        for row in changes.count_movements(db, Market("GA", "2025-08"), "2025-07")[0]:
            assert (row.moved, row.unmatched_before) == (0, row.unmatched_after)
            assert row.before == row.after == row.same + row.unmatched_after


FACT = {
    "reporting_entity_name": "Payer B", "code_type": "CPT", "code": "99213", "negotiated_type": "negotiated",
    "negotiation_arrangement": "ffs", "billing_class": "professional", "setting": None, "billing_code_modifier": "",
    "severity_of_illness": None, "places": ["11"], "group": 0,
}  # fmt: skip
NOBODY: Any = (set(), set())


def outcomes(tmp_path: Path, groups: tuple[Any, Any], olds: list[float], news: list[float]) -> list[Any]:
    by_month = {
        month: ([group], [{**FACT, "negotiated_rate": rate} for rate in rates])
        for month, group, rates in (("2025-07", groups[0], olds), ("2025-08", groups[1], news))
    }
    db = store_of(tmp_path / f"{groups}"[-20:].replace("'", ""), by_month)
    rows = changes.list_changed_rates(db, Market("GA", "2025-08"), "2025-07", None, "old", 100, 0)[1]
    return [(row.what, row.old, row.new, row.rates) for row in rows]


def test_several_rates_of_one_key_are_multisets(tmp_path: Path) -> None:
    one: Any = (set(), {("ein", "100000001")})
    assert outcomes(tmp_path, (one, one), [10, 20, 20, 30], [20, 12, 20, 35, 90]) == [
        ("up", 10, 12, 1),
        ("same", 20, 20, 2),
        ("up", 30, 35, 1),
        ("added", None, 90, 1),
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # The tax IDs identify the provider, no matter which NPIs bill under them. Without a tax ID, the NPIs do.
        (({NPIS[0]}, {("ein", "1")}), ({NPIS[1]}, {("ein", "1")}), ["up"]),
        (({NPIS[0]}, set()), ({NPIS[0]}, set()), ["up"]),
        (({NPIS[0]}, set()), ({NPIS[0], NPIS[1]}, set()), ["gone", "added"]),
        (({NPIS[0]}, set()), ({NPIS[0]}, {("ein", "1")}), ["gone", "added"]),
        ((set(), {("ein", "1912951245")}), (set(), {("npi", "1912951245")}), ["gone", "added"]),
        (({"1912951245"}, set()), (set(), {("npi", "1912951245")}), ["gone", "added"]),
        (NOBODY, NOBODY, ["unmatched", "unmatched"]),
    ],
)
def test_who_is_the_same_provider(tmp_path: Path, before: Any, after: Any, expected: list[str]) -> None:
    assert [row[0] for row in outcomes(tmp_path, (before, after), [10], [11])] == expected


def test_changes_on_the_demo(demo: Snapshot) -> None:
    everything = Everything(demo)
    for market in (
        Market("GA", "2025-08"),
        Market("GA", "2025-08", "CPT", "70450", payer="example_peach_health_plan"),
        Market("GA", "2025-08", code="97110", pos="11", modifier="none", billing_class="professional"),
        Market("GA", "2025-08", tin=min(tin for fact in everything.facts for _, tin in fact["tins"])),
        Market("GA", "2025-08", npi=min(npi for fact in everything.facts for npi in fact["npis"])),
        Market("GA", "2025-07"),
        Market("TX", "2025-08"),
    ):
        assert_all_changes(demo, everything, market, "2025-07", orders=market.code is not None)
    _, codes = changes.count_movements(demo, Market("GA", "2025-08", payer="example_piedmont_mutual_inc"), "2025-07")
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


def test_two_months_of_a_real_payer(shared: Path) -> None:
    with TemporaryDirectory() as directory:
        store = Store(Path(directory))
        for name in ("2025-01-06_Evry-Health", "2025-06-23_Evry-Health", "2023-02-01_HealthSCOPE"):
            load_file(store, open_documents(shared / "tic" / "payers" / f"{name}_in-network-rates.json.gz")[0], "TX")
        db = open_snapshot(store)
        everything = Everything(db)
        assert_all_changes(db, everything, Market("TX", "2025-06"), "2025-01", orders=False)
        assert_all_changes(db, everything, Market("TX", "2025-06", "CPT", "99213"), "2025-01")
        assert_all_changes(db, everything, Market("TX", "2025-06", "CPT", "99213"), "2023-02")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([10, 10], [10], {"same": 1, "gone": 1}),
        ([10], [10, 10], {"same": 1, "added": 1}),
        ([10], [11], {"up": 1}),
        ([11], [10], {"down": 1}),
        ([10, 20], [20, 30], {"same": 1, "up": 1}),
        ([10, 20], [12, 15], {"up": 1, "down": 1}),
        ([10, 20], [30], {"up": 1, "gone": 1}),
        ([30], [10, 40], {"down": 1, "added": 1}),
        ([], [10], {"added": 1}),
        ([10], [], {"gone": 1}),
    ],
)
def test_equal_rates_pair_first_and_the_others_from_the_lowest(
    tmp_path: Path, old: list[int], new: list[int], expected: dict[str, int]
) -> None:
    months = [[{"negotiated_rate": float(rate)} for rate in rates] for rates in (old, new)]
    db = store_of_months(tmp_path, m2025_07=months[0], m2025_08=months[1])
    (moved,), _ = changes.count_movements(db, MARKET, "2025-07")
    counts = {what: getattr(moved, what) for what in ("same", "up", "down", "added", "gone")}
    assert {what: count for what, count in counts.items() if count} == expected
    assert (moved.before, moved.after, moved.unmatched_before) == (len(old), len(new), 0)


def test_rates_of_unknown_providers_are_never_matched(tmp_path: Path) -> None:
    db = store_of_months(tmp_path, m2025_07=[{"group": 2}], m2025_08=[{"group": 2}, {"group": 2}])
    (moved,), _ = changes.count_movements(db, MARKET, "2025-07")
    assert (moved.same, moved.added, moved.unmatched_before, moved.unmatched_after) == (0, 0, 1, 2)


def test_a_change_from_zero_has_no_percent(tmp_path: Path) -> None:
    db = store_of_months(tmp_path, m2025_07=[{"negotiated_rate": 0.0}], m2025_08=[{}])
    (moved,), _ = changes.count_movements(db, MARKET, "2025-07")
    _, (row,) = changes.list_changed_rates(db, MARKET, "2025-07", None, "moved", 9, 0)
    assert (moved.up, moved.p50, row.difference, row.percent) == (1, None, 10, None)


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
    (moved,), _ = changes.count_movements(db, Market("GA", "2025-08", payer="payer"), "2025-07")
    assert (moved.same, moved.before, moved.after) == (4_000, 4_000, 4_000)
