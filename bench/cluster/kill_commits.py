"""Kill a publisher after each of its writes that counts: an entry of the log, a table's commit, a generation."""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from core.cluster.place import StorePlace
from core.cluster.publication.catalog import Catalog
from tests.cluster.files import job_of, make_publisher, run

END_STATUS = -signal.SIGKILL


def kill_between_commits(place: StorePlace, directory: Path, paths: list[Path]) -> list[str]:
    """Load files, and publish them with a new publisher after each kill. Return after what each was killed."""
    for path in paths:
        run(job_of(place, path, directory))
    killed = []
    while True:
        process = get_context("spawn").Process(target=publish_and_die, args=(place, directory))
        process.start()
        process.join()
        if process.exitcode == 0:
            return killed
        if process.exitcode != END_STATUS:
            raise SystemExit(f"a publisher has failed: exit status {process.exitcode}")
        killed.append((directory / "last-write").read_text(encoding="utf-8"))


def publish_and_die(place: StorePlace, directory: Path) -> None:
    """Publish, and be killed after the first write."""

    def die_after(kind: type, name: str, tell: Callable[[Any], str]) -> None:
        original = getattr(kind, name)

        def changed(self: object, *arguments: Any, **more: Any) -> object:
            done = original(self, *arguments, **more)
            if done is None or done:  # a table's commit, or an object that was not there
                (directory / "last-write").write_text(tell(arguments[0]), encoding="utf-8")
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        setattr(kind, name, changed)

    die_after(Catalog, "_commit", lambda table: str(table.name()[-1]))
    die_after(StorePlace, "create", str)
    publisher = make_publisher(place, directory)
    publisher.claim_all()
    publisher.finish()
