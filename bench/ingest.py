"""Load files of each shape, side by side with the baseline and the floor.

    python -m bench.ingest                        1 GB of each shape
    python -m bench.ingest referenced --megabytes 100
    python -m bench.ingest referenced --megabytes 10000 --groups 2000000 --no-baseline --memory-over-time

Prints a table: rows and megabytes of JSON per second, the peak memory of all processes together, and ratios. Files are
written below bench/work and kept there. Run it on an otherwise idle machine.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from bench.generate import SHAPES, generate
from bench.measure import Measured, measure
from core.store.generations.store import Store

WORK = Path(__file__).parent / "work"
PYTHON = sys.executable


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=f"out of {', '.join(SHAPES)} (default: all)")
    parser.add_argument("--megabytes", type=float, default=1000, help="of JSON in each file (default: 1000)")
    parser.add_argument("--groups", type=int, default=20_000, help="provider groups defined (default: 20,000)")
    parser.add_argument("--layout", default="single", help="layout of the facts (default: single)")
    parser.add_argument("--plain", action="store_true", help="plain JSON instead of gzip")
    parser.add_argument("--no-baseline", action="store_true", help="measure only the loading")
    parser.add_argument("--again", action="store_true", help="also load each file a second time")
    parser.add_argument("--memory-over-time", action="store_true", help="print the memory at twenty points in time")
    options = parser.parse_args()
    print(
        f"{'shape':<12}{'what':<10}{'seconds':>9}{'cpu':>8}{'M rows/s':>10}{'MB/s':>8}{'peak MiB':>10}"
        f"{'x baseline':>12}{'x floor':>9}"
    )
    for shape in options.shapes or SHAPES:
        _shape(shape, options)


def _shape(shape: str, options: argparse.Namespace) -> None:
    ending = "json" if options.plain else "json.gz"
    source = WORK / f"{shape}-{options.megabytes:g}-{options.groups}.{ending}"
    if not source.exists():
        generate(shape, options.megabytes, source, options.groups)
    data = WORK / "data"
    shutil.rmtree(data, ignore_errors=True)
    env = {"BEACONPOINT_DATA_DIR": str(data), "BEACONPOINT_FACT_LAYOUT": options.layout}
    loading = [PYTHON, "manage.py", "ingest_mrf", "--state", "GA", "--verbosity", "2", str(source)]
    loaded = measure(loading, env, WORK.parent.parent)
    if loaded.status:
        sys.exit(loaded.output)
    manifest = Store(data).loaded()
    rows = manifest.rows("fact_rate")
    baseline = floor = None
    if not options.no_baseline:
        output = WORK / "output.parquet"
        baseline = measure([PYTHON, "-m", "bench.baseline", str(source), str(output)])
        if options.layout != "partitioned":
            facts = manifest.paths(data, "fact_rate")[0]
            floor = measure([PYTHON, "-m", "bench.floor", str(source), facts, str(output)])
        output.unlink(missing_ok=True)
    size = _size(source)
    _print(shape, "ours", loaded, rows, size, loaded.seconds, baseline, floor)
    if options.again:
        _print(shape, "again", again := measure(loading, env, WORK.parent.parent), rows, size, again.seconds)
    if baseline:
        _print(shape, "baseline", baseline, int(baseline.output.split()[0]), size, baseline.seconds)
    if floor:
        _print(shape, "floor", floor, rows, size, float(floor.output))
    print("\n".join(line for line in loaded.output.splitlines() if line.startswith("  ")))
    if options.memory_over_time:
        step = max(len(loaded.memory) // 20, 1)
        print("  memory: " + ", ".join(f"{at:.0f} s {size >> 20} MiB" for at, size in loaded.memory[::step]))
    shutil.rmtree(data, ignore_errors=True)


def _print(
    shape: str,
    what: str,
    measured: Measured,
    rows: int,
    size: int,
    seconds: float,
    baseline: Measured | None = None,
    floor: Measured | None = None,
) -> None:
    ratios = f"{baseline.seconds / seconds:12.1f}" if baseline else f"{'':12}"
    ratios += f"{float(floor.output) / seconds:9.2f}" if floor else ""
    print(
        f"{shape:<12}{what:<10}{seconds:9.1f}{measured.cpu:8.1f}{rows / seconds / 1e6:10.2f}{size / seconds / 1e6:8.0f}"
        f"{measured.peak / 2**20:10.0f}{ratios}",
        flush=True,
    )


def _size(source: Path) -> int:
    """Return the number of bytes of JSON."""
    if source.suffix != ".gz":
        return source.stat().st_size
    from isal import igzip  # noqa: PLC0415 - only here

    with igzip.open(source, "rb") as file:  # type: ignore[no-untyped-call]
        return sum(len(chunk) for chunk in iter(lambda: file.read(1 << 22), b""))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "beaconpoint.settings")
    main()
