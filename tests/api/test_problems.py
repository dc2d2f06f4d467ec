"""Every error is a problem that says what is wrong, where, and what is expected."""

import base64
import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.test import Client

from core.api.protocol.problems import KINDS
from core.pages.shared.error_pages import WHY_UNREADABLE
from core.pages.shared.lanes.admission import QUESTIONS, TooBusy
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.api.walking import get
from tests.fixture_types import Load
from tests.site import serving

RATES: dict[str, Any] = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "99213"}


def problem(response: Any, kind: str) -> dict[str, Any]:
    """Return the details of a response that is a problem of this kind."""
    assert response["Content-Type"] == "application/problem+json"
    details: dict[str, Any] = response.json()
    assert details["type"] == f"/api/docs#{kind}"
    assert response.status_code == details["status"] == KINDS[kind][0]
    assert "ETag" not in response
    assert details["title"]
    assert details["detail"]
    return details


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("state", "ZZ", "'ZZ' is not a state: two letters, such as GA"),
        ("state", "ga", "'ga' is not a state: two letters, such as GA"),
        ("year_month", "2025-13", "'2025-13' is not a month as YYYY-MM, such as 2025-08"),
        ("year_month", "", "'' is not a month as YYYY-MM, such as 2025-08"),
        ("code", " ", "' ' is not a billing code, such as 99213"),
        ("code", "9" * 41, "longer than 40 characters"),
        ("pos", "1x", "'1x' is not a place of service: two digits, such as 11"),
        ("pos", "1", "'1' is not a place of service: two digits, such as 11"),
        ("billing_class", "Dental", "'Dental' is not a valid billing class: expected words such as professional"),
        ("modifier", "26,TC", "is not a modifier such as 26, or none"),
        ("npi", "123", "'123' is not an NPI: 10 digits, starting with 1 or 2"),
        ("tin", "12-3456789", "'12-3456789' is not a tax ID: the 9 digits of an EIN, or the 10 digits of an NPI"),
        ("payer", "A B", "'A B' is not a payer's key"),
        ("sort", "color", "'color' is not one of 'rate', '-rate', 'payer' or 'expires'"),
        ("limit", "0", "'0' is not a whole number from 1 to 1,000"),
        ("limit", "1001", "'1001' is not a whole number from 1 to 1,000"),
        ("limit", "1.0", "'1.0' is not a whole number from 1 to 1,000"),
        ("limit", "x", "'x' is not a whole number from 1 to 1,000"),
        ("cursor", "a b", "'a b' is not `next` of an answer"),
        ("page", "2", "unknown parameter; expected one of generation, state, year_month"),
        ("stat", "GA", "unknown parameter; expected one of"),
        ("payer", ["a", "b"], "given 2 times; expected once"),
    ],
)
def test_an_invalid_parameter_is_named(site: Client, parameter: str, value: Any, message: str) -> None:
    details = problem(site.get("/api/v1/rates", {**RATES, parameter: value}), "wrong-parameter")
    ((name, detail),) = [(one["parameter"], one["detail"]) for one in details["errors"]]
    assert name == parameter
    assert message in detail
    assert details["detail"] == f"{name}: {detail}"


def test_all_invalid_parameters_are_reported_at_once(site: Client) -> None:
    details = problem(site.get("/api/v1/rates", {"state": "x", "limit": "y"}), "wrong-parameter")
    assert [one["parameter"] for one in details["errors"]] == ["state", "code", "limit"]
    assert details["errors"][1]["detail"] == "missing; expected a billing code, such as 99213"


def rates_file(*kinds: str) -> dict[str, Any]:
    """Return a payer's file with one rate for code 0450 in each of the code systems."""
    price = {"negotiated_type": "negotiated", "negotiated_rate": 1, "billing_class": "professional"}
    group = {"provider_groups": [{"npi": [1912951245], "tin": {"type": "ein", "value": "12"}}]}
    prices = {"negotiated_rates": [{**group, "negotiated_prices": [price]}]}
    item = {"negotiation_arrangement": "ffs", "billing_code": "0450", "name": "x", **prices}
    items = [{**item, "billing_code_type": kind} for kind in kinds]
    return {"reporting_entity_name": "A", "last_updated_on": "2025-08-01", "in_network": items}


def test_an_ambiguous_code_is_refused_with_its_choices(load: Load, store: Store) -> None:
    load(rates_file("CPT", "RC"))
    with serving(store.root):
        details = problem(Client().get("/api/v1/rates", {"code": "0450"}), "ambiguous-code")
        assert [(one["code_type"], one["code"]) for one in details["choices"]] == [("CPT", "0450"), ("REV", "0450")]
        assert details["detail"] == "code: '0450' can be CPT 0450, REV 0450. Choose one with code_type."
        assert get(Client(), "rates", code="0450", code_type="REV")["total"] == 1


@pytest.mark.parametrize("path", ["nothing", "", "rates/", "providers", "providers/npi/1/2/3", "rates/../../x"])
def test_an_unknown_address_is_404(site: Client, path: str) -> None:
    details = problem(site.get(f"/api/v1/{path}"), "no-such-address")
    assert "/api/docs lists them" in details["detail"]


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("providers/npi/2999999999", "No loaded rate has a provider group with the NPI 2999999999."),
        ("providers/npi/2999999999/rates", "No loaded rate has a provider group with the NPI 2999999999."),
        ("providers/tin/999999999/npis", "No loaded rate has a provider group with the tax ID 999999999."),
        ("providers/tin/999999999/rates", "No loaded rate has a provider group with the tax ID 999999999."),
        ("payers/nobody/networks", "No payer with the key nobody is loaded."),
        ("payers/nobody/files", "No payer with the key nobody is loaded."),
        ("quality?run=77", "There is no run 77; `quality/runs` lists the runs."),
        ("quality/places?run=77", "There is no run 77; `quality/runs` lists the runs."),
        (
            "changes?code=99213&year_month=2025-07",
            "No month of GA before 2025-07 is loaded: there is nothing to compare with.",
        ),
    ],
)
def test_something_that_is_not_loaded_is_404(site: Client, path: str, detail: str) -> None:
    assert problem(site.get(f"/api/v1/{path}"), "not-found")["detail"] == detail


def test_an_invalid_npi_in_the_path_is_400(site: Client) -> None:
    details = problem(site.get("/api/v1/providers/npi/123"), "wrong-parameter")
    assert details["errors"] == [
        {"parameter": "npi", "detail": "'123' is not an NPI: 10 digits, starting with 1 or 2"},
    ]


@pytest.mark.parametrize("months", [{"year_month": "2025-07"}, {}])
def test_the_month_to_compare_with_must_be_earlier(site: Client, months: dict[str, str]) -> None:
    asked = {"code": "99213", "from": "2025-09", **months}
    details = problem(site.get("/api/v1/changes", asked), "wrong-parameter")
    ((wrong),) = details["errors"]
    assert wrong["parameter"] == "from"
    assert "'2025-09' is not before 2025-0" in wrong["detail"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("path", ["rates", "nothing"])
def test_the_api_is_read_only(site: Client, method: str, path: str) -> None:
    response = getattr(site, method)(f"/api/v1/{path}")
    assert method.upper() in problem(response, "method-not-allowed")["detail"]
    assert response["Allow"] == "GET, HEAD"


def test_the_api_answers_in_json_only(site: Client) -> None:
    problem(site.get("/api/v1/coverage", headers={"Accept": "text/csv"}), "not-acceptable")
    for accepted in ("application/json", "*/*", "text/html, application/*;q=0.5"):
        assert site.get("/api/v1/coverage", headers={"Accept": accepted}).status_code == 200


def test_an_unchanged_answer_is_304(site: Client) -> None:
    first = site.get("/api/v1/rates", RATES)
    assert first["ETag"].startswith('W/"')
    assert first["Cache-Control"] == "no-cache"
    again = site.get("/api/v1/rates", RATES, headers={"If-None-Match": f'"other", {first["ETag"]}'})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    other = site.get("/api/v1/rates", {**RATES, "limit": 2}, headers={"If-None-Match": first["ETag"]})
    assert other.status_code == 200
    problem(site.get("/api/v1/rates", {**RATES, "x": 1}, headers={"If-None-Match": first["ETag"]}), "wrong-parameter")


def test_head_validates_without_reading_data(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = site.get("/api/v1/rates", RATES)
    nowhere = site.get("/api/v1/nothing")
    with monkeypatch.context() as patch:
        patch.setattr(Snapshot, "cursor", None)
        head = site.head("/api/v1/rates", RATES)
        again = site.get("/api/v1/rates", RATES, headers={"If-None-Match": whole["ETag"]})
        wrong = site.head("/api/v1/rates", {**RATES, "pos": "x"})
        no_address = site.head("/api/v1/nothing")
    assert (head.status_code, head.getvalue()) == (200, b"")
    assert "Content-Length" not in head, "nobody knows it"
    same = ("ETag", "Content-Type", "Cache-Control")
    assert [head[name] for name in same] == [whole[name] for name in same]
    assert again.status_code == 304
    assert (wrong.status_code, wrong.content) == (400, b"")
    assert (no_address.status_code, no_address.content) == (404, b"")
    assert no_address["Content-Length"] == str(len(nowhere.content))


def test_a_cursor_belongs_to_its_query(site: Client) -> None:
    cursor = get(site, "rates", **RATES, limit=5)["next"]
    assert len(get(site, "rates", **RATES, limit=7, cursor=cursor)["rows"]) == 7
    for path, parameters in (
        ("rates", {**RATES, "sort": "-rate"}),
        ("rates", {**RATES, "pos": "11"}),
        ("rates", {**RATES, "year_month": "2025-07"}),
        ("rates/summary", RATES),
        ("medicare", RATES),
    ):
        details = problem(site.get(f"/api/v1/{path}", {**parameters, "cursor": cursor}), "cursor-not-usable")
        assert "does not belong to this query" in details["detail"]


def test_an_altered_cursor_is_refused(site: Client) -> None:
    generation, question, total, key = msgspec.json.decode(
        base64.urlsafe_b64decode(get(site, "rates", **RATES, limit=5)["next"] + "==")
    )
    forged: list[Any] = [
        [generation, question, total, ["x", key[1]]],
        [generation, question, total, [key[0]]],
        [generation, question, total, [key[0], key[1], 1]],
        [generation, question, total, [None, key[1]]],
        [generation, question, total, 3],
        [generation, question, total],
        {"a": 1},
        3,
    ]
    for one in [base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=") for value in forged]:
        problem(site.get("/api/v1/rates", {**RATES, "cursor": one}), "cursor-not-usable")
    for one in ("x", "-_-_", "A" * 4000):
        problem(site.get("/api/v1/rates", {**RATES, "cursor": one}), "cursor-not-usable")
    cursor = msgspec.json.decode(base64.urlsafe_b64decode(get(site, "codes", limit=5)["next"] + "=="))
    for place in (-1, 2**40, 10**30, [1], "1"):
        one = base64.urlsafe_b64encode(msgspec.json.encode([*cursor[:3], place])).decode().rstrip("=")
        problem(site.get("/api/v1/codes", {"cursor": one}), "cursor-not-usable")


def test_a_cursor_of_older_data_is_refused(load: Load, store: Store) -> None:
    load(rates_file("CPT", "RC"))
    with serving(store.root):
        client = Client()
        first = get(client, "codes", limit=1)
        assert (first["total"], first["generation"]) == (2, 1)
        assert get(client, "codes", limit=1, cursor=first["next"])["next"] is None
        load(rates_file("HCPCS"))
        details = problem(client.get("/api/v1/codes", {"limit": 1, "cursor": first["next"]}), "cursor-of-other-data")
        assert "New data was loaded (generation 2)" in details["detail"]
        assert get(client, "codes", limit=1)["total"] == 3


@pytest.fixture
def odd_site(demo_root: Path, settings: Any) -> Any:
    settings.ROOT_URLCONF = "tests.api.odd_site"
    settings.BEACONPOINT_QUERY_SECONDS = 0.2
    with serving(demo_root):
        yield Client()


def test_a_slow_query_is_stopped_and_answered_with_503(odd_site: Client) -> None:
    response = odd_site.get("/api/v1/endless")
    details = problem(response, "too-slow")
    assert details["detail"].startswith("the question took longer than 0.2 seconds and was stopped. Add a code")
    assert response["Retry-After"] == "30"


def test_too_many_queries_at_once_are_answered_with_503(odd_site: Client) -> None:
    with ExitStack() as others:
        for _ in range(QUESTIONS.limits.places):
            others.enter_context(QUESTIONS.enter())
        response = odd_site.get("/api/v1/fine")
        details = problem(response, "too-busy")
    assert details["detail"] == "Many questions are being answered right now. Please try again in a few seconds."
    assert response["Retry-After"] == str(TooBusy.retry_after)
    assert odd_site.get("/api/v1/fine").status_code == 200


def test_an_unexpected_error_is_logged_and_not_shown(odd_site: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "core.api.site"):
        details = problem(odd_site.get("/api/v1/broken"), "defect")
    assert "secret" not in str(details)
    assert "the secret of the defect" in caplog.text


def test_an_unreadable_store_is_answered_with_503(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with serving(tmp_path):
        response = Client().get("/api/v1/coverage")
    assert problem(response, "unavailable")["detail"] == WHY_UNREADABLE
    assert response["Retry-After"] == "30"
