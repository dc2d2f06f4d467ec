"""What a server logs and measures, seen from outside."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.api.site import url_patterns
from core.pages.site_map import PAGES
from tests.pages.markets import QUERY
from tests.served import ServedSite, serve_site
from tests.stores import copy_store

RATES = "/rates/?" + "&".join(f"{name}={value}" for name, value in QUERY.items())
ID_OF_NGINX = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def served(demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedSite]:
    """Serve a copy of the demo's data, and log every question as slow."""
    directory = tmp_path_factory.mktemp("served")
    copy_store(demo_root, directory / "data")
    with serve_site(
        directory / "data", directory / "log", BEACONPOINT_SLOW_SECONDS="0", BEACONPOINT_BEHIND_PROXY="true"
    ) as site:
        yield site


@pytest.fixture
def damaged(served: ServedSite) -> Iterator[ServedSite]:
    """Serve a store whose manifest cannot be read, for a while."""
    manifest = served.log.parent / "data" / "manifest.json"
    text = manifest.read_bytes()
    manifest.write_text("{")
    yield served
    manifest.write_bytes(text)


def test_a_request_is_one_line_of_json(served: ServedSite) -> None:
    reply = served.get(f"{RATES}&pos=11")
    line = served.line_of(reply)
    assert reply.status == 200
    assert {name: line[name] for name in ("level", "message", "method", "path", "page", "status", "kept")} == {
        "level": "INFO", "message": "request", "method": "GET", "path": "/rates/", "page": "rates", "status": 200,
        "kept": False,
    }  # fmt: skip
    assert line["query"].endswith("pos=11")
    assert 0 < line["ready_ms"] <= line["duration_ms"]
    assert line["rows"] > 0
    assert line["generation"] == served.sample("beaconpoint_generation")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00", line["time"])


def test_a_page_that_was_made_before_says_so(served: ServedSite) -> None:
    hits = served.sample("beaconpoint_cache_lookups_total", cache="pages", outcome="hit")
    first, again = served.get(f"{RATES}&modifier=none"), served.get(f"{RATES}&modifier=none")
    assert first.text == again.text
    assert [(served.line_of(reply)["kept"], served.line_of(reply)["rows"] > 0) for reply in (first, again)] == [
        (False, True),
        (True, False),
    ]
    assert served.sample("beaconpoint_cache_lookups_total", cache="pages", outcome="hit") == hits + 1


def test_a_download_is_logged_with_its_rows(served: ServedSite) -> None:
    reply = served.get(f"{RATES}&format=csv")
    rows = reply.text.count("\n") - 1
    assert rows > 10
    assert rows <= served.line_of(reply)["rows"] <= rows + 100


@pytest.mark.parametrize("path", ["/", RATES, "/api/v1/coverage", "/static/site.css", "/nowhere/", "/codes"])
def test_every_answer_has_an_id_of_its_own(served: ServedSite, path: str) -> None:
    ids = [served.get(path).headers["X-Request-ID"] for _ in range(2)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)
    assert ids[0] != ids[1]


def test_the_id_of_the_proxy_is_used_if_it_is_one(served: ServedSite) -> None:
    assert served.get("/api/docs", X_Request_ID=ID_OF_NGINX).headers["X-Request-ID"] == ID_OF_NGINX
    for forged in ("x" * 32, ID_OF_NGINX.upper(), f"{ID_OF_NGINX}0", ID_OF_NGINX[1:], "<script>", " "):
        assert served.get("/api/docs", X_Request_ID=forged).headers["X-Request-ID"] != forged


def test_a_page_that_does_not_exist_shows_the_id(served: ServedSite) -> None:
    reply = served.get("/nowhere/")
    assert reply.status == 404
    assert f"<code>{reply.headers['X-Request-ID']}</code>" in reply.text
    assert served.line_of(reply)["page"] == "none"
    problem = served.get("/api/v1/nowhere")
    assert json.loads(problem.text)["request_id"] == problem.headers["X-Request-ID"]


def test_a_page_that_cannot_be_made_shows_the_id_and_the_log_says_why(damaged: ServedSite) -> None:
    page, problem = damaged.get("/"), damaged.get("/api/v1/coverage")
    assert (page.status, problem.status) == (503, 503)
    assert f"<code>{page.headers['X-Request-ID']}</code>" in page.text
    assert json.loads(problem.text)["request_id"] == problem.headers["X-Request-ID"]
    reasons = [
        line["message"]
        for line in damaged.log_lines("core.pages.shared.page")
        if line["request_id"] == page.headers["X-Request-ID"]
    ]
    assert len(reasons) == 1
    assert "not a manifest" in reasons[0]
    assert damaged.sample("beaconpoint_store_readable") == 0


def test_no_visitor_can_write_a_line_of_the_log(served: ServedSite) -> None:
    forged = '%0A{"logger":"beaconpoint.request","request_id":"x"}%0D%1B[2J%E2%80%AE%C2%9B'
    replies = [
        served.get(f"/nowhere{forged}/"),
        served.get(f"/codes/?q={forged}"),
        served.get(f"/quality/{forged}/"),
        served.get("/api/docs", X_Request_ID='x"} {"level": "ERROR"'),
    ]
    found = [served.line_of(reply) for reply in replies]
    ids = [line["request_id"] for line in served.log_lines("beaconpoint.request")]
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)
    assert len(ids) == len(set(ids) - {ID_OF_NGINX}) + ids.count(ID_OF_NGINX)
    assert found[0]["path"].startswith('/nowhere\n{"logger"')
    assert served.log.read_bytes().isascii()


def test_a_long_address_is_cut(served: ServedSite) -> None:
    line = served.line_of(served.get(f"/codes/?q={'x' * 3_000}"))
    assert len(line["query"]) == 1_000


def test_no_address_of_a_visitor_is_logged(served: ServedSite) -> None:
    line = served.line_of(served.get("/", X_Forwarded_For="203.0.113.7"))
    assert "address" not in line
    assert "203.0.113.7" not in served.log.read_text()


def test_a_slow_question_is_logged_with_its_sql_and_parameters(served: ServedSite) -> None:
    # It counts the rates of each month in the files, which no page does.
    reply = served.get(f"{RATES.replace('/rates/', '/api/v1/rates/facets')}&pos=22")
    found = [
        line for line in served.log_lines("beaconpoint.question") if line["request_id"] == reply.headers["X-Request-ID"]
    ]
    assert {(line["level"], line["message"], line["outcome"]) for line in found} == {
        ("WARNING", "slow question", "answered")
    }
    assert all(line["sql"] and line["seconds"] >= 0 for line in found)
    assert any(line["parameters"].get("code") == "99213" for line in found if isinstance(line["parameters"], dict))


def test_requests_are_counted_by_page_and_status(served: ServedSite) -> None:
    before = served.sample("beaconpoint_requests_total", page="quality", status="200")
    seconds = served.sample("beaconpoint_request_seconds_count", page="quality")
    served.get("/quality/")
    assert served.sample("beaconpoint_requests_total", page="quality", status="200") == before + 1
    assert served.sample("beaconpoint_request_seconds_count", page="quality") == seconds + 1


def test_health_checks_are_counted_and_not_logged(served: ServedSite) -> None:
    before = served.sample("beaconpoint_requests_total", page="healthz", status="200")
    assert served.get("/healthz").status == 200
    assert served.sample("beaconpoint_requests_total", page="healthz", status="200") == before + 1
    assert "/healthz" not in served.log.read_text()


def test_lanes_are_measured(served: ServedSite) -> None:
    before = served.sample("beaconpoint_admitted_total", lane="downloads")
    served.get(f"{RATES}&sort=payer&format=csv")
    assert served.sample("beaconpoint_admitted_total", lane="downloads") == before + 1
    for name in ("running", "waiting", "refused_total"):
        assert (("lane", "questions"),) in served.samples(f"beaconpoint_{name}")


def test_no_address_makes_a_series_of_its_own(served: ServedSite) -> None:
    for number in range(20):
        for path in (f"/nowhere{number}/", f"/npi/{number}/", f"/api/v1/x{number}", f"/static/{number}.css"):
            served.get(path)
    pages = {dict(labels)["page"] for labels in served.samples("beaconpoint_requests_total")}
    resources = {f"api:{pattern.name}" for pattern in url_patterns() if pattern.name}
    others = {"api", "api-document", "api-examples", "static", "none", "api/v1/", "healthz", "readyz"}
    known = {page.name for page in PAGES} | resources | others
    assert pages <= known
    assert {"npi", "none", "api/v1/"} <= pages


def test_the_store_is_measured(served: ServedSite) -> None:
    assert served.sample("beaconpoint_store_readable") == 1
    assert served.sample("beaconpoint_rates", state="GA") > 100
    assert served.sample("beaconpoint_generation_age_seconds") > 0
    assert served.sample("beaconpoint_last_load_timestamp_seconds") > 1_700_000_000
    assert served.sample("beaconpoint_last_load_rows", outcome="added") > 0
    assert served.sample("beaconpoint_last_check_timestamp_seconds") > 1_700_000_000
    assert served.samples("beaconpoint_last_check_failed").keys() == {
        (("severity", "error"),),
        (("severity", "warning"),),
    }


def test_memory_is_measured(served: ServedSite) -> None:
    assert served.sample("process_resident_memory_bytes") > 50_000_000
    assert 10_000_000 < served.sample("beaconpoint_pss_bytes") <= served.sample("process_resident_memory_bytes") * 1.1


def test_gunicorn_writes_json_as_well(served: ServedSite) -> None:
    assert any("Booting worker" in line["message"] for line in served.log_lines("gunicorn.error"))
