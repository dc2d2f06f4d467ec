"""Measure the time and memory of load_utilization on a made-up file of any size.

    python -m bench.utilization --rows 10000000 --work /var/tmp/bench

Writes a csv as wide as CMS's file by provider and service into --work (kept for the next run), then loads it into a new
store in a process of its own, and again as the file of the next year, which replaces every row.
"""

import argparse
import os
import random
import resource
import shutil
import sys
import time
from pathlib import Path

from bench.measure import measure
from core.reference.utilization.load_utilization import load_utilization
from core.store.generations.store import Store

CODES = 6_500
ROWS_PER_CLINICIAN = 8.5
"""On average, as in CMS's file of 2023: 9.8 million rows of 1.2 million clinicians."""

_HEADER = (
    "Rndrng_NPI,Rndrng_Prvdr_Last_Org_Name,Rndrng_Prvdr_First_Name,Rndrng_Prvdr_MI,Rndrng_Prvdr_Crdntls,"
    "Rndrng_Prvdr_Ent_Cd,Rndrng_Prvdr_St1,Rndrng_Prvdr_St2,Rndrng_Prvdr_City,Rndrng_Prvdr_State_Abrvtn,"
    "Rndrng_Prvdr_State_FIPS,Rndrng_Prvdr_Zip5,Rndrng_Prvdr_RUCA,Rndrng_Prvdr_RUCA_Desc,Rndrng_Prvdr_Cntry,"
    "Rndrng_Prvdr_Type,Rndrng_Prvdr_Mdcr_Prtcptg_Ind,HCPCS_Cd,HCPCS_Desc,HCPCS_Drug_Ind,Place_Of_Srvc,Tot_Benes,"
    "Tot_Srvcs,Tot_Bene_Day_Srvcs,Avg_Sbmtd_Chrg,Avg_Mdcr_Alowd_Amt,Avg_Mdcr_Pymt_Amt,Avg_Mdcr_Stdzd_Amt"
)
_TYPES = (
    "Internal Medicine", "Family Practice", "Nurse Practitioner", "Physician Assistant", "Diagnostic Radiology",
    "Cardiology", "Orthopedic Surgery", "Physical Therapist in Private Practice", "Dermatology", "Clinical Laboratory",
    "Ambulatory Surgical Center", "Ophthalmology", "Anesthesiology", "Emergency Medicine", "Neurology", "Urology",
)  # fmt: skip
_RURALITY = '"Metropolitan area core: primary flow within an urbanized area of 50,000 and greater"'


def write_file(path: Path, rows: int, *, seed: int = 1) -> None:
    """Write a file of that many rows by NPI. A type bills codes of its own; a few codes have most of the rows."""
    rng = random.Random(seed)
    codes = sorted(f"{number:05}" for number in rng.sample(range(100, 99_999), CODES))
    written, npi = 0, 1_003_000_126
    with path.open("w", encoding="utf-8", buffering=1 << 20) as file:
        file.write(_HEADER + "\n")
        while written < rows:
            npi += rng.randrange(1, 1600)
            words = rng.choice(_TYPES)
            start = _TYPES.index(words) * 350
            who = (
                f"{npi},Family{npi % 9973},Given,A,M.D.,I,{npi % 9999} Example Medical Center Dr Ste 12,,Springfield,GA"
                f",13,30303,1,{_RURALITY},US,{words},Y"
            )
            uses = set()
            for _ in range(min(rows - written, max(1, int(rng.expovariate(1 / ROWS_PER_CLINICIAN))))):
                code = codes[min(CODES - 1, start + int(rng.paretovariate(0.7)))]
                uses.add((code, rng.choice("FO")))
            for code, place in sorted(uses):
                people = 11 + int(rng.expovariate(0.02))
                services = people + rng.randrange(90)
                file.write(
                    f"{who},{code},Made-up words for a service of about the usual length and then some,N,{place},"
                    f"{people},{services},{services},{services * 1.7123456:.8f},88.12345678,66.12345678,70.12345678\n"
                )
            written += len(uses)


def load(path: Path, root: Path, year: int) -> None:
    """Load the file into the store and print one line."""
    started, cpu = time.monotonic(), time.process_time()
    loaded = load_utilization(Store(root, grace=0), [path], year)
    seconds, cpu = time.monotonic() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{path.name} as of {year}: {loaded.files[0].counts.rows_read:,} rows read, {loaded.rows:,} in the store, "
        f"{loaded.clinicians:,} clinicians: {seconds:.1f} s, {cpu:.1f} s of processor, "
        f"{path.stat().st_size / 1e6 / seconds:,.0f} MB/s, peak {peak} MiB",
        flush=True,
    )


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows (default 1,000,000; CMS's file: 10,000,000)")
    parser.add_argument("--work", type=Path, default=Path("bench-work"), help="where to put the files")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        path, root, year = options.step
        load(Path(path), Path(root), int(year))
        return
    options.work.mkdir(parents=True, exist_ok=True)
    csv, root = options.work / f"utilization-{options.rows}.csv", options.work / "utilization-store"
    if not csv.exists():
        write_file(csv, options.rows)
    shutil.rmtree(root, ignore_errors=True)
    for year in ("2022", "2023"):
        step = [sys.executable, "-m", "bench.utilization", "--step", str(csv), str(root), year]
        measured = measure(step, dict(os.environ))
        print(measured.output.strip(), f"(of all processes: {measured.peak / 2**20:,.0f} MiB)", flush=True)
    print(f"on disk: {(root / 'silver' / 'utilization.parquet').stat().st_size / 1e6:,.0f} MB")
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
