"""Load payers' in-network files."""

import argparse
import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from core.fetch.address import looks_remote
from core.fields.providers.payer_slug import make_payer_slug
from core.fields.texts.text import parse_text
from core.load import WORKER_MODULES
from core.management import base_command
from core.management.filter_options import add_filter_options, name_own_state, read_loads
from core.runtime import workers
from core.runtime.errors import BeaconError
from core.runtime.last_runs import record_run

SMALL_FILE_BYTES = 1 << 20
"""Smaller files do not start worker processes up front: most are loaded before a worker would be ready."""


class Command(base_command.WritingCommand):
    """manage.py ingest_mrf."""

    help = """\
Load the negotiated rates of payers' in-network files (Transparency in Coverage, schema 1 and 2) for a state.

SOURCE is a file of JSON, plain or in gzip or zip, on disk or on the web, recognized by its content and not its name. A
file is loaded completely or not at all, and one that is loaded already adds nothing. Each file becomes one batch. If a
file cannot be loaded, the others still are, and the exit status is 1.

  manage.py ingest_mrf --state GA 2025-08-01_payer_in-network-rates.json.gz
  manage.py ingest_mrf --state GA 'downloads/*.json.gz' --year-month 2025-08
  manage.py ingest_mrf --state GA 'https://payer.example/2025-08_in-network.json.gz?Expires=...'

A download that was cut is resumed, even by the next run, and deleted after it has been loaded. Put web addresses in
quotes, or the shell cuts them at the first &.

A table of contents lists a payer's files and the plans they are for. List it first, then load all of it or some of it.
Run again, the command continues where it stopped and loads what has changed:

  manage.py ingest_mrf --toc https://payer.example/2025-08_index.json --list
  manage.py ingest_mrf --toc 2025-08_index.json --state GA --plan 64353 --match '*ppo*' --jobs 4

The members of provider groups may be in other files on the web. To try again those that could not be fetched:

  manage.py ingest_mrf --resolve 3a99974a72c3908fb17501377fa85b24
  manage.py ingest_mrf --resolve 3a99974a 2025-08-01_payer.json.gz   (for signed addresses, which are not stored)

To load only some rates, and the rest later:

  manage.py ingest_mrf --state GA --codes 99213,99214 2025-08-01_payer.json.gz
  manage.py ingest_mrf --state GA --code-types CPT --in-state GA 2025-08-01_payer.json.gz
  manage.py ingest_mrf --state GA 2025-08-01_payer.json.gz

A national file has the rates of many states. To load it for several of them, or all, in one pass, each with the rates
of the providers who practice there (needs load_nppes):

  manage.py ingest_mrf --state GA,FL,TX --in-state 2025-08-01_national.json.gz
  manage.py ingest_mrf --state all --in-state --toc https://payer.example/2025-08_index.json

--verbosity 2 shows how long each stage took.
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        super().add_arguments(parser)
        parser.add_argument("sources", nargs="*", metavar="SOURCE", help="a path, a glob in quotes, or a web address")
        parser.add_argument(
            "--state",
            type=base_command.states,
            help="the state whose rates these are, such as GA; with --in-state also several, such as GA,FL,TX, or all",
        )
        parser.add_argument(
            "--year-month",
            type=base_command.year_month,
            metavar="YYYY-MM",
            help="the month of the rates, instead of the files' last_updated_on, which some payers get wrong",
        )
        parser.add_argument(
            "--payer",
            type=_payer,
            metavar="NAME",
            help="whose rates these are, for files without reporting_entity_name (with --toc, the table's is used)",
        )
        parser.add_argument(
            "--toc", metavar="INDEX", help="load the files that a table of contents (a path or web address) lists"
        )
        parser.add_argument(
            "--plan",
            action="append",
            default=[],
            metavar="TEXT",
            help="with --toc: only files for a plan with this id (with or without dashes), or with this text in the "
            "name of the plan, its sponsor, or its issuer",
        )
        parser.add_argument(
            "--match",
            action="append",
            default=[],
            metavar="TEXT",
            help="with --toc: only files whose address or description contains this text or fits a pattern (* and ?)",
        )
        parser.add_argument(
            "--list",
            action="store_true",
            dest="only_list",
            help="with --toc: show files, sizes and plans, and load nothing",
        )
        parser.add_argument("--jobs", type=_count, default=4, metavar="N", help="downloads at a time (default 4)")
        parser.add_argument(
            "--processes",
            type=_count,
            metavar="N",
            help="processes that share a large file (default: one per core); each takes about 200 MB of memory",
        )
        parser.add_argument("--keep-download", action="store_true", help="keep downloads in the cache directory")
        parser.add_argument(
            "--no-locations",
            action="store_true",
            help="do not fetch members of provider groups from other files on the web",
        )
        parser.add_argument(
            "--resolve", metavar="BATCH", help="fetch the members of a batch's groups that could not be fetched before"
        )
        _add_cluster_options(parser)
        add_filter_options(parser)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return a parser that takes an --in-state without a state."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parse_args = parser.parse_args

        def parse(args: Any = None, namespace: Any = None) -> Any:
            return parse_args(name_own_state(list(args or ())), namespace)

        parser.parse_args = parse  # type: ignore[method-assign]
        return parser

    def run(self, sources: list[str], **options: Any) -> None:
        """Load each file."""
        _refuse_conflicts(sources, options)
        if (
            not options["engine"]
            and (options["processes"] or workers.cpu_count()) > 1
            and not all(_is_small(source) for source in sources)
        ):
            workers.prestart_workers(WORKER_MODULES)
        # Importing the loader takes a second, and so does starting the workers: both happen at the same time.
        from core.management.run_ingest import run_ingest  # noqa: PLC0415

        if options["only_list"]:
            run_ingest(self, sources, options)
            return
        kind = None
        if options["engine"]:
            from core.management.cluster_ingest import ClusterIngest  # noqa: PLC0415 - only there are its libraries

            kind = ClusterIngest
        with record_run(settings.BEACONPOINT_DATA_DIR, "ingest_mrf"):
            run_ingest(self, sources, options, kind)


def _add_cluster_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("on several machines", "See docs/cluster.md.")
    group.add_argument(
        "--engine",
        type=_engine,
        metavar="ray",
        help="load each file in a task of its own: ray (on this machine), ray://host:10001 (a cluster), or host:6379 "
        "(a cluster that this machine is part of)",
    )
    group.add_argument("--workers", type=_count, metavar="N", help="with --engine ray: tasks at a time on this machine")
    group.add_argument(
        "--file-memory",
        type=_memory,
        default=0,
        metavar="SIZE",
        help="with --engine: the memory that one file may take, such as 4GB; a file that needs more fails alone",
    )


def _engine(text: str) -> str:
    if not re.fullmatch(r"ray|(ray://)?[^/\s]+:\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an engine; expected ray, ray://host:10001, or host:6379")
    return text


def _memory(text: str) -> int:
    number, unit = text[:-2], text[-2:].upper()
    if not number.isdecimal() or unit not in {"MB", "GB"}:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; expected one such as 500MB or 4GB")
    return int(number) * (10**6 if unit == "MB" else 10**9)


def _refuse_conflicts(sources: list[str], options: dict[str, Any]) -> None:
    toc, batch = options["toc"], options["resolve"]
    if toc and (sources or batch):
        raise BeaconError("--toc INDEX already names what to load; expected no SOURCE and no --resolve with it")
    if batch and len(sources) > 1:
        raise BeaconError("--resolve BATCH takes one SOURCE at most, the file that the batch was loaded from")
    if batch and options["no_locations"]:
        raise BeaconError("--resolve fetches members and --no-locations does not; expected only one of them")
    if options["engine"] and (batch or options["only_list"]):
        raise BeaconError("--engine loads files on a cluster; expected no --resolve and no --list with it")
    if not toc and (options["plan"] or options["match"] or options["only_list"]):
        raise BeaconError("--plan, --match and --list choose from a table of contents; expected --toc INDEX with them")
    if not (toc or batch or sources):
        raise BeaconError("nothing to load; expected SOURCE..., --toc INDEX or --resolve BATCH (see --help)")
    if not options["state"] and not batch and not options["only_list"]:
        raise BeaconError("expected --state, the state whose rates these are, such as --state GA")
    read_loads(options)  # refuses several states whose rates nothing tells apart, before anything is read


def _is_small(source: str) -> bool:
    path = Path(source)
    return not looks_remote(source) and path.is_file() and path.stat().st_size < SMALL_FILE_BYTES


def _payer(text: str) -> str:
    if not parse_text(text) or not make_payer_slug(text):
        raise argparse.ArgumentTypeError(f"{text!r}; expected a payer's name, such as 'Peach Health'")
    return text.strip()


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 32:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number from 1 to 32")
    return int(text)
