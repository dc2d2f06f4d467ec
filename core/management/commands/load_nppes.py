"""Load the names, specialties and addresses of providers."""

import argparse
from pathlib import Path
from typing import Any

from core.management import base_command
from core.management.describe_profiles import describe_profiles
from core.management.file_arguments import expand_patterns
from core.management.measure_fit import measure_fit
from core.quality.fit_record import EVERYTHING
from core.reference.nppes.load_register import load_nppes
from core.reference.nppes.nppes_csv import RegisterCounts
from core.runtime.progress import show_reading


class Command(base_command.WritingCommand):
    """manage.py load_nppes."""

    help = """\
Look up the NPIs of the loaded rates: name, credential, specialty, practice address, and whether they are deactivated.

FILE is the NPPES file of CMS (download.cms.gov/nppes: the monthly file or a weekly update, csv or zip) and, to show
specialties in words, NUCC's taxonomy (nucc.org: nucc_taxonomy_….csv). Files are recognized by their content. The zip
file's other names and further practice locations (othername_pfile, pl_pfile) are loaded with it, or may be named alone.

Files may be loaded in any order, together or one after another: the row with the newest Last Update Date stays.

Of the 10 GB of NPPES, only the NPIs that rates mention are kept. With --all, the whole register is kept (in
silver/nppes.parquet), so that rates loaded later have names at once. From then on, every load_nppes updates it.

  manage.py load_nppes NPPES_Data_Dissemination_November_2025.zip nucc_taxonomy_251.csv
  manage.py load_nppes --all npidata_pfile_20050523-20251109.csv
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        super().add_arguments(parser)
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="NPPES's files, NUCC's taxonomy")
        parser.add_argument(
            "--all", action="store_true", help="keep the whole register, not only the NPIs that rates mention"
        )

    def run(self, files: list[Path], **options: Any) -> None:
        """Load the names, and report them."""
        store = self.store(options["no_wait"])
        loaded = load_nppes(store, expand_patterns(files), everything=options["all"], reading=show_reading)
        say = self.stdout.write
        if loaded.counts.rows_read:
            replaced = {
                "rows replaced by a later one of the same NPI": loaded.repeated,
                "NPIs of which the store has a newer row already": loaded.outdated,
            }
            self._report("rows", loaded.counts, replaced)
        for kind, counts in loaded.further.items():
            self._report(f"rows of {kind}", counts, {})
        if loaded.register:
            say(f"  the whole register is kept: {loaded.register:,} NPIs")
        say(f"  {loaded.taxonomies:,} taxonomy codes have words")
        say(f"  {loaded.named:,} of the {loaded.in_use:,} NPIs in use have a name; {loaded.deactivated:,} deactivated")
        say(f"  {describe_profiles(loaded.profiles)}")
        measure_fit(store, EVERYTHING, self.stderr.write)  # which groups are surgical centers

    def _report(self, what: str, counts: RegisterCounts, replaced: dict[str, int]) -> None:
        """Say how many rows were read, and what became of them."""
        left_out = {"not in use": counts.not_in_use, **{f"rejected ({r})": n for r, n in counts.rejected.items()}}
        parts = [f"{counts.kept:,} kept", *(f"{count:,} {name}" for name, count in left_out.items() if count)]
        self.stdout.write(f"{counts.rows_read:,} {what} read: {', '.join(parts)}")
        for name, count in {**replaced, **_words(counts.notes)}.items():
            if count:
                self.stdout.write(f"  {count:,} {name}")


def _words(notes: dict[str, int]) -> dict[str, int]:
    words = {
        "unreadable_date": "with a date that cannot be read: left blank",
        "no_primary_taxonomy": "with several taxonomies, none flagged as primary: left blank",
        "control_characters": "with control characters, which were removed",
        "shortened": "with a text that was too long and was shortened",
    }
    return {words[note]: count for note, count in notes.items()}
