"""The command `beaconpoint` and the monthly list of sources, with a Python that writes down what it is asked to do."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.scratch import DEPLOY

RECORDER = """\
#!/bin/sh
shift
for argument in "$@"; do printf '[%s]' "$argument"; done
printf ' %s %s %s\\n' "${BEACONPOINT_DATA_DIR:-}" "${BEACONPOINT_PLAIN:-}" "$(umask)"
case "$*" in *fails*) exit 1 ;; esac
"""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Return an installed release whose Python prints its arguments and settings."""
    shutil.copytree(DEPLOY / "bin", tmp_path / "deploy/bin")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(RECORDER)
    python.chmod(0o755)
    # The same script for the user and the environment file of this test.
    command = tmp_path / "deploy/bin/beaconpoint"
    text = command.read_text().replace("\nuser=beaconpoint\n", f"\nuser={pwd.getpwuid(os.getuid()).pw_name}\n")
    command.write_text(text.replace("settings=/etc/beaconpoint/environment", f"settings={tmp_path}/environment"))
    return tmp_path


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)


def test_a_command_has_the_settings_of_the_environment_file(release: Path) -> None:
    lines = ["# a comment", "", "BEACONPOINT_DATA_DIR='/srv/my data'", "; another", "BEACONPOINT_PLAIN=$HOME=1"]
    (release / "environment").write_text("\n".join(lines))
    done = _run(release / "deploy/bin/beaconpoint", "ingest_mrf", "--state", "GA", "two words")
    assert done.stdout == "[ingest_mrf][--state][GA][two words] /srv/my data $HOME=1 0022\n"
    assert done.returncode == 0


def test_the_site_s_user_can_read_what_a_command_writes(release: Path) -> None:
    (release / "environment").write_text("BEACONPOINT_DATA_DIR=/srv\n")
    done = _run("sh", "-c", f"umask 077; {release}/deploy/bin/beaconpoint check")
    assert done.stdout.endswith(" 0022\n")


def test_an_environment_file_that_is_missing_or_wrong_is_told(release: Path) -> None:
    done = _run(release / "deploy/bin/beaconpoint", "check")
    assert done.returncode == 1
    assert "cannot be read; deploy/install.sh writes it" in done.stderr
    (release / "environment").write_text("BEACONPOINT_DATA_DIR /srv\n")
    done = _run(release / "deploy/bin/beaconpoint", "check")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("expected NAME=VALUE, found: BEACONPOINT_DATA_DIR /srv\n")


def test_every_source_is_loaded_even_if_one_fails(release: Path) -> None:
    sources = release / "sources"
    sources.write_text(
        "# a comment\n\n"
        "--state GA --toc 'https://payer.example/index.json?a=1&b=2' --plan 'Open Access'  \n"
        "  # another\n"
        "--state TX fails.json\n"
        "--state TX other.json"
    )
    done = _run(release / "deploy/bin/load-sources", sources)
    assert done.returncode != 0
    assert [line.split("] ")[0] + "]" for line in done.stdout.splitlines()] == [
        "[ingest_mrf][--state][GA][--toc][https://payer.example/index.json?a=1&b=2][--plan][Open Access]",
        "[ingest_mrf][--state][TX][fails.json]",
        "[ingest_mrf][--state][TX][other.json]",
    ]


def test_an_empty_list_of_sources_loads_nothing(release: Path) -> None:
    done = _run(release / "deploy/bin/load-sources", DEPLOY / "etc/sources.example")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
