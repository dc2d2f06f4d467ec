"""The baseline: a straightforward flattener of in-network files, ijson to Parquet, as users have today.

    python -m bench.baseline FILE.json.gz OUTPUT.parquet

One row per price and provider group, written in blocks. Nothing is normalised, hashed, sorted or made unique, and no
table of providers is made.
"""

import gzip
import sys
from pathlib import Path
from typing import Any

import ijson
import pyarrow as pa
import pyarrow.parquet as pq

BLOCK = 200_000
COLUMNS = (
    "code_type", "code", "negotiation_arrangement", "provider_group_id", "negotiated_type", "negotiated_rate",
    "expiration_date", "billing_class", "service_code", "billing_code_modifier",
)  # fmt: skip


def flatten(path: Path, output: Path) -> int:
    """Flattens a file; gives the number of rows."""
    rows: list[tuple[Any, ...]] = []
    writer: pq.ParquetWriter | None = None
    count = 0
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for item in ijson.items(file, "in_network.item", use_float=True):
            head = item["billing_code_type"], item["billing_code"], item["negotiation_arrangement"]
            for rate in item["negotiated_rates"]:
                groups = rate.get("provider_references") or [str(rate.get("provider_groups"))]
                for price in rate["negotiated_prices"]:
                    terms = (
                        price["negotiated_type"],
                        price["negotiated_rate"],
                        price["expiration_date"],
                        price["billing_class"],
                        ",".join(price.get("service_code") or ()),
                        ",".join(price.get("billing_code_modifier") or ()),
                    )
                    rows.extend((*head, str(group), *terms) for group in groups)
                if len(rows) >= BLOCK:
                    writer = _write(writer, output, rows)
                    count += len(rows)
                    rows = []
    writer = _write(writer, output, rows)
    writer.close()
    return count + len(rows)


def _write(writer: pq.ParquetWriter | None, output: Path, rows: list[tuple[Any, ...]]) -> pq.ParquetWriter:
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    table = pa.table(dict(zip(COLUMNS, columns, strict=True)))
    writer = writer or pq.ParquetWriter(output, table.schema, compression="zstd", compression_level=1)
    writer.write_table(table)
    return writer


if __name__ == "__main__":
    print(f"{flatten(Path(sys.argv[1]), Path(sys.argv[2]))} rows")
