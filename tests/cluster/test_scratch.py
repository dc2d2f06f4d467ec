"""What a killed program leaves in the scratch directory is deleted by the next one, whatever it was about."""

import subprocess
import sys
from pathlib import Path

from core.cluster.place import StorePlace
from core.cluster.publication.compaction import compact
from core.cluster.scratch import scratch_folder, scratch_root
from tests.cluster.files import job_of, make_publisher, run, write_rates


def test_leftovers_of_killed_programs_are_deleted(tmp_path: Path) -> None:
    process = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead = scratch_root(tmp_path) / f"{int(process.stdout)}-killed"
    reference = scratch_root(tmp_path) / "reference"
    for folder in (dead, reference):
        folder.mkdir(parents=True)
    place = StorePlace((tmp_path / "place").as_uri())
    for path in write_rates(tmp_path / "files", 2):
        run(job_of(place, path, tmp_path / "of-jobs"))
    publisher = make_publisher(place, tmp_path)
    publisher.claim_all()
    with scratch_folder(tmp_path) as own:
        (own / "file").write_text("of a program that runs")
        dead.mkdir(exist_ok=True)
        assert [one.published for one in compact(publisher, None, 1, tmp_path)] == [True]
        assert sorted(scratch_root(tmp_path).iterdir()) == sorted([own, reference])
    assert list(scratch_root(tmp_path).iterdir()) == [reference]
