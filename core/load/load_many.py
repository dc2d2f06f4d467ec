"""Many sources into the store, files and web addresses: fetched ahead, loaded one by one, each failure for itself."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from core.fetch.address import Address
from core.fetch.client import Client
from core.fetch.download import Download, Downloads, Unchanged
from core.fetch.host_failures import HostFailures
from core.load.batch_record import marked, refuse_other_month
from core.load.load_file import load_file
from core.load.outcome import LoadOutcome
from core.load.provenance import LoadedSource, Origin, Provenance, loaded, remember
from core.load.rate_filters import ALL_RATES, RateFilter
from core.load.remote.fetch_groups import GroupFetcher
from core.runtime.errors import BeaconError, FetchError, PayerFileError
from core.runtime.progress import Progress
from core.store.generations.store import Store
from core.tic.plans import Plan
from core.tic.source import Source, UnpackLimits, open_documents

_TICK = 0.2
"""Seconds between two looks at whether the user wants to stop: where the system gives the interrupt to a thread that
downloads, the one that waits does not wake up for it."""

ProgressBar = Callable[[str, str], AbstractContextManager[Progress]]
"""Shows progress of what has a name, and of what is being done with it."""


@dataclass(frozen=True)
class Web:
    """What fetching needs: `client` and `downloads` for files, `locations` for members of groups, where wanted."""

    client: Client
    downloads: Downloads
    locations: GroupFetcher | None
    limits: UnpackLimits = field(default_factory=UnpackLimits)
    keep: bool = False
    """Whether downloads are kept when they have been loaded."""


@dataclass(frozen=True)
class WantedFile:
    """A file on the web, and the plans that it is listed for."""

    address: Address
    plans: frozenset[Plan] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Step:
    """What became of one source, or of one document of it: an `outcome`, a `problem`, or neither where the file on the
    web is the one that is in the store already. With `loaded_before` a problem means that this could not be found out.
    """

    name: str
    outcome: LoadOutcome | None = None
    problem: str | None = None
    loaded_before: bool = False


class Loader:
    """Loads sources for a state, or those of their rates that `only` wants. `bar` shows progress.

    `processes` is how many may share the work of a large file, one for each core where it is not given.
    """

    def __init__(
        self,
        store: Store,
        state: str,
        web: Web,
        bar: ProgressBar,
        *,
        year_month: str | None = None,
        only: RateFilter = ALL_RATES,
        processes: int | None = None,
    ) -> None:
        self._store = store
        self._state = state
        self._web = web
        self._bar = bar
        self._year_month = year_month
        self._only = only
        self._processes = processes
        self._known: list[tuple[str, Provenance]] = []

    def load_path(self, path: Path) -> Iterator[Step]:
        """Loads the documents of a local file."""
        try:
            for document in open_documents(path, limits=self._web.limits):
                yield Step(document.name, self._ingest(document, Provenance()))
        except BeaconError as error:
            yield Step(path.name, problem=str(error))

    def load_web(self, wanted: Iterable[WantedFile], jobs: int) -> Iterator[Step]:
        """Loads files from the web, of which `jobs` are fetched at a time; what is in the store already is not.

        Raises BeaconError for a filter that the store knows too little for.
        """
        with TemporaryDirectory(prefix="beaconpoint-") as work:
            only = marked(self._only, self._store, Path(work))
        before = {key: there for key, there in loaded(self._store, self._state).items() if there.finished(only)}
        for file, arrived in self._arrivals(wanted, before, jobs):
            there = before.get(file.address.identity)
            if isinstance(arrived, Download):
                yield from self._load_download(file, arrived)
            else:
                yield self._not_fetched(file, arrived, there)
        remember(self._store, self._state, self._known)

    def _not_fetched(self, file: WantedFile, why: FetchError | Unchanged, there: LoadedSource | None) -> Step:
        """A file that did not arrive; `there` is what the store has of it, where that is all that is wanted."""
        name = file.address.public
        problem = str(why) if isinstance(why, FetchError) else None
        if there:
            try:
                if self._year_month:
                    refuse_other_month(name, there.records, self._year_month)
            except PayerFileError as error:
                return Step(name, problem=str(error))
            self._known += [(record["batch_id"], Provenance(plans=file.plans)) for record in there.records]
        return Step(name, problem=problem, loaded_before=there is not None)

    def _load_download(self, file: WantedFile, download: Download) -> Iterator[Step]:
        name, done = file.address.public, False
        try:
            found = open_documents(download.path, name=name, limits=self._web.limits)
            for document in found:
                origin = Origin(file.address, download.version, document.member or "", len(found))
                provenance = Provenance(origin, file.plans)
                outcome = self._ingest(document, provenance)
                if outcome.loaded_before:
                    self._known.append((outcome.record["batch_id"], provenance))
                yield Step(document.name, outcome)
            done = True
        except BeaconError as error:
            yield Step(name, problem=str(error))
        finally:
            # A file that could not be loaded may want an option; it need not be fetched again for that.
            self._web.downloads.done(download, "for good" if self._web.keep else "not" if done else "for a while")

    def _ingest(self, document: Source, provenance: Provenance) -> LoadOutcome:
        with self._bar(document.name, "read") as progress:
            return load_file(
                self._store,
                document,
                self._state,
                year_month=self._year_month,
                provenance=provenance,
                locations=self._web.locations,
                progress=progress,
                only=self._only,
                processes=self._processes,
            )

    def _arrivals(
        self, wanted: Iterable[WantedFile], before: dict[str, LoadedSource], jobs: int
    ) -> Iterator[tuple[WantedFile, Download | FetchError | Unchanged]]:
        """The files as they arrive. At most `jobs` are on their way or waiting while one is loaded."""
        hosts, rest = HostFailures(), iter(wanted)
        pending: dict[Future[Download], WantedFile] = {}
        with ThreadPoolExecutor(jobs, "download") as pool:
            try:
                self._submit(pool, pending, rest, before, hosts, jobs)
                while pending:
                    done = wait(pending, _TICK, FIRST_COMPLETED).done
                    if not done:
                        continue
                    future = done.pop()
                    file = pending.pop(future)
                    self._submit(pool, pending, rest, before, hosts, jobs)
                    yield file, _told(future)
            except BaseException:
                self._web.client.stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _submit(
        self,
        pool: ThreadPoolExecutor,
        pending: dict[Future[Download], WantedFile],
        rest: Iterator[WantedFile],
        before: dict[str, LoadedSource],
        hosts: HostFailures,
        jobs: int,
    ) -> None:
        while len(pending) < jobs and (file := next(rest, None)):
            pending[pool.submit(self._fetch, file.address, before, hosts)] = file

    def _fetch(self, address: Address, before: dict[str, LoadedSource], hosts: HostFailures) -> Download:
        hosts.check(address)
        there = before.get(address.identity)
        with self._bar(address.public, "downloaded") as progress:
            try:
                found = self._web.downloads.get(address, have=there.version if there else None, progress=progress)
            except FetchError as error:
                hosts.note(address, error)
                raise
        hosts.note(address)
        return found


def _told(future: Future[Download]) -> Download | FetchError | Unchanged:
    try:
        return future.result()
    except (FetchError, Unchanged) as told:
        return told


def each_once(wanted: Iterable[WantedFile]) -> list[WantedFile]:
    """The files, each once: addresses equal but for their signature are one file, for the plans of all of them."""
    found: dict[str, WantedFile] = {}
    for file in wanted:
        there = found.get(file.address.identity)
        found[file.address.identity] = replace(there, plans=there.plans | file.plans) if there else file
    return list(found.values())
