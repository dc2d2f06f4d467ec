"""Load what clinicians bill to Medicare, so that rates can be told by whether anyone performs the service."""

import argparse
from pathlib import Path
from typing import Any

from core.management import base_command
from core.management.file_arguments import expand_patterns
from core.reference.utilization.load_utilization import load_utilization
from core.runtime.progress import show_reading

_WHOLE_FILE_CODES = 5_000
"""A file by provider with fewer codes is an extract: the whole country's has about 6,500."""


class Command(base_command.WritingCommand):
    """manage.py load_utilization."""

    help = """\
Load what clinicians and organizations billed to Medicare, so that pages tell which rates are likely performed: the
evidence of each rate, the filter "likely performed", and medians weighted by services.

FILE is CMS's "Medicare Physician & Other Practitioners - by Provider and Service" or "- by Geography and Service" of a
year (data.cms.gov, csv or zip; also the tab-separated files up to 2017), recognized by its columns. The year is in the
file's name as CMS publishes it (D23 in MUP_PHY_R25_P05_V20_D23_Prov_Svc.csv); for other names, --year says it.

Of a clinician and code, the newest year stays; a later issue of the same year replaces the earlier one. Specialties
come from these files and, for everyone else, from the register (load_nppes). The order of the commands does not matter.

  manage.py load_utilization MUP_PHY_R25_P05_V20_D23_Prov_Svc.csv MUP_PHY_R25_P05_V20_D23_Geo.csv
  manage.py load_utilization --year 2023 download.csv
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        super().add_arguments(parser)
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="CMS's files")
        parser.add_argument("--year", type=int, help="the year of the services, if the files' names do not say it")

    def run(self, files: list[Path], year: int | None, **options: Any) -> None:
        """Load the files, and report them."""
        loaded = load_utilization(self.store(options["no_wait"]), expand_patterns(files), year, reading=show_reading)
        say = self.stdout.write
        for read in loaded.files:
            say(f"{read.file.name}: {read.file.kind} and service, {read.file.year}, {read.codes:,} codes")
            left_out = [f"{n:,} rejected ({reason})" for reason, n in sorted(read.counts.rejected.items())]
            say(f"  {read.counts.rows_read:,} rows read: {', '.join([f'{read.counts.kept:,} kept', *left_out])}")
            if read.codes < _WHOLE_FILE_CODES:
                say("  an extract: shares of specialties are of the clinicians in the loaded files")
        if loaded.added or loaded.replaced:
            say(
                f"  {loaded.added:,} rows by provider are in the store, {loaded.replaced:,} have a newer year or a "
                "later issue there"
            )
        years = f"{loaded.first_year} to {loaded.last_year}"
        say(
            f"the store has {loaded.rows:,} rows of {loaded.clinicians:,} clinicians and organizations, and "
            f"{loaded.codes:,} codes, of {years}"
        )
        if loaded.without_specialty:
            say(f"  {loaded.without_specialty:,} of them have a provider type that is not a known specialty")
