"""Run the project's commands and scripts on a simulated system."""

import json
import os
import subprocess
import sys
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
        cwd=ROOT, env=environment(system, data_dir), capture_output=True, text=text, timeout=180, check=False,
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
def running(system: str, arguments: Sequence[Any], data_dir: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a server on the simulated system until the context ends."""
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT, env=environment(system, data_dir), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
