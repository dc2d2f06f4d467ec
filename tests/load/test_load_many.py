"""Files from the web into a store: fetched ahead, each failure for itself, nothing fetched twice."""

import gzip
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.fetch.client import Client
from core.fetch.download import Downloads
from core.load.fetch_ahead import WantedFile, Web, merge_same_files
from core.load.load_many import LoadPlan, Step, load_web
from core.load.rate_filters import ALL_RATES, RateFilter, StateLoad, make_filter
from core.runtime.progress import Progress
from core.store.generations.store import Store
from core.tic.plans import Plan
from tests.fetch.server import Page, Server
from tests.rate_files import file_of, item_of

ONE, TWO = Plan("One", "hios", "1", "group"), Plan("Two", "ein", "2", "individual")

Run = Callable[..., list[Step]]


@contextmanager
def bar(_name: str, _done: str) -> Iterator[Progress]:
    yield lambda _done, _total: None


def content_of(number: int) -> bytes:
    return gzip.compress(json.dumps(file_of(item_of(number, code=str(10000 + number)))).encode(), mtime=0)


def zip_of(*contents: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for number, content in enumerate(contents):
            packed.writestr(f"{number}.json", content)
    return file.getvalue()


@pytest.fixture
def run(server: Server, client: Client, store: Store, tmp_path: Path) -> Run:
    """Load paths of the server, each for some plans, as one run of the command does."""

    def run_it(
        *paths: str,
        plans: frozenset[Plan] = frozenset((ONE,)),
        jobs: int = 3,
        state: str = "GA",
        only: RateFilter = ALL_RATES,
        year_month: str | None = None,
        **web: Any,
    ) -> list[Step]:
        downloads = Downloads(client, tmp_path / "cache", 10_000_000)
        plan = LoadPlan(
            store, (StateLoad(state, only),), Web(client, downloads, None, **web), bar, year_month=year_month
        )
        return list(load_web(plan, [WantedFile(server.address(path), plans) for path in paths], jobs))

    return run_it


def table(store: Store, name: str) -> pl.DataFrame:
    manifest = store.manifest()
    assert manifest is not None
    return pl.read_parquet(manifest.paths(store.root, name))


def cached(tmp_path: Path) -> list[str]:
    return sorted(path.name.partition("-")[2] for path in (tmp_path / "cache").iterdir() if "-" in path.name)


def test_files_are_loaded_once(server: Server, store: Store, run: Run, tmp_path: Path) -> None:
    for n in range(5):
        server.put(f"/{n}.json.gz", content_of(n))
    paths = [f"/{n}.json.gz?Signature=SECRET&Expires=1" for n in range(5)]
    steps = run(*paths)
    assert sum(step.outcomes[0].rows_added for step in steps if step.outcomes) == 5
    assert cached(tmp_path) == []
    batches = table(store, "dim_batch")
    assert sorted(batches["source"]) == [server.url(f"/{n}.json.gz") for n in range(5)]
    assert set(table(store, "xref_batch_plan")["batch_id"]) == set(batches["batch_id"])
    before, sent = store.manifest(), server.sent.total()
    again = run(*paths)
    assert [(step.loaded_before, step.problem, step.outcomes) for step in again] == [(True, None, ())] * 5
    assert store.manifest() == before
    assert server.sent.total() == sent
    assert [bool(step.outcomes) for step in run(*paths, state="FL")] == [True] * 5


def test_the_next_run_continues_and_loads_changed_files(server: Server, store: Store, run: Run) -> None:
    server.put("/0", content_of(0))
    server.put("/1", content_of(1), cut=[50] * 3)
    first = {step.name: step for step in run("/0", "/1", "/2")}
    assert "was cut" in str(first[server.url("/1")].problem)
    assert "no such file there" in str(first[server.url("/2")].problem)
    server.put("/0", content_of(7))
    server.put("/2", content_of(2))
    second = {step.name: step for step in run("/0", "/1", "/2")}
    assert all(step.outcomes and step.outcomes[0].rows_added == 1 for step in second.values())
    assert len(table(store, "fact_rate")) == 4
    assert all(step.loaded_before for step in run("/0", "/1", "/2"))


def test_a_wider_filter_fetches_the_file_again_and_adds_the_rest(server: Server, store: Store, run: Run) -> None:
    content = file_of(item_of(1, code="99213"), item_of(2, code="99214"))
    server.put("/0", json.dumps(content).encode())
    narrow = make_filter(codes=["99213"])
    (first,) = run("/0", only=narrow)
    assert first.outcomes
    assert first.outcomes[0].rows_added == 1
    assert [step.loaded_before for step in run("/0", only=narrow)] == [True]
    (wider,) = run("/0")
    assert wider.outcomes
    assert (wider.outcomes[0].rows_added, wider.outcomes[0].record["rows_added"]) == (1, 2)
    sent = server.sent.total()
    assert [step.loaded_before for step in (*run("/0", only=narrow), *run("/0"))] == [True, True]
    assert server.sent.total() == sent


def test_a_wider_filter_that_cannot_be_fetched_is_not_loaded(server: Server, run: Run) -> None:
    server.put("/0", content_of(0))
    run("/0", only=make_filter(codes=["99213"]))
    server.pages["/0"].answers = [(404, {}, b"")] * 9
    (step,) = run("/0")
    assert not step.loaded_before
    assert "no such file there" in str(step.problem)


def test_another_month_is_refused_though_nothing_is_fetched(server: Server, store: Store, run: Run) -> None:
    server.put("/0", content_of(0))
    run("/0")
    before, sent = store.manifest(), server.sent.total()
    (step,) = run("/0", year_month="2024-01")
    assert (step.loaded_before, step.outcomes) == (False, ())
    assert "in the store already, as 2025-08 in GA, and one file has one month" in str(step.problem)
    assert (store.manifest(), server.sent.total()) == (before, sent)
    assert [step.loaded_before for step in run("/0", year_month="2025-08")] == [True]


def test_a_loaded_file_that_cannot_be_checked_again_counts_as_loaded(server: Server, run: Run) -> None:
    server.put("/0", content_of(0))
    run("/0")
    server.pages["/0"].answers = [(403, {}, b"<Error><Message>Request has expired</Message></Error>")] * 9
    (step,) = run("/0")
    assert step.loaded_before
    assert "the link's signature has expired" in str(step.problem)


def test_a_server_without_etags_is_asked_again_and_nothing_is_loaded_twice(
    server: Server, store: Store, run: Run
) -> None:
    server.put("/0", content_of(0), etag=None)
    run("/0")
    (step,) = run("/0", plans=frozenset((TWO,)))
    assert step.outcomes
    assert step.outcomes[0].loaded_before
    assert set(table(store, "xref_batch_plan")["plan_name"]) == {"One", "Two"}


def test_plans_are_added_to_what_is_loaded(server: Server, store: Store, run: Run) -> None:
    server.put("/0", content_of(0))
    run("/0", plans=frozenset((ONE,)))
    run("/0", plans=frozenset((ONE, TWO)))
    assert sorted(table(store, "xref_batch_plan")["plan_name"]) == ["One", "Two"]


def test_plans_of_several_loaded_files_are_all_added(server: Server, store: Store, run: Run) -> None:
    paths = [f"/{n}" for n in range(3)]
    for n, path in enumerate(paths):
        server.put(path, content_of(n))
    run(*paths, plans=frozenset((ONE,)))
    run(*paths, plans=frozenset((TWO,)))
    assert sorted(table(store, "xref_batch_plan")["plan_name"]) == ["One"] * 3 + ["Two"] * 3


def test_a_file_of_a_single_plan_names_it(store: Store, run: Run, server: Server) -> None:
    content = file_of(item_of(1), plan_name=" Mine ", plan_id=123, plan_id_type="EIN", plan_market_type="Group")
    server.put("/0", json.dumps(content).encode())
    run("/0", plans=frozenset())
    assert table(store, "xref_batch_plan").drop("batch_id").rows() == [
        ("GA", "Mine", "ein", "123", "group", "", ""),
    ]


def test_a_zip_is_loaded_before_when_all_its_files_are(server: Server, store: Store, run: Run, tmp_path: Path) -> None:
    good, bad = [gzip.decompress(content_of(n)) for n in (1, 2)], b"{"
    server.put("/a.zip", zip_of(good[0], bad, good[1]))
    steps = run("/a.zip")
    assert [step.problem is None for step in steps] == [True, False, True], "each document by itself"
    assert cached(tmp_path) == ["a.zip"], "kept for a while: what failed may want an option"
    again = run("/a.zip")
    assert [(step.loaded_before, step.outcomes and step.outcomes[0].rows_added) for step in again] == [
        (False, 0), (False, ()), (False, 0),
    ]  # fmt: skip
    server.put("/a.zip", zip_of(*good))
    assert [step.outcomes[0].loaded_before for step in run("/a.zip") if step.outcomes] == [True, True]
    assert [step.loaded_before for step in run("/a.zip")] == [True]
    assert set(table(store, "xref_batch_source")["member"]) == {"0.json", "1.json", "2.json"}
    assert cached(tmp_path) == []


def test_a_file_that_failed_to_load_is_not_fetched_again(server: Server, run: Run, tmp_path: Path) -> None:
    server.put("/0", json.dumps(file_of(item_of(1), last_updated_on=None)).encode())
    for _ in range(2):
        (step,) = run("/0")
        assert "--year-month" in str(step.problem)
    assert server.sent["/0"] == len(server.pages["/0"].content)


def test_downloads_are_kept_on_request(server: Server, run: Run, tmp_path: Path) -> None:
    server.put("/0.json.gz", content_of(0))
    run("/0.json.gz", keep=True)
    assert cached(tmp_path) == ["0.json.gz"]


def test_the_wanted_number_of_files_is_fetched_at_a_time(server: Server, run: Run) -> None:
    gate = threading.Barrier(4, timeout=15)

    def wait(_page: Page) -> None:
        gate.wait()

    for n in range(8):
        server.put(f"/{n}", content_of(n), before=wait if n < 4 else lambda _page: time.sleep(0.1))
    steps = run(*(f"/{n}" for n in range(8)), jobs=4)
    assert [step.problem for step in steps] == [None] * 8, "four wait for each other, so four were fetched at once"
    assert server.most_at_once == 4


def test_a_host_that_keeps_failing_is_given_up(client: Client, run: Run, server: Server) -> None:
    for n in range(20):
        server.put(f"/{n}", answers=[(500, {}, b"")] * 99)
    steps = run(*(f"/{n}" for n in range(20)), jobs=1)
    problems = [str(step.problem) for step in steps]
    assert sum("cannot serve it now (500)" in problem for problem in problems) == 3
    assert sum("given up after 3 failures" in problem for problem in problems) == 17
    assert server.asked.total() == 3 * client.patience.tries


def test_addresses_equal_but_for_their_signature_are_one_file(server: Server) -> None:
    one, two = (WantedFile(server.address(f"/a?sig={n}"), frozenset((plan,))) for n, plan in enumerate((ONE, TWO)))
    (both,) = merge_same_files([one, two])
    assert both.plans == {ONE, TWO}
