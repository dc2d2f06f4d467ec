"""The tools for agents, asked by a real client: in the process, over standard input and output, and over HTTP."""

import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

pytest.importorskip("mcp", reason="the group `agents` is not installed")

from mcp import Client, StdioServerParameters

from core.agents.server import make_server
from core.python_api.rate_store import RateStore, open_store
from tests.served import free_ports

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"BEACONPOINT_SECRET_KEY": "test", "DJANGO_DEBUG": "1"}


@pytest.fixture(scope="module")
def store(demo_root: Path) -> RateStore:
    return open_store(demo_root)


def run_apart(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run a coroutine in a thread of its own: a browser of other tests may keep this thread's event loop running."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(anyio.run, work).result()


def ask(server: Any, tool: str, **arguments: Any) -> Any:
    async def call() -> Any:
        async with Client(server) as client:
            return await client.call_tool(tool, arguments)

    return run_apart(call)


def answer(store: RateStore, tool: str, **arguments: Any) -> dict[str, Any]:
    found = ask(make_server(store), tool, **arguments)
    assert not found.is_error, found.content
    content: dict[str, Any] = found.structured_content
    return content


def test_each_tool_says_what_it_is_for_and_only_reads(store: RateStore) -> None:
    async def tools() -> Any:
        async with Client(make_server(store)) as client:
            return (await client.list_tools()).tools

    found = {tool.name: tool for tool in run_apart(tools)}
    assert {"find_code", "rates_in_market", "compare_payers", "percent_of_medicare", "who_is_npi"} <= set(found)
    for tool in found.values():
        assert tool.description
        assert tool.annotations.read_only_hint
        assert all(argument.get("description") for argument in tool.input_schema["properties"].values())


def test_rates_in_a_market_are_those_of_python_with_their_files(store: RateStore) -> None:
    found = answer(store, "rates_in_market", state="ga", code="99213")
    wanted = store.rate_summary("GA", "2025-08", "99213")
    assert [row["p50"] for row in found["rows"]] == wanted["p50"].to_list()
    assert found["rows_in_all"] == wanted.height
    assert {source["payer"] for source in found["sources"]} == set(wanted["reporting_entity_name"])
    assert all(source["file"] and source["last_updated_on"] for source in found["sources"])
    assert "each counted once" in found["method"]
    assert found["rate_classes"] == store.rate_classes("GA", "2025-08", "99213").to_dicts()
    every = answer(store, "rates_in_market", state="ga", code="99213", all_classes=True)
    assert {row["billing_class"] for row in every["rows"]} == {"professional", "institutional"}


def test_rates_one_by_one_are_cut_and_counted(store: RateStore) -> None:
    found = answer(store, "list_rates", state="GA", code="99213", limit=3)
    rates = store.rates("GA", "2025-08", "99213")
    assert [row["fact_uid"] for row in found["rows"]] == rates["fact_uid"].to_list()[:3]
    assert found["rows_in_all"] == rates.height


def test_percents_of_medicare_payers_and_providers(store: RateStore) -> None:
    percents = answer(store, "percent_of_medicare", state="GA", code="70450")
    assert [row["p50"] for row in percents["rows"]] == store.medicare_summary("GA", "2025-08", "70450")["p50"].to_list()
    side_by_side = answer(store, "compare_payers", state="GA", codes=["99213", "MS-DRG:470"])
    assert {row["code"] for row in side_by_side["rows"]} == {"99213", "470"}
    npi = store.sql("SELECT min(npi) AS npi FROM xref_group_npi JOIN dim_npi USING (npi)")["npi"][0]
    assert answer(store, "who_is_npi", npi=npi)["rows"][0]["npi"] == npi
    tin = store.rates("GA", "2025-08", "99213")["one_tin"][0]
    assert answer(store, "who_is_tax_id", tax_id=tin)["rows"]
    state = store.coverage()["state"][0]
    assert answer(store, "rates_of_provider", state=state, tax_id=tin, limit=2)["rows_in_all"] > 0
    assert answer(store, "find_code", words="knee")["rows"]
    assert answer(store, "what_is_loaded")["rows_in_all"] == store.coverage().height


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("rates_in_market", {"state": "WY", "code": "99213"}, "no rates of WY are loaded; there are rates of GA"),
        ("rates_in_market", {"state": "Georgetown", "code": "99213"}, "expected two letters such as GA"),
        ("who_is_npi", {"npi": "12"}, "expected 10 digits"),
        ("rates_of_provider", {"state": "GA"}, "expected either npi or tax_id"),
        ("list_rates", {"state": "GA", "code": "99213", "limit": 9999}, "200"),
    ],
)
def test_an_agent_is_told_what_to_ask_instead(
    store: RateStore, tool: str, arguments: dict[str, Any], said: str
) -> None:
    found = ask(make_server(store), tool, **arguments)
    assert found.is_error
    assert said in found.content[0].text


def test_over_standard_input_and_output(demo_root: Path) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=[str(ROOT / "manage.py"), "mcp"],
        env={**os.environ, **ENVIRONMENT, "BEACONPOINT_DATA_DIR": str(demo_root)},
    )
    found = ask(server, "rates_in_market", state="GA", code="99213")
    assert found.structured_content["rows"]


def test_over_http_on_this_machine(demo_root: Path) -> None:
    (port,) = free_ports(1)
    environment = {**os.environ, **ENVIRONMENT, "BEACONPOINT_DATA_DIR": str(demo_root)}
    command = [sys.executable, str(ROOT / "manage.py"), "mcp", "--http", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            found = _ask_when_ready(f"http://127.0.0.1:{port}/mcp")
        finally:
            process.terminate()
    assert found.structured_content["rows"]


def _ask_when_ready(url: str) -> Any:
    deadline = time.monotonic() + 120
    while True:
        try:
            return ask(url, "rates_in_market", state="GA", code="99213")
        except Exception:  # whatever the client raises while nobody listens yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
