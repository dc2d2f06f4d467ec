"""Run the project's commands and scripts on a simulated system."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.paths import ROOT

HERE = Path(__file__).parent

COMMANDS = """
import io, json, sys
sys.path.insert(0, {root!r})
if __name__ == "__main__":
    import os
    os.environ["DJANGO_SETTINGS_MODULE"] = "beaconpoint.settings"
    import django
    from django.core.management import call_command
    django.setup()
    told = []
    for arguments in json.loads(sys.argv[1]):
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command(*arguments, stdout=out, stderr=err)
            problem = None
        except Exception as error:
            problem = f"{{type(error).__name__}}: {{error}}"
        told.append([problem, out.getvalue(), err.getvalue()])
    print("TOLD" + json.dumps(told))
"""
"""Runs commands one after the other in one process, as a person does in several: starting each takes a second."""


@dataclass(frozen=True)
class Told:
    """What a command has said: the problem that ended it, if any, and what it wrote."""

    problem: str | None
    out: str
    err: str


def environment(system: str, data_dir: Path) -> dict[str, str]:
    """Return the environment variables by which a process becomes another system."""
    paths = os.pathsep.join([str(HERE), str(ROOT)])
    found = {**os.environ, "SIMULATED_SYSTEM": system, "PYTHONPATH": paths, "BEACONPOINT_DATA_DIR": str(data_dir)}
    if system == "windows":
        # Text files without a declared encoding fail at the first character beyond ASCII, which is stricter than
        # cp1252. What is written to a pipe is cp1252.
        found |= {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    return found


def run_python(
    system: str, arguments: Sequence[Any], data_dir: Path, *, text: bool = True
) -> "subprocess.CompletedProcess[Any]":
    """Run Python on the simulated system."""
    # A session of its own: within it, Windows' rule for open files is enforced.
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT, env=environment(system, data_dir), capture_output=True, text=text, timeout=900, check=False,
        start_new_session=True,
    )  # fmt: skip


def run_commands(system: str, data_dir: Path, folder: Path, *commands: Sequence[Any]) -> list[Told]:
    """Run commands of manage.py in one process on the simulated system. `folder` is for the script that does it."""
    script = folder / "commands.py"
    script.write_text(COMMANDS.format(root=str(ROOT)), encoding="utf-8")
    texts = json.dumps([[str(argument) for argument in command] for command in commands])
    done = run_python(system, [script, texts], data_dir)
    assert "TOLD" in done.stdout, done.stdout + done.stderr
    return [Told(*each) for each in json.loads(done.stdout.rpartition("TOLD")[2])]


@contextmanager
def serving(system: str, data_dir: Path, log: Path, *arguments: Any) -> Iterator[str]:
    """Run a server on the simulated system until the context ends, and yield its address once it answers.

    `{port}` in the arguments is where it has to listen.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, *(str(argument).format(port=port) for argument in arguments)],
            cwd=ROOT, env=environment(system, data_dir), stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, process, log)
            yield address
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # Django's runserver has a child of its own
            process.wait()


def _wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=30).close()
        except urllib.error.URLError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(log.read_text(encoding="utf-8"))


def fetch(address: str) -> str:
    """Return a page."""
    with urllib.request.urlopen(address, timeout=60) as response:
        return str(response.read().decode())
