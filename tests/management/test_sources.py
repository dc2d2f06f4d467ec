"""ingest_mrf from the web, as it is run: real processes, real servers on loopback, and no secret anywhere."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from core.store.generations.store import Store
from tests.fetch.server import Page, Server, bomb
from tests.load.national_files import national, place_nationwide
from tests.management.failures import complaint
from tests.management.forked_commands import ForkedCommands
from tests.paths import ROOT
from tests.rate_files import file_of, item_of
from tests.site import serving
from tests.stores import listing
from tests.stores import table as rows

Done = subprocess.CompletedProcess[str]
Ingest = Callable[..., Done]

SECRETS = ("SECRET", "PASSWORD")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


def environment(root: Path, **more: str) -> dict[str, str]:
    fetching = {"BEACONPOINT_FETCH_PRIVATE": "127.0.0.1/32", "BEACONPOINT_FETCH_BACKOFF": "0.01"}
    return {**os.environ, "BEACONPOINT_DATA_DIR": str(root), **fetching, **more}


@pytest.fixture
def ingest(root: Path, forked_commands: ForkedCommands) -> Ingest:
    """Run ingest_mrf for Georgia, and check that what it prints has no secret."""

    def run(*arguments: Any, state: str | None = "GA", **env: str) -> Done:
        command = ["ingest_mrf", *map(str, arguments), *(["--state", state] if state else [])]
        done = forked_commands.run(command, environment(root, **env))
        assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]
        assert "Traceback" not in done.stderr
        return done

    return run


def packed(*items: Any, **root: Any) -> bytes:
    return gzip.compress(json.dumps(file_of(*(items or (item_of(1, 2),)), **root)).encode(), mtime=0)


def table(root: Path, path: str) -> pl.DataFrame:
    return pl.read_parquet(root / path)


def assert_no_secret_on_disk(directory: Path) -> None:
    """Search every file, and the values of those that are compressed."""
    looked = 0
    for path in directory.rglob("*"):
        assert not [secret for secret in SECRETS if secret in path.name]
        if path.is_file():
            text = path.read_bytes()
            if path.suffix == ".parquet":
                text += str(pq.read_table(path).to_pylist()).encode()
            assert not [secret for secret in SECRETS if secret.encode() in text], path
            looked += 1
    assert looked > 10


def test_an_address_is_loaded_and_leaves_no_secret(ingest: Ingest, server: Server, root: Path, tmp_path: Path) -> None:
    members = {"provider_groups": [{"npi": [1912951245], "tin": {"type": "ein", "value": "123456789"}}]}
    server.put("/1.json", json.dumps(members).encode())
    references = [{"provider_group_id": n, "location": server.url(f"/{n}.json?sig=SECRET")} for n in (1, 2)]
    server.put("/a.json.gz", packed(item_of(1, references=[1, 2]), provider_references=references), cut=[100])
    server.redirect("/start", "/a.json.gz?sig=SECRET")
    url = f"http://user:PASSWORD@127.0.0.1:{server.port}/start?X-Amz-Signature=SECRET"
    done = ingest(url)
    assert done.returncode == 0, done.stderr
    assert server.url("/start\n  Payer, GA, 2025-08, batch ") in done.stdout
    assert "2 rows read: 2 added" in done.stdout
    assert "1 of 2 addresses of provider groups could not be fetched, such as:" in done.stdout
    assert table(root, "silver/dim_batch/dim_batch.parquet")["source"].to_list() == [server.url("/start")]
    assert_no_secret_on_disk(root)
    assert not list((tmp_path / "data-cache").glob("*-start"))
    (batch,) = re.findall(r"--resolve ([0-9a-f]{32})", done.stdout)
    told = ingest("--resolve", batch, state=None)
    assert told.returncode == 0
    assert "1 addresses were signed, and signatures are not stored" in told.stdout
    server.put("/2.json", json.dumps(members).encode())
    again = ingest("--resolve", batch[:8], url, state=None)
    assert again.returncode == 0, again.stderr
    assert "1 provider groups have members now, 0 have none" in again.stdout
    assert table(root, "silver/dim_provider_group/dim_provider_group.parquet")["resolved"].to_list() == [True, True]
    assert "loaded before and not changed on the web since" in ingest(url).stdout
    assert_no_secret_on_disk(root)


def test_what_cannot_be_fetched_is_one_line_and_changes_nothing(ingest: Ingest, server: Server, root: Path) -> None:
    server.put("/good.json.gz", packed())
    assert ingest(server.url("/good.json.gz")).returncode == 0
    before = listing(root)
    expired = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    pages = {
        "/404": (None, "no such file there (404)"),
        "/403?sig=SECRET": (Page(answers=[(403, {}, expired)]), "signature has expired; get a new link"),
        "/429": (Page(answers=[(429, {"Retry-After": "9999"}, b"")]), "asked to wait 9,999 s"),
        "/length": (Page(b"{}", length=99, ranges=False), "the connection was cut"),
        "/digest": (Page(b"{}", headers={"Content-MD5": "A" * 22 + "=="}), "does not have the md5 digest"),
        "/bomb": (Page(bomb(60_000_000)), "unpacks to more than"),
        "/page": (Page(b"<html>"), "a web page or XML"),
        "/private": (Page(answers=[(302, {"Location": "http://169.254.169.254/?SECRET"}, b"")]), "is not public"),
        "/file": (Page(answers=[(302, {"Location": "file:///etc/passwd"}, b"")]), "expected an address that begins"),
        "/circle": (Page(answers=[(302, {"Location": "/circle"}, b"")] * 99), "redirected more than 10 times"),
    }
    for path, (page, _) in pages.items():
        if page:
            server.pages[path.partition("?")[0]] = page
    limits = {"BEACONPOINT_FETCH_TRIES": "2", "BEACONPOINT_UNPACK_LIMIT": "50MB"}
    done = ingest(*(server.url(path) for path in pages), "--jobs", "1", **limits)
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert len(said) == len(pages) + 1
    assert "10 files were not loaded, see above" in said[-1]
    for line, message in zip(said, [message for _, message in pages.values()], strict=False):
        assert message in line
    assert "not public (loopback)" in complaint(ingest(server.url("/other"), BEACONPOINT_FETCH_PRIVATE=""))
    assert "begins with https:// or http://" in complaint(ingest("ftp://127.0.0.1/x"))
    assert "BEACONPOINT_FETCH_PRIVATE" in complaint(ingest("x", BEACONPOINT_FETCH_PRIVATE="127.0.0.1/33"))
    assert listing(root) == before


def contents(server: Server) -> None:
    """Serve a table of contents of four files, one of which does not exist, and one of which is not a file."""
    for n in (1, 2, 3):
        server.put(f"/{n}.json.gz", packed(item_of(n, code=f"1000{n}")))
    plans = [
        {"plan_name": f"Peach {n}", "plan_id_type": "HIOS", "plan_id": f"100{n}", "plan_market_type": "group"}
        for n in range(5)
    ]

    def file(name: str) -> dict[str, str]:
        return {"description": "in-network", "location": server.url(f"/{name}?X-Amz-Signature=SECRET{len(name)}")}

    structures = [
        {
            "reporting_plans": plans[:3],
            "in_network_files": [file("1.json.gz"), file("gone.json.gz"), file("2.json.gz")],
        },
        {"reporting_plans": plans[3:], "in_network_files": [file("2.json.gz"), {"location": "file:///etc/passwd"}]},
        {"reporting_plans": plans[4:], "in_network_files": [file("3.json.gz")], "allowed_amount_file": file("x")},
    ]
    server.put("/index.json", json.dumps({"reporting_structure": structures}).encode())
    server.pages["/2.json.gz"].head = False


def test_a_table_of_contents_from_list_to_second_run(ingest: Ingest, server: Server, root: Path) -> None:
    contents(server)
    index = server.url("/index.json?sig=SECRET")
    shown = ingest("--toc", index, "--list", state=None)
    assert shown.returncode == 0, shown.stderr
    sizes = [len(server.pages[f"/{n}.json.gz"].content) for n in (1, 2, 3)]
    assert [int(size) for size in re.findall(r"^ +(\d+) B  http", shown.stdout, re.MULTILINE)] == sizes
    assert re.search(r"^ +\?  \S+/gone\.json\.gz$", shown.stdout, re.MULTILINE)
    assert "5 plans: Peach 0 (1000); Peach 1 (1001); Peach 2 (1002) and 2 more; in-network" in shown.stdout
    assert f"4 of 4 files, for 5 of 5 plans, {sum(sizes)} B and 1 of unknown size" in shown.stdout
    assert "left out: 1 allowed-amount files, 1 locations that are not web addresses" in shown.stderr
    assert not root.exists()

    some = ingest("--toc", index, "--plan", "1004", "--match", "3.json*")
    assert some.returncode == 0, some.stderr
    assert "1 added" in some.stdout
    first = ingest("--toc", index, "--jobs", "2")
    assert first.returncode == 1
    assert "2 files loaded: 2 rows read, 2 added; 1 loaded before and not fetched; 1 not loaded" in first.stdout
    assert "/gone.json.gz: no such file there (404)" in first.stderr
    assert "1 file was not loaded, see above" in first.stderr
    plans = table(root, "silver/xref_batch_plan/xref_batch_plan.parquet")
    assert sorted(plans.group_by("batch_id").len()["len"]) == [1, 3, 5]
    sent = server.sent.copy()

    server.put("/gone.json.gz", packed(item_of(9, code="10009")))
    second = ingest("--toc", index)
    assert second.returncode == 0, second.stderr
    assert "1 files loaded: 1 rows read, 1 added; 3 loaded before and not fetched" in second.stdout
    assert {path for path in server.sent if server.sent[path] != sent[path]} == {"/gone.json.gz", "/index.json"}
    assert "4 of 4 files" in (listed := ingest("--toc", index, "--list").stdout)
    assert "; 4 loaded" in listed

    for n in (1, 2, 3):
        server.pages[f"/{n}.json.gz"].answers = [(403, {}, b"<Error>Request has expired</Error>")] * 9
    late = ingest("--toc", index)
    assert late.returncode == 0
    assert "4 loaded before and not fetched, 3 of which could not be checked again" in late.stdout
    assert_no_secret_on_disk(root)


def test_a_copy_of_a_published_store_refuses_files_of_its_own(ingest: Ingest, root: Path) -> None:
    done = ingest("rates.json", BEACONPOINT_OBJECT_STORE="s3://rates/store")
    wanted = f"{root}: a copy of s3://rates/store; load into that one, with --engine ray (docs/cluster.md)"
    assert (done.returncode, done.stderr) == (1, f"Error: {wanted}\n")


def test_a_table_of_contents_for_several_states_loads_each_as_by_itself(
    ingest: Ingest, server: Server, root: Path, tmp_path: Path
) -> None:
    for n, codes in ((1, ("99213",)), (2, ("99214", "99215"))):
        server.put(f"/{n}.json.gz", gzip.compress(json.dumps(national(*codes)).encode(), mtime=0))
    files = [{"description": "in-network", "location": server.url(f"/{n}.json.gz")} for n in (1, 2)]
    plan = {"plan_name": "Peach", "plan_id_type": "HIOS", "plan_id": "1", "plan_market_type": "group"}
    index = json.dumps({"reporting_structure": [{"reporting_plans": [plan], "in_network_files": files}]})
    server.put("/index.json", index.encode())
    toc = ("--toc", server.url("/index.json"), "--in-state")
    alone = tmp_path / "alone"
    for store in (root, alone):
        place_nationwide(Store(store))
    generation = Store(root).loaded().generation
    done = ingest(*toc, state="GA,FL,TX")
    assert done.returncode == 0, done.stderr
    assert Store(root).loaded().generation == generation + 2, "a file is published once, for all of its states"
    for state in ("GA", "FL", "TX"):
        assert ingest(*toc, state=state, BEACONPOINT_DATA_DIR=str(alone)).returncode == 0
    for name in ("fact_rate", "dim_provider_group", "xref_group_npi", "dim_code", "xref_batch_plan"):
        found, expected = (rows(Store(store), name) for store in (root, alone))
        assert len(found), name
        assert sorted(found.rows(), key=repr) == sorted(expected.rows(), key=repr), name
    facts = rows(Store(root), "fact_rate")
    assert sorted(facts["state"]) == ["FL"] * 6 + ["GA"] * 6, "two prices of three codes in each"
    sent = server.sent.copy()
    again = ingest(*toc, state="GA,FL,TX")
    assert "2 loaded before and not fetched" in again.stdout, again.stdout
    assert Store(root).loaded().generation == generation + 2
    assert {path for path in server.sent if server.sent[path] != sent[path]} == {"/index.json"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--state GA", "nothing to load"),
        ("x", "expected --state"),
        ("--state GA --toc x y", "expected no SOURCE"),
        ("--state GA --list x", r"expected --toc INDEX"),
        ("--resolve x y z", "one SOURCE at most"),
        ("--resolve x --no-locations", "expected only one of them"),
        ("--state GA x --jobs 0", "from 1 to 32"),
        ("--state GA --toc {rates}", "an in-network file; load it without --toc"),
        ("--state GA --toc {none}", "no such file"),
        ("--state GA --toc {index} --plan gold", "none of the 5 plans"),
        ("--list --toc {index} --match gold", "none of the 4 files"),
        ("--resolve x", "nothing is loaded yet"),
    ],
)
def test_options_that_do_not_fit_are_told(
    server: Server, root: Path, arguments: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents(server)
    monkeypatch.setattr("django.conf.settings.BEACONPOINT_FETCH_PRIVATE", ["127.0.0.1/32"])
    root.mkdir()
    rates = root / "rates.json"
    rates.write_text(json.dumps(file_of(item_of(1))))
    given = arguments.format(rates=rates, none=root / "none", index=server.url("/index.json")).split()
    with serving(root), pytest.raises(CommandError, match=message):
        call_command("ingest_mrf", *given, stdout=StringIO(), stderr=StringIO())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--resolve", "https://h/x?sig=SECRET"), "https://h/x: not a batch of this store"),
        (("https//user:PASSWORD@h/x.json?sig=SECRET",), "https//h/x.json: no such file; an address begins with"),
        (("--toc", "https:/h/x.json?sig=SECRET"), "https:/h/x.json"),
    ],
)
def test_an_address_with_a_slip_keeps_its_secrets(
    ingest: Ingest, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    rates = tmp_path / "rates.json"
    rates.write_bytes(json.dumps(file_of(item_of(1))).encode())
    assert ingest(rates).returncode == 0
    assert told in complaint(ingest(*arguments))


def test_an_interrupted_download_is_resumed_by_the_next_run(server: Server, ingest: Ingest, root: Path) -> None:
    content = json.dumps(file_of(*(item_of(n, code=str(n), name="x" * 1000) for n in range(4000)))).encode()
    url = server.put("/slow.json", content, pause=0.05)
    command = [sys.executable, "manage.py", "ingest_mrf", "--state", "GA", url]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(root), stderr=subprocess.PIPE, text=True)
    while server.sent["/slow.json"] < 300_000:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in error
    (part,) = (root.parent / "data-cache").glob("*.part")
    arrived = part.stat().st_size
    assert arrived > 0
    server.pages["/slow.json"].pause = 0
    done = ingest(url)
    assert done.returncode == 0, done.stderr
    assert "4,000 added" in done.stdout
    assert server.requests[-1][2]["Range"] == f"bytes={arrived}-"
