"""Measure the least work that loading has to do: unpack a file, then write the finished rates with Polars.

    python -m bench.floor FILE.json.gz FACTS.parquet OUTPUT.parquet

The rates are read beforehand, some row groups at a time, and that time is not counted. Prints the seconds.
"""

import sys
import time
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
from isal import igzip


def floor(source: Path, facts: Path, output: Path) -> float:
    """Return the seconds to decompress `source` and to write the rows of `facts`."""
    started = time.monotonic()
    with igzip.open(source, "rb") if source.suffix == ".gz" else source.open("rb") as file:  # type: ignore[no-untyped-call]
        while file.read(1 << 20):
            pass
    seconds = time.monotonic() - started
    with pq.ParquetFile(facts) as file:
        for first in range(0, file.num_row_groups, 8):
            groups = list(range(first, min(first + 8, file.num_row_groups)))
            frame = pl.DataFrame(file.read_row_groups(groups))
            started = time.monotonic()
            frame.write_parquet(output, compression="zstd", compression_level=1)
            seconds += time.monotonic() - started
    return seconds


if __name__ == "__main__":
    print(f"{floor(*map(Path, sys.argv[1:4])):.2f}")
