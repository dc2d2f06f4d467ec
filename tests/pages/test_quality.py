"""The page of quality: its figures are dq_check's, its flags lead to the rates, its tables can be had."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from core.pages.charts.sparkline import sparkline
from core.pages.shared.words.labels import check_meaning, check_title
from core.quality.checks import CHECKS, CHECKS_BY_NAME
from core.quality.record import keep_report
from core.quality.report import run_checks
from core.queries import quality, rates
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.rate_files import file_of, item_of
from tests.site import Visitor, csv_rows, json_rows, serving, tables, text_of
from tests.stores import ENDLESS, open_snapshot

GROUPS = [
    {
        "provider_group_id": 1,
        "provider_groups": [{"npi": [1234567893], "tin": {"type": "ein", "value": "12-3456789"}}],
    }
]


@pytest.fixture
def odd(load: Load, store: Store) -> Store:
    """Two payers in two states: one with two rates of zero, which is too many, and a wrong NPI; one that is sound."""
    wrong = [{"provider_group_id": 1, "provider_groups": [{"npi": [1234567890], "tin": {"value": "1"}}]}]
    load(
        file_of(item_of(0, 5, references=[1]), item_of(0, code="2", references=[1]), provider_references=wrong,
                reporting_entity_name="Odd, Inc."),
        name="odd.json",
    )  # fmt: skip
    sound = file_of(item_of(7, references=[1]), provider_references=GROUPS, reporting_entity_name="Sound & Co")
    load(sound, state="FL", name="sound.json")
    keep_report(store, run_checks(open_snapshot(store)))
    return store


def links_of(response: Any) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="([^"#]+)[^"]*"', response.content.decode())]


def test_the_page_shows_what_the_checks_found(site: Client, demo: Snapshot) -> None:
    payers, checks, *_ = tables(site.get("/quality/"))
    assert payers[0] == ["Payer", "State", "Rates", "What to know"]
    shown = checks[1:]
    findings = {finding.name: finding for finding in run_checks(demo).findings}
    by_title = {check_title(name): finding for name, finding in findings.items()}
    titles = [re.split(" (?:error|warning) ", row[1])[0] for row in shown]
    assert sorted(titles) == sorted(by_title)
    for title, row in zip(titles, shown, strict=True):
        finding = by_title[title]
        assert row[0] == ("nothing to check" if not finding.total else "passed" if finding.passed else "failed")
        assert row[2:4] == [f"{finding.count:,}", f"{finding.total:,}"]
        assert row[6] == (str(len({part.payer_slug for part in finding.parts})) if finding.parts else "–")
    assert "The data has not changed since." in text_of(site.get("/quality/"))


def test_failures_are_told_first_and_by_payer_and_month(odd: Store) -> None:
    with serving(odd.root):
        client = Client()
        response = client.get("/quality/")
        _, checks, by_payer, places, _, runs = tables(response)
        assert f"2 of {len(CHECKS)} checks failed , all of them warnings" in text_of(response)
        assert {re.split(" warning ", row[1])[0] for row in checks[1:3]} == {"Rates of zero", "Invalid NPIs"}
        assert by_payer[1:] == [["Odd, Inc.", "2 over limit"], ["Sound & Co", "clean"]]
        assert [(row[0], row[1], row[4], row[5]) for row in places[1:]] == [
            ("Invalid NPIs over limit", "Odd, Inc.", "1", "1"),
            ("Rates of zero over limit", "Odd, Inc.", "2", "3"),
        ]
        assert len(runs) == 2
        narrowed = client.get("/quality/", {"payer": "sound_co"})
        assert "Nothing was found with these filters" in text_of(narrowed)


def test_every_flag_leads_to_its_rates(odd: Store) -> None:
    with serving(odd.root):
        client = Client()
        response = client.get("/quality/")
        links = links_of(response)
        (example,) = (link for link in links if link.startswith("/rates/?") and "payer=odd_inc" in link)
        assert "state=GA&year_month=2025-08&code_type=CPT&code=" in example
        assert "$0.00" in text_of(client.get(example, follow=True))
        assert "/npi/1234567890/" in links
        (behind,) = (link for link in links if link.startswith("/quality/zero_rates/?"))
        rows = client.get(behind)
        assert "2 found in the current data with these filters" in text_of(rows)
        assert 'class="n">$0.00</td>' in rows.content.decode(), "figures are aligned"
        assert "Payer: Odd, Inc. ✕ Month: August 2025 ✕ State: Georgia ✕" in text_of(rows)
        (shown,) = tables(rows)
        assert [row[shown[0].index("State")] for row in shown[1:]] == ["Georgia", "Georgia"]
        assert [row[shown[0].index("Rate")] for row in shown[1:]] == ["$0.00", "$0.00"]
        for link in {*links, *links_of(rows)}:
            if not link.startswith("/static/"):
                assert client.get(link, follow=True).status_code == 200, link


def test_the_rows_behind_a_flag_can_be_had_as_files(odd: Store) -> None:
    with serving(odd.root):
        client = Client()
        rows = csv_rows(client.get("/quality/zero_rates/", {"payer": "odd_inc", "format": "csv"}))
        assert [(row["code"], row["negotiated_rate"]) for row in rows] == [("2", "0.0"), ("99213", "0.0")]
        assert json_rows(client.get("/quality/npi_check_digits/", {"format": "json"})) == [
            {"npi": "1234567890", "year_month": "2025-08", "payer_slug": "odd_inc"}
        ]


def test_the_data_may_have_changed_since(odd: Store, load: Load) -> None:
    load(file_of(item_of(9, references=[1]), provider_references=GROUPS), name="more.json")
    with serving(odd.root):
        assert "The data has changed since and will be checked again" in text_of(Client().get("/quality/"))
    keep_report(odd, run_checks(open_snapshot(odd)))
    with serving(odd.root):
        assert "The data has not changed since." in text_of(Client().get("/quality/"))
        older = text_of(Client().get("/quality/?run=1"))
        assert "This is an older run" in older
        response = Client().get("/quality/")
        lines, runs = tables(response)[-2:]
        assert [row[0] for row in runs[1:]] == ["2", "1"]
        zero = next(row for row in lines[1:] if row[0] == "Rates of zero")
        assert zero[2:] == ["2", "2", "2"]
        assert (
            'aria-label="Rates of zero over 2 runs: first 2, last 2, lowest 2, highest 2"' in response.content.decode()
        )


def test_a_check_that_no_longer_exists_is_titled_by_its_name() -> None:
    assert check_title("an_older_check") == "An older check"
    assert check_meaning("an_older_check") == ""


def test_a_check_sorts_rates_in_an_order_of_their_page() -> None:
    assert {check.rates_sort for check in CHECKS if check.rates_sort} <= set(rates.ORDERS)


@pytest.mark.parametrize("table", ["checks", "places", "months", "history", "runs"])
def test_every_table_can_be_had(site: Client, demo: Snapshot, table: str) -> None:
    rows = json_rows(site.get(f"/quality/?table={table}&format=json"))
    found: dict[str, int] = {
        "checks": len(CHECKS),
        "places": quality.list_checked_places(demo, 1, {}, 1)[0],
        "months": len(quality.list_month_cells(demo, 1)),
        "history": len(CHECKS),
        "runs": 1,
    }
    assert len(rows) == found[table]
    assert len(csv_rows(site.get(f"/quality/?table={table}&format=csv"))) == found[table]


def test_before_the_first_check_the_page_lists_the_checks(load: Load, store: Store) -> None:
    load(file_of(item_of(1)))
    with serving(store.root):
        response = Client().get("/quality/")
        assert response.status_code == 200
        assert "The data has not been checked yet." in text_of(response)
        assert "manage.py" not in response.content.decode()
        assert len(tables(response)[1]) == len(CHECKS) + 1


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/quality/?run=99", 404, "Run 99 is not available. Available runs: 1 to 1"),
        ("/quality/?run=x", 400, "'x' is not the number of a run, such as 12"),
        ("/quality/?check=%3Cb%3E", 400, "is not the name of a check, such as zero_rates"),
        ("/quality/nothing/", 404, "'nothing' is not a check. Checks: duplicate_fact_uid"),
        ("/quality/duplicate_keys/?payer=x", 400, "This check cannot be narrowed by"),
        ("/quality/groups_without_tin/?state=GA", 400, "This check cannot be narrowed by"),
        ("/quality/zero_rates/?state=Georgia", 400, "is not a state"),
    ],
)
def test_what_cannot_be_answered_is_told(site: Client, address: str, status: int, said: str) -> None:
    response = site.get(address)
    assert response.status_code == status
    assert said in text_of(response)


def test_what_takes_too_long_is_offered_in_parts(odd: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = replace(next(one for one in CHECKS if one.name == "zero_rates"), found=ENDLESS)
    monkeypatch.setitem(CHECKS_BY_NAME, "zero_rates", endless)
    monkeypatch.setattr(django_settings, "BEACONPOINT_QUERY_SECONDS", 2)
    with serving(odd.root):
        response = Client().get("/quality/zero_rates/")
    assert response.status_code == 503
    assert "This took too long and was stopped. This is what the last check found." in text_of(response)
    assert "2 of 4 were found when all data was checked on" in text_of(response)
    assert "Odd, Inc. Georgia August 2025 2 3" in text_of(response)
    assert "/quality/zero_rates/?state=GA&year_month=2025-08&payer=odd_inc" in links_of(response)


def test_lines_of_counts() -> None:
    assert sparkline([], "none") == ""
    lone = sparkline([5], "a & b")
    assert 'aria-label="a &amp; b"' in lone
    assert 'points="116.0,4.0"' in lone
    assert 'points="4.0,24.0 60.0,14.0 116.0,4.0"' in sparkline([0, 1, 2], "up")
    assert 'points="4.0,24.0 116.0,24.0"' in sparkline([0, 0], "nothing")


def test_the_record_is_no_part_of_the_demo_s_path(demo_root: Path) -> None:
    """The fixture's record is the newest generation, and the data's own files are older."""
    manifest = Store(demo_root).loaded()
    (file,) = manifest.tables["dq_run"]
    assert f"{manifest.generation:06}" in file.path
    assert f"{manifest.generation:06}" not in manifest.tables["fact_rate"][0].path


def test_a_file_of_percentages_without_providers_says_so(load: Load, store: Store) -> None:
    rate = item_of({"negotiated_type": "percentage", "negotiated_rate": 60})
    load(file_of(rate, reporting_entity_name="Percent Co"), name="percent.json")
    with serving(store.root):
        for address in ("/quality/", "/payers/?payer=percent_co"):
            shown = text_of(Visitor().get(address))
            assert "1 of its rates is a percentage of charges, not dollars: 60%." in shown
            assert "What it pays" not in shown, "no table of dashes"
