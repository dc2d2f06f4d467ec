"""Load lists of organizations, hospitals, and health systems, so that tax IDs have names and roll up."""

import argparse
from pathlib import Path
from typing import Any

from core.management import base_command
from core.management.file_arguments import expand_patterns
from core.reference.organizations.load_organizations import load_organizations
from core.reference.recognize import FILE_KINDS
from core.reference.spreadsheets import counting_altered_cells, note_altered_cells


class Command(base_command.WritingCommand):
    """manage.py load_organizations."""

    help = """\
Load lists that say who bills under a tax ID and which health system it belongs to. Files (csv, xlsx, JSON, or zip) are
recognized by their content. Each tax ID gets one name, one organization, and at most one system; a name that is not
stated of the very number is shown as inferred.

  your own list        columns tin (or ein, tax_id) and name; if known also organization, system, city, state, as_of.
                       Several tax IDs with one organization are one. It goes before every other source.
  exempt organizations IRS: Exempt Organizations Business Master File extract (eo_ga.csv): names by EIN
  hospitals            CMS: Hospital General Information (Care Compare): hospitals by CCN
  health systems       AHRQ: Compendium of US Health Systems, chsp-hospital-linkage-2023.csv: systems by CCN
  price files          a list of hospitals' price files with ccn or system, hospital_name, and file_url (csv or JSON):
                       their names begin with the hospital's EIN, which joins EIN and CCN

Names also come from what is loaded already: the payers' files (schema 2), and NPPES (load_nppes), where a tax ID is an
NPI or an organization is among its NPIs. Of two rows about one tax ID in lists of one kind, the newer by as_of stays,
or the one loaded last. Without a file, the command rebuilds the roll-up from what is loaded.

  manage.py load_organizations my_organizations.csv
  manage.py load_organizations Hospital_General_Information.csv chsp-hospital-linkage-2023.csv eo_ga.csv ga.json
  manage.py load_organizations
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        super().add_arguments(parser)
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="the lists, as downloaded")

    def run(self, files: list[Path], no_wait: bool, **_options: Any) -> None:
        """Load the lists, and report them."""
        with counting_altered_cells():
            loaded = load_organizations(self.store(no_wait), expand_patterns(files))
            altered = note_altered_cells()
        say = self.stdout.write
        for file in loaded.files:
            left_out = [f"{count:,} left out ({reason})" for reason, count in sorted(file.left_out.items())]
            say(f"{file.name}: {FILE_KINDS[file.kind].name}")
            say(f"  {file.rows_read:,} rows read: {', '.join([f'{file.kept:,} kept', *left_out])}")
        for note in altered:
            say(f"  {note}")
        if loaded.outdated:
            say(f"{loaded.outdated:,} of the kept rows are older than what the store has, which stays")
        say(f"the store keeps {loaded.listed:,} rows about tax IDs and {loaded.hospitals:,} hospitals")
        sources = ", ".join(f"{count:,} from {source}" for source, count in loaded.sources.items())
        say(
            f"{loaded.tins:,} tax IDs: {loaded.named:,} have a name ({loaded.inferred:,} inferred)"
            f"{': ' + sources if sources else ''}"
        )
        say(
            f"{loaded.organizations:,} organizations; tax IDs in a health system: {loaded.in_system:,}, in "
            f"{loaded.systems:,} different ones"
        )
