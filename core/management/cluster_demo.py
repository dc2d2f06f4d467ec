"""Show on one machine what runs on several: an S3 server, a cluster of two workers, and a local copy."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from core.cluster.demo_storage import BUCKET, serve_s3
from core.demo.payer_files import write_files
from core.runtime.errors import BeaconError


def run_demo(directory: Path, tell: Callable[[str], object]) -> None:
    """Load made-up files on a cluster of this machine, publish them to S3 on loopback, and copy a state."""
    directory = directory.resolve()
    sources = directory / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    files = [str(path) for path in write_files(sources)]
    with serve_s3(directory / "s3") as storage:
        environment = {
            **os.environ,
            **storage,
            "BEACONPOINT_DATA_DIR": f"s3://{BUCKET}/demo",
            "BEACONPOINT_COPY_DIR": str(directory / "copy"),
            "BEACONPOINT_CATALOG": f"sqlite:///{directory / 'catalog.db'}",
            "BEACONPOINT_TEMP_DIR": str(directory / "tmp"),
        }
        ingest = ["ingest_mrf", "--engine", "ray", "--workers", "2", "--state", "GA", *files]
        for arguments in (
            ingest,
            ingest,
            ["cluster", "copy", "--state", "GA"],
            ["cluster", "status"],
            ["store", "verify"],
        ):
            tell(f"\n$ manage.py {' '.join(arguments)}")
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
            done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)  # noqa: S603
            tell((done.stdout + done.stderr).rstrip())
            if done.returncode:
                raise BeaconError(f"{arguments[0]} ended with exit status {done.returncode}, see above")
    tell(f"\nThe local copy is an ordinary store: BEACONPOINT_DATA_DIR={directory / 'copy'} manage.py runserver")
