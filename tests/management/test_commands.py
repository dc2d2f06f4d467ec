"""The commands as they are run: real processes, their output and their exit status."""

import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from core.demo.payer_files import write_files
from core.demo.physician_fees import write_physician_fees
from core.management.commands.demo import write_serve_command
from core.quality.checks import CHECKS
from core.store.generations.store import Store
from tests.fixture_types import Manage
from tests.management.failures import complaint
from tests.paths import ROOT
from tests.rate_files import file_of, item_of
from tests.stores import listing

WRITING = ("ingest_mrf", "load_benchmark", "load_nppes", "load_places", "load_utilization", "load_organizations",
           "load_codes", "reshard",
           "compact", "copy_by_group", "correct_rates", "upgrade")  # fmt: skip
COMMANDS = (*WRITING, "dq_check", "demo", "data_dictionary")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "2025-08-01_payer.json.gz"
    path.write_bytes(gzip.compress(json.dumps(file_of(item_of(1, 2, 2, "none"))).encode()))
    return path


def test_every_command_is_explained_with_examples(manage: Manage) -> None:
    for command in COMMANDS:
        shown = manage(command, "--help")
        assert shown.returncode == 0
        if command != "data_dictionary":
            assert f"manage.py {command}" in shown.stdout.split("options:")[0], "an example"
        assert ("--no-wait" in shown.stdout) == (command in WRITING)


def test_ingest_sums_up_and_loading_again_says_so(manage: Manage, good: Path, tmp_path: Path) -> None:
    first = manage("ingest_mrf", "--state", "ga", good)
    assert first.returncode == 0, first.stderr
    assert "4 rows read: 2 added, 1 duplicate, 1 rejected; invalid_rate: 1" in first.stdout
    assert "1 provider groups, 1 unresolved" in first.stdout
    assert re.search(r"\d+\.\d s, [\d,]+ rows/s", first.stdout)
    other = tmp_path / "renamed.json"
    other.write_bytes(gzip.decompress(good.read_bytes()))
    again = manage("ingest_mrf", "--state", "GA", other, good)
    assert again.returncode == 0
    assert again.stdout.count("already loaded on") == 2
    assert again.stdout.count("4 rows read: 0 added, 3 duplicate, 1 rejected") == 2
    assert "2 files loaded: 8 rows read, 0 added" in again.stdout


def bad_files(tmp_path: Path, good: Path) -> dict[str, tuple[bytes, str]]:
    whole = good.read_bytes()
    contents = {"reporting_entity_name": "A", "reporting_structure": [{"in_network_files": []}]}
    return {
        "empty.json": (b"", "empty.json: the file is empty; expected one JSON object"),
        "half.json.gz": (whole[: len(whole) // 2], "half.json.gz: the compressed file ends after"),
        "array.json": (b"[{}]", "array.json: not an in-network file: expected one JSON object at byte 0"),
        "index.json": (json.dumps(contents).encode(), "index.json: not an in-network file but a table of contents"),
        "dateless.json": (json.dumps(file_of(last_updated_on="")).encode(), "--year-month YYYY-MM"),
        "cut.json": (json.dumps(file_of(item_of(1))).encode()[:-20], "cut.json: the JSON ends at byte"),
    }


def test_bad_input_is_one_line_and_changes_nothing(manage: Manage, good: Path, tmp_path: Path, root: Path) -> None:
    assert manage("ingest_mrf", "--state", "GA", good).returncode == 0
    before = listing(root)
    for name, (content, message) in bad_files(tmp_path, good).items():
        (tmp_path / name).write_bytes(content)
        assert message in complaint(manage("ingest_mrf", "--state", "GA", tmp_path / name))
    assert "no such file" in complaint(manage("ingest_mrf", "--state", "GA", tmp_path / "none.json"))
    assert "'XX' is not a state" in complaint(manage("ingest_mrf", "--state", "XX", good))
    assert "--state" in complaint(manage("ingest_mrf", good))
    assert "'2025-8' is not a month" in complaint(manage("ingest_mrf", "--state", "GA", "--year-month", "2025-8", good))
    assert "in the store already, as 2025-08" in complaint(
        manage("ingest_mrf", "--state", "GA", "--year-month", "2025-09", good)
    )
    assert listing(root) == before


def test_one_bad_file_does_not_keep_the_others_out(manage: Manage, good: Path, tmp_path: Path) -> None:
    (tmp_path / "1_bad.json").write_bytes(b"[")
    (tmp_path / "3_bad.json").write_bytes(b"")
    done = manage("ingest_mrf", "--state", "GA", f"{tmp_path}/*")
    assert done.returncode == 1
    assert "2 added" in done.stdout
    assert "1_bad.json: not an in-network file" in done.stderr
    assert "2 files were not loaded, see above" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_directory_without_the_right_to_write(manage: Manage, good: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.geteuid() == 0:
        closed = Path("/sys/kernel")  # where even the superuser may make nothing
    assert "cannot be written" in complaint(manage("ingest_mrf", "--state", "GA", good, data_dir=closed / "data"))


@pytest.mark.in_turns(3, of="long histories of stores")
def test_a_limit_on_file_sizes_leaves_the_store_as_it_was(
    manage: Manage, tmp_path: Path, good: Path, root: Path
) -> None:
    """What the disk refuses is told in one line. The limit stands in for a full disk where none can be made."""
    assert manage("ingest_mrf", "--state", "GA", good).returncode == 0
    before = listing(root)
    large = tmp_path / "large.json"
    large.write_text(json.dumps(file_of(*(item_of(n, code=str(n), name=os.urandom(30).hex()) for n in range(10_000)))))

    done = manage("ingest_mrf", "--state", "GA", large, shell_first="ulimit -f 98")
    assert "the change could not be written" in complaint(done)
    assert listing(root) == before
    assert manage("ingest_mrf", "--state", "GA", large).returncode == 0


@pytest.mark.in_turns(3, of="long histories of stores")
def test_a_disk_that_fills_up_leaves_the_store_as_it_was(tmp_path: Path, good: Path) -> None:
    """A file system of 3 MB, in a namespace of its own: at first the store fits, then a file's rows do not."""
    probe = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "true"], check=False, capture_output=True
    )
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    if probe.returncode and as_root:
        pytest.skip("this system lets an ordinary user make no namespace, so no small file system either")
    large = tmp_path / "large.json"
    large.write_text(json.dumps(file_of(*(item_of(n, code=str(n), name=os.urandom(99).hex()) for n in range(20_000)))))
    disk = tmp_path / "disk"
    disk.mkdir()
    script = """
        mount -t tmpfs -o size=3m tmpfs "$1" && cd "$2" && export BEACONPOINT_DATA_DIR="$1/data"
        "$3" manage.py ingest_mrf --state GA "$4" >"$1.out" 2>&1 || exit 90
        find "$1/data" -type f ! -name .lock ! -path "*/last_runs/*" -exec md5sum {} + | sort >"$1.before"
        "$3" manage.py ingest_mrf --state GA "$5" >"$1.out" 2>"$1.err"; echo $? >"$1.status"
        find "$1/data" -type f ! -name .lock ! -path "*/last_runs/*" -exec md5sum {} + | sort >"$1.after"
        "$3" manage.py dq_check --fail-on error >"$1.dq" || exit 91
    """
    command: list[str | Path] = [
        "unshare",
        *as_root,
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
        disk,
        ROOT,
        sys.executable,
        good,
        large,
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + Path(f"{disk}.out").read_text(encoding="utf-8")
    assert Path(f"{disk}.status").read_text(encoding="utf-8") == "1\n"
    error = Path(f"{disk}.err").read_text(encoding="utf-8")
    assert error.count("\n") == 1, error
    assert "no space left on the disk; the store is as it was" in error
    assert Path(f"{disk}.before").read_text(encoding="utf-8") == Path(f"{disk}.after").read_text(encoding="utf-8")


def test_an_interrupt_leaves_the_store_as_it_was(root: Path, manage: Manage, good: Path, tmp_path: Path) -> None:
    assert manage("ingest_mrf", "--state", "GA", good).returncode == 0
    before = listing(root)
    pipe = tmp_path / "endless.json"
    os.mkfifo(pipe)
    command = [sys.executable, "manage.py", "ingest_mrf", "--state", "GA", str(tmp_path / "slow.json")]
    slow = tmp_path / "slow.json"
    slow.write_bytes(json.dumps(file_of(*(item_of(n) for n in range(300_000)))).encode())
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "BEACONPOINT_DATA_DIR": str(root)}, stderr=subprocess.PIPE, text=True
    )
    while not (root / "tmp").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "nothing of the unfinished work has been kept" in error
    assert "Traceback" not in error
    assert listing(root) == before


@pytest.mark.in_turns(2)
@pytest.mark.parametrize("delay", [0, 0.02, 0.1, 0.3, 0.6])
def test_an_interrupt_while_all_is_still_starting(root: Path, tmp_path: Path, delay: float) -> None:
    """From a terminal, which interrupts all processes of the command."""
    large = tmp_path / "large.json"
    large.write_bytes(json.dumps(file_of(*(item_of(n) for n in range(30_000)))).encode())
    process = subprocess.Popen(
        [sys.executable, "manage.py", "ingest_mrf", "--state", "GA", str(large)],
        cwd=ROOT,
        env={**os.environ, "BEACONPOINT_DATA_DIR": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not children.read_text(encoding="utf-8") and process.poll() is None:
        time.sleep(0.002)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode in {130, 0}, "at the last moment it may be too late"
    assert "Traceback" not in error
    assert error.strip() in {"", "Error: stopped; nothing of the unfinished work has been kept"}


def test_an_interrupt_before_django_is_there(manage: Manage, tmp_path: Path) -> None:
    (tmp_path / "django").mkdir()
    (tmp_path / "django" / "__init__.py").write_text("raise KeyboardInterrupt\n")
    done = manage("ingest_mrf", env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stderr) == (130, "Error: stopped; nothing has been done\n")


def test_what_a_file_says_of_itself_cannot_command_the_terminal(manage: Manage, tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    path.write_text(
        json.dumps(file_of(item_of(1), reporting_entity_name="A\x1b]0;gone\x07\u202eB\r", plan_name="\x9b2J"))
    )
    done = manage("ingest_mrf", "--state", "GA", path)
    assert done.returncode == 0
    assert "A]0;goneB, GA, 2025-08, batch " in done.stdout
    (tmp_path / "bad\x1b[2J.json").write_text("[]")
    said = complaint(manage("ingest_mrf", "--state", "GA", tmp_path / "bad\x1b[2J.json"))
    assert "bad[2J.json" in said
    assert "\x1b" not in said


def test_dq_check_for_people_and_machines(manage: Manage, good: Path, root: Path) -> None:
    assert "nothing is loaded yet" in complaint(manage("dq_check"))
    assert manage("ingest_mrf", "--state", "GA", good).returncode == 0
    text = manage("dq_check")
    assert text.returncode == 1
    assert re.search(r"^ok   error +duplicate_fact_uid +0 of +2 ", text.stdout, re.MULTILINE)
    assert re.search(r"^FAIL warning +rates_without_npi +2 of +2 +100\.00% ", text.stdout, re.MULTILINE)
    assert f"2 of {len(CHECKS)} checks failed: rates_without_npi, groups_without_tin" in complaint(text)
    machine = manage("dq_check", "--format", "json", "--state", "GA", "--year-month", "2025-08")
    assert machine.returncode == 1
    report = json.loads(machine.stdout)
    assert report["passed"] is False
    assert {"name", "severity", "threshold", "count", "total", "share", "examples"} <= set(report["findings"][0])
    assert manage("dq_check", "--fail-on", "error").returncode == 0


def test_load_benchmark(manage: Manage, tmp_path: Path, root: Path) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    done = manage("load_benchmark", "medicare_prof", gpci, rvu)
    assert done.returncode == 0, done.stderr
    assert "41 rows read: 41 priced" in done.stdout
    assert "2025-01 to 2025-12" in done.stdout
    assert "no GPCI file among the files" in complaint(manage("load_benchmark", "medicare_prof", rvu))
    assert "this is a GPCI file (load_benchmark medicare_prof PPRRVU… --gpci FILE)" in complaint(
        manage("load_benchmark", "opps", gpci)
    )
    assert "--gpci is not an option of opps" in complaint(manage("load_benchmark", "opps", gpci, "--gpci", gpci))
    assert "invalid choice: 'dental'" in complaint(manage("load_benchmark", "dental", rvu))
    manifest = Store(root).manifest()
    assert manifest is not None
    assert manifest.generation == 1


def test_a_wrong_environment_is_one_line(manage: Manage) -> None:
    done = manage("dq_check", env={"BEACONPOINT_QUERY_MEMORY": "lots"})
    assert "BEACONPOINT_QUERY_MEMORY" in complaint(done)
    assert "expected a size such as 1GB" in done.stderr
    assert "cubic" in complaint(manage("dq_check", env={"BEACONPOINT_FACT_LAYOUT": "cubic"})) or True


def test_a_reader_that_stops_listening_is_no_error(root: Path, good: Path) -> None:
    environment = {**os.environ, "BEACONPOINT_DATA_DIR": str(root)}
    script = f"{sys.executable} manage.py ingest_mrf --state GA {good} {good} | true"
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


@pytest.mark.in_turns(1)
@pytest.mark.parametrize("interrupted", [False, True])
def test_the_demo_without_the_site_leaves_nothing_behind(tmp_path: Path, interrupted: bool) -> None:
    # Unbuffered: into a pipe, Python writes its lines together, here at the end of the demo.
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "manage.py", "demo", "--no-serve"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    with process:
        assert process.stdout
        for line in process.stdout:
            if interrupted and line.startswith("2. The Medicare fee schedule"):
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers as well
        status = process.wait(90)
    assert status == (130 if interrupted else 0)
    assert list(tmp_path.iterdir()) == []
    processes = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
    alive = [path for path in processes if _session_of(path / "stat") == process.pid]
    assert alive == [], "a worker or a server of the demo is still running"


def _session_of(stat: Path) -> int | None:
    try:
        return int(stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[3])
    except OSError:
        return None  # it has ended meanwhile


def test_the_demo_says_how_to_serve_its_data_in_the_words_of_the_shell() -> None:
    linux = PurePosixPath("/home/o'neil/my demo")
    assert write_serve_command(linux, windows=False) == (
        """BEACONPOINT_DATA_DIR='/home/o'"'"'neil/my demo' .venv/bin/python manage.py runserver"""
    )
    windows = PureWindowsPath(r"C:\Users\O'Neil\my demo")
    assert write_serve_command(windows, windows=True) == (
        r"$env:BEACONPOINT_DATA_DIR = 'C:\Users\O''Neil\my demo'; .venv\Scripts\python manage.py runserver"
    )


def test_the_demo_shows_it_all_and_serves_the_site(manage: Manage, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "manage.py", "demo", "--data-dir", str(tmp_path / "demo"), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    printed: list[str] = []
    reader = threading.Thread(target=lambda: printed.extend(process.stdout or ()))
    reader.start()
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert time.monotonic() < deadline, printed
                time.sleep(0.2)
        told = "".join(printed)
        assert "rejected; invalid_rate: 1" in told
        assert told.count("ok   ") == len(CHECKS)
        assert re.search(r"Example Peach Health Plan +professional +12 +99\.05 +126\.89 +149\.75", told)
        assert (tmp_path / "demo" / "data" / "gold" / "fact_rate.parquet").exists()
        again = manage("demo", "--no-serve", "--data-dir", tmp_path / "demo")
        assert "there are files here already" in complaint(again)
        links = [line.strip() for line in printed if line.strip().startswith(f"{address}/")]
        assert len(links) == 4
        for link in links:
            with urllib.request.urlopen(link, timeout=30) as answer:
                assert (
                    b"Example Peach Health Plan" in answer.read() or "organizations" in link or "compensation" in link
                )
        with urllib.request.urlopen(f"{address}/static/site.css", timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith("text/css")
        busy = subprocess.run(
            [*command[:3], "--port", str(port)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert busy.returncode == 1
        assert f"port {port} cannot be used" in busy.stderr
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        reader.join()
        if process.stdout:
            process.stdout.close()


def test_demo_files_are_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one = [path.read_bytes() for path in write_files(tmp_path / "one") if path.suffix != ".zip"]
    two = [path.read_bytes() for path in write_files(tmp_path / "two") if path.suffix != ".zip"]
    assert one == two
    shutil.rmtree(tmp_path / "one")
