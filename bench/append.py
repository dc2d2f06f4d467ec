"""Adds a million facts to fifty million, of which their month holds five.

    python -m bench.append                         layouts single and monthly
    python -m bench.append monthly --megabytes 5   a tenth of the size

The store is made first, by loading fifty files (five payers, ten months), and kept below bench/work for the next run.
Prints a table: seconds, the most memory of all processes together, and how the seconds divide.
"""

import argparse
import shutil
import sys
from pathlib import Path

from bench.generate import generate
from bench.ingest import PYTHON, WORK
from bench.measure import measure
from core.store.store import Store

ROOT = WORK.parent.parent
MONTHS = [f"2025-{month:02}" for month in range(1, 11)]
PAYERS = 5


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layouts", nargs="*", default=["single", "monthly"], metavar="LAYOUT")
    parser.add_argument(
        "--megabytes", type=float, default=50, help="of JSON in each file (default: 50, a million facts)"
    )
    options = parser.parse_args()
    added = WORK / "added.json.gz"
    generate("referenced", options.megabytes, added, payer="Bench Payer X", month=MONTHS[-1])
    print(f"{'layout':<12}{'facts before':>14}{'added':>12}{'seconds':>9}{'cpu':>8}{'peak MiB':>10}")
    for layout in options.layouts:
        store = _store(layout, options.megabytes)
        copy = WORK / "append-copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(store, copy, symlinks=True)
        before = Store(copy).loaded().rows("fact_rate")
        env = {"BEACONPOINT_DATA_DIR": str(copy)}
        done = measure([PYTHON, "manage.py", "ingest_mrf", "--state", "GA", "--verbosity", "2", str(added)], env, ROOT)
        if done.status:
            sys.exit(done.output)
        rows = Store(copy).loaded().rows("fact_rate") - before
        print(f"{layout:<12}{before:14,}{rows:12,}{done.seconds:9.1f}{done.cpu:8.1f}{done.peak / 2**20:10.0f}")
        print("\n".join(line for line in done.output.splitlines() if line.startswith("  ")), flush=True)
        shutil.rmtree(copy)


def _store(layout: str, megabytes: float) -> Path:
    """The data directory of fifty files' facts in a layout."""
    data = WORK / f"append-{layout}-{megabytes:g}"
    if (data / "complete").exists():
        return data
    shutil.rmtree(data, ignore_errors=True)
    env = {"BEACONPOINT_DATA_DIR": str(data), "BEACONPOINT_FACT_LAYOUT": layout, "BEACONPOINT_GRACE_SECONDS": "60"}
    source = WORK / "part.json.gz"
    for month in MONTHS:
        for payer in range(PAYERS):
            generate("referenced", megabytes, source, payer=f"Bench Payer {payer}", month=month)
            loaded = measure([PYTHON, "manage.py", "ingest_mrf", "--state", "GA", str(source)], env, ROOT)
            if loaded.status:
                sys.exit(loaded.output)
            print(f"{month} payer {payer}: {loaded.seconds:.1f} s", file=sys.stderr)
    (data / "complete").touch()
    return data


if __name__ == "__main__":
    main()
