"""Payers compared, and one payer."""

import io
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from python_calamine import CalamineWorkbook

from core.fields.codes.code_list import MAX_CODES, read_codes
from core.pages.formats import write_difference, write_dollars, write_percent
from core.pages.parties import payers
from core.pages.shared.words.answer_words import begin_in_lower_case
from core.pages.shared.words.basket_words import explain_no_index, explain_no_percent
from core.queries.baskets.payer_levels import list_payer_levels
from core.queries.code_titles import code_titles
from core.queries.find.codes import list_market_codes
from core.queries.latest import with_latest
from core.queries.loaded_files import list_files
from core.queries.market.market import Market
from core.queries.payers import networks
from core.queries.side_by_side.payer_comparison import compare_payers
from core.store.connection import Snapshot
from tests.pages.markets import MONTH, PEACH, QUERY
from tests.queries.one_market import store_of_market
from tests.queries.tables import written
from tests.site import Visitor, csv_rows, serving, tables, text_of


def test_pasted_codes_are_redirected_to_one_address(site: Client) -> None:
    pasted = site.get("/payers/", {**MONTH, "codes": " 99213\r\ncpt 99214;\t'450'  99213", "base": PEACH}, follow=False)
    assert pasted.status_code == 302
    assert pasted["Location"] == f"/payers/?state=GA&year_month=2025-08&codes=99213,CPT:99214,450&base={PEACH}"
    assert site.get(pasted["Location"]).status_code == 200


def test_payers_are_compared_for_one_code(site: Client, demo: Snapshot) -> None:
    response = site.get("/payers/", {**QUERY, "code": "70450", "classes": "all"})
    found, _ = compare_payers(demo, Market(**MONTH), read_codes("CPT:70450"), None)
    by_line: dict[Any, list[Any]] = {}
    for row in found:
        by_line.setdefault((row.billing_class, row.modifier, row.care_setting), []).append(row)
    shown = tables(response)
    assert len(shown) == len(by_line) == 5
    biggest = sorted(by_line.values(), key=lambda rows: -rows[0].rates)
    for table, rows in zip(shown, biggest, strict=True):
        assert [row[1].split()[0] for row in table[1:]] == [write_dollars(row.price) for row in rows]
        assert table[0][2] == "% of Medicare"
        assert [row[2] for row in table[1:]] == [write_percent(row.percent) for row in rows]
        assert [row[3] for row in table[1:]] == ["–", *(write_difference(row.against_others) for row in rows[1:])]
        # The percentiles are those that the chart draws: of the organizations' prices, where it is by these.
        assert table[0][4:8] == ["P10", "P25", "P75", "P90"]
        assert table[1][4:8] == ["–"] * 4, "the market is one figure"
        for cells, row in zip(table[2:], rows[1:], strict=True):
            prices = (row.price_p10, row.price_p25, row.price_p75, row.price_p90)
            of_rates = (row.p10, row.p25, row.p75, row.p90)
            assert cells[4:8] == [write_dollars(one) for one in (prices if row.by_organizations else of_rates)]
        assert [row[9] for row in table[1:]] == [f"{row.rates:,}" for row in rows]
        assert [row[10] for row in table[1:]] == [write_dollars(row.p50) for row in rows]
    assert response.content.decode().count("<svg") == 5
    for row in biggest[0][1:]:
        low, high = row.percentiles[0], row.percentiles[4]
        words = f"10th to 90th percentile {write_dollars(low)} to {write_dollars(high)}."
        assert f"{row.reporting_entity_name}: median {write_dollars(row.price)}" in response.content.decode()
        assert words in response.content.decode()
    text = text_of(response)
    assert "170 rates in dollars" in text
    assert "Professional fee, modifier 26" in text
    one_class = site.get("/payers/", {**QUERY, "code": "70450"})
    (whole,) = tables(one_class)
    least, *_, most = sorted(biggest[0][1:], key=lambda row: row.price)
    assert f"{most.reporting_entity_name} pays the most, {write_dollars(most.price)}" in text_of(one_class)
    assert f"{least.reporting_entity_name} the least, {write_dollars(least.price)}" in text_of(one_class)
    assert "pays the most" not in text, "classes are not compared with each other"
    assert whole == shown[0], "one class, the whole service"
    assert tables(site.get("/payers/", {**MONTH, "codes": "70450"})) == [whole], "however the code is given"
    based = site.get("/payers/", {**QUERY, "code": "70450", "base": PEACH})
    assert "Compared with Example Peach Health Plan ✕" in text_of(based)
    assert tables(based)[0][2][3] == "same"
    alone = site.get("/payers/", {**QUERY, "payer": PEACH})
    assert "only Example Peach Health Plan has such rates" in text_of(alone)
    assert [row[0] for row in tables(alone)[0][1:]] == ["All payers together", "Example Peach Health Plan"]


def test_percents_follow_the_schedule_that_is_asked_for_and_links_keep_it(site: Client) -> None:
    asked = {**QUERY, "code": "70450", "care_setting": "office"}
    shown = {}
    for basis in ("", "mpfs", "opps"):
        response = site.get("/payers/", {**asked, "basis": basis} if basis else asked)
        amounts = {
            float(row["medicare"])
            for row in csv_rows(site.get("/rates/", {**asked, "basis": basis, "area": "state", "format": "csv"}))
            if row["medicare"]
        }
        plain = csv_rows(site.get("/payers/", {**asked, "basis": basis, "area": "state", "format": "csv"}))
        (amount,) = amounts
        for row in plain[1:]:
            assert float(row["percent"]) == pytest.approx(float(row["price"]) / amount, abs=2e-4)
        shown[basis] = [row[2] for row in tables(response)[0][1:]]
        links = re.findall(r'href="(/(?:rates|payers|medicare)/\?[^"]*code=70450[^"]*)"', response.content.decode())
        kept = [link for link in links if f"basis={basis}" in link or "yardstick" in link]
        assert len(links) > 8
        assert not basis or len(kept) >= len(links) - 1, "all but that which removes the schedule"
    assert shown[""] == shown["mpfs"] != shown["opps"]


def test_the_page_of_a_payer_has_no_schedule_to_choose(site: Client) -> None:
    response = site.get("/payers/", {"payer": PEACH, "basis": "opps"}, follow=False)
    assert (response.status_code, response["Location"]) == (302, f"/payers/?state=GA&payer={PEACH}")


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (
            {"Payer A": 5, "Payer B": 6, "Payer C": 4},
            "PAYER_B pays the most, $22.50 in the middle of its 6 rates (by rates:",
        ),
        (
            {"Payer A": 5, "Payer D": 5},
            "no difference worth naming: PAYER_D pays $12.40 in the middle of its 5 rates (by rates:",
        ),
        (
            {"Payer A": 5, "Payer C": 4},
            "only PAYER_A has 5 such rates or organizations: $12.00 in the middle of its 5 rates",
        ),
        ({"Payer B": 4, "Payer C": 1}, "no payer has 5 such rates or organizations, too few to say who pays the most."),
    ],
)
def test_a_payer_with_few_rates_is_not_said_to_pay_the_most(tmp_path: Path, numbers: dict[str, int], said: str) -> None:
    base = {"Payer A": 10.0, "Payer B": 20.0, "Payer C": 900.0, "Payer D": 10.4}
    changes = [
        {"reporting_entity_name": payer, "negotiated_rate": base[payer] + at}
        for payer, number in numbers.items()
        for at in range(number)
    ]
    with serving(store_of_market(tmp_path, *changes).root):
        shown = text_of(Visitor().get("/payers/", {"state": "GA", "code": "99213"}))
    assert said in shown
    ranked = "Payer C" in numbers and any(number >= 5 for number in numbers.values())
    assert ("With fewer than 5 rates and not ranked: PAYER_C" in shown) == ranked


def test_many_codes_are_shown_as_a_matrix(site: Client, demo: Snapshot) -> None:
    response = site.get("/payers/", {**MONTH, "codes": "99213,450,XYZ,97110,0120"})
    (matrix,) = tables(response)
    found, _ = compare_payers(demo, Market(**MONTH), read_codes("99213,450,XYZ,97110,0120"), None)
    assert len(matrix) - 1 == sum(row.payer_slug is None for row in found) == 7
    first = [row for row in found if row.line == found[0].line]
    assert (
        matrix[1][2]
        == f"{write_dollars(first[0].price)} middle of {first[0].rates} rates {write_dollars(first[0].p50)}"
    )
    for cell, row in zip(matrix[1][3:], first[1:], strict=True):
        assert row.against_others is not None
        words = "above" if row.against_others > 0 else "below" if row.against_others < 0 else "same"
        organizations = f"{row.organizations} organizations" if row.by_organizations else "by rates: "
        assert cell.startswith(f"{write_dollars(row.price)} {organizations}")
        assert f" middle of {row.rates} rates {write_dollars(row.p50)} " in cell
        assert cell.endswith(words)
    text = text_of(response)
    assert "No rates for XYZ in Georgia, August 2025" in text
    assert "No rates in dollars, only other kinds: 0120 (10 rates)" in text
    assert "not in dollars per service" in text
    based = text_of(site.get("/payers/", {**MONTH, "codes": "99213,450", "base": PEACH}))
    assert "Example Peach Health Plan (compared with)" in based


def test_the_page_of_a_payer(site: Client, demo: Snapshot) -> None:
    slug = "example_savannah_benefit_administrators"
    response = site.get("/payers/", {"payer": slug})
    *_, months, codes, named, files = tables(response)
    assert [row[0] for row in months[1:]] == ["August 2025", "July 2025"]
    assert [row[3] for row in codes[1:]] == [
        f"{row.rates:,}" for row in list_market_codes(demo, Market(**MONTH, payer=slug), 50)
    ]
    # All codes can be reached.
    every = list_market_codes(demo, Market(**MONTH, payer=slug), 10**6)
    assert f"1–{min(50, len(every))} of {len(every)}" in text_of(response)
    assert [row[0] for row in named[1:]] == [row.network for row in networks.list_networks(demo, slug)]
    assert [row[0] for row in files[1:]] == [row.source for row in list_files(demo, slug)]
    missing = site.get("/payers/", {"payer": "nobody"})
    assert missing.status_code == 404
    assert "No rates of the payer 'nobody' are loaded" in text_of(missing)


def test_a_long_list_fits_an_address(site: Client) -> None:
    codes = [f"MS-DRG:{number:03}" for number in range(MAX_CODES)]
    response = site.get("/payers/", {**MONTH, "codes": "\r\n".join(codes)}, follow=False)
    assert response.status_code == 302
    assert len(response["Location"]) < 4_000, "gunicorn takes 4,094 characters"


def test_a_payer_is_listed_once_and_code_systems_are_a_choice(site: Client) -> None:
    page = site.get("/payers/").content.decode()
    assert page.count(f'<th scope="row"><a href="/payers/?payer={PEACH}">') == 1
    rates = site.get("/rates/", QUERY).content.decode()
    chosen = re.split('<select [^>]*name="code_type"', rates)[1].split("</select>")[0]
    assert '<option value="CPT" selected>' in chosen
    assert '<option value="HCPCS">' in chosen


def test_a_payer_s_page_begins_with_what_it_pays(site: Client, demo: Snapshot) -> None:
    levels = list_payer_levels(demo, with_latest(demo, Market("GA", "")), PEACH)
    assert levels
    response = site.get("/payers/", {"payer": PEACH, "state": "GA"})
    specialties, *_ = tables(response)
    assert specialties[0] == ["Usual services", "% of Medicare", "Against the market", "Codes"]
    assert specialties[1:] == [
        [
            one.title,
            f"{write_percent(one.percent)} {explain_no_percent(one)}".strip(),
            f"{write_percent(one.index)} {explain_no_index(one)}".strip(),
            f"{one.codes} of {one.codes_of_basket}",
        ]
        for one in levels.specialties
    ]
    enough = [one for one in levels.codes if one.by_organizations or one.rates >= 5]
    for heading, one, sign in (("least", enough[0], -1), ("most", enough[-1], 1)):
        said = text_of(response).partition(f"Pays the {heading} for")[2]
        assert (f"{one.code} {one.name}" in said) == (sign * (one.against_others or 0) > 0)
    assert text_of(response).index("What it pays, by specialty") < text_of(response).index(
        "Rates from lowest to highest"
    )
    link = re.search(r'href="(/baskets/[^"]*basket=[^"]*)">', response.content.decode())
    assert link
    basket = text_of(site.get(unescape(link[1])))
    assert write_percent(levels.specialties[0].percent) in basket


def test_the_page_of_a_payer_says_its_percents_before_its_counts(
    site: Client, demo: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = list_payer_levels(demo, with_latest(demo, Market("GA", "")), PEACH)
    assert levels
    # The made-up payer prices too few codes of each specialty for a percent.
    percents = [None, 1.25, 1.5, 1.75, 2.0]
    known = [replace(one, percent=percent) for one, percent in zip(levels.specialties, percents, strict=False)]
    monkeypatch.setattr(payers, "find_levels", lambda _db, _market: replace(levels, specialties=known))
    # Answers are kept by their address: this is one that no other test asks for.
    shown = " ".join(text_of(site.get("/payers/", {"payer": PEACH, "state": "GA", "page": "2"})).split())
    said = shown.partition("In Georgia, Example Peach Health Plan pays ")[2]
    said = said.partition(" (the usual services of each, as in the table below")[0].replace(" ,", ",")
    one, two, three = (begin_in_lower_case(one.title) for one in known[1:4])
    assert said == f"125% of Medicare for {one}, 150% of Medicare for {two} and 175% of Medicare for {three}"
    assert shown.index("few organizations)") < shown.index(" rates for "), "counts come after"


def test_a_workbook_of_payers_has_the_percents_and_titles_of_the_page(site: Client, demo: Snapshot) -> None:
    asked = {**MONTH, "code": "99213"}
    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(site.get("/payers/", {**asked, "format": "xlsx"}))))
    heads, *rows = book.get_sheet_by_name("Table").to_python()
    assert {row[heads.index("Title")] for row in rows} == {code_titles(demo)["CPT", "99213"]}
    plain = csv_rows(site.get("/payers/", {**asked, "format": "csv"}))
    page = tables(site.get("/payers/", asked))
    percents = [write_percent(float(str(row[heads.index("Percent of Medicare")]))) for row in rows]
    assert sorted(percents) == sorted(row[2] for table in page for row in table[1:])
    assert [write_percent(float(row["percent"])) for row in plain] == percents
    assert [row[heads.index("Median")] for row in rows] == [float(row["p50"]) for row in plain]


def test_what_may_be_an_office_s_fee_is_not_the_most_in_facilities(tmp_path: Path) -> None:
    in_office = {"reporting_entity_name": "Payer B", "places": ["11"], "code": "31295", "negotiated_rate": 1000.0}
    unplaced = {"reporting_entity_name": "Payer A", "places": [], "code": "31295"}
    rates = [{**unplaced, "negotiated_rate": 900.0 + n} for n in range(6)]
    rates += [{**in_office, "places": ["21"], "negotiated_rate": 200.0 + n} for n in range(6)]
    db = store_of_market(tmp_path, *rates, in_office)
    fee = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "31295", "medicare_prof_rate": 800.0}
    fee |= {"facility_na": False, "nonfacility_na": False}
    asked = {"state": "GA", "code": "31295", "care_setting": "facility or unstated", "billing_class": "professional"}
    for facility, words in ((150.0, "only PAYER_B has such rates: $202.50"), (800.0, "pays the most,")):
        with serving(written(db.root, {"bench_medicare_prof": [{**fee, "facility_rate": facility}]}).root):
            response = Visitor().get("/payers/", asked)
            others = [text_of(Visitor().get(f"/{page}/", asked)) for page in ("rates", "report")]
        assert words in text_of(response)
        for text in (text_of(response), *others):
            aside = "Not compared here: PAYER_A , which states no place for 6 rates ($902.50 in the middle)"
            assert (aside in text) == (facility < 800)
        for text in others:
            assert f"in the middle; half of the {6 if facility < 800 else 12} rates" in text
