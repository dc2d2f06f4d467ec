"""Payers side by side, and one payer, against slow answers; and which filter emptied an answer."""

import statistics
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.codes.code_list import WantedCode, read_codes
from core.fields.places.care_setting import SIDES
from core.fields.providers.payer_slug import make_payer_slug
from core.load.load_file import load_file
from core.load.rate_filters import RateFilter
from core.queries.comparison.left_out import count_left_out
from core.queries.find.codes import list_busiest_codes as most_rates
from core.queries.loaded_files import list_files
from core.queries.market.market import Market
from core.queries.market.which_filter_emptied import count_without_each_filter
from core.queries.payers import networks
from core.queries.side_by_side.payer_comparison import ALL, ListedCode, compare_payers
from core.queries.side_by_side.payer_spread import PayerSpread
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.queries import slow
from tests.queries.one_market import MARKET, store_of_market, with_fee, with_overruled
from tests.queries.rates_by_month import facts as facts_of_one_month
from tests.queries.rates_by_month import store_of
from tests.queries.slow import Everything, Row, percentile
from tests.queries.slow_price import choose_percentiles, choose_price, largest_contract
from tests.queries.tables import rows_of
from tests.site import Visitor, serving, text_of
from tests.stores import open_snapshot

BASES = [None, "payer_a_inc", "payer_b", "nobody"]
wanted_codes = st.lists(
    st.sampled_from([WantedCode(None, "99213"), WantedCode("CPT", "99213"), WantedCode("HCPCS", "70450"),
                     WantedCode(None, "70450"),
                     WantedCode(None, "450"), WantedCode("REV", "0450"), WantedCode(None, "XYZ")]),
    max_size=4, unique=True,
)  # fmt: skip
facts = st.one_of(
    facts_of_one_month,
    facts_of_one_month.map(lambda fact: {**fact, "places": ["21"]}),
    facts_of_one_month.map(lambda fact: {**fact, "billing_class": "institutional"}),
    facts_of_one_month.map(lambda fact: {**fact, "billing_class": "institutional", "places": ["24"]}),
    facts_of_one_month.map(lambda fact: {**fact, "code_type": "REV", "code": "0450"}),
    facts_of_one_month.map(lambda fact: {**fact, "code_type": "LOCAL"}),
)


def meant(fact: Row, one: WantedCode) -> str | None:
    """Return the system of the fact as the list sees it, or None if the fact is not wanted."""
    if one.code_type:
        return one.code_type if (fact["code_type"], fact["code"]) == (one.code_type, one.code) else None
    padded = {"REV": one.code.zfill(4), "MS-DRG": one.code.zfill(3)} if one.code.isdecimal() else {}
    if fact["code"] != one.code and fact["code"] != padded.get(fact["code_type"]):
        return None
    return "level I or II" if fact["code_type"] in {"CPT", "HCPCS"} else str(fact["code_type"])


def center_of(fact: Row) -> str | None:
    """Return a surgical center for what facilities bill in one and in no hospital."""
    settings = slow.settings_of(fact)
    alone = "surgical center" in settings and not settings & {"hospital outpatient", "inpatient"}
    return "surgical center" if alone and fact["of_class"] != "professional" else None


def with_lines(facts: list[Row], market: Market) -> list[Row]:
    """Return the rates with the class of their line: as measured where a label of the code and modifier is overruled.

    Where a class that files state was asked for, no label is.
    """
    asks_stated = market.billing_class is not None and not market.billing_class.startswith("like ")
    for fact in facts:
        fact["of_class"] = fact["billing_class"] if asks_stated else fact["measured"]
        alike = [one for one in facts if of_code(one) == of_code(fact)]
        apart = any(one["measured"] != one["billing_class"] for one in alike) and not asks_stated
        named = apart and fact["of_class"] in {"professional", "institutional"}
        fact["line_class"] = f"like {fact['of_class']}" if named else fact["of_class"]
    for fact in facts:
        alike = [one for one in facts if all(one[name] == fact[name] for name in _LINE)]
        sides = [slow.sides_of(one) for one in alike if one["of_class"] == "professional"]
        divided = all({side} in sides for side in SIDES) and not market.care_setting
        places = slow.sides_of(fact) if divided else {center_of(fact)}
        fact["where"] = {None} if market.care_setting else places
    return facts


_LINE = ("system", "code", "line_class", "billing_code_modifier", "kind")


def of_code(fact: Row) -> tuple[str, str, str]:
    return fact["system"], fact["code"], fact["billing_code_modifier"]


def assert_compared(
    db: Snapshot,
    everything: Everything,
    market: Market,
    wanted: list[WantedCode],
    base: str | None,
    *,
    has_schedules: bool = True,
) -> None:
    found, asked = compare_payers(db, market, wanted, base)
    rest = iter(found)
    for one, counted in zip(wanted, asked, strict=True):
        listed = ListedCode(one.code_type, one.code)
        of_one_code = [{**fact, "system": meant(fact, one)} for fact in everything.of(market) if meant(fact, one)]
        facts = with_lines(of_one_code, market)
        dollars = [fact for fact in facts if fact["kind"] == "dollars"]
        assert (counted.wanted, counted.dollars, counted.others) == (listed, len(dollars), len(facts) - len(dollars))
        # A rate for places of both sides, or of none, stands in both lines, and is counted once.
        each = [{**fact, "center": place} for fact in dollars for place in fact["where"]]
        lines = slow.grouped(each, "system", "code", "line_class", "billing_code_modifier", "center")
        of_one = [next(rest) for _ in range(sum(1 + len(payers(rows)) for rows in lines.values()))]
        by_line: dict[Any, list[PayerSpread]] = {}
        for row in of_one:
            by_line.setdefault(row.line, []).append(row)
        assert len(by_line) == len(lines)
        for rows in lines.values():
            label = "/".join(sorted({row["code_type"] for row in rows}))
            fact = rows[0]
            line = label, fact["code"], fact["line_class"], fact["billing_code_modifier"], fact["center"]
            assert_line(by_line[line], rows, base)
            if not has_schedules:
                assert_prices(by_line[line], rows, base)
    assert next(rest, None) is None


GROUPS: list[Any] = [
    (set(), {("ein", f"1000000{number:02}") for number in numbers}) for numbers in ((1, 2, 3), (3, 4, 5, 6), (7,), ())
]


def assert_prices(found: list[PayerSpread], rows: list[Row], base: str | None) -> None:
    """Compare what payers are ranked by with a loop over their tax IDs. There is no schedule to compare with."""
    prices: dict[str | None, float] = {}
    for row in found[1:]:
        mine = [one for one in rows if make_payer_slug(one["reporting_entity_name"]) == row.payer_slug]
        every = [one["negotiated_rate"] for one in mine]
        paid, groups = [], {}
        for tin in {tin for one in mine for tin in one["tins"]}:
            rates = [one["negotiated_rate"] for one in mine if tin in one["tins"]]
            groups[tin] = {one["pg_uid"] for one in mine if tin in one["tins"]}
            paid.append(choose_price(rates))
        prices[row.payer_slug] = choose_price(paid) if len(paid) >= 5 else percentile(every, 0.5)
        assert (row.organizations, row.by_organizations) == (len(paid), len(paid) >= 5)
        assert row.one_contract == largest_contract(groups)
        of_prices = [row.price_p10, row.price_p25, row.price_p75, row.price_p90]
        at = choose_percentiles(paid) if len(paid) >= 5 else [None] * 5
        assert of_prices == [at[0], at[1], at[3], at[4]]
        assert row.percentiles == (*at[:2], row.price, *at[3:]) if len(paid) >= 5 else row.percentiles[2] == row.p50
    prices[None] = statistics.median(prices.values())
    for row in found:
        assert row.price == pytest.approx(prices[row.payer_slug])
        assert row.base_price == (pytest.approx(prices[base]) if base in prices else None)
        against = row.price / prices[base] - 1 if prices.get(base) else None
        assert row.difference == (None if against is None else pytest.approx(against, abs=1e-9))
        beside = [price for payer, price in prices.items() if payer not in {None, row.payer_slug}]
        others = statistics.median(beside) if beside and row.payer_slug else None
        assert row.others == (None if others is None else pytest.approx(others))
        assert row.against_others == (pytest.approx(row.price / others - 1, abs=1e-9) if others else None)


def payers(rows: list[Row]) -> dict[str | None, list[float]]:
    found: dict[str | None, list[float]] = {}
    for row in rows:
        found.setdefault(make_payer_slug(row["reporting_entity_name"]), []).append(row["negotiated_rate"])
    return found


def assert_line(found: list[PayerSpread], rows: list[Row], base: str | None) -> None:
    rates: dict[str | None, list[float]] = {None: [row["negotiated_rate"] for row in rows], **payers(rows)}
    assert found[0].payer_slug is None
    assert found[0].reporting_entity_name == ALL
    assert {row.payer_slug for row in found} == set(rates)
    compared = percentile(rates[base], 0.5) if base in rates else None
    for row in found:
        values = rates[row.payer_slug]
        stated = {
            fact["billing_class"]
            for fact in rows
            if row.payer_slug in {None, make_payer_slug(fact["reporting_entity_name"])}
        }
        assert row.labeled == (" and ".join(sorted(stated)) if (row.billing_class or "").startswith("like ") else None)
        assert row.rates == len(values)
        assert [row.p10, row.p25, row.p50, row.p75, row.p90] == pytest.approx(
            [percentile(values, share) for share in (0.1, 0.25, 0.5, 0.75, 0.9)]
        )
        assert row.base_p50 == (None if compared is None else pytest.approx(compared))


LABELS = [
    (payer, stated, places)
    for payer in ("Payer A, Inc.", "Payer B")
    for stated, places in (("institutional", "unstated"), ("institutional", "other"), ("professional", "other"))
]


@given(
    st.lists(facts, max_size=25),
    wanted_codes,
    st.sampled_from(BASES),
    st.sampled_from([{}, {"modifier": "26"}, {"modifier": "none"}, {"billing_class": "like professional"},
                     {"billing_class": "institutional"}]),
    st.one_of(st.just([]), st.lists(st.sampled_from(LABELS), max_size=3, unique=True)),
)  # fmt: skip
def test_payers_side_by_side(
    rates: list[Any],
    wanted: list[WantedCode],
    base: str | None,
    filters: dict[str, str],
    overruled: list[tuple[str, str, str]],
) -> None:
    with TemporaryDirectory() as directory:
        db = store_of(Path(directory), {"2025-08": (GROUPS, rates)})
        db = with_overruled(db, *overruled) if overruled else db
        assert_compared(db, Everything(db), Market("GA", "2025-08", **filters), wanted, base, has_schedules=False)


def test_the_demo_s_payers(demo: Snapshot) -> None:
    everything = Everything(demo)
    codes = read_codes("99213 cpt:70450 450 97110 G0439 XYZ 470")
    for market in (
        Market("GA", "2025-08"),
        Market("GA", "2025-07", pos="11", billing_class="professional"),
        Market("GA", "2025-08", tin=min(tin for fact in everything.facts for _, tin in fact["tins"])),
    ):
        for base in (None, "example_peach_health_plan"):
            assert_compared(demo, everything, market, codes, base)
    # The market's own code and payer have no effect on the comparison.
    filtered = Market("GA", "2025-08", "CPT", "70553", payer="example_peach_health_plan")
    assert compare_payers(demo, filtered, codes, None) == compare_payers(demo, Market("GA", "2025-08"), codes, None)
    assert compare_payers(demo, filtered, [], None) == ([], [])


def test_one_payer(demo: Snapshot) -> None:
    everything = Everything(demo)
    slug = "example_savannah_benefit_administrators"
    groups: dict[Any, set[str]] = {}
    npis: dict[Any, set[str]] = {}
    members = slow.grouped(rows_of(demo, "xref_group_npi"), "pg_uid")
    for group in rows_of(demo, "dim_provider_group"):
        if group["payer_slug"] == slug:
            for network in group["network_names"] or [None]:
                key = (network, group["year_month"])
                groups.setdefault(key, set()).add(group["pg_uid"])
                npis.setdefault(key, set()).update(row["npi"] for row in members.get((group["pg_uid"],), []))
    found = networks.list_networks(demo, slug)
    assert {(row.network, row.year_month): (row.groups, row.npis) for row in found} == {
        key: (len(groups[key]), len(npis[key])) for key in groups
    }
    assert [row.network for row in found] == ["Example Choice", "Example Select"] * 2
    assert [row.network for row in networks.list_networks(demo, "example_peach_health_plan")] == [None, None]
    mine = [f for f in everything.facts if make_payer_slug(f["reporting_entity_name"]) == slug]
    august = slow.grouped([fact for fact in mine if fact["year_month"] == "2025-08"], "code_type", "code")
    busiest = most_rates(demo, Market("GA", "2025-08", payer=slug), 5)
    assert [row.rates for row in busiest] == sorted(map(len, august.values()), reverse=True)[:5]
    assert all(row.rates == len(august[row.code_type, row.code]) for row in busiest)
    files = list_files(demo, slug)
    assert [(row.year_month, row.rates) for row in files] == [
        (month, sum(fact["year_month"] == month for fact in mine)) for month in ("2025-08", "2025-07")
    ]


def test_which_filter_took_everything_away(demo: Snapshot) -> None:
    everything = Everything(demo)
    market = Market("GA", "2025-08", "CPT", "99213", payer="nobody", pos="11", billing_class="professional")
    assert [(row.filter, row.value, row.rates) for row in count_without_each_filter(demo, market)] == [
        (name, getattr(market, name), len(everything.of(Market(**{**vars(market), name: None}))))
        for name in ("payer", "pos", "billing_class")
    ]
    assert count_without_each_filter(demo, market)[0].rates > 0
    assert count_without_each_filter(demo, Market("GA", "2025-08", "CPT", "99213")) == []
    ((pos),) = count_without_each_filter(demo, Market("GA", "2025-08", pos="24"), ["99213", "99214"])
    assert pos.rates == sum(fact["code"] in {"99213", "99214"} for fact in everything.of(Market("GA", "2025-08")))


@pytest.mark.in_turns(3, of="real payers")
def test_real_payers_side_by_side(shared: Path) -> None:
    with TemporaryDirectory() as directory:
        store = Store(Path(directory))
        few = RateFilter(codes=("99213", "0001A", "70553", "99283", "73721"))
        for name, month in (("2025-06-23_Evry-Health", None), ("2023-02-01_HealthSCOPE", "2025-06")):
            source = open_documents(shared / "tic" / "payers" / f"{name}_in-network-rates.json.gz")[0]
            load_file(store, source, "TX", year_month=month, only=few)
        db = open_snapshot(store)
        everything = Everything(db)
        for base in (None, "evry_health"):
            assert_compared(db, everything, Market("TX", "2025-06"), read_codes("99213 0001A 70553 99283 XYZ"), base)


def test_a_payer_whose_label_is_overruled_stands_beside_the_others(tmp_path: Path) -> None:
    mislabeled = {"reporting_entity_name": "Payer B", "billing_class": "institutional", "places": []}
    hospital = {"billing_class": "institutional", "places": []}
    db = store_of_market(tmp_path, {}, {"group": 1}, {**mislabeled, "negotiated_rate": 30.0}, hospital)
    db = with_overruled(db, ("Payer B", "institutional", "unstated"))
    everything, codes = Everything(db), read_codes("99213")
    for filters in ({}, {"billing_class": "like professional"}, {"billing_class": "institutional"}):
        for base in BASES:
            assert_compared(db, everything, Market("GA", "2025-08", **filters), codes, base)
    rows, _ = compare_payers(db, Market("GA", "2025-08"), codes, "payer_a")
    assert [(row.billing_class, row.payer_slug, row.labeled, row.other_label, row.p50) for row in rows] == [
        ("like institutional", None, "institutional", "", 10.0),
        ("like institutional", "payer_a", "institutional", "", 10.0),
        ("like professional", None, "institutional and professional", "", 10.0),
        ("like professional", "payer_a", "professional", "", 10.0),
        ("like professional", "payer_b", "institutional", "institutional", 30.0),
    ]


def test_how_many_rates_of_each_code_figures_leave_out(tmp_path: Path) -> None:
    rates = [{"negotiated_rate": 80.0 + n} for n in range(12)] + [{"negotiated_rate": one} for one in (2.0, 3.0)]
    db = with_fee(store_of_market(tmp_path, *rates, {"code": "99214", "negotiated_rate": 2.0}), 86.34)
    market = replace(MARKET, code_type=None, code=None)
    wanted = [WantedCode(None, code) for code in ("99213", "99214")]
    for counted, expected in ((None, [2, 0]), ("in", [0, 0])):
        _, asked = compare_payers(db, replace(market, implausible=counted), wanted, None)
        assert [one.left_out for one in asked] == expected
    assert count_left_out(db, MARKET) == 2
    with serving(db.root):
        query = {"state": "GA", "year_month": "2025-08", "codes": "99213,99214"}
        shown = text_of(Visitor().get("/payers/", query))
    assert "The figures are without 2 rates, of all payers and classes, as likely errors of the file" in shown
