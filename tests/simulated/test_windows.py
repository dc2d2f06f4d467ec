"""The commands on Windows, simulated: see windows.py for what is refused and what has gone."""

import json
from pathlib import Path

import pytest

from core.load.load_file import load_file
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.rate_files import file_of, item_of
from tests.simulated.run import run_python, serving
from tests.simulated.walk_through import check_names, check_page, check_stable_paths, walk_through
from tests.store.steps import facts_of

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

WAITRESS = ["-m", "waitress", "--listen=127.0.0.1:{port}", "--threads=4"]

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


OPEN_FILES = """
import sys, threading
from pathlib import Path
from core.store.generations.store import Store
from tests.stores import change
store = Store(Path(sys.argv[1]), grace=0)
change(store, "a")
manifest = store.manifest_path.open("rb")
threading.Timer(0.5, manifest.close).start()
change(store, "b")
assert manifest.closed and store.loaded().generation == 2, "the writer has waited for the reader"
first = Path(store.paths("dim_payer_bridge")[0])
stable = store.root / "silver/dim_payer_bridge.parquet"
with first.open("rb") as data:
    change(store, "c")
    assert first.exists() and stable.read_bytes() == data.read(), "the file is open, and so is its hard link"
change(store, "d")
assert not first.exists()
assert stable.samefile(store.paths("dim_payer_bridge")[0])
print("done")
"""


def test_the_simulation_lacks_what_windows_lacks(tmp_path: Path) -> None:
    done = run_python("windows", ["-c", LOOK], tmp_path)
    assert done.stdout == "as on Windows\n", done.stderr


@pytest.mark.in_turns(2, of="long walks")
def test_the_commands_work_on_windows(tmp_path: Path) -> None:
    demo = ["manage.py", "demo", "--port", "{port}", "--data-dir", tmp_path / "demo"]
    with serving("windows", tmp_path / "unused", tmp_path / "log", *demo) as address:
        check_page(address)  # by waitress, in the demo's own process
    told = walk_through("windows", tmp_path)
    assert [each.problem for each in told] == [None] * len(told), told
    root = tmp_path / "demo" / "data"
    check_stable_paths(root)
    check_names(root)
    assert not [path for path in root.rglob("*") if path.is_symlink()]
    for server in (["manage.py", "runserver", "{port}"], [*WAITRESS, "beaconpoint.wsgi:application"]):
        with serving("windows", root, tmp_path / "log", *server) as address:
            check_page(address)


def test_workers_are_spawned_and_load_the_same_facts(tmp_path: Path) -> None:
    path = tmp_path / "payer.json"
    content = file_of(*(item_of(n, 5, 5, "none", code=f"{99000 + n}") for n in range(1, 200)))
    path.write_text(json.dumps(content), encoding="utf-8")
    script = tmp_path / "load.py"
    script.write_text(MANY_WORKERS, encoding="utf-8")
    done = run_python("windows", [script, path, tmp_path / "windows"], tmp_path)
    assert done.stdout.split()[1:] == ["True", "{'SpawnProcess'}"], done.stderr
    store = Store(tmp_path / "linux")
    (source,) = open_documents(path)
    assert load_file(store, source, "GA", processes=1).rows_added == int(done.stdout.split()[0])
    assert facts_of(Store(tmp_path / "windows")) == facts_of(store)


def test_open_files_are_waited_for_or_left_for_later(tmp_path: Path) -> None:
    done = run_python("windows", ["-c", OPEN_FILES, tmp_path / "data"], tmp_path)
    assert done.stdout == "done\n", done.stderr


def test_text_that_the_output_cannot_show_is_written_in_ascii(tmp_path: Path) -> None:
    path = tmp_path / "payer.json"
    path.write_text(json.dumps(file_of(item_of(1), reporting_entity_name="Caf\u00e9 \u2192 Health")), encoding="utf-8")
    done = run_python(
        "windows", ["manage.py", "ingest_mrf", "--state", "GA", tmp_path / "*.json"], tmp_path / "data", text=False
    )
    assert done.returncode == 0, done.stderr
    assert "Caf\u00e9 \\u2192 Health, GA, 2025-08" in done.stdout.decode("cp1252")
