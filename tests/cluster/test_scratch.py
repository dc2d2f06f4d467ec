"""What a killed program leaves in the scratch directory is deleted by the next one, whatever it was about."""

import subprocess
import sys
from pathlib import Path

from core.cluster.place import StorePlace
from core.cluster.publication.compaction import compact
from core.cluster.scratch import scratch_folder, scratch_root
from tests.cluster.files import job_of, make_publisher, run, write_rates

_KILLED = """
import os, sys
from pathlib import Path
from core.cluster.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as work:
    (work / "file").write_text("half")
    print(work, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_leftovers_of_killed_programs_are_deleted(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], capture_output=True, text=True, check=False)
    left = Path(killed.stdout.strip())
    assert (left / "file").exists()
    reference = scratch_root(tmp_path) / "reference"
    reference.mkdir()
    place = StorePlace((tmp_path / "place").as_uri())
    for path in write_rates(tmp_path / "files", 2):
        run(job_of(place, path, tmp_path / "of-jobs"))
    publisher = make_publisher(place, tmp_path)
    publisher.claim_all()
    with scratch_folder(tmp_path) as own:
        (own / "file").write_text("of a program that runs")
        assert not left.exists()
        assert [one.published for one in compact(publisher, None, 1, tmp_path)] == [True]
        assert sorted(one for one in scratch_root(tmp_path).iterdir() if one.is_dir()) == sorted([own, reference])
    assert list(scratch_root(tmp_path).iterdir()) == [reference]
