"""The connections that commands and the site ask, and what each may use."""

from pathlib import Path
from typing import Any

import pytest

from core import open_store
from core.runtime.own_folder import own_folder
from core.store.connection import Snapshot
from tests.site import serving


def limits_of(db: Snapshot | None) -> tuple[str, str, str]:
    assert db is not None
    names = ("memory_limit", "threads", "temp_directory")
    found = dict(db.rows("SELECT name, value FROM duckdb_settings()"))
    return tuple(str(found[name]) for name in names)  # type: ignore[return-value]


def test_heavy_questions_take_nothing_from_the_others(demo_root: Path, settings: Any, tmp_path: Path) -> None:
    settings.BEACONPOINT_SITE_MEMORY = "1000MiB"
    settings.BEACONPOINT_QUERY_MEMORY = "700MiB"
    settings.BEACONPOINT_TEMP_DIR = tmp_path
    with serving(demo_root):
        open_store._reader.cache_clear()
        quick, heavy = open_store.snapshot_for_site(), open_store.snapshot_for_site(heavy=True)
        own = own_folder(tmp_path)
        assert limits_of(quick) == ("400.0 MiB", "2", str(own / "quick"))
        assert limits_of(heavy) == ("600.0 MiB", "1", str(own / "heavy"))
        assert limits_of(open_store.snapshot()) == ("700.0 MiB", "2", str(own / "command"))
        assert open_store.snapshot_for_site() is quick


@pytest.mark.parametrize(("memory", "quick"), [("600MB", "228.8 MiB"), ("1GB", "381.4 MiB"), ("5GiB", "2.0 GiB")])
def test_every_unit_can_be_shared(demo_root: Path, settings: Any, memory: str, quick: str) -> None:
    settings.BEACONPOINT_SITE_MEMORY = memory
    with serving(demo_root):
        open_store._reader.cache_clear()
        assert limits_of(open_store.snapshot_for_site())[0] == quick
