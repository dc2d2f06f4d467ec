"""Load files of each shape, side by side with the baseline and the floor.

    python -m bench.ingest                        1 GB of each shape
    python -m bench.ingest referenced --megabytes 100
    python -m bench.ingest referenced --megabytes 10000 --groups 2000000 --no-baseline --memory-over-time

Each file is loaded whole, and then once more into an empty store with a filter on providers: one NPI of every 200th
group, up to 100, which wants some 5% of the rates. Next to them are the same two with ijson (`baseline`), the least
that a whole load has to do (`floor`), and the least that a filtered one has to do (`byte scan`).

Prints a table: rows and megabytes of JSON per second, megabytes per second of processor time (all processes), the peak
memory of all processes together, and ratios. Rows are those of the whole file, whatever is wanted of them. Files are
written below bench/work and kept there. Run it on an otherwise idle machine.
"""

import argparse
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from bench.generate import SHAPES, generate
from bench.measure import Measured, measure
from core.store.generations.store import Store

WORK = Path(__file__).parent / "work"
PYTHON = sys.executable


GROUPS_PER_WANTED_NPI, MAX_WANTED_NPIS = 200, 100


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=f"out of {', '.join(SHAPES)} (default: all)")
    parser.add_argument("--megabytes", type=float, default=1000, help="of JSON in each file (default: 1000)")
    parser.add_argument("--groups", type=int, default=20_000, help="provider groups defined (default: 20,000)")
    parser.add_argument("--layout", default="single", help="layout of the facts (default: single)")
    parser.add_argument("--plain", action="store_true", help="plain JSON instead of gzip")
    parser.add_argument("--no-baseline", action="store_true", help="measure only the loading")
    parser.add_argument("--no-filter", action="store_true", help="do not measure loading with a filter")
    parser.add_argument("--again", action="store_true", help="also load each file a second time")
    parser.add_argument("--memory-over-time", action="store_true", help="print the memory at twenty points in time")
    options = parser.parse_args()
    print(
        f"{'shape':<12}{'what':<20}{'seconds':>9}{'cpu':>8}{'M rows/s':>10}{'MB/s':>8}{'MB/core-s':>11}{'peak MiB':>10}"
        f"{'x baseline':>12}{'x floor':>9}"
    )
    for shape in options.shapes or SHAPES:
        _measure_shape(shape, options)


@dataclass(frozen=True)
class _File:
    """A file that is loaded: its shape, bytes of JSON, and fact rows."""

    shape: str
    size: int
    rows: int

    def show(self, what: str, measured: Measured, baseline: Measured | None = None, floor: float | None = None) -> None:
        """Print a line of the table. `floor` is in seconds."""
        _show(self, what, measured.seconds, measured.cpu, measured.peak, baseline, floor)


def _measure_shape(shape: str, options: argparse.Namespace) -> None:
    ending = "json" if options.plain else "json.gz"
    source = WORK / f"{shape}-{options.megabytes:g}-{options.groups}.{ending}"
    if not source.exists():
        generate(shape, options.megabytes, source, options.groups)
    data, output, npis = WORK / "data", WORK / "output.parquet", WORK / "npis.txt"
    shutil.rmtree(data, ignore_errors=True)
    env = {"BEACONPOINT_DATA_DIR": str(data), "BEACONPOINT_FACT_LAYOUT": options.layout}
    loading = [PYTHON, "manage.py", "ingest_mrf", "--state", "GA", "--verbosity", "2", str(source)]
    loaded = _run(loading, env)
    manifest = Store(data).loaded()
    file = _File(shape, _size(source), manifest.rows("fact_rate"))
    baseline = floor = None
    if not options.no_baseline:
        baseline = _run([PYTHON, "-m", "bench.baseline", str(source), str(output)])
        if options.layout != "partitioned":
            facts = manifest.paths(data, "fact_rate")[0]
            floor = _run([PYTHON, "-m", "bench.floor", str(source), facts, str(output)])
    file.show("whole", loaded, baseline, float(floor.output) if floor else None)
    if options.again:
        file.show("whole, again", _run(loading, env))
    if baseline:
        file.show("whole, baseline", baseline)
    if floor:
        # Its time is that of the steps that count; the processor's is of all that was needed to measure them.
        _show(file, "whole, floor", float(floor.output), None, floor.peak)
    _print_stages(loaded)
    if options.memory_over_time:
        _print_memory(loaded)
    if not options.no_filter:
        npis.write_text("\n".join(_pick_npis(manifest.paths(data, "xref_group_npi"))) + "\n", "utf-8")
        shutil.rmtree(data, ignore_errors=True)
        _measure_filtered(file, source, npis, [*loading, "--npis", str(npis)], env, options)
    for path in (output, npis):
        path.unlink(missing_ok=True)
    shutil.rmtree(data, ignore_errors=True)


def _measure_filtered(
    file: _File, source: Path, npis: Path, loading: list[str], env: dict[str, str], options: argparse.Namespace
) -> None:
    """Measure loading for some NPIs only."""
    loaded = _run(loading, env)
    baseline = floor = None
    if not options.no_baseline:
        baseline = _run([PYTHON, "-m", "bench.baseline", str(source), str(WORK / "output.parquet"), str(npis)])
        floor = _run([PYTHON, "-m", "bench.byte_scan", str(source)])
    file.show("filtered", loaded, baseline, floor.seconds if floor else None)
    if baseline and floor:
        file.show("filtered, baseline", baseline)
        file.show("byte scan", floor)
    _print_stages(loaded)
    if options.memory_over_time:
        _print_memory(loaded)


def _run(command: list[str], env: dict[str, str] | None = None) -> Measured:
    measured = measure(command, env, WORK.parent.parent)
    if measured.status:
        sys.exit(measured.output)
    return measured


def _pick_npis(paths: list[str]) -> list[str]:
    """Return one NPI of every 200th group of a store."""
    pairs = pl.scan_parquet(paths).group_by("pg_uid").agg(pl.col("npi").min()).sort("pg_uid").collect()
    found: list[str] = pairs.gather_every(GROUPS_PER_WANTED_NPI)["npi"].head(MAX_WANTED_NPIS).to_list()
    return found


def _show(
    file: _File,
    what: str,
    seconds: float,
    cpu: float | None,
    peak: int,
    baseline: Measured | None = None,
    floor: float | None = None,
) -> None:
    per_core = f"{file.size / cpu / 1e6:11.0f}" if cpu else f"{'':11}"
    used = f"{cpu:8.1f}" if cpu else f"{'':8}"
    ratios = f"{baseline.seconds / seconds:12.1f}" if baseline else f"{'':12}"
    ratios += f"{floor / seconds:9.2f}" if floor else ""
    print(
        f"{file.shape:<12}{what:<20}{seconds:9.1f}{used}{file.rows / seconds / 1e6:10.2f}"
        f"{file.size / seconds / 1e6:8.0f}{per_core}{peak / 2**20:10.0f}{ratios}",
        flush=True,
    )


def _print_stages(loaded: Measured) -> None:
    print("\n".join(line for line in loaded.output.splitlines() if line.startswith("  ")), flush=True)


def _print_memory(loaded: Measured) -> None:
    step = max(len(loaded.memory) // 20, 1)
    print("  memory: " + ", ".join(f"{at:.0f} s {size >> 20} MiB" for at, size in loaded.memory[::step]))


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
