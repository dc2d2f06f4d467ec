"""Flip single bits in a store's files, and count how many `store verify --deep` finds.

    python -m bench.flips                              the demo's data, 200 bits in each table
    python -m bench.flips bench/work/market --flips 20

Works on a copy. In each round one bit of one file of every table is flipped, chosen at random, the store is verified,
and the bits are flipped back. A flip counts as found if a line names its file. The exit status is 1 if one was missed,
or if a sound file was called damaged. It also counts how many flips a query that reads every value through DuckDB, as
the site does, would have noticed: by an error, or by an answer that differs from that of the sound file.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import duckdb

from core.demo.hospital_fees import write_hospital_fees
from core.demo.payer_files import STATE, write_files
from core.demo.physician_fees import write_physician_fees
from core.demo.provider_register import write_register
from core.load.load_file import load_file
from core.quality.record import keep_report
from core.quality.report import run_checks
from core.queries.rules.rate_kinds import MACROS
from core.reference.benchmark_kinds import load_benchmark
from core.reference.medicare.professional import physician
from core.reference.nppes.load_register import load_nppes
from core.store.changes.corrections import remove
from core.store.changes.provider_order import copy_by_group
from core.store.changes.selection import Selection
from core.store.connection import QueryLimits
from core.store.generations.integrity.damage import files_by_table
from core.store.generations.manifest import DataFile
from core.store.generations.store import Store
from core.store.reader import Reader
from core.store.upkeep.verify import verify
from core.tic.source import open_documents


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, nargs="?", help="a data directory; it stays as it is")
    parser.add_argument("--flips", type=int, default=200, help="bits in each table (default: 200)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        root = Path(work, "data")
        if options.store:
            shutil.copytree(options.store, root, symlinks=True, ignore=shutil.ignore_patterns(".lock", "tmp"))
        else:
            _make_store(root, Path(work))
        sys.exit(_flip(Store(root), options.flips))


def _make_store(root: Path, work: Path) -> None:
    """Make the demo's store, with a correction and copies by provider group."""
    store = Store(root)
    for path in write_files(work):
        load_file(store, open_documents(path)[0], STATE)
    physician.load(store, write_physician_fees(work))
    load_nppes(store, write_register(work))
    for kind, files in write_hospital_fees(work).items():
        load_benchmark(store, kind, files)
    remove(store, Selection(code=("99214",)), "made up")
    copy_by_group(store)
    db = Reader(store, QueryLimits(seconds=60), MACROS).snapshot()
    if db is not None:
        keep_report(store, run_checks(db))


def _flip(store: Store, rounds: int) -> int:
    tables: dict[str, list[DataFile]] = {}
    for table, file in files_by_table(store.loaded()):
        tables.setdefault(table, []).append(file)
    sound = {file.path: _read_all(store.root / file.path) for files in tables.values() for file in files}
    found, failed, differing, false_alarms = Counter[str](), Counter[str](), Counter[str](), 0
    for _ in range(rounds):
        flipped = {table: random.choice(files) for table, files in tables.items()}
        bits = {file.path: random.randrange(8 * file.bytes) for file in flipped.values()}
        for path, bit in bits.items():
            _flip_bit(store.root / path, bit)
        named = {damage.path for damage, _ in verify(store, deep=True).damages}
        false_alarms += len(named - bits.keys())
        for table, file in flipped.items():
            found[table] += file.path in named
            answer = _read_all(store.root / file.path)
            failed[table] += answer is None
            differing[table] += answer is not None and answer != sound[file.path]
        for path, bit in bits.items():
            _flip_bit(store.root / path, bit)
    print(f"{'table':<30}{'files':>6}{'bytes':>14}{'flips':>7}{'found':>7}  {'DuckDB: error':>13}{'other answer':>14}")
    for table, files in tables.items():
        size, by_duckdb = sum(file.bytes for file in files), f"{failed[table]:>13}{differing[table]:>14}"
        print(f"{table:<30}{len(files):>6}{size:>14,}{rounds:>7}{found[table]:>7}  {by_duckdb}")
    total = rounds * len(tables)
    print(
        f"{'all':<30}{sum(map(len, tables.values())):>6}{'':>14}{total:>7}{found.total():>7}  "
        f"{failed.total():>13}{differing.total():>14}"
    )
    print(f"sound files called damaged: {false_alarms}")
    return int(found.total() != total or false_alarms > 0)


def _read_all(path: Path) -> object:
    """Return a hash of every value of a file as DuckDB reads it, or None if it cannot."""
    with duckdb.connect() as connection:
        try:
            return connection.execute("SELECT sum(hash(t)), count(*) FROM read_parquet(?) t", [str(path)]).fetchall()
        except duckdb.Error:
            return None


def _flip_bit(path: Path, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(bit // 8)
        (byte,) = file.read(1)
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


if __name__ == "__main__":
    main()
