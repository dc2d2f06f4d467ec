"""The baseline: a straightforward flattener of in-network files, ijson to Parquet, such as users have today.

    python -m bench.baseline FILE.json.gz OUTPUT.parquet

Writes one row per price and provider group, in blocks. Nothing is normalized, hashed, sorted or made unique, and there
is no table of providers.
"""

import gzip
import sys
from pathlib import Path
from typing import Any

import ijson
import pyarrow as pa
import pyarrow.parquet as pq

BLOCK = 200_000


def flatten(path: Path, output: Path) -> int:
    """Flatten a file and return the number of rows."""
    rows: list[dict[str, Any]] = []
    writer: pq.ParquetWriter | None = None
    count = 0
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for item in ijson.items(file, "in_network.item", use_float=True):
            for rate in item["negotiated_rates"]:
                groups = rate.get("provider_references") or [str(rate.get("provider_groups"))]
                for price in rate["negotiated_prices"]:
                    for group in groups:
                        row = {
                            "code_type": item["billing_code_type"],
                            "code": item["billing_code"],
                            "negotiation_arrangement": item["negotiation_arrangement"],
                            "provider_group_id": str(group),
                            "negotiated_type": price["negotiated_type"],
                            "negotiated_rate": price["negotiated_rate"],
                            "expiration_date": price["expiration_date"],
                            "billing_class": price["billing_class"],
                            "service_code": ",".join(price.get("service_code") or ()),
                            "billing_code_modifier": ",".join(price.get("billing_code_modifier") or ()),
                        }
                        rows.append(row)
                if len(rows) >= BLOCK:
                    writer = _write(writer, output, rows)
                    count += len(rows)
                    rows = []
    if rows:
        writer = _write(writer, output, rows)
    if writer:
        writer.close()
    return count + len(rows)


def _write(writer: pq.ParquetWriter | None, output: Path, rows: list[dict[str, Any]]) -> pq.ParquetWriter:
    table = pa.Table.from_pylist(rows)
    writer = writer or pq.ParquetWriter(output, table.schema, compression="zstd", compression_level=1)
    writer.write_table(table)
    return writer


if __name__ == "__main__":
    print(f"{flatten(Path(sys.argv[1]), Path(sys.argv[2]))} rows")
