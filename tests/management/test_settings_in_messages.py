"""Each message that names a setting names the one that makes it go away, and no other."""

import ast
import gzip
import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from core import open_store
from core.management.base_command import WritingCommand
from core.open_web import open_web
from core.pages.shared.downloads import download, download_seconds, hold_until_sent
from core.pages.shared.lanes.admission import DOWNLOADS
from core.quality.advice import advise
from core.queries.find.codes import CodeTitle
from core.runtime.errors import BeaconError
from core.store.generations.manifest import Manifest
from core.store.generations.store import Store
from core.store.upkeep.backup import back_up
from core.tic.source import open_documents
from core.workbook import About
from tests.fetch.server import Server
from tests.paths import ROOT
from tests.stores import change

JSON = json.dumps(
    {"provider_groups": [{"npi": [1912951245], "tin": {"type": "ein", "value": "1"}}], "x": "x" * 1_500_000}
)

SLOW = "SELECT sum(hash(i)) FROM range(50000000) t(i)"
LARGE = "SELECT list(i) FROM range(4000000) t(i)"
SPILLING = "SELECT count(*) FROM (SELECT DISTINCT hash(i) FROM range(4000000) t(i))"
"""It does not fit into SMALL_MEMORY, and DuckDB writes what does not fit to disk."""


@dataclass(frozen=True)
class Situation:
    """Where a message is provoked: a server that serves JSON, plain and in gzip, and an empty directory."""

    server: Server
    directory: Path

    def file(self, name: str, content: bytes) -> Path:
        path = self.directory / name
        path.write_bytes(content)
        return path


def fetch(at: Situation) -> None:
    with open_web() as web:
        web.downloads.done(web.downloads.get(at.server.address("/plain.json")))


def fetch_members(path: str) -> Callable[[Situation], None]:
    def ask(at: Situation) -> None:
        with open_web() as web:
            assert web.group_fetcher
            (found,) = web.group_fetcher.fetch_all([(at.server.url(path), None)])
        if found.problem:
            raise BeaconError(found.problem)

    return ask


def read(content: bytes, ratio_from: int | None = None) -> Callable[[Situation], None]:
    def ask(at: Situation) -> None:
        with open_web() as web:
            limits = replace(web.limits, ratio_from=ratio_from) if ratio_from else web.limits
        for document in open_documents(at.file("a.json", content), limits=limits):
            for _ in document.read_blocks():
                pass

    return ask


def query(sql: str) -> Callable[[Situation], None]:
    def ask(_at: Situation) -> None:
        change(open_store.store(), "a")
        db = open_store.snapshot()
        assert db is not None
        db.rows(sql)

    return ask


def ask_for_a_visitor(_at: Situation) -> None:
    change(open_store.store(), "a")
    db = open_store.snapshot_for_site()
    assert db is not None
    db.rows(LARGE)


class OvertakenStore(Store):
    """A store whose newest generation is superseded as soon as it has been read: another command loads all the time."""

    def loaded(self) -> Manifest:
        manifest = super().loaded()
        change(open_store.store(), f"after {manifest.generation}")
        return manifest


def back_up_while_loading(at: Situation) -> None:
    change(open_store.store(), "a")
    back_up(OvertakenStore(open_store.store().root), at.directory / "backup")


def download_slowly(_at: Situation) -> None:
    rows = [CodeTitle("CPT", str(number), "x" * 1000, None) for number in range(3000)]
    about = About("Codes", "https://example.com/codes/", [], [], 1, "0a1b2c3d", datetime.now(UTC))
    response = download(rows, CodeTitle, "codes", "csv", lambda: about)
    hold_until_sent(response, DOWNLOADS.enter(), download_seconds())
    time.sleep(0.2)
    for _ in cast("Iterable[bytes]", response.streaming_content):
        pass


def write(_at: Situation) -> None:
    change(open_store.store(), "a")


def write_with_layout(at: Situation) -> None:
    change(Store(at.directory / "data"), "a")
    command = WritingCommand(stderr=io.StringIO())
    command.store(no_wait=True)
    if said := command.stderr.getvalue():
        raise BeaconError(said)


def ask_for_advice(at: Situation) -> None:
    store = Store(at.directory / "data")
    change(store, "a")
    from django.conf import settings  # noqa: PLC0415 - the fixture has changed it by now

    if said := advise(store.loaded(), settings.BEACONPOINT_FACT_LAYOUT):
        raise BeaconError(" ".join(said))


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", content)
    return file.getvalue()


GZIP, ZIP = gzip.compress(JSON.encode()), zipped(JSON.encode())
PRIVATE = {"BEACONPOINT_FETCH_PRIVATE": ["127.0.0.0/8"]}
PATIENT = {"BEACONPOINT_QUERY_SECONDS": 300}
SMALL_MEMORY = {**PATIENT, "BEACONPOINT_QUERY_MEMORY": "64MB"}
FORGETFUL = {"BEACONPOINT_KEEP_GENERATIONS": 0, "BEACONPOINT_KEEP_DAYS": 0}

CASES: dict[str, tuple[str, Any, Any, Callable[[Situation], None], dict[str, Any]]] = {
    "a download is too large": ("DOWNLOAD_LIMIT", "1MB", "2MB", fetch, PRIVATE),
    "a file of members is too large": ("LOCATION_LIMIT", "1MB", "2MB", fetch_members("/plain.json"), PRIVATE),
    "a file of members unpacks to too much": ("LOCATION_LIMIT", "1MB", "2MB", fetch_members("/packed.json"), PRIVATE),
    "a gzip unpacks to too much": ("UNPACK_LIMIT", "1MB", "2MB", read(GZIP), {}),
    "a zip unpacks to too much": ("UNPACK_LIMIT", "1MB", "2MB", read(ZIP), {}),
    "a gzip is packed too well": ("UNPACK_RATIO", 2, 5000, read(GZIP, 1000), {}),
    "a zip is packed too well": ("UNPACK_RATIO", 2, 5000, read(ZIP, 1000), {}),
    "a host is not public": ("FETCH_PRIVATE", [], ["127.0.0.0/8"], fetch, {}),
    "downloads cannot be saved": ("CACHE_DIR", "{file}/cache", "{directory}/cache", fetch, PRIVATE),
    "the store cannot be written": ("DATA_DIR", "{file}/data", "{directory}/data", write, {}),
    "a question takes too long": ("QUERY_SECONDS", 0.1, 300, query(SLOW), {}),
    "a question needs too much memory": ("QUERY_MEMORY", "16MB", "1GB", query(LARGE), PATIENT),
    "a visitor's question needs too much memory": ("SITE_MEMORY", "40MB", "2GB", ask_for_a_visitor, PATIENT),
    "a question needs too much disk": ("QUERY_TEMP_SIZE", "1MB", "1GB", query(SPILLING), SMALL_MEMORY),
    "a backup is overtaken by loads": ("GRACE_SECONDS", 0, 3600, back_up_while_loading, FORGETFUL),
    "a download takes too long": ("DOWNLOAD_SECONDS", 0.1, 300, download_slowly, {}),
    "the store has another layout": ("FACT_LAYOUT", "monthly", "single", write_with_layout, {}),
    "the layout is advised": ("FACT_LAYOUT", "monthly", "single", ask_for_advice, {}),
}  # fmt: skip
"""What is provoked: the setting that the message names, a value with which it is said, one with which it is not, the
question, and the other settings."""

_NAME = re.compile("BEACONPOINT_[A-Z_]+")


@pytest.mark.in_turns(8)
@pytest.mark.parametrize("name", CASES)
def test_the_setting_that_is_named_makes_the_message_go_away(
    server: Server, tmp_path: Path, settings: Any, name: str
) -> None:
    setting, before, after, ask, others = CASES[name]
    server.put("/plain.json", JSON.encode())
    server.put("/packed.json", GZIP)
    at = Situation(server, tmp_path)
    file = at.file("file", b"")

    def use(value: Any) -> None:
        for other, chosen in {"BEACONPOINT_DATA_DIR": tmp_path / "data", "BEACONPOINT_TEMP_DIR": tmp_path / "temp",
                              "BEACONPOINT_FETCH_TRIES": 1, **others}.items():  # fmt: skip
            setattr(settings, other, chosen)
        is_path = isinstance(value, str) and "{" in value
        chosen = Path(value.format(file=file, directory=tmp_path)) if is_path else value
        setattr(settings, f"BEACONPOINT_{setting}", chosen)
        open_store.close()

    use(before)
    with pytest.raises(BeaconError) as error:
        ask(at)
    assert set(_NAME.findall(error.value.for_operator)) == {f"BEACONPOINT_{setting}"}
    assert "\n" not in error.value.for_operator
    use(after)
    ask(at)
    open_store.close()


def _strings(path: Path) -> list[str]:
    """Return the texts of a module, except docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    ]


def test_every_setting_that_a_message_names_is_tried_here() -> None:
    named = {name for path in (ROOT / "core").rglob("*.py") for text in _strings(path) for name in _NAME.findall(text)}
    of_server = {"BEACONPOINT_BIND", "BEACONPOINT_THREADS", "BEACONPOINT_LOG_FORMAT"}
    of_help = {"BEACONPOINT_KEEP_GENERATIONS", "BEACONPOINT_KEEP_DAYS"}  # what a command's help explains
    of_clusters = {f"BEACONPOINT_{name}" for name in ("COPY_DIR", "TEMP_DIR", "CATALOG", "CATALOG_TOKEN")}  # no limits
    tried = {f"BEACONPOINT_{setting}" for setting, *_ in CASES.values()}
    assert named - of_server - of_help - of_clusters == tried
