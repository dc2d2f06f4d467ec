"""The pages of payers side by side, of changes from month to month, and of organizations."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from core.demo.payer_files import STATE, write_files
from core.fields.code_list import MAX_CODES, read_codes
from core.load.load_file import load_file
from core.queries import changes, coverage, networks, organizations
from core.queries.codes import list_busiest_codes as most_rates
from core.queries.payers import compare_payers
from core.queries.rules.market import FILTERS, Market
from core.rows import RowEncoder, row_values
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.site import csv_rows, json_rows, serving, tables, text_of

MONTH: dict[str, Any] = {"state": "GA", "year_month": "2025-08"}
CODE: dict[str, Any] = {**MONTH, "code_type": "CPT", "code": "99213"}
PEACH, PIEDMONT = "example_peach_health_plan", "example_piedmont_mutual_inc"


def test_pasted_codes_become_one_address(site: Client) -> None:
    pasted = site.get("/payers/", {**MONTH, "codes": " 99213\r\ncpt 99214;\t'450'  99213", "base": PEACH}, follow=False)
    assert pasted.status_code == 302
    assert pasted["Location"] == f"/payers/?state=GA&year_month=2025-08&codes=99213,CPT:99214,450&base={PEACH}"
    assert site.get(pasted["Location"]).status_code == 200


def test_payers_side_by_side_for_one_code(site: Client, demo: Snapshot) -> None:
    response = site.get("/payers/", {**CODE, "code": "70450"})
    found, _ = compare_payers(demo, Market(**MONTH), read_codes("CPT:70450"), None)
    by_line: dict[Any, list[Any]] = {}
    for row in found:
        by_line.setdefault((row.billing_class, row.modifier), []).append(row)
    shown = tables(response)
    assert len(shown) == len(by_line) == 4
    biggest = sorted(by_line.values(), key=lambda rows: -rows[0].rates)
    for table, rows in zip(shown, biggest, strict=True):
        assert [row[1] for row in table[1:]] == [f"{row.rates:,}" for row in rows]
        assert [row[4] for row in table[1:]] == [f"${row.p50:,.2f}" for row in rows]
    assert [row[7] for row in shown[0][1:]] == ["same", "4.9% above", "14% above", "14% below"]
    assert response.content.decode().count("<svg") == 4
    text = text_of(response)
    assert "170 rates in dollars" in text
    assert "Professional, modifier 26" in text
    based = site.get("/payers/", {**CODE, "code": "70450", "base": PEACH})
    assert "Compared with Example Peach Health Plan ✕" in text_of(based)
    assert tables(based)[0][2][7] == "same"
    alone = site.get("/payers/", {**CODE, "payer": PEACH})
    assert [row[0] for row in tables(alone)[0][1:]] == ["All payers together", "Example Peach Health Plan compare with"]


def test_many_codes_are_a_matrix(site: Client, demo: Snapshot) -> None:
    response = site.get("/payers/", {**MONTH, "codes": "99213,450,XYZ,97110,0120"})
    (matrix,) = tables(response)
    found, _ = compare_payers(demo, Market(**MONTH), read_codes("99213,450,XYZ,97110,0120"), None)
    assert len(matrix) - 1 == sum(row.payer_slug is None for row in found) == 5
    first = [row for row in found if row.line == found[0].line]
    assert matrix[1][2] == f"${first[0].p50:,.2f} {first[0].rates} rates"
    for cell, row in zip(matrix[1][3:], first[1:], strict=True):
        assert row.difference is not None
        words = "above" if row.difference > 0 else "below"
        assert cell.startswith(f"${row.p50:,.2f} {row.rates} rates ")
        assert cell.endswith(words)
    text = text_of(response)
    assert "No rate of XYZ in Georgia, August 2025" in text
    assert "No rate in dollars, only other kinds: 0120 (10 rates)" in text
    assert "are no dollars for one service" in text
    based = text_of(site.get("/payers/", {**MONTH, "codes": "99213,450", "base": PEACH}))
    assert "Example Peach Health Plan (compared with)" in based


def test_a_filter_that_leaves_nothing_can_be_taken_away(site: Client) -> None:
    for address, query in (
        ("/payers/", {**MONTH, "codes": "99213,99214", "pos": "24"}),
        ("/changes/", {**CODE, "pos": "24"}),
        ("/organizations/", {**CODE, "pos": "24"}),
    ):
        response = site.get(address, query)
        assert "Without place 24 Ambulatory surgical center : " in text_of(response)
        link = response.content.decode().split('">Without place 24')[0].rsplit('href="', 1)[1].replace("&amp;", "&")
        assert "Without place" not in text_of(site.get(link))


@pytest.mark.parametrize("address", ["/rates/", "/medicare/", "/organizations/", "/payers/", "/changes/"])
def test_the_form_sends_again_every_filter_that_is_set(site: Client, address: str) -> None:
    filters = {"payer": PEACH, "pos": "11", "billing_class": "professional", "modifier": "26", "setting": "both",
               "negotiated_type": "case rate", "arrangement": "ffs", "network": "Peach PPO", "npi": "1234567893",
               "tin": "123456789"}  # fmt: skip
    page = site.get(address, {**CODE, **filters}).content.decode()
    form = page.split('<form class="market"', 1)[1].split("</form>", 1)[0]
    boxes = dict(re.findall(r'<input type="text" name="(\w+)" value="([^"]*)"', form))
    for select in form.split("<select ")[1:]:
        boxes |= dict(
            re.findall(r'^name="(\w+)".*?<option value="([^"]*)" selected', select.split("</select>")[0], re.DOTALL)
        )
    assert set(FILTERS) == set(filters)
    assert {name: boxes.get(name) for name in filters} == filters


def test_one_payer(site: Client, demo: Snapshot) -> None:
    slug = "example_savannah_benefit_administrators"
    response = site.get("/payers/", {"payer": slug})
    months, codes, named, files = tables(response)
    assert [row[0] for row in months[1:]] == ["August 2025", "July 2025"]
    assert [row[2] for row in codes[1:]] == [
        f"{row.rates:,}" for row in most_rates(demo, Market(**MONTH, payer=slug), 25)
    ]
    assert [row[0] for row in named[1:]] == [row.network for row in networks.list_networks(demo, slug)]
    assert [row[0] for row in files[1:]] == [row.source for row in coverage.list_files(demo, slug)]
    missing = site.get("/payers/", {"payer": "nobody"})
    assert missing.status_code == 404
    assert "No rates of the payer 'nobody' are loaded" in text_of(missing)


def test_changes_of_a_payer_and_a_code(site: Client, demo: Snapshot) -> None:
    response = site.get("/changes/", {**CODE, "payer": PIEDMONT})
    by_payer, every = tables(response)
    market = Market("GA", "2025-08", "CPT", "99213", payer=PIEDMONT)
    (moved,), _ = changes.count_movements(demo, market, "2025-07")
    figures = (moved.before, moved.after, moved.up, moved.down, moved.added, moved.gone, moved.same)
    assert by_payer[2][1:8] == [str(figure) for figure in figures]
    total, rows = changes.list_changed_rates(demo, market, "2025-07", None, "moved", 50, 0)
    assert len(every) - 1 == len(rows)
    assert [row[0] for row in every[1:]] == [row.what for row in rows]
    assert [row[2] for row in every[1:]] == [f"${row.new:,.2f}" for row in rows]
    assert every[1][4] == "−3.0%"
    assert f"1 to {total} of {total}" in text_of(response)
    only_up = site.get("/changes/", {**CODE, "payer": PIEDMONT, "what": "up"})
    assert {row[0] for row in tables(only_up)[1][1:]} == {"up"}
    assert "only up ✕" in text_of(only_up)


def test_changes_of_a_payer_by_code(site: Client, demo: Snapshot) -> None:
    _, by_code = changes.count_movements(demo, Market(**MONTH, payer=PIEDMONT), "2025-07")
    for sort, key in (("", lambda row: -row.moved), ("added", lambda row: -row.added)):
        response = site.get("/changes/", {"payer": PIEDMONT, **({"sort": sort} if sort else {})})
        shown = tables(response)[1]
        assert [row[2] for row in shown[2:]] == [str(row.after) for row in sorted(by_code, key=key)][:50]
    assert "Changes from July 2025 to August 2025 in Georgia" in text_of(response)


def test_changes_say_what_to_choose(site: Client) -> None:
    response = site.get("/changes/")
    assert "Choose a payer, or a code" in text_of(response)
    assert [row[1:] for row in tables(response)[0][1:]] == [
        ["528", "1", "528", "1"], ["1,008", "1", "1,008", "1"], ["1,040", "1", "1,040", "1"],
    ]  # fmt: skip
    earliest = site.get("/changes/", {"year_month": "2025-07"})
    assert "No month before July 2025 is loaded for Georgia" in text_of(earliest)


def test_a_payer_of_one_month_has_nothing_to_compare_with(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    for path in write_files(tmp_path, ("2025-08",))[:1]:
        load_file(store, open_documents(path)[0], STATE)
    with serving(store.root):
        response = Client().get("/changes/", {"payer": PEACH, "code": "99213"}, follow=True)
        assert response.status_code == 200
        assert "No month before August 2025 is loaded for Georgia" in text_of(response)


def test_months_with_more_files_are_told(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    before, after = (path for path in write_files(tmp_path) if "piedmont" in path.name)
    again = after.with_name("again.json")
    again.write_bytes(after.read_bytes() + b"\n")
    for path in (before, after, again):
        load_file(store, open_documents(path)[0], STATE)
    with serving(store.root):
        shown = text_of(Client().get("/changes/", {"payer": PIEDMONT, "code": "99213"}, follow=True))
        assert "Not as many files in both months: Example Piedmont Mutual, Inc. 1 and 2" in shown
        assert "28 rates in July 2025, 56 in August 2025" in shown


def test_every_table_of_the_market_is_had_as_csv_and_json(site: Client, demo: Snapshot) -> None:
    both = Market("GA", "2025-08", "CPT", "99213")
    payers, _ = changes.count_movements(demo, both, "2025-07")
    _, by_code = changes.count_movements(demo, Market(**MONTH, payer=PIEDMONT), "2025-07")
    slug = "example_savannah_benefit_administrators"
    for address, query, expected in (
        (
            "/payers/",
            {**MONTH, "codes": "99213,450"},
            compare_payers(demo, Market(**MONTH), read_codes("99213,450"), None)[0],
        ),
        ("/payers/", {"payer": slug, "table": "networks"}, networks.list_networks(demo, slug)),
        ("/payers/", {"payer": slug, "table": "files"}, coverage.list_files(demo, slug)),
        ("/payers/", {"payer": slug, "table": "codes"}, most_rates(demo, Market(**MONTH, payer=slug), 25)),
        ("/payers/", {}, coverage.list_coverage(demo)),
        ("/changes/", CODE, changes.list_changed_rates(demo, both, "2025-07", None, "moved", 10**6, 0)[1]),
        ("/changes/", {**CODE, "table": "payers"}, payers),
        ("/changes/", {"payer": PIEDMONT, "table": "codes"}, sorted(by_code, key=lambda row: -row.moved)),
        ("/changes/", {}, changes.count_payer_months(coverage.list_coverage(demo), "GA", "2025-07", "2025-08")),
        ("/organizations/", CODE, organizations.list_organizations(demo, both, "rates", 10**6, 0)),
    ):
        wanted = [json.loads(json.dumps(row_values(row), cls=RowEncoder)) for row in expected]
        from_json = json_rows(site.get(address, {**query, "format": "json"}))
        assert sorted(from_json, key=str) == sorted(wanted, key=str), (address, query)
        assert len(csv_rows(site.get(address, {**query, "format": "csv"}))) == len(wanted) > 0


def test_organizations_stand_beside_the_market(site: Client, demo: Snapshot) -> None:
    market = Market("GA", "2025-08", "CPT", "70450", billing_class="professional", modifier="26")
    response = site.get("/organizations/", {**CODE, "code": "70450", "billing_class": "professional", "modifier": "26"})
    (shown,) = tables(response)
    totals = organizations.count_totals(demo, market)
    rows = organizations.list_organizations(demo, market, "rates", 50, 0)
    assert [row[3] for row in shown[1:]] == [str(row.rank) for row in rows]
    assert f"the median of the whole market, ${totals.median:,.2f}" in text_of(response)
    assert shown[1][-1].split(" ")[-1] in {"above", "below", "same"}
    mixed = site.get("/organizations/", {**CODE, "code": "70450"})
    assert "These are rates of several classes or modifiers" in text_of(mixed)
    assert "professional, modifier 26 50" in text_of(mixed)


@pytest.mark.parametrize(
    ("address", "parameters", "message"),
    [
        ("/payers/", {"codes": " ".join(map(str, range(MAX_CODES + 1)))}, "201 codes: expected at most 200"),
        ("/payers/", {"codes": "9" * 20_001}, "at most 20000 characters"),
        ("/payers/", {"codes": "99213", "base": "A B"}, "'A B' is not a payer's key"),
        ("/payers/", {"codes": "99213\x00"}, "Null characters are not allowed"),
        ("/changes/", {"from": "2025-13"}, "'2025-13' is not a month as YYYY-MM"),
        ("/changes/", {"from": "2025-08", "year_month": "2025-08"}, "'2025-08' is not before 2025-08"),
        ("/changes/", {"from": "2025-09"}, "'2025-09' is not before 2025-08"),
        ("/changes/", {"what": "sideways"}, "'sideways' is not a valid outcome: expected one of up, down, added"),
        ("/changes/", {"sort": "color"}, "'color' is not a valid sort order"),
    ],
)
def test_wrong_parameters_are_told_with_status_400(
    site: Client, address: str, parameters: dict[str, str], message: str
) -> None:
    response = site.get(address, parameters)
    assert response.status_code == 400
    assert message in text_of(response)


@pytest.mark.parametrize("value", ["'; DROP TABLE f; --", "$state", "<script>alert(1)</script>", "é\u202e", "1 OR 1=1"])
def test_hostile_codes_are_codes(site: Client, value: str) -> None:
    for parameters in ({"codes": value}, {"code": value[:40], "code_type": value[:20]}):
        response = site.get("/payers/", parameters, follow=True)
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()
    assert site.get("/changes/", {"code": value[:40], "code_type": value[:20]}).status_code == 200


def test_a_long_list_fits_an_address(site: Client) -> None:
    codes = [f"MS-DRG:{number:03}" for number in range(MAX_CODES)]
    response = site.get("/payers/", {**MONTH, "codes": "\r\n".join(codes)}, follow=False)
    assert response.status_code == 302
    assert len(response["Location"]) < 4_000, "gunicorn takes 4,094 characters"
