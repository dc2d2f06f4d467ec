"""Run ingest_mrf: load files, web addresses or a table of contents, and report what became of each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.management.base import OutputWrapper

from core.cluster.copies.copied_facts import COPIED_FACTS
from core.fetch.address import looks_remote, parse_address, redact_url
from core.fetch.probe import probe
from core.load.batch.provenance import read_loaded_sources
from core.load.fetch_ahead import WantedFile, Web, merge_same_files
from core.load.load_many import LoadPlan, Step, load_path, load_web
from core.load.outcome import LoadOutcome
from core.load.remote.retry_unresolved import retry_unresolved
from core.management import ingest_messages
from core.management.base_command import WritingCommand
from core.management.filter_options import read_loads
from core.management.measure_fit import may_find_fits, measure_fit
from core.open_web import open_web
from core.runtime.errors import BeaconError, PayerFileError
from core.runtime.progress import Progress, ProgressDisplay, show_progress
from core.store.generations.store import Store
from core.tic.source import Source, expand_paths, open_documents
from core.tic.table_of_contents import ListedFile, TableOfContents, read_contents


def run_ingest(
    command: WritingCommand, sources: list[str], options: dict[str, Any], kind: "type[IngestRun] | None" = None
) -> None:
    """Do what the options of ingest_mrf ask for. Raise BeaconError if a file was not loaded.

    `kind` is another kind of run than IngestRun.
    """
    store = command.store(options["no_wait"])
    if kind is None and not options["only_list"]:
        _refuse_copy(store)
    with (
        open_web(keep=options["keep_download"], locations=not options["no_locations"]) as web,
        show_progress() as display,
    ):
        run = (kind or IngestRun)(command.stdout, command.stderr, options, store, web, display)
        if options["resolve"]:
            run.resolve(options["resolve"], sources)
        elif options["toc"]:
            run.load_contents(options["toc"])
        else:
            run.load_sources(sources)


def _refuse_copy(store: Store) -> None:
    """Raise BeaconError for a copy of a published store: the next refresh would not know of what is loaded here."""
    manifest = store.manifest()
    if settings.BEACONPOINT_OBJECT_STORE or (manifest and COPIED_FACTS in manifest.tables):
        published = settings.BEACONPOINT_OBJECT_STORE or "a published store"
        raise BeaconError(
            f"{store.root}: a copy of {published}; load into that one, with --engine ray (docs/cluster.md)"
        )


@dataclass(frozen=True)
class IngestRun:
    """One run of the command, with its options and everything it reads, writes and shows progress with."""

    stdout: OutputWrapper
    stderr: OutputWrapper
    options: dict[str, Any]
    store: Store
    web: Web
    display: ProgressDisplay

    def load_sources(self, sources: list[str]) -> None:
        """Load files and addresses."""
        remote = merge_same_files(WantedFile(parse_address(text)) for text in sources if looks_remote(text))
        paths = expand_paths(text for text in sources if not looks_remote(text))
        plan = self._plan()

        def steps() -> Iterator[Step]:
            for path in paths:
                yield from load_path(plan, path)
            if remote:
                yield from load_web(plan, remote, self.options["jobs"])

        self._report_all(steps(), len(paths) + len(remote), allow_unchecked=False)

    def load_contents(self, index: str) -> None:
        """Load the files that a table of contents lists, or list them."""
        with self._open_document(index, "a table of contents") as (source, progress):
            contents = read_contents(source, progress)
        with self.display.paused():
            for line in ingest_messages.list_contents_oddities(contents):
                self.stderr.write(line)
        chosen = contents.choose(self.options["plan"], self.options["match"])
        if self.options["only_list"]:
            self._list_contents(contents, chosen, self.options["state"] or ())
            return
        self.load_wanted([WantedFile(file.address, contents.plans_of(file)) for file in chosen], contents.payer)

    def load_wanted(self, wanted: Sequence[WantedFile], payer: str | None) -> None:
        """Load the chosen files of a table of contents, which names the payer."""
        steps = load_web(self._plan(payer), wanted, self.options["jobs"])
        # Run again, an old table of contents has expired links. For a file that is loaded already that is fine.
        self._report_all(steps, len(wanted), allow_unchecked=True)

    def resolve(self, batch: str, sources: list[str]) -> None:
        """Fetch the members of a batch's provider groups that could not be fetched before."""
        assert self.web.group_fetcher  # noqa: S101 - the command refuses --resolve with --no-locations
        if sources:
            with self._open_document(sources[0], "the batch's own file") as (source, progress):
                done = retry_unresolved(self.store, batch, self.web.group_fetcher, source=source, progress=progress)
        else:
            done = retry_unresolved(self.store, batch, self.web.group_fetcher)
        with self.display.paused():
            ingest_messages.report_retry(self.stdout.write, done)
        if done.report.failed:
            raise BeaconError(
                f"{done.report.failed:,} of {done.report.asked:,} addresses of provider groups could not be fetched, "
                "see above; try again later"
            )

    def _list_contents(self, contents: TableOfContents, chosen: list[ListedFile], states: tuple[str, ...]) -> None:
        versions = probe(self.web.client, [file.address for file in chosen])
        before = read_loaded_sources(self.store, states) if states else {}
        with self.display.paused():
            ingest_messages.report_contents(self.stdout.write, contents, chosen, versions, before)

    @contextmanager
    def _open_document(self, text: str, kind: str) -> Iterator[tuple[Source, Progress]]:
        """Open the one document of a path or address, and show how much of it has been read."""
        limits = self.web.limits
        if not looks_remote(text):
            documents = [document for path in expand_paths([text]) for document in open_documents(path, limits=limits)]
            source = _require_one(documents, text, kind)
            with self.display.bar(source.name, "read") as progress:
                yield source, progress
            return
        address = parse_address(text)
        with self.display.bar(address.public, "downloaded") as progress:
            download = self.web.downloads.get(address, progress=progress)
        done = False
        try:
            documents = open_documents(download.path, name=address.public, limits=limits)
            source = _require_one(documents, text, kind)
            with self.display.bar(source.name, "read") as progress:
                yield source, progress
            done = True
        finally:
            self.web.downloads.done(download, "for good" if self.web.keep else "not" if done else "for a while")

    def _plan(self, payer: str | None = None) -> LoadPlan:
        """Return where and how files are loaded. `payer` is whom a table of contents names."""
        return LoadPlan(
            store=self.store,
            loads=read_loads(self.options),
            web=self.web,
            bar=self.display.bar,
            year_month=self.options["year_month"],
            processes=self.options["processes"],
            payer=self.options["payer"] or payer,
        )

    def _report_all(self, steps: Iterable[Step], expected: int, *, allow_unchecked: bool) -> None:
        """Report what became of each source, and the totals. Raise BeaconError if one was not loaded.

        With `allow_unchecked`, a file that is loaded already counts as loaded even if it cannot be seen on the web now.
        """
        loaded: list[tuple[LoadOutcome, ...]] = []
        problems = _Problems(self.stderr.write, several=expected > 1)
        before = unchecked = 0
        for step in steps:
            with self.display.paused():
                if step.skipped:
                    ingest_messages.report_skipped(self.stdout.write, step)
                elif step.outcomes:
                    loaded.append(step.outcomes)
                    self._report_outcomes(step.outcomes)
                elif step.loaded_before and (allow_unchecked or not step.problem):
                    before += 1
                    unchecked += step.problem is not None
                    ingest_messages.report_unchanged(self.stdout.write, step)
                    if step.problem:
                        self.stderr.write(step.problem)
                elif step.problem:
                    problems.add(step.problem, several=bool(loaded))
        if len(loaded) + len(problems.texts) + before > 1:
            self.stdout.write(
                ingest_messages.summarize_loaded(loaded)
                + (f"; {before} loaded before and not fetched" if before else "")
                + (f", {unchecked} of which could not be checked again" if unchecked else "")
                + (f"; {len(problems.texts)} not loaded" if problems.texts else "")
            )
            ingest_messages.report_states(self.stdout.write, [each for outcomes in loaded for each in outcomes])
        self._measure_fit([outcome for outcomes in loaded for outcome in outcomes])
        problems.raise_any()

    def _measure_fit(self, outcomes: list[LoadOutcome]) -> None:
        """Measure how well the payers' rates of the months that were loaded fit the fee schedules."""
        records = [outcome.record for outcome in outcomes if outcome.rows_added]
        if records and may_find_fits(self.store):
            from core.quality.schedule_fit import FitScope  # noqa: PLC0415 - see may_find_fits

            names = ("state", "year_month", "reporting_entity_name")
            states, months, payers = (tuple({record[name] for record in records}) for name in names)
            measure_fit(self.store, FitScope(states, months, payers), self.stderr.write)

    def _report_outcomes(self, outcomes: tuple[LoadOutcome, ...]) -> None:
        detailed = self.options["verbosity"] > 1
        if len(outcomes) == 1:
            ingest_messages.report_outcome(self.stdout.write, outcomes[0], detailed=detailed)
        else:
            ingest_messages.report_document(self.stdout.write, outcomes, detailed=detailed)
        for line in ingest_messages.warn_of_nothing(outcomes[0]):
            self.stderr.write(line)


@dataclass
class _Problems:
    """The problems of a run. The only one is the command's error; of several, each is told, and the error counts them.

    A file may turn out to be several documents, so whether there are `several` sources is known only in the end.
    """

    tell: Callable[[str], object]
    several: bool
    texts: list[str] = field(default_factory=list)
    told: int = 0

    def add(self, text: str, *, several: bool) -> None:
        """Add a problem, and tell it if it is one of several documents."""
        self.texts.append(text)
        self.several = self.several or several or len(self.texts) > 1
        if self.several:
            for untold in self.texts[self.told :]:
                self.tell(untold)
            self.told = len(self.texts)

    def raise_any(self) -> None:
        """Raise BeaconError if there is a problem."""
        if self.texts:
            count = f"{len(self.texts)} {'file was' if len(self.texts) == 1 else 'files were'} not loaded, see above"
            raise BeaconError(count if self.told else self.texts[0])


def _require_one(documents: list[Source], text: str, kind: str) -> Source:
    if len(documents) != 1:
        raise PayerFileError(f"{redact_url(text)}: {len(documents)} files; expected one, {kind}")
    return documents[0]
