"""Loads payers' in-network files."""

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import BeaconError
from core.fetch.address import looks_remote, parse, shown
from core.fetch.part import Progress
from core.fetch.probe import probe
from core.management import base, telling
from core.management.filters import add_filters, filter_of
from core.mrf.errors import MrfError
from core.mrf.loading import Loader, Step, Wanted, Web, each_once
from core.mrf.outcome import Outcome
from core.mrf.provenance import loaded
from core.mrf.resolve import resolve
from core.mrf.source import Source, documents, expand
from core.mrf.toc import Contents, Listed, read_contents
from core.progress import showing
from core.web import web


class Command(base.WritingCommand):
    """manage.py ingest_mrf."""

    help = """\
Loads the negotiated rates of payers' in-network files (Transparency in Coverage, schema 1 and 2) for a state.

A file is JSON, plain or in gzip or zip, told by its content and not by its name; it lies on disk or on the web. It is
loaded whole or not at all; a file whose JSON is in the store already adds nothing. Each file is one batch; one that
cannot be loaded does not keep the others from being loaded, but the exit status is then 1.

  manage.py ingest_mrf --state GA 2025-08-01_payer_in-network-rates.json.gz
  manage.py ingest_mrf --state GA 'downloads/*.json.gz' --year-month 2025-08
  manage.py ingest_mrf --state GA 'https://payer.example/2025-08_in-network.json.gz?Expires=...'

A download that was cut is resumed, also by the next run; it is deleted when it has been loaded. Put an address in
quotes: the shell takes an & for its own.

A table of contents lists a payer's files and the plans they are for. See first what is in it, then load some of it or
all; run again, it goes on where it stopped and loads what has changed:

  manage.py ingest_mrf --toc https://payer.example/2025-08_index.json --list
  manage.py ingest_mrf --toc 2025-08_index.json --state GA --plan 64353 --match '*ppo*' --jobs 4

Members of provider groups may be elsewhere on the web. Those that could not be fetched are tried again by:

  manage.py ingest_mrf --resolve 3a99974a72c3908fb17501377fa85b24
  manage.py ingest_mrf --resolve 3a99974a 2025-08-01_payer.json.gz   (for signed addresses, which are not kept)

Only some rates, and the rest later:

  manage.py ingest_mrf --state GA --codes 99213,99214 2025-08-01_payer.json.gz
  manage.py ingest_mrf --state GA --code-types CPT --in-state GA 2025-08-01_payer.json.gz
  manage.py ingest_mrf --state GA 2025-08-01_payer.json.gz

--verbosity 2 tells where the time went.
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The command line."""
        super().add_arguments(parser)
        parser.add_argument("sources", nargs="*", metavar="SOURCE", help="a path, a glob in quotes, or a web address")
        parser.add_argument("--state", type=base.state, help="the state to load for, such as GA")
        parser.add_argument(
            "--year-month",
            type=base.year_month,
            metavar="YYYY-MM",
            help="the month of the rates; takes the place of the files' last_updated_on, which payers may get wrong",
        )
        parser.add_argument("--toc", metavar="INDEX", help="load what a table of contents (a path or address) lists")
        parser.add_argument(
            "--plan",
            action="append",
            default=[],
            metavar="TEXT",
            help="with --toc: files for a plan of that id, or with that in its name",
        )
        parser.add_argument(
            "--match",
            action="append",
            default=[],
            metavar="TEXT",
            help="with --toc: files with that in address or description, or like that pattern (* and ?)",
        )
        parser.add_argument(
            "--list",
            action="store_true",
            dest="only_list",
            help="with --toc: show files, sizes and plans; load nothing",
        )
        parser.add_argument("--jobs", type=_count, default=4, metavar="N", help="downloads at a time (4)")
        parser.add_argument(
            "--processes",
            type=_count,
            metavar="N",
            help="processes that share the work of a large file (one for each core); each takes some 200 MB",
        )
        parser.add_argument("--keep-download", action="store_true", help="keep downloads in the cache directory")
        parser.add_argument(
            "--no-locations", action="store_true", help="do not fetch members of provider groups from elsewhere"
        )
        parser.add_argument(
            "--resolve", metavar="BATCH", help="fetch members of a batch's groups that could not be fetched before"
        )
        add_filters(parser)

    def run(self, sources: list[str], **options: Any) -> None:
        """Loads each file."""
        self._refuse_mixtures(sources, options)
        self._store, self._detailed = self.store(options["no_wait"]), options["verbosity"] > 1
        with (
            web(keep=options["keep_download"], locations=not options["no_locations"]) as found,
            showing() as self._shown,
        ):
            if options["resolve"]:
                self._resolve(found, options["resolve"], sources)
            elif options["toc"]:
                self._run_contents(found, options)
            else:
                self._run_sources(found, sources, options)

    def _refuse_mixtures(self, sources: list[str], options: dict[str, Any]) -> None:
        toc, batch = options["toc"], options["resolve"]
        if toc and (sources or batch):
            raise BeaconError("--toc INDEX names all there is to load; expected no SOURCE and no --resolve beside it")
        if batch and len(sources) > 1:
            raise BeaconError("--resolve BATCH takes one SOURCE at most: the file that the batch was loaded from")
        if batch and options["no_locations"]:
            raise BeaconError("--resolve fetches members and --no-locations does not; expected one of them")
        if not toc and (options["plan"] or options["match"] or options["only_list"]):
            raise BeaconError(
                "--plan, --match and --list choose from a table of contents; expected --toc INDEX with them"
            )
        if not (toc or batch or sources):
            raise BeaconError("nothing to load; expected SOURCE..., --toc INDEX or --resolve BATCH (see --help)")
        if not options["state"] and not batch and not options["only_list"]:
            raise BeaconError("expected --state, the state to load for, such as --state GA")

    # --- files and addresses ----------------------------------------------------------------------------------

    def _run_sources(self, found: Web, sources: list[str], options: dict[str, Any]) -> None:
        remote = each_once(Wanted(parse(text)) for text in sources if looks_remote(text))
        paths = expand(text for text in sources if not looks_remote(text))
        loader = self._loader(found, options)

        def steps() -> Iterator[Step]:
            for path in paths:
                yield from loader.load_path(path)
            if remote:
                yield from loader.load_web(remote, options["jobs"])

        self._tell_all(steps(), len(paths) + len(remote), unchecked_is_well=False)

    # --- a table of contents ----------------------------------------------------------------------------------

    def _run_contents(self, found: Web, options: dict[str, Any]) -> None:
        with self._document(found, options["toc"], "a table of contents") as (source, progress):
            contents = read_contents(source, progress)
        with self._shown.paused():
            for line in telling.left_out(contents):
                self.stderr.write(line)
        chosen = contents.chosen(options["plan"], options["match"])
        if options["only_list"]:
            return self._list(found, contents, chosen, options["state"])
        wanted = (Wanted(file.address, contents.plans_of(file)) for file in chosen)
        return self._tell_all(self._loader(found, options).load_web(wanted, options["jobs"]), len(chosen))

    def _list(self, found: Web, contents: Contents, chosen: list[Listed], state: str | None) -> None:
        versions = probe(found.client, [file.address for file in chosen])
        before = loaded(self._store, state) if state else {}
        with self._shown.paused():
            telling.contents(self.stdout.write, contents, chosen, versions, before)

    # --- groups that lack members -----------------------------------------------------------------------------

    def _resolve(self, found: Web, batch: str, sources: list[str]) -> None:
        assert found.locations  # noqa: S101 - refused beside --no-locations
        if sources:
            with self._document(found, sources[0], "the batch's own file") as (source, progress):
                done = resolve(self._store, batch, found.locations, source=source, progress=progress)
        else:
            done = resolve(self._store, batch, found.locations)
        with self._shown.paused():
            telling.resolved(self.stdout.write, done)
        if done.report.failed:
            raise BeaconError(
                f"{done.report.failed:,} of {done.report.asked:,} addresses of provider groups could not be had, see "
                "above; try again later"
            )

    # --- both -------------------------------------------------------------------------------------------------

    @contextmanager
    def _document(self, found: Web, text: str, kind: str) -> Iterator[tuple[Source, Progress]]:
        """The one document of a path or address, and where to show how far it has been read."""
        if not looks_remote(text):
            everything = [document for path in expand([text]) for document in documents(path, limits=found.limits)]
            source = _only(everything, text, kind)
            with self._shown.bar(source.name, "read") as progress:
                yield source, progress
            return
        address = parse(text)
        with self._shown.bar(address.public, "downloaded") as progress:
            download = found.downloads.get(address, progress=progress)
        done = False
        try:
            source = _only(documents(download.path, name=address.public, limits=found.limits), text, kind)
            with self._shown.bar(source.name, "read") as progress:
                yield source, progress
            done = True
        finally:
            found.downloads.done(download, "for good" if found.keep else "not" if done else "for a while")

    def _loader(self, found: Web, options: dict[str, Any]) -> Loader:
        return Loader(
            self._store,
            options["state"],
            found,
            self._shown.bar,
            year_month=options["year_month"],
            only=filter_of(options),
            processes=options["processes"],
        )

    def _tell_all(self, steps: Iterable[Step], expected: int, *, unchecked_is_well: bool = True) -> None:
        """Says what became of each source, and sums up. Raises BeaconError where one was not loaded.

        Links of an old table of contents have expired when it is gone through again: for what is loaded already that is
        well. For an address that the user gave it is not.
        """
        outcomes: list[Outcome] = []
        problems: list[str] = []
        before = unchecked = 0
        for step in steps:
            with self._shown.paused():
                if step.outcome:
                    outcomes.append(step.outcome)
                    telling.outcome(self.stdout.write, step.outcome, detailed=self._detailed)
                elif step.loaded_before and (unchecked_is_well or not step.problem):
                    before += 1
                    unchecked += step.problem is not None
                    telling.unfetched(self.stdout.write, step)
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
        raise MrfError(f"{shown(text)}: {len(found)} files; expected one, {kind}")
    return found[0]


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 32:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number from 1 to 32")
    return int(text)
