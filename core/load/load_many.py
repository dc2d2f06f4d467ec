"""Load many sources: files and web addresses, fetched ahead, loaded one by one. One failure does not stop the rest."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from core.fetch.download import Download, Unchanged
from core.load.batch.batch_record import add_register_hashes, refuse_other_month
from core.load.batch.provenance import (
    KnownOrigin,
    LoadedSource,
    Origin,
    Provenance,
    add_provenance,
    read_loaded_sources,
)
from core.load.fetch_ahead import ProgressBar, WantedFile, Web, fetch_ahead
from core.load.foreign_files import name_foreign_document, name_foreign_file
from core.load.load_file import load_for_states
from core.load.outcome import LoadOutcome
from core.load.rate_filters import StateLoad
from core.runtime.errors import BeaconError, FetchError, PayerFileError
from core.store.generations.store import Store
from core.tic.source import Source, open_container


@dataclass(frozen=True)
class LoadPlan:
    """Where sources are loaded to, and how: for which states, and which of their rates.

    `processes` share the work of a large file (default: one per core).
    """

    store: Store
    loads: tuple[StateLoad, ...]
    web: Web
    bar: ProgressBar
    year_month: str | None = None
    processes: int | None = None
    payer: str | None = None
    """The payer of files that do not name theirs."""


@dataclass(frozen=True)
class Step:
    """What became of one source, or of one document of it.

    There are `outcomes`, one for each state, or a `problem`, or neither if the file on the web is the one that was
    loaded before, or if the step only names members of a zip file that are not data (`skipped`). With `loaded_before` a
    problem means that nobody could find out whether the file has changed.
    """

    name: str
    outcomes: tuple[LoadOutcome, ...] = ()
    problem: str | None = None
    loaded_before: bool = False
    skipped: tuple[str, ...] = ()
    provenance: tuple[KnownOrigin, ...] = ()
    """Batches that are in the store already, and where they come from according to this source."""


def load_path(plan: LoadPlan, path: Path) -> Iterator[Step]:
    """Load the documents of a local file, each by itself."""
    try:
        found = open_container(path, limits=plan.web.limits)
    except PayerFileError as error:
        yield Step(path.name, problem=name_foreign_file(path, path.name) or str(error))
        return
    if found.skipped:
        yield Step(path.name, skipped=tuple(found.skipped))
    for document in found.documents:
        yield _load_document(plan, document, Provenance())


def load_web(plan: LoadPlan, wanted: Iterable[WantedFile], jobs: int) -> Iterator[Step]:
    """Load files from the web, fetching `jobs` of them at a time. A file that was loaded before is not fetched again.

    Raise BeaconError for a filter about which the store knows too little.
    """
    with TemporaryDirectory(prefix="beaconpoint-", ignore_cleanup_errors=True) as work:
        filters = add_register_hashes([one.only for one in plan.loads], plan.store, Path(work))
    only = {one.state: found for one, found in zip(plan.loads, filters, strict=True)}
    sources = read_loaded_sources(plan.store, list(only))
    finished = {identity: source for identity, source in sources.items() if source.is_finished(only)}
    provenance: list[KnownOrigin] = []
    for arrival in fetch_ahead(plan.web, plan.bar, wanted, finished, jobs):
        file, result = arrival.file, arrival.result
        if isinstance(result, Download):
            steps = _load_download(plan, file, result)
        else:
            steps = iter([_explain_missing(plan, file, result, finished.get(file.address.identity))])
        for step in steps:
            provenance += step.provenance
            yield step
    add_provenance(plan.store, provenance)


def _explain_missing(
    plan: LoadPlan, file: WantedFile, reason: FetchError | Unchanged, source: LoadedSource | None
) -> Step:
    """Return the step of a file that did not arrive. `source` is what the store has of it, if nothing is missing."""
    name = file.address.public
    problem = str(reason) if isinstance(reason, FetchError) else None
    if source is None:
        return Step(name, problem=problem)
    try:
        if plan.year_month:
            refuse_other_month(name, source.records, plan.year_month)
    except PayerFileError as error:
        return Step(name, problem=str(error))
    plans = Provenance(plans=file.plans)
    batches = tuple(KnownOrigin(record["batch_id"], record["state"], plans) for record in source.records)
    return Step(name, problem=problem, loaded_before=True, provenance=batches)


def _load_download(plan: LoadPlan, file: WantedFile, download: Download) -> Iterator[Step]:
    name, done = file.address.public, False
    try:
        found = open_container(download.path, name=name, limits=plan.web.limits)
        if found.skipped:
            yield Step(name, skipped=tuple(found.skipped))
        problems = 0
        for document in found.documents:
            origin = Origin(file.address, download.version, document.member or "", len(found.documents))
            step = _load_document(plan, document, Provenance(origin, file.plans))
            problems += step.problem is not None
            yield step
        done = not problems
    except PayerFileError as error:
        yield Step(name, problem=name_foreign_file(download.path, name) or str(error))
    finally:
        # A file that failed to load may only need an option, so it stays for a while and is not fetched again.
        plan.web.downloads.done(download, "for good" if plan.web.keep else "not" if done else "for a while")


def _load_document(plan: LoadPlan, document: Source, provenance: Provenance) -> Step:
    """Load one document. What is wrong with it says nothing about the other documents of its file."""
    try:
        with plan.bar(document.name, "read") as progress:
            outcomes = load_for_states(
                plan.store,
                document,
                plan.loads,
                year_month=plan.year_month,
                payer=plan.payer,
                provenance=provenance,
                fetcher=plan.web.group_fetcher,
                progress=progress,
                processes=plan.processes,
            )
    except PayerFileError as error:
        return Step(document.name, problem=name_foreign_document(document) or str(error))
    except BeaconError as error:
        return Step(document.name, problem=str(error))
    before = [outcome.record for outcome in outcomes if outcome.loaded_before and provenance.origin]
    known = tuple(KnownOrigin(record["batch_id"], record["state"], provenance) for record in before)
    return Step(document.name, tuple(outcomes), provenance=known)
