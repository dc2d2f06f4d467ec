"""A clinic against its market: what is pasted is answered, and neither kept nor logged."""

import io
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from core.fields.codes.clinic_lines import EXPECTED
from core.pages.citation import THIS_SITE
from core.pages.formats import write_dollars
from core.pages.shared import page
from core.pages.shared.answer_cache import ANSWERS, AnswerCache
from core.queries import in_state
from core.queries.baskets.clinic_area import find_own_area
from core.queries.baskets.clinic_rows import Clinic
from core.queries.baskets.provider_positions import place_rows
from core.queries.loaded_files import SharedFile
from core.queries.market.market import Market
from core.queries.parties.kinds_of_rates import list_kinds_of_rates
from core.queries.parties.provider_rates import list_code_rates
from core.queries.parties.providers import list_provider_periods
from core.store.connection import QueryTimeout, Snapshot
from tests.pages.desk.sheet_formulas import compute, read_first_sheet
from tests.pages.markets import MONTH
from tests.queries.comparison.area_stores import SCHEDULES, TIN, VISIT, store_of_areas
from tests.queries.one_market import A_RATE, store_of_market, store_of_months, with_fee
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written
from tests.site import Visitor, csv_rows, serving, tables, text_of

LINES = "code,modifier,setting,units,rate\n99213,,,7654321,41.37\n70450,,,3,\nknee,,,1,"


@pytest.fixture(name="tin")
def a_tin(demo: Snapshot) -> str:
    """Return the tax ID with most rates."""
    (row,) = demo.rows(
        """SELECT tin_value FROM fact_rate JOIN xref_group_tin USING (pg_uid)
           WHERE state = 'GA' AND fact_rate.year_month = '2025-08' AND length(tin_value) = 9
           GROUP BY 1 ORDER BY count(DISTINCT code) DESC, 1 LIMIT 1"""
    )
    assert list_provider_periods(demo, "tin", row[0])
    return str(row[0])


def test_a_clinics_own_codes_have_an_address(site: Client, tin: str) -> None:
    response = site.get("/clinic/", {**MONTH, "tin": tin})
    (lines,) = tables(response)
    assert lines[0][1:5] == ["Your rate", "Position: paid more", "Middle organization", "Gap"]
    assert len(lines) > 2
    assert "any" not in response["Cache-Control"]


def test_a_clinic_stands_among_organizations(tmp_path: Path) -> None:
    own = [{"code": code, "negotiated_rate": rate} for code, rate in (("99213", 90.0), ("99214", 80.0))]
    others = [{"negotiated_rate": rate, "group": group} for rate, group in ((100.0, 1), (110.0, 3))]
    root = store_of_market(tmp_path, *own, *others).root
    with serving(root):
        asked = {**MONTH, "tin": "100000001"}
        page = Visitor().get("/clinic/", asked)
        rows = {row["code"]: row for row in csv_rows(Visitor().get("/clinic/", {**asked, "format": "csv"}))}
    shown = text_of(page)
    assert "The market is what organizations are paid" in shown
    position = "2 of 2 others under 2 contracts none the same, none less"
    assert re.search(f"[$]90.00 {position} [$]100.00 −[$]10.00 −10(.0)?% not counted –", shown)
    assert "another organization is paid more for 1 of 1 line . Nothing is added up" in shown
    assert "By code and payer, the largest shortfall first" in shown
    assert "$80.00 nobody else" in shown
    assert "code=99213&amp;billing_class=professional" in page.content.decode()
    assert (rows["99213"]["middle"], rows["99213"]["gap_to_middle"]) == ("100.0", "-10.0")
    assert (rows["99214"]["middle"], rows["99214"]["gap_to_middle"]) == ("", "")
    assert rows["99214"]["reason"].startswith("no other organization")


def test_prices_that_are_not_believable_are_last_and_in_no_sum(tmp_path: Path) -> None:
    rates = [
        {"code": code, "negotiated_rate": rate, "group": group, "places": [place]}
        for code, own in (("99213", 5.0), ("99214", 90.0))
        for group, rate in ((0, own), (1, 100.0), (3, 110.0))
        for place in ("11", "12", "13", "14")
    ]
    with serving(with_fee(store_of_market(tmp_path, *rates), 90.0).root):
        asked = {**MONTH, "tin": "100000001"}
        shown = text_of(Visitor().get("/clinic/", asked))
        rows = csv_rows(Visitor().get("/clinic/", {**asked, "format": "csv"}))
    assert "1 line has a price that is not believable and is not counted." in shown
    assert "$5.00 not believable" in shown
    assert [(row["code"], row["is_odd"], row["total_gap"]) for row in rows] == [
        ("99214", "False", ""), ("99213", "True", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rates", "locality", "expected"),
    [
        # 115% of $90 in Atlanta, where the tax ID's NPI practices, and of $70 in the rest of the state.
        (
            (103.50, 80.50),
            "01",
            {"rate": "103.5", "percent": "1.15", "area": "Atlanta", "own_area": "Atlanta", "prices": "1",
             "tiers": "115%: $103.50", "shown": "$103.50 Atlanta, 115%"},
        ),
        # 125% and 150% in both areas: the lower is the rate, and the other is beside it, never one of the other area.
        (
            (112.50, 87.50, 135.0, 105.0),
            "01",
            {"rate": "112.5", "percent": "1.25", "area": "Atlanta", "lowest": "112.5", "highest": "135.0",
             "tiers": "125%: $112.50; 150%: $135.00", "shown": "$112.50 Atlanta 125%: $112.50; 150%: $135.00"},
        ),
        (
            (112.50, 87.50, 135.0, 105.0),
            "99",
            {"rate": "87.5", "percent": "1.25", "area": "Rest Of Georgia", "highest": "105.0"},
        ),
        # Nobody knows where it practices: the price in the middle of all, with its own area and percent.
        (
            (103.50, 80.50),
            "",
            {"rate": "80.5", "percent": "1.15", "area": "Rest Of Georgia", "own_area": "", "prices": "2", "tiers": "",
             "shown": "Your own area is not known: your rate is the one in the middle, with its area."},
        ),
    ],
)  # fmt: skip
def test_of_the_prices_of_several_areas_the_clinic_s_own_are_shown(
    tmp_path: Path, rates: tuple[float, ...], locality: str, expected: dict[str, str]
) -> None:
    db = store_of_area_clinic(tmp_path, rates, locality)
    with serving(db.root):
        asked = {"state": "GA", "year_month": "2025-06", "tin": TIN}
        shown = text_of(Visitor().get("/clinic/", asked))
        (row,) = csv_rows(Visitor().get("/clinic/", {**asked, "format": "csv"}))
    of_tin = Market("GA", "2025-06", tin=TIN)
    (of_page,) = place_rows(db, of_tin, *list_code_rates(db, db, of_tin, 10, 0))
    in_report: Any = (float(row["rate"]), pytest.approx(float(row["percent"])), row["area"])
    assert (of_page.rate, of_page.rate_percent, of_page.rate_area) == in_report, "so does the tax ID's page"
    (left,) = place_rows(db, of_tin, 51, list_code_rates(db, db, of_tin, 10, 0)[1])
    assert (left.rate, left.rate_area) == (left.p50, None), "of more rows than a page has, none is looked up"
    assert "1 line has a price for each of several areas" in shown
    assert {name: row[name] for name in expected if name != "shown"} == {
        name: value for name, value in expected.items() if name != "shown"
    }
    assert expected.get("shown", "") in shown
    assert row["compared_price"] == str(sorted(rates)[(len(rates) - 1) // 2]), "as in the table of organizations"


def test_the_area_of_an_organization_s_city_is_its_own_where_its_providers_are_not_known(tmp_path: Path) -> None:
    db = store_of_area_clinic(tmp_path, (103.50, 80.50), "")
    others = [
        {"npi": f"100300000{at}", "city": "ATLANTA, GA", "contractor": "10212", "locality": locality}
        for at, locality in enumerate(("99", "01", "01"))
    ]
    organization = {"tin_type": "ein", "tin_value": TIN, "city": "Atlanta", "state": "GA"}
    assert find_own_area(db, "GA", Clinic(tin=TIN)) is None
    both = written(db.root, {"provider_profile": others, "organization": [organization]})
    assert find_own_area(both, "GA", Clinic(tin=TIN)) == "ATLANTA"
    assert find_own_area(both, "GA", Clinic(npis=("1912951245",))) is None, "an NPI's own address decides"


def test_others_under_the_same_contract_are_compared_in_the_clinic_s_area(tmp_path: Path) -> None:
    """Six tax IDs have the two prices of one contract: in Atlanta, each of them is paid Atlanta's."""
    db = store_of_area_clinic(tmp_path, (103.50, 80.50), "01")
    groups = [
        {"year_month": "2025-06", "payer_slug": "p", "pg_uid": "g0", "tin_type": "ein", "tin_value": tin}
        for tin in (TIN, *(f"98765432{at}" for at in range(5)))
    ]
    db = written(db.root, {"xref_group_tin": groups})
    with serving(db.root):
        asked = {"state": "GA", "year_month": "2025-06", "tin": TIN}
        shown = text_of(Visitor().get("/clinic/", asked))
        (row,) = csv_rows(Visitor().get("/clinic/", {**asked, "format": "csv"}))
    assert (row["rate"], row["middle"], row["middle_is_own"], row["gap_to_middle"]) == ("103.5", "103.5", "True", "0.0")
    assert (row["compared_price"], row["high"], row["paid_same"]) == ("80.5", "103.5", "5")
    assert "none of 1 line is below" in shown or "0 of 1 line" in shown
    assert "the middle organization is under your own contract: its price of your area is compared" in shown


def store_of_area_clinic(root: Path, rates: Sequence[float], locality: str) -> Snapshot:
    """Return a store of a tax ID with these rates for a visit, whose NPI practices in a locality of Georgia."""
    plain = store_of_areas(root, [VISIT | {"group": 0, "negotiated_rate": rate} for rate in rates], SCHEDULES)
    npi = "1912951245"
    member = {"npi": npi, "tin_type": "ein", "tin_value": TIN}
    profile = {"npi": npi, "state": "GA", "zip": "30303", "contractor": "10212", "locality": locality}
    return written(
        plain.root,
        {"xref_tin_npi": [{**member, "year_month": "2025-06", "payer_slug": "p"}], "dim_npi": [{"npi": npi}],
         "provider_profile": [profile],
         "dim_payer_bridge": [{"reporting_entity_name_raw": "P", "payer_slug": "p"}]},
    )  # fmt: skip


def test_a_line_with_several_rates_shows_the_lowest_and_the_highest(site: Client, demo: Snapshot) -> None:
    npis = " ".join(npi for (npi,) in demo.rows("SELECT DISTINCT npi FROM group_by_npi ORDER BY npi LIMIT 30"))
    query = {**MONTH, "npis": npis, "codes": "99213,99214"}
    rows = csv_rows(site.post("/clinic/", {**query, "format": "csv"}))
    shown = text_of(site.post("/clinic/", query))
    several = [row for row in rows if row["lowest"] != row["highest"]]
    assert several
    for row in several:
        lowest, highest = float(row["lowest"]), float(row["highest"])
        assert f"{row['prices']} prices: {write_dollars(lowest)} to {write_dollars(highest)}" in shown
    compared = [row for row in several if row["gap_to_middle"]]
    ranges = len(re.findall(r"[−+]\$[0-9.,]+ to [−+]\$[0-9.,]+", shown))
    assert ranges == sum(row["prices"] != "2" for row in compared)
    assert shown.count(" at $") == sum(row["prices"] == "2" for row in compared)
    assert "the file does not say which of them applies" in shown
    assert not [row for row in rows if row["area"]], "no area of the NPIs is known"


def test_payers_without_rates_are_named_with_whose_rates_they_lack(site: Client, tin: str) -> None:
    shown = text_of(site.get("/clinic/", {**MONTH, "tin": tin, "codes": "K0001"}))
    assert "no rates under this tax ID for these codes" in shown
    assert "this organization" not in shown


def test_only_files_that_take_part_are_named(tmp_path: Path) -> None:
    """Payer B has rates of others for one of the codes, of too few to be compared with on the page."""
    first: list[dict[str, Any]] = [{}, {"group": 3}, {"code": "99214"}]
    later: list[dict[str, Any]] = [{"reporting_entity_name": "Payer B", "group": 1, "code": "99214"}]
    with serving(store_of_months(tmp_path, m2025_07=first, m2025_08=later).root):
        of_tin = {"state": "GA", "tin": "100000001"}
        alone = text_of(Visitor().get("/clinic/", {**of_tin, "codes": "99213"}))
        together = text_of(Visitor().get("/clinic/", {**of_tin, "codes": "99213,99214"}))
    counted = "Each payer counts with its newest file: Payer A, July 2025"
    assert f"{counted}." in alone
    assert f"{counted}." in together
    assert together.index("By code and payer") < together.index(counted), "the answer and its lines come first"
    assert "Payer B" not in together.partition("Sources.")[2].partition("Made on")[0]


def test_what_is_pasted_is_answered_at_once_and_not_kept_or_logged(
    site: Client, tin: str, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.BEACONPOINT_SLOW_SECONDS = 0
    caplog.set_level(logging.INFO, "beaconpoint.request")
    kept = ANSWERS._pages.currsize
    response = site.post("/clinic/", {**MONTH, "tin": tin, "lines": LINES})
    assert THIS_SITE not in response.content.decode()
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert "ETag" not in response
    shown = text_of(response)
    assert "Row 4: code: 'knee' is not one billing code, such as 73721." in shown
    assert "$41.37 given" in shown
    assert ANSWERS._pages.currsize == kept
    # Without the moments and threads of the log itself, whose digits are anybody's.
    own = vars(logging.makeLogRecord({})).keys() - {"msg", "args"}
    logged = [
        str({name: value for name, value in vars(record).items() if name not in own}) for record in caplog.records
    ]
    assert any("/clinic/" in line for line in logged)
    assert not [line for line in logged if "41.37" in line or "7654321" in line]


def test_a_slow_question_of_a_posted_form_is_logged_without_its_values(
    demo_root: Path, tin: str, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.BEACONPOINT_SLOW_SECONDS = 0
    with serving(demo_root):
        Client().post("/clinic/", {**MONTH, "tin": tin, "lines": LINES})
    slow = [record for record in caplog.records if record.message == "slow question"]
    assert slow
    assert {str(vars(record)["parameters"]) for record in slow} == {"not logged"}


def test_a_file_is_read_and_answered_as_a_workbook_or_csv(site: Client, tin: str) -> None:
    file = SimpleUploadedFile("lines.csv", LINES.encode())
    rows = csv_rows(site.post("/clinic/", {**MONTH, "tin": tin, "file": file, "format": "csv"}))
    given = [row for row in rows if row["code"] == "99213"]
    assert {float(row["rate"]) for row in given if row["rate"]} == {41.37}
    book: Any = site.post("/clinic/", {**MONTH, "tin": tin, "lines": LINES, "format": "xlsx"})
    assert b"".join(book.streaming_content).startswith(b"PK")


def test_one_box_takes_codes_or_lines_and_words_are_an_error(site: Client, tin: str) -> None:
    asked = {**MONTH, "tin": tin, "format": "csv"}
    listed = csv_rows(site.post("/clinic/", {**asked, "lines": "99213, 70450\n99214"}))
    assert listed == csv_rows(site.get("/clinic/", {**asked, "codes": "99213,70450,99214"}))
    for text in ("knee, hip", "99213,,,1,3,Acme Nowhere"):
        refused = site.post("/clinic/", {**MONTH, "tin": tin, "lines": text})
        assert refused.status_code == 400
        expected = EXPECTED if "knee" in text else "payer: 'Acme Nowhere' is not one of those loaded"
        assert expected in text_of(refused)


def test_a_line_with_a_payer_is_compared_with_that_payer_alone(site: Client, tin: str) -> None:
    asked = {**MONTH, "tin": tin, "format": "csv"}
    every = csv_rows(site.post("/clinic/", {**asked, "lines": "code,rate\n99213,90\n70450,80"}))
    names = sorted({row["reporting_entity_name"] for row in every if row["code"] == "99213"})
    assert len(names) > 1
    lines = f'code,rate,payer\n99213,90,"{names[0]}"\n70450,80,'
    named = csv_rows(site.post("/clinic/", {**asked, "lines": lines}))
    assert named == [row for row in every if row["code"] != "99213" or row["reporting_entity_name"] == names[0]]


def test_where_most_rates_are_of_other_states_pages_and_the_workbook_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tins: list[Any] = [(set(), {("ein", f"10000000{number}")}) for number in range(1, 7)]
    groups: list[Any] = [*tins, (set(), {("ein", "200000001")})]
    made = [{**A_RATE, "code": code, "negotiated_rate": 100.0 + group, "group": group}
            for code in ("99213", "99214") for group in range(7)]  # fmt: skip
    plain = store_of(tmp_path, {"2025-08": (groups, made)})
    of_month = {"year_month": "2025-08", "payer_slug": "payer_a", "zip": "", "specialty": "", "entity_type": ""}
    db = written(plain.root, {"group_profile": [
        {**of_month, "pg_uid": f"payer_a 2025-08 {group}", "npis": 1,
         "city": "MACON, GA" if group < 2 else "DALLAS, TX"}
        for group in range(7)
    ]})  # fmt: skip
    shared = [SharedFile("Payer A", "payer_a", "2025-08", ["GA", "TX"], 14)]
    asked = {"state": "GA", "codes": "99213,99214"}
    said = "in other states: 4 of its 14 rates for these codes have somebody who practices in Georgia."
    # The second answers are of the same data.
    monkeypatch.setattr(page, "ANSWERS", AnswerCache(0))
    for is_shared in (False, True):
        monkeypatch.setattr(in_state, "list_shared_files", lambda db, is_shared=is_shared: shared if is_shared else [])
        with serving(db.root):
            clinic = text_of(Visitor().get("/clinic/", {**asked, "tin": "100000001"}))
            basket = text_of(Visitor().get("/baskets/", asked))
            book: Any = Visitor().get("/clinic/", {**asked, "tin": "100000001", "format": "xlsx"})
            cells = read_first_sheet(b"".join(book.streaming_content))
        assert (said in clinic) == is_shared
        assert ("Most of these providers practice in other states: 2 of 7 in Georgia" in basket) == is_shared
        top = "Most rates of Payer A are of providers outside Georgia." if is_shared else "Payer"
        assert cells["A1"][1] == top
        totals = {at: value for at, (formula, value) in cells.items() if formula.startswith("IF(COUNT")}
        assert len(totals) == 3
        computed = {at: compute(cells, at) for at in totals}
        assert set(computed.values()) == {""}, "nothing is added up without services"
        assert not any(totals.values())


def test_the_answer_has_both_ends_of_several_prices_families_the_rule_and_what_changed(tmp_path: Path) -> None:
    groups: list[Any] = [(set(), {("ein", f"10000000{number}")}) for number in range(1, 7)]

    def of_month(*own: tuple[str, float, str]) -> tuple[list[Any], list[dict[str, Any]]]:
        ours = [{**A_RATE, "code": code, "negotiated_rate": rate, "places": [place]} for code, rate, place in own]
        others = [
            {**A_RATE, "code": code, "negotiated_rate": rate, "group": group}
            for code in ("99213", "73525")
            for group, rate in enumerate((100.0, 102.5, 105.0, 107.5, 110.0), 1)
        ]
        return groups, [*ours, *others]

    months = {
        "2025-07": of_month(("99213", 100.0, "11"), ("99213", 104.0, "12"), ("73525", 70.0, "11")),
        "2025-08": of_month(("99213", 90.0, "11"), ("99213", 95.0, "12"), ("73525", 70.0, "11")),
    }
    asked = {"state": "GA", "tin": "100000001"}
    with serving(store_of(tmp_path, months).root):
        page = Visitor().post("/clinic/", {**asked, "lines": "code,units\n99213,100\n73525,10"})
        changes = text_of(Visitor().get("/changes/", {**asked, "payer": "payer_a"}))
        book: Any = Visitor().post("/clinic/", {**asked, "lines": "code,units\n99213,100", "format": "xlsx"})
        content = b"".join(book.streaming_content)
    shown = text_of(page)
    # The middle of six is $102.50: 100 times $7.50 or $12.50, and 10 times $32.50.
    assert (
        "Those below come to −$1,075.00 to −$1,575.00 a year, at the highest and at the lowest of your prices, "
        "at your volumes, known of 2 lines." in shown
    )
    assert (
        "By kind of service, in the middle of the lines: imaging 32% below (1 of 1 line below, −$325.00 ); "
        "evaluation and management 12% below (1 of 1 line below, −$1,250.00 )." in shown
    )
    assert 'href="/rule/?state=GA&amp;payer=payer_a&amp;tin=100000001"' in page.content.decode()
    moved = re.search("Since July 2025 , of your 3 prices in both files, (2 are paid less and 1 the same; .*?%)", shown)
    assert moved
    assert moved[1] in changes
    heads = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("Negotiation").to_python()[0]
    assert heads[3:5] == ["Your rate", "Percent of Medicare"]


@pytest.mark.parametrize(
    ("headers", "lines", "status"),
    [
        ({"Origin": "http://elsewhere.example"}, LINES, 403),
        ({"Sec-Fetch-Site": "cross-site"}, LINES, 403),
        ({"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}, LINES, 200),
        ({}, "9" * 450_000, 413),
    ],
)
def test_forms_from_elsewhere_and_large_ones_are_refused(
    site: Client, tin: str, headers: dict[str, str], lines: str, status: int
) -> None:
    assert site.post("/clinic/", {**MONTH, "tin": tin, "lines": lines}, headers=headers).status_code == status


def test_an_npi_that_is_none_is_named(site: Client) -> None:
    response = site.post("/clinic/", {**MONTH, "npis": "123"})
    assert response.status_code == 400
    assert "'123' is not an NPI" in text_of(response)


def test_a_form_that_is_not_answered_comes_back_as_it_was_filled_in(
    demo_root: Path, tin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_too_long(*_arguments: Any) -> NoReturn:
        # A limit of a microsecond would not do: some questions have ended before the watchdog looks.
        raise QueryTimeout("the question took longer than 5 seconds and was stopped")

    monkeypatch.setattr("core.pages.desk.clinic.answer_clinic", take_too_long)
    with serving(demo_root):
        wrong = Client().post("/clinic/", {**MONTH, "npis": "123", "lines": LINES})
        stopped = Client().post("/clinic/", {**MONTH, "tin": tin, "lines": LINES})
    assert (wrong.status_code, stopped.status_code) == (400, 503)
    for response in (wrong, stopped):
        form = response.content.decode().partition('<form class="market" method="post"')[2].partition("</form>")[0]
        assert 'action="/clinic/"' in form
        assert "99213,,,7654321,41.37" in form
        assert 'name="state" value="GA"' in form
    assert response["Cache-Control"] == "no-store"


def test_a_clinic_that_is_paid_percents_of_its_charges_is_told_so(tmp_path: Path) -> None:
    """No tab leads to rates that have no position."""
    percents = [{"code": code, "negotiated_rate": 20.0, "negotiated_type": "percentage"} for code in ("99213", "99214")]
    root = store_of_market(tmp_path, *percents, {"group": 1, "negotiated_rate": 90.0}).root
    with serving(root):
        page = Visitor().get("/clinic/", {"state": "GA", "tin": "100000001"})
    said = text_of(page)
    assert "gives this tax ID no dollars: its 2 rates, for 2 codes, are 20% of what is billed" in said
    assert "Each code in its usual setting" not in said
    assert 'href="/tin/100000001/?state=GA"' in page.content.decode()


def test_kinds_of_rates_are_those_of_the_provider(tmp_path: Path) -> None:
    rates = [
        {"negotiated_rate": 20.0, "negotiated_type": "percentage"},
        {"negotiated_rate": 35.0, "negotiated_type": "percentage", "code": "99214"},
        {"negotiated_rate": 90.0, "billing_class": "institutional"},
        {"negotiated_rate": 50.0, "negotiated_type": "percentage", "group": 1},
    ]
    db = store_of_market(tmp_path, *rates)
    found = list_kinds_of_rates(db, Market("GA", "2025-08", "CPT", "99213", billing_class="x", tin="100000001"))
    assert [(one.payer_slug, one.kind, one.rates, one.codes, one.lowest, one.highest) for one in found] == [
        ("payer_a", "percentage", 2, 2, 20.0, 35.0),
        ("payer_a", "dollars", 1, 1, 90.0, 90.0),
    ]
