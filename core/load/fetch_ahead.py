"""Fetch files from the web while others are loaded."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from core.fetch.address import Address
from core.fetch.client import Client
from core.fetch.download import Download, Downloads, Unchanged
from core.fetch.host_failures import HostFailures
from core.load.batch.provenance import LoadedSource
from core.load.remote.fetch_groups import GroupFetcher
from core.runtime.errors import FetchError
from core.runtime.progress import Progress
from core.tic.plans import Plan
from core.tic.source import UnpackLimits

_TICK = 0.2
"""Seconds between two checks for an interrupt. If the system delivers it to a thread that downloads, the thread that
waits for downloads does not wake up."""

ProgressBar = Callable[[str, str], AbstractContextManager[Progress]]
"""Shows the progress of something that has a name, and what is being done with it."""


@dataclass(frozen=True)
class Web:
    """What fetching needs: `client` and `downloads` for files, `group_fetcher` for members of groups, if wanted."""

    client: Client
    downloads: Downloads
    group_fetcher: GroupFetcher | None
    limits: UnpackLimits = field(default_factory=UnpackLimits)
    keep: bool = False
    """Whether downloads stay on disk after they were loaded."""


@dataclass(frozen=True)
class WantedFile:
    """A file on the web, and the plans that it is listed for."""

    address: Address
    plans: frozenset[Plan] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Arrival:
    """What became of a download: a file on disk, an error, or the news that it has not changed since it was loaded."""

    file: WantedFile
    result: Download | FetchError | Unchanged


def merge_same_files(wanted: Iterable[WantedFile]) -> list[WantedFile]:
    """Return each file once, with the plans of all its listings. Addresses equal but for a signature are one file."""
    found: dict[str, WantedFile] = {}
    for file in wanted:
        before = found.get(file.address.identity)
        found[file.address.identity] = replace(before, plans=before.plans | file.plans) if before else file
    return list(found.values())


def fetch_ahead(
    web: Web, bar: ProgressBar, wanted: Iterable[WantedFile], loaded: Mapping[str, LoadedSource], jobs: int
) -> Iterator[Arrival]:
    """Yield files as they arrive. At most `jobs` are on their way, or wait on disk while one is loaded.

    `loaded` has the sources that the store has, by identity: they are fetched only if they have changed.
    """
    hosts, rest = HostFailures(), iter(wanted)
    pending: dict[Future[Download], WantedFile] = {}

    def fetch(address: Address) -> Download:
        hosts.check(address)
        there = loaded.get(address.identity)
        with bar(address.public, "downloaded") as progress:
            try:
                found = web.downloads.get(address, have=there.version if there else None, progress=progress)
            except FetchError as error:
                hosts.record(address, error)
                raise
        hosts.record(address)
        return found

    with ThreadPoolExecutor(jobs, "download") as pool:

        def submit() -> None:
            while len(pending) < jobs and (file := next(rest, None)):
                pending[pool.submit(fetch, file.address)] = file

        try:
            submit()
            while pending:
                done = wait(pending, _TICK, FIRST_COMPLETED).done
                if not done:
                    continue
                future = done.pop()
                file = pending.pop(future)
                submit()
                yield Arrival(file, _result(future))
        except BaseException:
            web.client.stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _result(future: Future[Download]) -> Download | FetchError | Unchanged:
    try:
        return future.result()
    except (FetchError, Unchanged) as result:
        return result
