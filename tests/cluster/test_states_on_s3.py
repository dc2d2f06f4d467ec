"""States whose rates stay on S3 are answered as those that are copied, with a key that may only read."""

from pathlib import Path

import duckdb
import pytest

from core.cluster.copies.local_copy import LAYOUT, refresh_copy
from core.cluster.demo_storage import BUCKET, READ_ONLY
from core.cluster.publication.publish import Publisher
from core.quality.report import run_checks
from core.queries import rates
from core.queries.market.market import Market
from core.queries.rules.rate_kinds import MACROS
from core.runtime.errors import BeaconError
from core.store.connection import QueryLimits, Snapshot
from core.store.generations.integrity.damage import expect_undamaged
from core.store.generations.store import Store
from core.store.reader import Reader
from core.store.schema.tables import FACT_RATE
from tests.cluster.files import job_of, run, write_rates


def _open(store: Store, directory: Path) -> Snapshot:
    limits = QueryLimits(memory="400MB", threads=1, temp_directory=str(directory / "duckdb"), seconds=60)
    found = Reader(store, limits, MACROS).snapshot()
    assert found
    return found


@pytest.mark.parametrize("place", ["s3"], indirect=True)
def test_rates_on_s3_are_answered_as_copied_ones(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = publisher.place
    for path in write_rates(tmp_path / "files", 2):
        run(job_of(place, path, tmp_path))
    publisher.claim_all()
    publisher.finish()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", READ_ONLY["accessKey"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", READ_ONLY["secretKey"])
    copied, remote = Store(tmp_path / "copied", LAYOUT), Store(tmp_path / "remote", LAYOUT)
    refresh_copy(copied, place, ("GA",), tmp_path / "copied-cache")
    assert refresh_copy(remote, place, (), tmp_path / "remote-cache", on_s3=("GA",)).changed
    assert not refresh_copy(remote, place, (), tmp_path / "remote-cache", on_s3=("GA",)).changed
    assert remote.loaded().rows(FACT_RATE.name) == 0
    expect_undamaged(remote.root, remote.loaded())
    here, there = _open(copied, tmp_path / "1"), _open(remote, tmp_path / "2")
    whole = "SELECT * FROM fact_rate ORDER BY fact_uid"
    assert there.rows(whole) == here.rows(whole) != []
    for market in (Market("GA", "2025-08", "CPT", "99200"), Market("GA", "2025-08", "CPT", "99202", pos="11")):
        found, expected = ([*rates.stream_rates(one, market, "rate", 100, 60)] for one in (there, here))
        assert found == expected != []
    mine, theirs = ({one.name: one.count for one in run_checks(db).findings} for db in (there, here))
    assert mine == theirs
    # Nothing else can be read, and the key does not write.
    for refused in (
        "FROM read_text('/etc/hostname')",
        f"FROM read_text('s3://{BUCKET}/ready')",
        f"FROM read_text('{place.url_of('_log/00000001.json')}')",
        f"COPY (SELECT 1) TO '{place.url_of('fact_rate/new.parquet')}'",
        f"COPY (SELECT 1) TO '{tmp_path / 'new.parquet'}'",
    ):
        with pytest.raises(duckdb.Error, match=r"disabled by configuration|Unable to connect|403|Forbidden"):
            there.rows(refused)
    assert not [one for one in place.list("fact_rate") if one.path.endswith("/new.parquet")]


@pytest.mark.parametrize("place", ["file"], indirect=True)
def test_a_directory_is_copied_and_not_read_from_afar(publisher: Publisher, tmp_path: Path) -> None:
    (path,) = write_rates(tmp_path / "files", 1)
    run(job_of(publisher.place, path, tmp_path))
    publisher.claim_all()
    publisher.finish()
    with pytest.raises(BeaconError, match="copy them instead"):
        refresh_copy(Store(tmp_path / "copy", LAYOUT), publisher.place, (), tmp_path / "cache", on_s3=("GA",))
