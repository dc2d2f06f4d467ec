"""Members of provider groups that are elsewhere on the web: what comes of them, and what becomes of what fails."""

import gzip
import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.fetch.client import Client
from core.load.load_file import load_file
from core.load.outcome import LoadOutcome
from core.load.remote.fetch_groups import GroupFetcher
from core.load.remote.retry_unresolved import RetryOutcome, retry_unresolved
from core.runtime.errors import PayerFileError
from core.store.generations.store import Store
from core.tic.source import Source
from tests.fetch.server import Page, Server
from tests.fixture_types import Fetching
from tests.load.remote.remote_files import MEMBERS, remote, serve, source_of
from tests.rate_files import file_of, item_of
from tests.stores import table

TABLES = ("dim_npi", "dim_tin", "dim_provider_group", "xref_group_npi", "xref_group_tin", "xref_tin_npi", "fact_rate")


def rejects(store: Store) -> pl.DataFrame:
    manifest = store.manifest()
    assert manifest is not None
    (file,) = manifest.rejects.values()
    return pl.read_parquet(store.root / file.path)


def members_of(store: Store) -> dict[str, list[Any]]:
    """Return what the store knows about groups, by the groups' ids in the file and not by the batch."""
    raws = dict(table(store, "dim_provider_group").select("pg_uid", "provider_group_id_raw").iter_rows())
    found: dict[str, list[Any]] = {}
    for name in TABLES:
        rows = table(store, name).drop("fact_uid", "batch_id", strict=False).to_dicts()
        for row in rows:
            if "pg_uid" in row:
                row["pg_uid"] = raws[row["pg_uid"]]
        found[name] = sorted(rows, key=str)
    return found


def inline(tmp_path: Path) -> Store:
    """Return a store into which the same groups were loaded from one file."""
    references = [{"provider_group_id": n, "provider_groups": members} for n, members in MEMBERS.items()]
    store = Store(tmp_path / "inline")
    content = file_of(item_of(1, 2, references=[*MEMBERS]), provider_references=references)
    load_file(store, source_of(tmp_path, content), "GA")
    return store


def test_members_elsewhere_are_as_good_as_members_in_the_file(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    serve(server, 1, 2, 3)
    content = json.loads(json.dumps(remote(server)))
    content["provider_references"][1]["provider_groups"] = None
    outcome = load_file(store, source_of(tmp_path, content), "GA", fetcher=locations())
    assert outcome.locations is not None
    assert (outcome.locations.asked, outcome.locations.failed) == (3, 0)
    assert outcome.members is not None
    assert (outcome.members.unresolved, outcome.members.invalid_npis) == (0, 1)
    assert members_of(store) == members_of(inline(tmp_path))
    assert rejects(store).rows() == [("invalid_npi", "provider_references[2].location", "99", 0)]
    assert table(store, "xref_group_location").is_empty()


def test_packed_answers_and_lists_without_an_object_are_read(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    server.put("/1.json", gzip.compress(json.dumps({"provider_groups": MEMBERS[1]}).encode()))
    server.put("/2.json", json.dumps(MEMBERS[2]).encode())
    server.put("/3.json", b"\xef\xbb\xbf" + json.dumps({"version": 1, "provider_groups": MEMBERS[3]}).encode())
    load_file(store, source_of(tmp_path, remote(server)), "GA", fetcher=locations())
    assert members_of(store) == members_of(inline(tmp_path))


WRAPPED: dict[str, Any] = {
    "a bare array": MEMBERS[1],
    "one object": MEMBERS[1][0],
    "a definition": {"provider_group_id": 7, "provider_groups": MEMBERS[1]},
    "a list of files": [{"provider_groups": MEMBERS[1], "version": "1"}],
    "wrapped": {"data": {"result": [{"provider_groups": MEMBERS[1]}]}},
    "another case": {"ProviderGroups": MEMBERS[1]},
    "several groups": {
        "provider_references": [
            {"provider_group_id": 9, "provider_groups": MEMBERS[2]},
            {"provider_group_id": 1, "provider_groups": MEMBERS[1]},
        ]
    },
    "a list of groups": [
        {"provider_group_id": "1.0", "provider_groups": MEMBERS[1]},
        {"provider_group_id": 2, "provider_groups": MEMBERS[2]},
    ],
}


@pytest.mark.parametrize("shape", WRAPPED)
def test_members_are_found_in_each_shape(
    server: Server, store: Store, locations: Fetching, tmp_path: Path, shape: str
) -> None:
    server.put("/1.json", json.dumps(WRAPPED[shape]).encode())
    references = [{"provider_group_id": 1, "location": server.url("/1.json")}]
    content = file_of(item_of(1), provider_references=references)
    outcome = load_file(store, source_of(tmp_path, content), "GA", fetcher=locations())
    assert outcome.members is not None
    assert outcome.members.unresolved == 0
    expected = {str(npi) for each in MEMBERS[1] for npi in each["npi"] if str(npi).startswith(("1", "2"))}
    assert set(table(store, "xref_group_npi")["npi"]) == {npi for npi in expected if len(npi) == 10}


def test_a_group_that_is_not_among_several_is_told(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    groups = [{"provider_group_id": n, "provider_groups": MEMBERS[n]} for n in (1, 2)]
    server.put("/all.json", json.dumps(groups).encode())
    references = [{"provider_group_id": n, "location": server.url("/all.json")} for n in (1, 2, 3)]
    content = file_of(item_of(1, references=[1, 2, 3]), provider_references=references)
    outcome = load_file(store, source_of(tmp_path, content), "GA", fetcher=locations())
    assert outcome.members is not None
    assert outcome.members.unresolved == 1
    assert outcome.locations is not None
    assert (outcome.locations.asked, outcome.locations.failed) == (1, 1)
    assert "has the members of several provider groups, but not those of this one" in outcome.locations.examples[0]


@pytest.mark.parametrize(
    "refusal", [b"<html>Sign in</html>", b'{"message": "expired"}', b"", b'{"provider_groups": []}']
)
def test_a_refusal_is_no_answer_and_the_next_run_asks_again(
    server: Server, store: Store, locations: Fetching, client: Client, tmp_path: Path, refusal: bytes
) -> None:
    server.put("/1.json", refusal)
    references = [{"provider_group_id": 1, "location": server.url("/1.json")}]
    source = source_of(tmp_path, file_of(item_of(1), provider_references=references))
    cache = tmp_path / "cache"
    outcome = load_file(store, source, "GA", fetcher=GroupFetcher(client, cache, 10_000_000))
    assert outcome.locations is not None
    assert outcome.locations.failed == 1
    server.put("/1.json", json.dumps({"provider_groups": MEMBERS[1]}).encode())
    done = retry_unresolved(store, outcome.record["batch_id"], GroupFetcher(client, cache, 10_000_000))
    assert (done.report.asked, done.report.failed, done.remaining) == (1, 0, 0)
    assert table(store, "dim_provider_group")["resolved"].to_list() == [True]


def test_only_groups_that_rates_use_are_fetched_each_address_once(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    serve(server, 1)
    references = [{"provider_group_id": n, "location": server.url(f"/{1 if n < 40 else 2}.json")} for n in range(50)]
    content = file_of(item_of(1, references=[*range(40)]), provider_references=references)
    outcome = load_file(store, source_of(tmp_path, content), "GA", fetcher=locations())
    assert dict(server.asked) == {"GET /1.json": 1}
    assert outcome.members is not None
    assert (outcome.members.groups, outcome.members.unresolved, outcome.members.unused) == (40, 0, 10)
    assert len(table(store, "xref_group_npi")) == 80


def test_files_of_one_run_share_what_was_fetched(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    serve(server, 1, 2)
    run = locations()
    load_file(store, source_of(tmp_path, remote(server, "?X-Amz-Signature=1")), "GA", fetcher=run)
    again = load_file(store, source_of(tmp_path, remote(server, "?X-Amz-Signature=2")), "GA", fetcher=run)
    assert dict(server.asked) == {"GET /1.json": 1, "GET /2.json": 1, "GET /3.json": 1}
    assert again.members is not None
    assert again.members.unresolved == 1


def test_addresses_are_asked_at_the_same_time_but_not_too_many(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    gate = threading.Barrier(8, timeout=15)

    def wait(_page: Page) -> None:
        gate.wait()

    references = []
    for n in range(16):
        server.put(f"/{n}.json", json.dumps({"provider_groups": MEMBERS[1]}).encode(), before=wait)
        references.append({"provider_group_id": n, "location": server.url(f"/{n}.json")})
    content = file_of(item_of(1, references=[*range(16)]), provider_references=references)
    outcome = load_file(store, source_of(tmp_path, content), "GA", fetcher=locations())
    assert outcome.locations is not None
    assert outcome.locations.failed == 0, "eight wait for each other, so eight were asked at once"
    assert server.most_at_once == 8


def test_failures_are_counted_listed_and_never_fatal(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    serve(server, 1)
    bad: dict[str, Any] = {
        "/404": (None, r"no such file there \(404\)"),
        "/403": (Page(answers=[(403, {}, b"<Code>AccessDenied</Code>")] * 9), r"403 AccessDenied"),
        "/page": (Page(b"<html>"), "a web page or XML"),
        "/empty": (Page(b"{}"), "names no member"),
        "/nobody": (Page(b'{"provider_groups": []}'), "names no member"),
        "/odd": (Page(b'{"provider_groups": [}'), "not JSON"),
        "/deep": (Page(b'{"provider_groups": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "nested deeper"),
        "/large": (Page(b"[" + b" " * 10_000_001), "larger than the limit of 10,000,000"),
        "/bomb": (Page(gzip.compress(b"[" + b" " * 30_000_000, 9)), "unpacks to more than 10,000,000"),
        "/cut": (Page(b"{}" * 999, cut=[9, 9, 9, 9]), "was cut"),
        "/private": (Page(answers=[(302, {"Location": "http://127.0.0.2/"}, b"")] * 9), r"not public .*\(redirected"),
    }  # fmt: skip
    for path, (page, _) in bad.items():
        if page:
            server.pages[path] = page
    others = {
        "file:///etc/passwd": "begins with https",
        "/etc/passwd": "begins with https",
        "http://2130706433/": "IPv4",
    }
    urls = [server.url("/1.json"), *(server.url(path) for path in bad), *others]
    references = [{"provider_group_id": n, "location": url} for n, url in enumerate(urls)]
    content = file_of(item_of(1, references=[*range(len(urls))]), provider_references=references)
    outcome = load_file(store, source_of(tmp_path, content), "GA", fetcher=locations())
    assert outcome.rows_added == len(urls)
    assert outcome.locations is not None
    assert (outcome.locations.asked, outcome.locations.failed) == (len(urls), len(urls) - 1)
    assert len(outcome.locations.examples) == 10
    assert outcome.record["notes"]["unresolved_groups"] == len(urls) - 1
    assert outcome.record["notes"]["locations_not_fetched"] == len(urls) - 1
    problems = dict(table(store, "xref_group_location").select("location", "problem").iter_rows())
    assert len(problems) == len(urls) - 1
    for path, (_, message) in bad.items():
        assert pl.Series([problems[server.url(path)]]).str.contains(message).all(), problems[server.url(path)]
    for url, message in others.items():
        assert message in problems[url]


def test_a_dead_host_is_given_up(client: Client, store: Store, locations: Fetching, tmp_path: Path) -> None:
    with Server() as gone:
        port = gone.port
    references = [{"provider_group_id": n, "location": f"http://127.0.0.1:{port}/{n}"} for n in range(500)]
    content = file_of(item_of(1, references=[*range(500)]), provider_references=references)
    outcome = load_file(store, source_of(tmp_path, content), "GA", fetcher=locations())
    assert outcome.locations is not None
    assert outcome.locations.failed == 500
    problems = table(store, "xref_group_location")["problem"]
    asked = problems.str.contains("cannot connect: Connection refused").sum()
    assert 3 <= asked <= 3 + 8, "those under way when it was given up"
    assert problems.str.contains("given up after 3 failures in a row").sum() == 500 - asked


def test_a_host_that_answers_is_not_given_up(server: Server, store: Store, locations: Fetching, tmp_path: Path) -> None:
    references = [{"provider_group_id": n, "location": server.url(f"/{n}")} for n in range(100)]
    content = file_of(item_of(1, references=[*range(100)]), provider_references=references)
    load_file(store, source_of(tmp_path, content), "GA", fetcher=locations())
    assert server.asked.total() == 100


# --- trying again -----------------------------------------------------------------------------------------------


def loaded_with_holes(
    server: Server, store: Store, locations: Fetching, tmp_path: Path, query: str = ""
) -> tuple[LoadOutcome, Source]:
    """Load a batch of which the members of one group could be fetched."""
    serve(server, 1)
    source = source_of(tmp_path, remote(server, query))
    return load_file(store, source, "GA", fetcher=locations()), source


def summary(done: RetryOutcome) -> tuple[int, int, int, int, int]:
    groups = done.members.groups if done.members else 0
    return done.report.asked, done.report.failed, groups, done.remaining, done.signed


def test_a_retry_ends_with_the_same_store(server: Server, store: Store, locations: Fetching, tmp_path: Path) -> None:
    outcome, _ = loaded_with_holes(server, store, locations, tmp_path)
    facts = table(store, "fact_rate")
    batch = outcome.record["batch_id"]
    assert outcome.record["notes"]["unresolved_groups"] == 2
    assert summary(retry_unresolved(store, batch, locations())) == (2, 2, 0, 2, 0)
    serve(server, 3)
    assert summary(retry_unresolved(store, batch[:9].upper(), locations())) == (2, 1, 1, 1, 0)
    notes = json.loads(table(store, "dim_batch")["notes"][0])
    assert (notes["unresolved_groups"], notes["invalid_npi"], notes["locations_not_fetched"]) == (1, 1, 1)
    assert rejects(store).rows() == [("invalid_npi", "provider_references[].location", "99", 0)]
    serve(server, 2)
    assert summary(retry_unresolved(store, batch, locations())) == (1, 0, 1, 0, 0)
    assert members_of(store) == members_of(inline(tmp_path))
    assert table(store, "fact_rate").equals(facts)
    assert table(store, "xref_group_location").is_empty()
    assert "unresolved_groups" not in json.loads(table(store, "dim_batch")["notes"][0])
    generation = store.manifest()
    assert summary(retry_unresolved(store, batch, locations())) == (0, 0, 0, 0, 0)
    assert store.manifest() == generation, "nothing to do, nothing written"


def test_a_retry_leaves_other_batches_alone(server: Server, store: Store, locations: Fetching, tmp_path: Path) -> None:
    one, _ = loaded_with_holes(server, store, locations, tmp_path)
    other = load_file(store, source_of(tmp_path, remote(server, reporting_entity_name="B")), "GA", fetcher=locations())
    assert table(store, "xref_group_location").group_by("batch_id").len()["len"].to_list() == [2, 2]
    serve(server, 2, 3)
    retry_unresolved(store, one.record["batch_id"], locations())
    assert table(store, "xref_group_location")["batch_id"].to_list() == [other.record["batch_id"]] * 2
    assert json.loads(table(store, "dim_batch").filter(reporting_entity_name="B")["notes"][0])["unresolved_groups"] == 2


def test_signed_addresses_are_not_kept_and_read_from_the_file_again(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    outcome, source = loaded_with_holes(server, store, locations, tmp_path, "?X-Amz-Signature=SECRET")
    batch = outcome.record["batch_id"]
    kept = table(store, "xref_group_location")
    assert kept["signed"].to_list() == [True, True]
    assert not any("?" in url for url in kept["location"])
    serve(server, 2, 3)
    assert summary(retry_unresolved(store, batch, locations())) == (0, 0, 0, 2, 2)
    assert summary(retry_unresolved(store, batch, locations(), source=source)) == (2, 0, 2, 0, 0)
    assert {path for _, path, _ in server.requests[-2:]} == {f"/{n}.json?X-Amz-Signature=SECRET" for n in (2, 3)}
    assert members_of(store) == members_of(inline(tmp_path))
    assert rejects(store).rows() == [("invalid_npi", "provider_references[2].location", "99", 0)]


def test_a_file_loaded_without_fetching_is_resolved_later(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    serve(server, 1, 2, 3)
    outcome = load_file(store, source_of(tmp_path, remote(server)), "GA")
    assert outcome.locations is not None
    assert (outcome.locations.asked, outcome.locations.failed) == (3, 3)
    kept = table(store, "xref_group_location")
    assert kept["tried_at"].to_list() == [None] * 3
    assert kept["problem"][0].startswith("not tried")
    assert not server.asked
    assert summary(retry_unresolved(store, outcome.record["batch_id"], locations())) == (3, 0, 3, 0, 0)
    assert members_of(store) == members_of(inline(tmp_path))


def test_another_state_neither_asks_again_nor_forgets(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    outcome, source = loaded_with_holes(server, store, locations, tmp_path)
    server.pages.clear()
    before = server.asked.total()
    other = load_file(store, source, "FL", fetcher=locations())
    assert server.asked.total() - before == 2
    assert other.members is not None
    assert other.members.unresolved == 2
    assert sorted(table(store, "dim_provider_group")["resolved"]) == [False, False, True]
    serve(server, 2, 3)
    retry_unresolved(store, outcome.record["batch_id"], locations())
    assert [json.loads(notes).get("unresolved_groups") for notes in table(store, "dim_batch")["notes"]] == [None, None]


def test_a_group_whose_members_are_at_two_addresses(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    references = [{"provider_group_id": 1, "location": server.url(f"/{n}.json")} for n in (1, 2)]
    serve(server, 1)
    content = file_of(item_of(1), provider_references=references)
    outcome = load_file(store, source_of(tmp_path, content), "GA", fetcher=locations())
    assert outcome.members is not None
    assert outcome.members.unresolved == 0
    assert len(table(store, "xref_group_location")) == 1
    serve(server, 2)
    assert summary(retry_unresolved(store, outcome.record["batch_id"], locations())) == (1, 0, 1, 0, 0)
    assert len(table(store, "xref_group_npi")) == 3
    assert table(store, "dim_provider_group")["resolved"].to_list() == [True]


def test_batches_and_files_that_do_not_fit_are_refused(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    with pytest.raises(PayerFileError, match="nothing is loaded yet"):
        retry_unresolved(store, "a", locations())
    _, source = loaded_with_holes(server, store, locations, tmp_path)
    other = load_file(store, source_of(tmp_path, file_of(item_of(9))), "GA")
    before = store.manifest()
    for name, message in (
        ("zz", "not a batch of this store"),
        ("", "is the beginning of 2 batch ids"),
        ("%", "not a batch"),
    ):
        with pytest.raises(PayerFileError, match=message):
            retry_unresolved(store, name, locations())
    source_of(tmp_path, remote(server))
    with pytest.raises(
        PayerFileError, match=r"its content is batch .* expected the file that the batch was loaded from"
    ):
        retry_unresolved(store, other.record["batch_id"], locations(), source=source)
    assert store.manifest() == before


def test_the_time_of_the_attempt_is_stored(server: Server, store: Store, locations: Fetching, tmp_path: Path) -> None:
    loaded_with_holes(server, store, locations, tmp_path)
    for moment in table(store, "xref_group_location")["tried_at"]:
        assert isinstance(moment, datetime)
        assert moment.tzinfo is not None
