"""Load one file into a scratch store with the code of a single machine, and upload what it has become.

Nothing here knows which engine runs it. A job is repeatable: what it uploads is named by content, and its receipt comes
last, so a job that is killed at any moment is run again, here or elsewhere, with the same result.
"""

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from core.cluster.files.batch_files import upload_batch
from core.cluster.files.receipts import ClusterFile, Receipt
from core.cluster.files.reference_files import seed_scratch
from core.cluster.place import StorePlace
from core.cluster.scratch import scratch_folder, scratch_root
from core.fetch.partial_file import Version
from core.load.batch.provenance import read_loaded_sources
from core.load.fetch_ahead import WantedFile, Web
from core.load.load_many import LoadPlan, Step, load_path, load_web
from core.load.rate_filters import StateLoad
from core.runtime.errors import BeaconError
from core.store.generations.store import Store

SOURCES = "_sources"


@dataclass(frozen=True)
class LoadJob:
    """One file, and what is wanted of it. Jobs are sent to other machines."""

    place: StorePlace
    source: Path | WantedFile
    loads: tuple[StateLoad, ...]
    reference: tuple[ClusterFile, ...] = ()
    year_month: str | None = None
    payer: str | None = None
    locations: bool = True
    """Whether members of provider groups at other URLs are fetched."""
    processes: int = 1
    memory: int = 0
    """The bytes that the job may use (0: no limit)."""
    scratch: Path = Path("/tmp")  # noqa: S108 - a default; the command passes the setting
    """A directory on each machine, for the file and for what is made of it."""

    @property
    def name(self) -> str:
        """Return the file's name as reports have it."""
        return str(self.source) if isinstance(self.source, Path) else self.source.address.public

    @property
    def marker(self) -> str:
        """Return the path of the object that says the file has been loaded with these options.

        A local file is known by its path, size, and time; a file on the web by its address without a signature.
        """
        if isinstance(self.source, Path):
            seen = self.source.stat()
            identity = f"{self.source.resolve()}|{seen.st_size}|{seen.st_mtime_ns}"
        else:
            identity = self.source.address.identity
        wanted = msgspec.json.encode([self.loads, self.year_month, self.payer])
        return f"{SOURCES}/{hashlib.md5(identity.encode() + wanted, usedforsecurity=False).hexdigest()}.json"


class SourceMarker(msgspec.Struct, frozen=True):
    """What a file has become: its batches, and on the web its version."""

    batches: tuple[str, ...]
    etag: str | None = None
    last_modified: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class JobResult:
    """What became of a job."""

    name: str
    receipts: tuple[Receipt, ...] = ()
    problems: tuple[str, ...] = ()
    bytes: int = 0
    """Bytes of JSON that were read."""
    seconds: float = 0


def run_job(job: LoadJob, open_web: Callable[[], AbstractContextManager[Web]]) -> JobResult:
    """Run a job. A problem of the file is in the result; nothing of it is published."""
    started = time.monotonic()
    with scratch_folder(job.scratch) as work:
        try:
            with limited_memory(job.memory), open_web() as web:
                result = _run(job, web, work, scratch_root(job.scratch) / "reference")
        except MemoryError:
            result = JobResult(job.name, problems=(f"{job.name}: needs more memory than {job.memory / 1e9:.1f} GB",))
        except BeaconError as error:
            result = JobResult(job.name, problems=(str(error),))
    return replace(result, seconds=time.monotonic() - started)


def _run(job: LoadJob, web: Web, work: Path, reference: Path) -> JobResult:
    receipts: list[Receipt] = []
    problems: list[str] = []
    read, version = 0, Version()
    scratch = _new_scratch(job, work, reference)
    plan = LoadPlan(
        store=scratch,
        loads=job.loads,
        web=web,
        bar=lambda _name, _what: nullcontext(lambda _done, _all: None),
        year_month=job.year_month,
        processes=job.processes,
        payer=job.payer,
    )
    for step in _steps(plan, job):
        if step.problem:
            problems.append(step.problem)
        if step.outcomes:
            receipt = upload_batch(job.place, scratch, step.outcomes, work)
            problem = _explain_other_load(receipt, step)
            receipts.append(receipt)
            problems += [problem] if problem else []
            read += step.outcomes[0].record["bytes"]
            for source in read_loaded_sources(scratch, [one.state for one in job.loads]).values():
                version = source.version
            # The next document of a zip file starts with an empty store, so that each batch has files of its own.
            shutil.rmtree(scratch.root)
            _new_scratch(job, work, reference)
    if not problems:
        marker = SourceMarker(
            tuple(one.batch_id for one in receipts), version.etag, version.last_modified, version.size
        )
        job.place.write(job.marker, msgspec.json.encode(marker))
    return JobResult(job.name, tuple(receipts), tuple(problems), read)


def _steps(plan: LoadPlan, job: LoadJob) -> Iterator[Step]:
    if isinstance(job.source, Path):
        yield from load_path(plan, job.source)
    else:
        yield from load_web(plan, [job.source], jobs=1)


def _new_scratch(job: LoadJob, work: Path, reference: Path) -> Store:
    scratch = Store(work / "store", "state_month")
    seed_scratch(scratch, job.place, job.reference, reference)
    return scratch


def _explain_other_load(receipt: Receipt, step: Step) -> str | None:
    """Return a problem if the batch has a receipt of a load with other states or filters: a batch has one."""
    wanted = {one.record["state"]: str(one.record["filters"]) for one in step.outcomes}
    if receipt.filters == wanted:
        return None
    return (
        f"{step.name}: batch {receipt.batch_id} was loaded before for {', '.join(sorted(receipt.filters))} or with "
        f"other filters, and a published batch does not change; load all states of a file in one pass (--state GA,FL)"
    )


@contextmanager
def limited_memory(size: int) -> Iterator[None]:
    """Let this process and those it starts take this number of bytes more than this process has now (0: no limit).

    Only Linux tells how much that is. Elsewhere there is no limit.
    """
    if sys.platform != "linux" or not size:
        yield
        return
    import resource  # noqa: PLC0415 - not on every system

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def loaded_markers(place: StorePlace, jobs: Sequence[LoadJob]) -> dict[str, SourceMarker]:
    """Return the markers of those jobs that are done, by path."""
    there = {one.path for one in place.list(SOURCES)}
    return {
        job.marker: msgspec.json.decode(place.read(job.marker), type=SourceMarker)
        for job in jobs
        if job.marker in there
    }


def is_same_version(marker: SourceMarker, version: Version | str) -> bool:
    """Return whether a file on the web is the one that was loaded, as far as its server tells."""
    before = Version(marker.etag, marker.last_modified, marker.size)
    # If the server does not answer, or never says which version it has, what is loaded stays.
    return isinstance(version, str) or before == Version() or before.same_as(version)
