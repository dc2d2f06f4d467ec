"""The commands that load registers, code sets and schedules, as they are run."""

from pathlib import Path

from core.demo.payer_files import write_files
from core.demo.provider_register import write_register
from tests.fixture_types import Manage
from tests.management.failures import complaint
from tests.reference.places.place_samples import write_places
from tests.reference.utilization.utilization_files import write_uses


def test_names_titles_and_schedules_are_loaded_and_summed_up(manage: Manage, tmp_path: Path) -> None:
    assert manage("ingest_mrf", "--state", "GA", write_files(tmp_path)[0]).returncode == 0
    files = write_register(tmp_path)
    named = manage("load_nppes", *files)
    assert named.returncode == 0, named.stderr
    assert "rows read: 107 kept" in named.stdout
    assert "6 taxonomy codes have words" in named.stdout
    assert "107 of the 108 NPIs in use have a name; 1 deactivated" in named.stdout
    whole = manage("load_nppes", "--all", *files)
    assert "the whole register is kept: 107 NPIs" in whole.stdout
    titles = tmp_path / "ms_drg.csv"
    titles.write_text("ms_drg,description\n470,A HIP\u200b OR KNEE\n471,OTHER\n")
    loaded = manage("load_codes", titles)
    assert loaded.returncode == 0, loaded.stderr
    assert "ms_drg.csv: MS-DRG\n  2 rows read: 2 titles\n  1 cell had control characters" in loaded.stdout
    assert "1 of the 31 codes that rates use have one" in loaded.stdout
    fees = tmp_path / "GA_2025.csv"
    fees.write_text("CODE,MOD,FEE\n99213\x07,,100\n70450\x00,\x00\x00,BR\n")
    schedule = manage("load_benchmark", "wcfs", fees)
    assert schedule.returncode == 0, schedule.stderr
    assert "wcfs GA: release of 2025-01, in force 2025-01 to 2025-12" in schedule.stdout
    assert "2 rows read: 1 priced\n  1 left out: by report" in schedule.stdout
    assert "\n  3 cells had control characters, which were removed\n" in schedule.stdout


def test_places_are_loaded_and_summed_up(manage: Manage, tmp_path: Path) -> None:
    places = list(write_places(tmp_path).values())
    alone = manage("load_places", *places)
    assert alone.returncode == 0, alone.stderr
    assert "ZIP5_JAN2026.csv: CMS's ZIP code to carrier locality file (ZIP5…)\n  4 rows read: 4 kept" in alone.stdout
    assert "list1_2023.csv: the Census Bureau's list of metropolitan areas" in alone.stdout
    assert "4 rows read: 3 kept, 1 left out (no area or county)" in alone.stdout
    assert (
        "4 ZIP codes: 4 in one payment locality, 0 in several by their last four digits, 0 not known; 4 in a wage area"
        in alone.stdout
    )
    assert manage("ingest_mrf", "--state", "GA", write_files(tmp_path)[0]).returncode == 0
    without = manage("load_places", places[0])
    assert "no group has an area yet: load the providers' addresses with load_nppes" in without.stdout
    assert manage("load_nppes", *write_register(tmp_path)).returncode == 0
    found = manage("load_places", *places)
    assert "provider groups: " in found.stdout
    assert "no group has an area yet" not in found.stdout


def test_utilization_is_loaded_and_summed_up(manage: Manage, tmp_path: Path) -> None:
    uses = [("1003011404", "Dermatology", "17311", "O", 125, 182.0)]
    uses += [("1003011405", "Wheelwright", "17311", place, 12, 12.0) for place in "XO"]
    download = write_uses(tmp_path / "download.csv", uses)
    assert "say it with --year" in complaint(manage("load_utilization", download))
    loaded = manage("load_utilization", "--year", "2023", download)
    assert loaded.returncode == 0, loaded.stderr
    assert "download.csv: by provider and service, 2023, 1 codes" in loaded.stdout
    assert "3 rows read: 2 kept, 1 rejected (invalid_place)" in loaded.stdout
    assert "an extract: shares of specialties are of the clinicians in the loaded files" in loaded.stdout
    assert "the store has 2 rows of 2 clinicians and organizations, and 1 codes, of 2023 to 2023" in loaded.stdout
    assert "1 of them have a provider type that is not a known specialty" in loaded.stdout
    older = manage("load_utilization", "--year", "2022", download)
    assert "0 rows by provider are in the store, 2 have a newer year or a later issue there" in older.stdout


def test_a_wrong_file_is_one_line(manage: Manage, tmp_path: Path) -> None:
    other = tmp_path / "GA_2025.csv"
    other.write_text("a,b\n1,2\n")
    assert "neither an NPPES file" in complaint(manage("load_nppes", other))
    assert "no code set that can be loaded" in complaint(manage("load_codes", other))
    assert "no fee schedule found" in complaint(manage("load_benchmark", "wcfs", other))
    assert "--state is not an option of medicare_prof" in complaint(
        manage("load_benchmark", "medicare_prof", other, "--state", "GA")
    )
    assert "not a file of a known kind" in complaint(manage("load_places", other))
    assert "GA_2025.csv: not CMS's Medicare Physician & Other Practitioners" in complaint(
        manage("load_utilization", other)
    )
    missing = tmp_path / "none.csv"
    for command in (
        ("load_nppes",),
        ("load_places",),
        ("load_utilization",),
        ("load_organizations",),
        ("load_codes",),
        ("load_benchmark", "wcfs"),
    ):
        assert "none.csv: cannot be read: No such file" in complaint(
            manage(*command, missing, *(["--state", "GA", "--year-month", "2025-01"] if len(command) > 1 else []))
        )
