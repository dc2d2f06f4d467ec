"""Add a million facts to a store made by bench.market: of 50 million facts, five million of them in the same month.

    python -m bench.market bench/work/market              the store: 50 million rates, once (about ten minutes)
    python -m bench.append bench/work/market              layouts single and monthly
    python -m bench.append bench/work/market monthly --facts 100000

Each layout is measured on a copy of the store (hard links if on the same disk, as files of a store never change),
resharded if it has another layout. If the layout has files by month, five payers' files of a new month are loaded
first, each as large as the one that is measured. What is measured is a sixth payer's file: seconds, the peak memory of
all processes together, and the seconds of each stage. `single` gets a month that it has already, as all its rates are
in one file.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from bench.ingest import PYTHON, WORK
from bench.market import ROOT, STATE, load, manage
from bench.market_files import MONTHS, write_file
from bench.measure import measure
from core.store.generations.layout import StateMonth, layout_named
from core.store.generations.store import Store

BEFORE = 5
"""Files of the month that are loaded before the measured one."""
PAYER, MONTH = 100, "2025-09"
"""A payer and a month that bench.market does not have."""


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="the data directory, see bench.market; it stays as it is")
    parser.add_argument("layouts", nargs="*", default=["single", "monthly"], metavar="LAYOUT")
    parser.add_argument("--facts", type=int, default=1_000_000, help="to add (default: 1,000,000)")
    options = parser.parse_args()
    print(f"{'layout':<12}{'facts before':>14}{'with them':>12}{'added':>12}{'seconds':>9}{'cpu':>8}{'peak MiB':>10}")
    for layout in options.layouts:
        _measure(options.store, layout, options.facts)


def _measure(store: Path, layout: str, facts: int) -> None:
    work = WORK / "append"
    shutil.rmtree(work, ignore_errors=True)
    copy, source = work / "store", work / "added.json.gz"
    month, before = (MONTHS[-1], 0) if layout == "single" else (MONTH, BEFORE)
    shutil.copytree(store, copy, symlinks=True, copy_function=_link, ignore=shutil.ignore_patterns(".lock", "tmp"))
    manage(copy, "reshard", "--to", layout)
    for payer in range(before):
        load(copy, PAYER + payer, month, facts)
    write_file(source, PAYER + before, month, facts)
    held, there = _rows(copy, month)
    command = [PYTHON, "manage.py", "ingest_mrf", "--state", STATE, "--verbosity", "2", str(source.resolve())]
    done = measure(command, {"BEACONPOINT_DATA_DIR": str(copy.resolve())}, ROOT)
    if done.status:
        sys.exit(done.output)
    rows = _rows(copy, month)[0] - held
    print(f"{layout:<12}{held:14,}{there:12,}{rows:12,}{done.seconds:9.1f}{done.cpu:8.1f}{done.peak / 2**20:10.0f}")
    print("\n".join(line for line in done.output.splitlines() if line.startswith("  ")), flush=True)
    shutil.rmtree(work)


def _rows(store: Path, month: str) -> tuple[int, int]:
    """Return how many facts a store has, and how many are in the files that the month goes into."""
    manifest = Store(store).loaded()
    shard = layout_named(manifest.layout).shard(StateMonth(STATE, month))
    there = sum(file.rows for file in manifest.tables["fact_rate"] if file.shard == shard)
    return manifest.rows("fact_rate"), there


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


if __name__ == "__main__":
    main()
