"""Measure the time and memory of load_nppes on a made-up register of any size.

    python -m bench.nppes --rows 8000000 --work /var/tmp/bench       the whole register: 9 GB

Writes the csv and its zip file into --work (kept for the next run), then loads each into a new store in its own
process: the NPIs in use (200,000), the whole register, and the whole register again as an update. Memory is that of
all processes of a load together.
"""

import argparse
import os
import random
import shutil
import sys
import time
import zipfile
from pathlib import Path

import polars as pl

from bench.measure import measure
from core.demo.provider_register import HEADER
from core.reference.nppes.load_register import load_nppes
from core.reference.nppes.provider_names import new_npi_rows
from core.store.generations.store import Store
from core.store.parquet.writer import write_table
from core.store.schema.tables import DIM_NPI, NPPES
from core.store.sql import stored_rows
from core.store.writer_connection import connect_for_writing

NPIS_IN_USE = 200_000


def write_register(path: Path, rows: int) -> None:
    """Write a file of `rows` rows: as wide as NPPES's, NPIs in no order, 1% of them deactivated and blank."""
    rng = random.Random(1)
    states = [f"{a}{b}" for a in "ACFGIKLMNOPTUVW" for b in "AEILNORTXZ"]
    columns = {title: number for number, title in enumerate(HEADER)}
    practice = "Provider Business Practice Location Address "
    with path.open("w", encoding="utf-8", buffering=1 << 20) as file:
        file.write(",".join(f'"{title}"' for title in HEADER) + "\n")
        for number in range(1, rows + 1):
            row = [""] * len(HEADER)
            # A multiplication that is one to one: every NPI once, spread over the whole range.
            row[0] = str(1_000_000_000 + number * 387_420_489 % 999_999_937)
            if rng.random() < 0.01:
                row[columns["NPI Deactivation Date"]] = "03/03/2021"
            else:
                name = f"{rng.randrange(1 << 40):X}"
                row[columns["Entity Type Code"]] = "1"
                row[columns["Provider Last Name (Legal Name)"]] = name
                row[columns["Provider First Name"]] = rng.choice(("AVERY", "BLAIR", "CASEY", "DEVON"))
                row[columns["Provider Credential Text"]] = "M.D."
                for kind in ("Mailing", "Practice Location"):
                    row[columns[f"Provider First Line Business {kind} Address"]] = f"{rng.randrange(9999)} {name} ST"
                row[columns[practice + "City Name"]] = name[:6]
                row[columns[practice + "State Name"]] = rng.choice(states)
                row[columns[practice + "Postal Code"]] = f"{rng.randrange(10**9):09}"
                row[columns["Healthcare Provider Taxonomy Code_1"]] = f"{rng.randrange(300):03}X00000X"
                row[columns["Healthcare Provider Primary Taxonomy Switch_1"]] = "Y"
            file.write('"' + '","'.join(row) + '"\n')


def load(path: Path, root: Path, *, everything: bool) -> None:
    """Load the file into the store and print one line, and one on how long a load takes to name new NPIs."""
    started = time.monotonic()
    loaded = load_nppes(Store(root, grace=0), [path], everything=everything)
    seconds = time.monotonic() - started
    size = path.with_suffix(".csv").stat().st_size / 1e6
    what = f"whole register, {loaded.register:,} NPIs" if loaded.register else f"{loaded.named:,} NPIs in use named"
    print(f"{path.name}: {what}: {seconds:.1f} s, {size / seconds:,.0f} MB of csv a second", flush=True)
    if loaded.register:
        with Store(root).write() as transaction:
            connection = connect_for_writing(transaction.work)
            started = time.monotonic()
            numbers = f"SELECT npi FROM {stored_rows(transaction, NPPES)} USING SAMPLE 50000 ROWS (reservoir, 1)"
            rows = connection.execute(f"SELECT count(name) FROM ({new_npi_rows(transaction, numbers)})").fetchall()[0][
                0
            ]
            print(f"  naming {rows:,} new NPIs at an ingest: {time.monotonic() - started:.1f} s", flush=True)
            connection.close()


def store_with(path: Path, root: Path) -> None:
    """Return a store whose rates name the first NPIs of the file."""
    npis: list[str] = []
    with path.open(encoding="utf-8") as file:
        next(file)
        for line in file:
            npis.append(line[1:11])
            if len(npis) == NPIS_IN_USE:
                break
    empty = pl.DataFrame(DIM_NPI.arrow.empty_table())
    rows = empty.clear(len(npis)).with_columns(npi=pl.Series(npis)).sort("npi")
    with Store(root).write() as transaction:
        file_path = transaction.new_file(DIM_NPI.name)
        table = rows.to_arrow().cast(DIM_NPI.arrow)
        transaction.put(DIM_NPI.name, file_path, write_table(file_path, DIM_NPI, [table]))
        transaction.commit()


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=800_000, help="rows (default 800,000; the register: 8,000,000)")
    parser.add_argument("--work", type=Path, default=Path("bench-work"), help="where to put the files")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        path, root, everything = options.step
        load(Path(path), Path(root), everything=everything == "all")
        return
    options.work.mkdir(parents=True, exist_ok=True)
    csv, packed = options.work / f"npidata-{options.rows}.csv", options.work / f"npidata-{options.rows}.zip"
    if not csv.exists():
        write_register(csv, options.rows)
    if not packed.exists():
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(csv, "npidata_pfile_bench.csv")
    root = options.work / "store"
    for path, everything in ((csv, ""), (packed, ""), (csv, "all"), (packed, "all")):
        if path == csv:
            shutil.rmtree(root, ignore_errors=True)
            store_with(csv, root)
        step = [sys.executable, "-m", "bench.nppes", "--step", str(path), str(root), everything]
        measured = measure(step, dict(os.environ))
        print(measured.output.strip(), f"(all processes: {measured.peak / 2**20:,.0f} MiB)", flush=True)
    print(f"the register on disk: {(root / 'silver' / 'nppes.parquet').stat().st_size / 1e6:,.0f} MB")
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
