"""The commands on Windows, simulated: see windows.py for what is refused and what has gone."""

import json
from pathlib import Path

from core.store.generations.store import Store
from tests.rate_files import file_of, item_of
from tests.simulated.run import run_python

LOOK = """
import multiprocessing, os, signal, sys, tempfile
from pathlib import Path
from core.runtime import workers
assert sys.platform == "win32" and os.name == "nt"
for module, names in {os: "fork sched_getaffinity sendfile getuid sysconf", signal: "SIGKILL pthread_sigmask"}.items():
    assert not any(hasattr(module, name) for name in names.split()), names
assert multiprocessing.get_all_start_methods() == ["spawn"] and not workers._has_fork_server()
for name in ("fcntl", "resource", "pwd", "gunicorn"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise AssertionError(name)
folder = Path(tempfile.mkdtemp())
def refused(action, kind, winerror=None):
    try:
        action()
    except kind as error:
        assert getattr(error, "winerror", None) == winerror, error
    else:
        raise AssertionError(action)
file = folder / "a"
file.write_bytes(b"a")
refused(lambda: (folder / "link").symlink_to(file), OSError, 1314)
with file.open("rb"):
    refused(file.unlink, PermissionError, 32)
    (folder / "b").write_bytes(b"b")
    refused(lambda: (folder / "b").replace(file), PermissionError, 32)
    refused(lambda: folder.rename(folder.with_name("c")), PermissionError, 32)
import mmap
with file.open("rb") as opened:
    mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
refused(file.unlink, PermissionError, 32)
mapped.close()
file.unlink()
refused(lambda: os.open(folder, os.O_RDONLY), PermissionError)
refused(lambda: (folder / "a:b").touch(), OSError)
refused(lambda: (folder / "nul.txt").write_bytes(b""), OSError)
refused(lambda: (folder / "b").write_text("\\u2192"), UnicodeEncodeError)
refused(lambda: print("\\u2192"), UnicodeEncodeError)
descriptor = os.open(folder / "b", os.O_RDONLY)
refused(lambda: os.fsync(descriptor), OSError)
print("as on Windows")
"""

MANY_WORKERS = """
import sys
from pathlib import Path
from core.load.load_file import load_file
from core.load.load_sizes import LoadSizes
from core.runtime import workers
from core.store.generations.store import Store
from core.tic.source import open_documents
if __name__ == "__main__":
    started = []
    begin = workers.WorkerPool._start
    def start(pool):
        begin(pool)
        started.extend(type(process).__name__ for process in pool._processes)
    workers.WorkerPool._start = start
    sizes = LoadSizes(
        chunk_bytes=2000, small_file_chunks=2, run_prices=50, min_partition_rows=10, max_partition_rows=50
    )
    (source,) = open_documents(Path(sys.argv[1]))
    done = load_file(Store(Path(sys.argv[2])), source, "GA", processes=2, sizes=sizes)
    print(done.rows_added, len(started) >= 2, set(started))
"""


def test_the_simulation_lacks_what_windows_lacks(tmp_path: Path) -> None:
    done = run_python("windows", ["-c", LOOK], tmp_path)
    assert done.stdout == "as on Windows\n", done.stderr


def test_workers_are_spawned_and_load_the_same_facts(tmp_path: Path) -> None:
    path = tmp_path / "payer.json"
    content = file_of(*(item_of(n, 5, 5, "none", code=f"{99000 + n}") for n in range(1, 200)))
    path.write_text(json.dumps(content), encoding="utf-8")
    script = tmp_path / "load.py"
    script.write_text(MANY_WORKERS, encoding="utf-8")
    told = {system: run_python(system, [script, path, tmp_path / system], tmp_path) for system in ("linux", "macos")}
    rows = {system: done.stdout.split() for system, done in told.items()}
    assert rows["macos"][1:] == ["True", "{'SpawnProcess'}"], told["macos"].stderr
    assert rows["linux"][1:] == ["True", "{'ForkServerProcess'}"], told["linux"].stderr
    assert rows["linux"][0] == rows["macos"][0]
    linux, macos = (Store(tmp_path / system).loaded() for system in rows)
    assert linux.rows("fact_rate") == macos.rows("fact_rate") > 0
