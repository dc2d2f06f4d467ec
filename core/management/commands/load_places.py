"""Load where ZIP codes are, so that rates are compared with Medicare's amounts of the providers' own areas."""

import argparse
from pathlib import Path
from typing import Any

from core.management import base_command
from core.management.describe_profiles import describe_profiles
from core.management.file_arguments import expand_patterns
from core.reference.places.load_places import load_places
from core.reference.recognize import FILE_KINDS
from core.reference.spreadsheets import counting_altered_cells, note_altered_cells


class Command(base_command.WritingCommand):
    """manage.py load_places."""

    help = """\
Load where ZIP codes are, from the agencies' files as downloaded (xlsx, csv, txt or zip), which are recognized by their
content. With these and load_nppes, a rate is compared with Medicare's amount in its provider's own area rather than
with the mean of the state.

  payment localities   CMS: "Zip Code to Carrier Locality" (ZIP5_JAN2026.xlsx), each quarter: for physicians' fees
  wage areas           Census Bureau: list of metropolitan areas (list1_2023.xlsx), and with it at least one crosswalk
                       of ZIP codes: HUD's to counties or to metropolitan areas (CBSA), or another with the columns
                       zip and fips: for hospitals and surgical centers
  points               Census Bureau: gazetteer of ZIP code areas (2024_Gaz_zcta_national.txt): for distances and maps
  rural equipment      CMS: "DME Rural ZIP Code": for equipment (DMEPOS)

A ZIP code in several counties belongs to the one with more than half of its business addresses, where HUD's shares say
so. A provider group's area is the one that the practice addresses of more than half of its NPIs share. Files of a kind
replace what an earlier load of that kind said; the rest stays.

From these and load_nppes, in either order, follows where each provider practices: county, metropolitan area, payment
locality, and point (the table provider_profile).

  manage.py load_places ZIP5_JAN2026.xlsx list1_2023.xlsx ZIP_COUNTY_122025.xlsx 2024_Gaz_zcta_national.txt
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        super().add_arguments(parser)
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the files as downloaded")

    def run(self, files: list[Path], no_wait: bool, **_options: Any) -> None:
        """Load the places, and report them."""
        with counting_altered_cells():
            loaded = load_places(self.store(no_wait), expand_patterns(files))
            altered = note_altered_cells()
        say = self.stdout.write
        for file in loaded.files:
            left_out = [f"{count:,} left out ({reason})" for reason, count in sorted(file.left_out.items())]
            say(f"{file.name}: {FILE_KINDS[file.kind].name}")
            say(f"  {file.rows_read:,} rows read: {', '.join([f'{file.kept:,} kept', *left_out])}")
        for note in altered:
            say(f"  {note}")
        unknown = loaded.zips - loaded.with_locality - loaded.by_plus_four
        say(
            f"{loaded.zips:,} ZIP codes: {loaded.with_locality:,} in one payment locality, {loaded.by_plus_four:,} in "
            f"several by their last four digits, {unknown:,} not known; {loaded.with_wage_area:,} in a wage area"
        )
        say(
            f"  {loaded.with_county:,} in a county, {loaded.with_area:,} in a metropolitan or micropolitan area, "
            f"{loaded.with_point:,} with a latitude and longitude"
        )
        say(describe_profiles(loaded.providers))
        say(
            f"{loaded.groups:,} provider groups: {loaded.groups_with_locality:,} in one payment locality, "
            f"{loaded.groups_with_wage_area:,} in one wage area"
        )
        if not loaded.groups_with_locality + loaded.groups_with_wage_area and loaded.groups:
            say("  no group has an area yet: load the providers' addresses with load_nppes")
