"""Loads payers' in-network files."""

import argparse
from pathlib import Path
from typing import Any

from core.fetch.address import looks_remote
from core.load import WORKER_MODULES
from core.management import base_command
from core.management.filter_options import add_filter_options
from core.runtime import workers
from core.runtime.errors import BeaconError

SMALL = 1 << 20
"""For files of fewer bytes no workers is called before it is known whether one is needed."""


class Command(base_command.WritingCommand):
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
        """Declare the command line."""
        super().add_arguments(parser)
        parser.add_argument("sources", nargs="*", metavar="SOURCE", help="a path, a glob in quotes, or a web address")
        parser.add_argument("--state", type=base_command.state, help="the state to load for, such as GA")
        parser.add_argument(
            "--year-month",
            type=base_command.year_month,
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
        add_filter_options(parser)

    def run(self, sources: list[str], **options: Any) -> None:
        """Load each file."""
        self._refuse_mixtures(sources, options)
        if (options["processes"] or workers.cpu_count()) > 1 and not all(_is_small(source) for source in sources):
            workers.prestart_workers(WORKER_MODULES)
        # What does the work takes a second to import, and the workers as long to come: both at the same time.
        from core.management.run_ingest import Ingesting  # noqa: PLC0415

        Ingesting(self, options).run(sources)

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


def _is_small(source: str) -> bool:
    path = Path(source)
    return not looks_remote(source) and path.is_file() and path.stat().st_size < SMALL


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 32:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number from 1 to 32")
    return int(text)
