"""Load every kind of benchmark from the agencies' files into a new store, and print time and peak memory of each.

    python -m bench.fee_schedules DIRECTORY

DIRECTORY has the public files listed in LOADS; a load whose files are missing is skipped with a message. Each load runs
in its own process, as on the command line, so that its peak memory is its own.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
WAGES = "medicare/wage_index_2026.csv"
LOADS = (
    ("medicare_prof", "medicare/mpfs/PPRRVU25_JAN.csv", "--gpci", "medicare/mpfs/GPCI2025.csv"),
    ("medicare_prof", "medicare/mpfs/PPRRVU2025_Oct.csv", "--gpci", "medicare/mpfs/GPCI2025.csv"),
    ("medicare_prof", "medicare/mpfs/PPRRVU2026_Jul_nonQPP.csv", "--gpci", "medicare/mpfs/GPCI2026.csv"),
    ("medicare_prof", "medicare/rvu/RVU25D.zip"),
    ("opps", "medicare/opps/2025 NFRM Addendum B.11122024.txt", "--wage-index", WAGES),
    ("opps", "medicare/opps/2025 NFRM Addendum B.11122024.xlsx", "--wage-index", WAGES, "--year-month", "2025-10"),
    ("asc", "medicare/asc/2025-10/AA.csv", "medicare/asc/2025-10/BB.csv", "--wage-index", WAGES),
    ("clfs", "clfs/CLFS 2025 Q1V1.csv"),
    ("clfs", "clfs/CLFS 2025 Q1V1.txt", "--year-month", "2025-04"),
    ("asp", "asp/section 508 version of Jan 2025 ASP Pricing File updated 030725.csv"),
    ("asp", "asp/section 508 version of Oct 2025 ASP Pricing File 091725.csv"),
    (
        "dmepos", "dmepos/DMEPOS_JAN.csv", "dmepos/DMEPEN_JAN.csv", "dmepos/Former CBA Fee Schedule File_JAN 2025.csv",
        "dmepos/Former CBA ZIP Code File - JAN 2025.csv",
    ),
    ("asc", "medicare/asc/asc_addenda_2020_april.xlsx", "--wage-index", WAGES),
    (
        "anesthesia", "anesthesia/CY_2022_Anesthesia_Base_Units_110921.xlsx",
        "anesthesia/Anesthesia CY 2025 locality adjusted CF_floor extension 23DEC24.xlsx",
    ),
    ("ipps", "ipps/drg_weights.txt", "ipps/CMS-1833-F Tables 1A - 1E.txt", "--wage-index", WAGES),
    ("wcfs", "wcfs/GA_2024_medical_fee_schedule.xlsx"),
    ("wcfs", "wcfs/NC_fee_schedule.csv", "--state", "NC", "--year-month", "2025-01"),
)  # fmt: skip
"""The kind and the rest of the command line of each load; two quarters of the physician schedule."""


def main(files: Path) -> None:
    """Run the loads one after another."""
    total = 0.0
    highest = 0
    with tempfile.TemporaryDirectory() as data:
        for kind, *arguments in LOADS:
            words = [str(files / word) if "/" in word else word for word in arguments]
            absent = [word for word in words if "/" in word and not Path(word).exists()]
            if absent:
                print(f"{kind}: left out, no {absent[0]}")
                continue
            seconds, processor, peak = run(["manage.py", "load_benchmark", kind, *words], data)
            total, highest = total + seconds, max(highest, peak)
            print(f"{kind:<14} {seconds:6.1f} s ({processor:5.1f} s of processor) {peak:5,} MiB  {Path(words[0]).name}")
    print(f"{'together':<14} {total:6.1f} s, {highest:,} MiB at most")


def run(command: list[str], data: str) -> tuple[float, float, int]:
    """Return seconds of the clock and of the processor, and peak memory in MiB (the kernel's: the highest so far)."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "BEACONPOINT_DATA_DIR": data}
    subprocess.run([sys.executable, *command], cwd=HERE, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, processor, after.ru_maxrss // 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
