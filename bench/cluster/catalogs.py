"""Run PostgreSQL on this machine as the catalog of Iceberg tables."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@contextmanager
def serve_postgres(directory: Path, databases: Iterable[str]) -> Iterator[str]:
    """Run PostgreSQL with empty databases on a Unix socket. Yield the address of a catalog with {name} in it."""
    user = "postgres" if os.getuid() == 0 else None
    directory.mkdir()
    directory.parent.chmod(0o755)  # its own user has to get there
    if user:
        shutil.chown(directory, user)
    data = directory / "data"
    _run(user, "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C")
    options = f"-c listen_addresses='' -k {directory}"
    _run(user, "pg_ctl", "start", "-w", "-D", data, "-l", directory / "log", "-o", options)
    try:
        for name in databases:
            _run(user, "createdb", "-h", directory, "-U", "bench", name)
        yield f"postgresql+psycopg2://bench@/{{name}}?host={directory}"
    finally:
        _run(user, "pg_ctl", "stop", "-m", "fast", "-D", data)


def _run(user: str | None, program: str, *words: str | Path) -> None:
    # A server that inherits a pipe would keep it open.
    done = subprocess.run(
        [PROGRAMS / program, *words], user=user, cwd="/", check=False, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{program}: exit status {done.returncode}; expected PostgreSQL 15 in {PROGRAMS}")
