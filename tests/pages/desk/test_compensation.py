"""The page that looks up a state's workers' compensation schedule."""

import re
import statistics
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from core.fields.providers.payer_slug import make_payer_slug
from core.pages.formats import write_dollars, write_percent
from core.queries.classes.rate_classes import choose_class
from core.queries.comparison.state_schedule import COMPENSATION_REASONS
from core.queries.market.market import Market
from core.queries.yardstick import medicare
from core.queries.yardstick.compensation import (
    choose_compensation_release,
    list_compensation_amounts,
    list_compensation_releases,
)
from core.reference.workers_comp import load_schedule
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.queries.one_market import store_of_market, with_overruled
from tests.queries.slow import Everything, Row, sides_of
from tests.queries.tables import written
from tests.reference.nppes.registers import rates
from tests.reference.workers_comp.schedule_files import table
from tests.site import Visitor, csv_rows, serving, tables, text_of
from tests.stores import open_snapshot

ADDRESS = "/compensation/"


def test_a_code_is_shown_with_all_its_modifiers_and_columns(site: Client) -> None:
    response = site.get(ADDRESS, {"state": "GA", "code": "70450"})
    (found,) = tables(response)
    assert found[0] == ["Code", "Modifier", "Professional", "Hospital outpatient", "Surgical center", "Status", "Name"]
    assert [row[:6] for row in found[1:]] == [
        ["CPT 70450", "none", "$195.00", "–", "–", "Priced"],
        ["CPT 70450", "26", "$72.00", "–", "–", "Priced"],
        ["CPT 70450", "TC", "$123.00", "$160.00", "$85.00", "Priced"],
    ]
    shown = text_of(response)
    assert "Workers’ compensation schedule of Georgia, in effect from January 2025" in shown
    assert "From GA_2025_compensation_demo.csv" in shown
    assert (
        "pays at most $195.00 professional, $72.00 professional (modifier 26), $123.00 professional (modifier TC), "
        "$160.00 hospital outpatient (modifier TC), $85.00 surgical center (modifier TC)."
    ) in shown


def test_the_page_opens_on_common_codes(site: Client, demo: Snapshot) -> None:
    """A scan's row has what is paid outside facilities, against the amount for professionals."""
    response = site.get(ADDRESS, {"state": "GA"})
    assert re.search(
        r"\(August 2025\) pays \d+% of this schedule in the middle of \d+ codes here, from \d+% for \w+ \(",
        text_of(response),
    )
    common = tables(response)[0]
    assert common[0] == ["Code", "Schedule", "Payer", "Paid (August 2025)", "% of schedule"]
    at = next(number for number, row in enumerate(common) if row[0].startswith("70450"))
    outside: dict[str, list[float]] = {}
    for fact in professional_rates(demo, "70450"):
        if any(side.startswith("non") for side in sides_of(fact)):
            outside.setdefault(fact["reporting_entity_name"], []).append(fact["negotiated_rate"])
    medians = {payer: statistics.median(paid) for payer, paid in outside.items()}
    ends = {payer: [write_dollars(one) for one in (min(paid), max(paid))] for payer, paid in outside.items()}
    shown = {row[2]: [" ".join(cell.split()) for cell in row[3:]] for row in common[at : at + len(medians)]}
    assert shown == {
        payer: [
            f"{write_dollars(one)} {len(outside[payer])} rates, {' to '.join(ends[payer])}",
            write_percent(one / 195),
        ]
        for payer, one in medians.items()
    }
    assert common[at][1] == "$195.00"
    page = response.content.decode()
    assert page.index("Common codes") < page.index("<summary>All ") < page.index("in the order of codes"), (
        "all are folded"
    )
    assert "Common codes" not in text_of(site.get(ADDRESS, {"state": "GA", "code": "70450"}))


def test_common_codes_are_where_they_are_usual_and_one_payer_needs_no_column(tmp_path: Path) -> None:
    """A knee is replaced in facilities; a visit is outside of them. Each has the amount of its side."""
    rates = [
        {"code": code, "negotiated_rate": rate, "places": [place]}
        for code, outside, inside in (("99213", 80.0, 50.0), ("27447", 2000.0, 1500.0))
        for rate, place in ((outside, "11"), (inside, "21"))
    ]
    plain = store_of_market(tmp_path, *rates)
    of_state = {"release": "2025-01", "state": "GA", "year_month": "2025-01"}
    priced = {**of_state, "code_type": "CPT", "wcfs_status": "priced"}
    db = written(
        plain.root,
        {
            "bench_wcfs": [
                {**priced, "code": "99213", "wcfs_amount": 100.0, "facility_amount": 60.0},
                {**priced, "code": "27447", "wcfs_amount": 5000.0, "facility_amount": 3000.0},
            ],
            "dim_benchmark": [{**of_state, "kind": "wcfs", "states": ["GA"], "files": ["ga.csv"]}],
            "utilization_area": [
                {"state": "US", "code": "27447", "place": "facility", "services": 99.0},
                {"state": "US", "code": "99213", "place": "office", "services": 99.0},
            ],
        },
    )
    with serving(db.root):
        schedule, start = (Visitor().get(page, {"state": "GA"}) for page in (ADDRESS, "/compensation/below/"))
    for page in (schedule, start):
        common = tables(page)[0]
        assert common[0] == ["Code", "Schedule", "Paid (August 2025)", "% of schedule"]
        assert [[row[0][:5], *row[1:]] for row in common[1:]] == [
            ["99213", "$100.00", "$80.00 1 rate", "80%"],
            ["27447", "$3,000.00", "$1,500.00 1 rate", "50%"],
        ]
        assert common[2][0].endswith("in facilities")
        assert "PAYER_A (August 2025) pays from 50% of this schedule for 27447" in text_of(page)
        assert "need not hold for work injuries" in text_of(page)
    assert 'href="/compensation/below/?state=GA&amp;code=27447"' in start.content.decode()


def test_a_code_without_an_amount_outside_facilities_is_looked_at_in_them(tmp_path: Path) -> None:
    """Payers list every fee for both places. Each is beside the schedule in effect in the month of the rates."""
    rates = [
        {"code": code, "negotiated_rate": rate, "places": [place]}
        for code, outside, inside in (("27447", 1500.0, 1500.0), ("99213", 80.0, 80.0), ("99214", 90.0, 60.0))
        for rate, place in ((outside, "11"), (inside, "21"))
    ]
    plain = store_of_market(tmp_path, *rates)
    releases = {"2025-01": 1.0, "2025-10": 2.0}
    medicare_row = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "status": "A", "release": "2025-01"}
    db = written(
        plain.root,
        {
            "bench_wcfs": [
                {
                    "release": month, "state": "GA", "year_month": month, "code_type": "CPT", "wcfs_status": "priced",
                    "code": code, "wcfs_amount": times * amount,
                }
                for month, times in releases.items()
                for code, amount in (("27447", 3000.0), ("99213", 100.0), ("99214", 100.0))
            ],
            "dim_benchmark": [
                {"release": month, "state": "GA", "year_month": month, "kind": "wcfs", "states": ["GA"], "files": []}
                for month in releases
            ],
            "bench_medicare_prof": [
                {**medicare_row, "code": "27447", "nonfacility_na": True, "facility_rate": 1200.0},
                {**medicare_row, "code": "99213", "nonfacility_na": False, "facility_rate": 60.0},
                {**medicare_row, "code": "99214", "nonfacility_na": False, "facility_rate": 60.0},
            ],
        },
    )  # fmt: skip
    with serving(db.root):
        start = Visitor().get(ADDRESS, {"state": "GA"})
        knee, visit, less, of_release = (
            text_of(Visitor().get(ADDRESS, {"state": "GA", **asked}))
            for asked in ({"code": "27447"}, {"code": "99213"}, {"code": "99214"},
                          {"code": "27447", "year_month": "2025-10"})
        )  # fmt: skip
    assert "pays at most $6,000.00 professional" in knee, "the page shows the newest release"
    assert (
        "PAYER_A pays professionals in facilities $1,500.00 in the middle of 1 rate of August 2025: 50% of $3,000.00"
        in knee
    )
    assert "the amount in effect then, from January 2025" in knee
    # One release is compared with, and it is named the same everywhere.
    named = "in effect from October 2025; payers’ older rates are compared with the one in effect from January 2025"
    assert named in knee
    assert named in text_of(start)
    assert re.search(
        r"pays \d+% of the schedule of January 2025 in the middle of \d codes here, from 50% for 27447 \(\$1,500\.00",
        text_of(start),
    )
    assert "The schedule’s amounts are those in effect then, from January 2025." in text_of(start)
    assert "in effect from October 2025;" not in of_release
    assert "outside facilities" not in knee
    assert "25% of this schedule’s $6,000.00 , which was not yet in effect then" in of_release
    assert "professionals outside facilities $80.00" in visit
    assert "professionals in facilities $80.00" in visit
    # Only where a payer pays less in a facility does the page say why.
    assert ["a professional is paid less" in page for page in (knee, visit, less)] == [False, False, True]


def professional_rates(demo: Snapshot, code: str, month: str = "2025-08") -> list[Row]:
    """Return the rates in dollars of the whole service that professionals are paid in Georgia."""
    of_class = {"code": code, "billing_class": "professional", "billing_code_modifier": "", "kind": "dollars"}
    market = {"state": "GA", "year_month": month, **of_class}
    return [fact for fact in Everything(demo).facts if all(fact[name] == value for name, value in market.items())]


def test_what_payers_pay_stands_beside_the_amount_of_a_code(site: Client, demo: Snapshot) -> None:
    shown = text_of(site.get(ADDRESS, {"state": "GA", "code": "70450"}))
    by_payer: dict[tuple[str, str], list[float]] = {}
    for fact in professional_rates(demo, "70450"):
        for side in sides_of(fact):
            words = "outside facilities" if side.startswith("non") else "in facilities"
            by_payer.setdefault((fact["reporting_entity_name"], words), []).append(fact["negotiated_rate"])
    assert len({payer for payer, _ in by_payer}) == 3
    assert len(by_payer) > 3
    assert "professionals in facilities" not in shown, "nobody bills the whole of a scan there"
    for (payer, where), paid in by_payer.items():
        if where == "in facilities":
            continue
        middle = statistics.median(paid)
        assert (
            f"{payer} pays professionals {where} {write_dollars(middle)} in the middle of {len(paid)} rates of August "
            f"2025: {write_percent(middle / 195)} of this schedule’s $195.00"
        ) in shown
    visit = text_of(site.get(ADDRESS, {"state": "GA", "code": "99213"}))
    assert "pays professionals in facilities" in visit
    assert "A visit to an office is outside of facilities." in visit
    assert "pays professionals" not in text_of(site.get(ADDRESS, {"state": "GA", "code": "70"}))


def test_a_list_of_codes_has_the_amounts_and_what_payers_pay_beside_them(site: Client, demo: Snapshot) -> None:
    query = {"state": "GA", "codes": "99213,70450,99999"}
    amounts = csv_rows(site.get(ADDRESS, {**query, "format": "csv"}))
    assert {row["code"] for row in amounts} == {"99213", "70450"}
    beside = csv_rows(site.get(ADDRESS, {**query, "table": "payers", "format": "csv"}))
    for row in beside:
        assert float(row["percent"]) == pytest.approx(float(row["p50"]) / float(row["amount"]), abs=1e-3)
        if row["basis"] == "professional":
            paid = [
                fact["negotiated_rate"]
                for fact in professional_rates(demo, row["code"], row["year_month"])
                if make_payer_slug(fact["reporting_entity_name"]) == row["payer_slug"]
                and row["care_setting"] in sides_of(fact)
            ]
            assert float(row["p50"]) == pytest.approx(statistics.median(paid), abs=0.006)
            assert int(row["rates"]) == len(paid)
    assert {row["code"] for row in beside if row["basis"] == "professional"} == {"99213", "70450"}
    shown = site.get(ADDRESS, query)
    assert "Not in the schedule: 99999" in text_of(shown)
    assert len(tables(shown)[0]) == len(beside) + 1
    for slug in {row["payer_slug"] for row in beside}:
        of_payer = sorted(
            (row for row in beside if row["payer_slug"] == slug),
            key=lambda row: float(row["p50"]) / float(row["amount"]),
        )
        low, high = of_payer[0], of_payer[-1]
        paid = [f"({write_dollars(float(one['p50']))} of {write_dollars(float(one['amount']))})" for one in (low, high)]
        percent = write_percent(float(low["p50"]) / float(low["amount"]))
        payer = f"{low['reporting_entity_name']} (August 2025)"
        assert f"{payer} pays from {percent} of this schedule for {low['code']} {paid[0]} to " in text_of(shown)
        assert f"for {high['code']} {paid[1]}" in text_of(shown)
    listed = site.get("/api/v1/compensation/medians", query).json()
    assert [(row["code"], row["rates"]) for row in listed["rows"]] == [(r["code"], int(r["rates"])) for r in beside]
    assert site.get("/api/v1/compensation", query).json()["total"] == len(amounts)
    assert site.get("/api/v1/compensation/medians", {"state": "GA"}).status_code == 400
    assert csv_rows(site.get(ADDRESS, {"state": "GA", "basket": "imaging", "format": "csv"}))


def test_an_amount_without_rates_to_compare_says_so(tmp_path: Path) -> None:
    plain = store_of_market(tmp_path, {"code": "70450", "negotiated_rate": 80.0})
    amounts = {"wcfs_status": "priced", "wcfs_amount": 100.0, "outpatient_amount": 500.0, "asc_amount": 400.0}
    of_code = {"state": "GA", "code_type": "CPT", "code": "70450", "year_month": "2025-01", "release": "2025-01"}
    release = {"kind": "wcfs", "release": "2025-01", "state": "GA", "year_month": "2025-01", "files": ["ga.csv"]}
    db = written(plain.root, {"bench_wcfs": [{**of_code, **amounts}], "dim_benchmark": [release]})
    with serving(db.root):
        shown = text_of(Visitor().get(ADDRESS, {"state": "GA", "code": "70450"}))
    assert "80% of this schedule’s $100.00" in shown
    assert (
        "No facility rates are loaded: the schedule’s amount for hospital outpatient departments and for surgical "
        "centers has nothing beside it."
    ) in shown


def test_a_label_that_is_overruled_makes_no_hospital_of_a_professional(tmp_path: Path) -> None:
    mislabeled = {"code": "70450", "negotiated_rate": 80.0, "billing_class": "institutional", "places": []}
    plain = with_overruled(store_of_market(tmp_path, mislabeled), ("Payer A", "institutional", "unstated"))
    amounts = {"wcfs_status": "priced", "wcfs_amount": 100.0, "outpatient_amount": 500.0}
    of_code = {"state": "GA", "code_type": "CPT", "code": "70450", "year_month": "2025-01", "release": "2025-01"}
    release = {"kind": "wcfs", "release": "2025-01", "state": "GA", "year_month": "2025-01", "files": ["ga.csv"]}
    db = written(plain.root, {"bench_wcfs": [{**of_code, **amounts}], "dim_benchmark": [release]})
    with serving(db.root):
        shown = text_of(Visitor().get(ADDRESS, {"state": "GA", "code": "70450"}))
    assert "pays professionals $80.00 in the middle of 1 rate" in shown
    assert "pays hospitals’ outpatient departments" not in shown


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"code": "7045"}, {"70450"}),
        ({"code": "70"}, {"70450", "70553"}),
        ({"code_type": "HCPCS", "code": "99213"}, {"99213"}),
        ({"code_type": "CPT", "code": "7045"}, set()),
        ({"code_type": "MS-DRG", "code": "99213"}, set()),
        ({"state": "GA", "year_month": "2025-08", "code": "22558"}, {"22558"}),
    ],
)
def test_a_code_is_found_by_its_beginning_or_exactly_in_its_system(
    site: Client, query: dict[str, str], codes: set[str]
) -> None:
    rows = csv_rows(site.get(ADDRESS, {**query, "format": "csv"}))
    assert {row["code"] for row in rows} == codes
    shown = text_of(site.get(ADDRESS, query))
    assert ("does not list" in shown) == (not codes)


def test_what_is_not_there_is_told(site: Client) -> None:
    assert "The schedule of Texas is not available. Available: Georgia" in text_of(site.get(ADDRESS, {"state": "TX"}))
    shown = text_of(site.get(ADDRESS, {"state": "GA", "year_month": "2024-12"}))
    assert "No schedule of Georgia was in effect in December 2024. Available: January 2025" in shown
    assert "does not list a code that begins with 12345" in text_of(site.get(ADDRESS, {"code": "12345"}))
    assert "'ZZ' is not a state" in text_of(site.get(ADDRESS, {"state": "zz"}))


def test_by_report_is_explained(site: Client) -> None:
    shown = text_of(site.get(ADDRESS, {"code": "90837"}))
    assert "By report The schedule pays by report, case by case." in shown


@pytest.mark.parametrize("kind", ["csv", "json", "parquet", "xlsx"])
def test_the_whole_schedule_can_be_downloaded(site: Client, demo: Snapshot, kind: str) -> None:
    response = site.get(ADDRESS, {"state": "GA", "format": kind})
    assert response.status_code == 200
    assert f"compensation_GA.{kind}" in response["Content-Disposition"]
    if kind == "csv":
        release = choose_compensation_release(list_compensation_releases(demo), "GA", "")
        assert release is not None
        total, rows = list_compensation_amounts(demo, release, "", "", 1000, 0)
        assert len(csv_rows(response)) == total == len(rows) == 24


def test_a_code_s_pages_lead_to_it(site: Client) -> None:
    query = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "70450"}
    link = "/compensation/?state=GA&amp;year_month=2025-08&amp;code_type=CPT&amp;code=70450"
    for address in ("/rates/", "/medicare/"):
        main = site.get(address, query).content.decode().split("<main", 1)[1]
        assert link in main


def test_the_release_in_effect_in_a_month_is_shown(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates("1679576722"))
    for month, fee in (("2024-01", 100), ("2024-07", 110)):
        path = table(tmp_path / "f.csv", "CODE,MOD,FEE", f"99213,,{fee}", f"99213,26,{fee / 2}")
        load_schedule.load(store, [path], state="GA", year_month=month)

    def fees(**query: Any) -> list[str]:
        return [row[2] for row in tables(site.get(ADDRESS, {"code": "99213", **query}))[0][1:]]

    with serving(store.root):
        site = Visitor()
        assert fees() == fees(year_month="2025-03") == fees(year_month="2024-07") == ["$110.00", "$55.00"]
        assert fees(year_month="2024-06") == ["$100.00", "$50.00"]
        assert "Other releases: January 2024" in text_of(site.get(ADDRESS))
    db = open_snapshot(store)
    assert [one.release for one in list_compensation_releases(db)] == ["2024-07", "2024-01"]
    assert choose_compensation_release(list_compensation_releases(db), "GA", "2023-12") is None


def test_without_any_schedule_the_page_says_so(store: Store, load: Load) -> None:
    load(rates("1679576722"))
    with serving(store.root):
        shown = text_of(Visitor().get(ADDRESS))
    assert "No state’s workers’ compensation schedule is available yet." in shown


def test_rates_are_compared_with_the_schedule_beside_medicare(site: Client, demo: Snapshot) -> None:
    market = Market("GA", "2025-08", "CPT", "70450")
    query = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "70450", "classes": "all"}
    outcomes = medicare.count_outcomes(demo, market, medicare.COMPENSATION)
    assert outcomes.compared == outcomes.total > 0
    response = site.get("/medicare/", query)
    shown = text_of(response)
    assert (
        f"{outcomes.compared} of {outcomes.total} rates can be compared with the workers’ compensation schedule of "
        "Georgia of January 2025"
    ) in shown
    first = medicare.list_comparisons(demo, market, "-wcfs_percent", 1, 0)[0]
    response = site.get("/medicare/", {**query, "sort": "-wcfs_percent"})
    heads, row = tables(response)[-2][:2]
    cell = row[next(number for number, head in enumerate(heads) if head.startswith("% of workers’ comp"))]
    assert first.wcfs_percent is not None
    assert first.wcfs is not None
    assert cell == f"{first.wcfs_percent:.0%} of {write_dollars(first.wcfs)}"
    assert "The schedule’s amounts for this code: $195.00 professional, $72.00 professional (modifier 26)" in shown
    assert f"Workers’ comp: {first.wcfs_basis}, release of January 2025" in text_of(response)
    spreads = csv_rows(site.get("/medicare/", {**query, "table": "compensation_payers", "format": "csv"}))
    assert sum(int(row["rates"]) for row in spreads) == outcomes.compared


def test_a_rate_without_a_percent_of_the_schedule_has_a_reason(site: Client, demo: Snapshot) -> None:
    query = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "90837"}
    outcomes = medicare.count_outcomes(demo, choose_class(demo, Market(**query)).market, medicare.COMPENSATION)
    assert "by report" in outcomes.reasons
    shown = text_of(site.get("/medicare/", query))
    for reason in outcomes.reasons:
        assert COMPENSATION_REASONS[reason] in shown
    found = csv_rows(site.get("/medicare/", {**query, "table": "compensation_reasons", "format": "csv"}))
    assert {row["reason"]: int(row["rates"]) for row in found} == outcomes.reasons


def test_a_code_without_rates_shows_what_the_schedule_pays(site: Client) -> None:
    page = site.get("/medicare/", {"state": "GA", "year_month": "2025-08", "code": "22558"})
    shown = text_of(page)
    assert "No rates for 22558 in Georgia, August 2025, so there is nothing to compare." in shown
    assert "schedule of January 2025 pays for this code: $3,260.00 to professionals" in shown
    assert "0 of 0" not in shown
    assert "<h2>All rates" not in page.content.decode()


def test_the_rates_of_a_code_show_their_percent_of_the_schedule(site: Client, demo: Snapshot) -> None:
    query = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "90837"}
    rows = medicare.list_comparisons(demo, Market(**query), "rate", 50, 0)
    found = tables(site.get("/rates/", query))[-1]
    column = found[0].index("% of workers’ comp")
    shown = [row[column] for row in found[1:]]
    assert sorted(shown) == sorted(
        row.wcfs_reason or f"{row.wcfs_percent:.0%} of {write_dollars(row.wcfs)}"
        for row in rows
        if row.wcfs_percent or row.wcfs_reason
    )
    assert "by report" in shown
    elsewhere = tables(site.get("/rates/", {**query, "code": "99213"}))[-1]
    assert any("% of $" in row[column] for row in elsewhere[1:])
