"""What ingest_mrf does: each file, address or table of contents, and what is told of it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from core.fetch.address import looks_remote, parse_address, redact_url
from core.fetch.probe import probe
from core.load.fetch_ahead import WantedFile, Web, merge_same_files
from core.load.load_many import LoadPlan, Step, load_path, load_web
from core.load.outcome import LoadOutcome
from core.load.provenance import read_loaded_sources
from core.load.remote.retry_unresolved import retry_unresolved
from core.management import ingest_messages
from core.management.base_command import WritingCommand
from core.management.filter_options import read_filter
from core.open_web import web
from core.runtime.errors import BeaconError, PayerFileError
from core.runtime.progress import Progress, show_progress
from core.tic.source import Source, expand_paths, open_documents
from core.tic.table_of_contents import ListedFile, TableOfContents, read_contents


class Ingesting:
    """One run of the command, with its options."""

    def __init__(self, command: WritingCommand, options: dict[str, Any]) -> None:
        self.stdout, self.stderr = command.stdout, command.stderr
        self._options = options
        self._store = command.store(options["no_wait"])

    def run(self, sources: list[str]) -> None:
        """Load each file."""
        options = self._options
        with (
            web(keep=options["keep_download"], locations=not options["no_locations"]) as found,
            show_progress() as self._shown,
        ):
            if options["resolve"]:
                self._resolve(found, options["resolve"], sources)
            elif options["toc"]:
                self._run_contents(found)
            else:
                self._run_sources(found, sources)

    # --- files and addresses ----------------------------------------------------------------------------------

    def _run_sources(self, found: Web, sources: list[str]) -> None:
        remote = merge_same_files(WantedFile(parse_address(text)) for text in sources if looks_remote(text))
        paths = expand_paths(text for text in sources if not looks_remote(text))
        plan = self._plan(found)

        def steps() -> Iterator[Step]:
            for path in paths:
                yield from load_path(plan, path)
            if remote:
                yield from load_web(plan, remote, self._options["jobs"])

        self._tell_all(steps(), len(paths) + len(remote), unchecked_is_well=False)

    # --- a table of contents ----------------------------------------------------------------------------------

    def _run_contents(self, found: Web) -> None:
        options = self._options
        with self._document(found, options["toc"], "a table of contents") as (source, progress):
            contents = read_contents(source, progress)
        with self._shown.paused():
            for line in ingest_messages.list_left_out(contents):
                self.stderr.write(line)
        chosen = contents.choose(options["plan"], options["match"])
        if options["only_list"]:
            return self._list(found, contents, chosen, options["state"])
        wanted = (WantedFile(file.address, contents.plans_of(file)) for file in chosen)
        return self._tell_all(load_web(self._plan(found), wanted, options["jobs"]), len(chosen))

    def _list(self, found: Web, contents: TableOfContents, chosen: list[ListedFile], state: str | None) -> None:
        versions = probe(found.client, [file.address for file in chosen])
        before = read_loaded_sources(self._store, state) if state else {}
        with self._shown.paused():
            ingest_messages.report_contents(self.stdout.write, contents, chosen, versions, before)

    # --- groups that lack members -----------------------------------------------------------------------------

    def _resolve(self, found: Web, batch: str, sources: list[str]) -> None:
        assert found.group_fetcher  # noqa: S101 - refused beside --no-locations
        if sources:
            with self._document(found, sources[0], "the batch's own file") as (source, progress):
                done = retry_unresolved(self._store, batch, found.group_fetcher, source=source, progress=progress)
        else:
            done = retry_unresolved(self._store, batch, found.group_fetcher)
        with self._shown.paused():
            ingest_messages.report_retry(self.stdout.write, done)
        if done.report.failed:
            raise BeaconError(
                f"{done.report.failed:,} of {done.report.asked:,} addresses of provider groups could not be had, see "
                "above; try again later"
            )

    # --- both -------------------------------------------------------------------------------------------------

    @contextmanager
    def _document(self, found: Web, text: str, kind: str) -> Iterator[tuple[Source, Progress]]:
        """Yield the one document of a path or address, and the progress bar of reading it."""
        if not looks_remote(text):
            everything = [
                document for path in expand_paths([text]) for document in open_documents(path, limits=found.limits)
            ]
            source = _only(everything, text, kind)
            with self._shown.bar(source.name, "read") as progress:
                yield source, progress
            return
        address = parse_address(text)
        with self._shown.bar(address.public, "downloaded") as progress:
            download = found.downloads.get(address, progress=progress)
        done = False
        try:
            source = _only(open_documents(download.path, name=address.public, limits=found.limits), text, kind)
            with self._shown.bar(source.name, "read") as progress:
                yield source, progress
            done = True
        finally:
            found.downloads.done(download, "for good" if found.keep else "not" if done else "for a while")

    def _plan(self, found: Web) -> LoadPlan:
        options = self._options
        return LoadPlan(
            store=self._store,
            state=options["state"],
            web=found,
            bar=self._shown.bar,
            year_month=options["year_month"],
            only=read_filter(options),
            processes=options["processes"],
        )

    def _tell_all(self, steps: Iterable[Step], expected: int, *, unchecked_is_well: bool = True) -> None:
        """Says what became of each source, and sums up. Raises BeaconError where one was not loaded.

        Links of an old table of contents have expired when it is gone through again: for what is loaded already that is
        well. For an address that the user gave it is not.
        """
        outcomes: list[LoadOutcome] = []
        problems: list[str] = []
        before = unchecked = 0
        for step in steps:
            with self._shown.paused():
                if step.outcome:
                    outcomes.append(step.outcome)
                    ingest_messages.report_outcome(
                        self.stdout.write, step.outcome, detailed=self._options["verbosity"] > 1
                    )
                elif step.loaded_before and (unchecked_is_well or not step.problem):
                    before += 1
                    unchecked += step.problem is not None
                    ingest_messages.report_unchanged(self.stdout.write, step)
                    if step.problem:
                        self.stderr.write(step.problem)
                elif step.problem:
                    problems.append(step.problem)
                    if expected > 1:
                        self.stderr.write(step.problem)
        if len(outcomes) + len(problems) + before > 1:
            added, read = sum(o.rows_added for o in outcomes), sum(o.record["rows_read"] for o in outcomes)
            self.stdout.write(
                f"{len(outcomes)} files loaded: {read:,} rows read, {added:,} added"
                + (f"; {before} loaded before and not fetched" if before else "")
                + (f", {unchecked} of which could not be looked at again" if unchecked else "")
                + (f"; {len(problems)} not loaded" if problems else "")
            )
        if problems:
            raise BeaconError(
                problems[0]
                if expected == 1
                else f"{len(problems)} {'file was' if len(problems) == 1 else 'files were'} not loaded, see above"
            )


def _only(found: list[Source], text: str, kind: str) -> Source:
    if len(found) != 1:
        raise PayerFileError(f"{redact_url(text)}: {len(found)} files; expected one, {kind}")
    return found[0]
