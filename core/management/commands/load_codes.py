"""Load official titles for billing codes."""

import argparse
from pathlib import Path
from typing import Any

from core.management import base_command
from core.management.file_arguments import expand_patterns
from core.reference.code_sets.load_code_sets import load_codes
from core.reference.spreadsheets import counting_altered_cells, note_altered_cells

_REASONS = {
    "CPT": "level I codes (CPT: copyrighted, never loaded)",
    "CDT": "D codes (CDT: copyrighted, never loaded)",
    "modifier": "modifiers",
    "continuation": "further lines of a long title",
    "built_in": "built in already",
    "no_code": "without a code of that set",
    "no_title": "without a title",
    "repeated": "of a code that is further up",
}


class Command(base_command.WritingCommand):
    """manage.py load_codes."""

    help = """\
Load official titles of billing codes that are free to use, from the files as published (csv, txt, Excel or zip), which
are recognized by their content:

  HCPCS level II   CMS's quarterly update (HCPC2025_OCT_ANWEB.xlsx, its txt, or the zip file they come in)
  MS-DRG           a table with a header row that names an MS-DRG and its title, such as Table 5 of CMS's IPPS rule
  revenue codes    a table with the columns revenue code and description

They replace the payers' own descriptions, also for codes that are loaded later. Titles of a later file replace those of
an earlier one. Place-of-service names are built in. CPT and CDT are copyrighted: their rows are left out and counted.

  manage.py load_codes HCPC2025_OCT_ANWEB.xlsx ms_drg.csv
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        super().add_arguments(parser)
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the files as downloaded")

    def run(self, files: list[Path], no_wait: bool, **_options: Any) -> None:
        """Load the titles, and report them."""
        with counting_altered_cells():
            loaded = load_codes(self.store(no_wait), expand_patterns(files))
            altered = note_altered_cells()
        for found in loaded.sets:
            left_out = [f"{count:,} {_REASONS[reason]}" for reason, count in found.left_out.items()]
            self.stdout.write(f"{found.name}: {found.kind}")
            self.stdout.write(
                f"  {found.rows_read:,} rows read: {', '.join([f'{len(found.titles):,} titles', *left_out])}"
            )
            if found.altered:
                self.stdout.write(f"  {found.altered:,} titles were shortened")
        for note in altered:
            self.stdout.write(f"  {note}")
        self.stdout.write(f"{loaded.titles:,} official titles are loaded")
        self.stdout.write(f"{loaded.titled:,} of the {loaded.codes:,} codes that rates use have one")
