"""The baseline: a straightforward flattener of in-network files, ijson to Parquet, such as users have today.

    python -m bench.baseline FILE.json.gz OUTPUT.parquet [NPIS.txt]

Writes one row per price and provider group, in blocks. Nothing is normalized, hashed, sorted or made unique, and there
is no table of providers. With a file of NPIs, one a line, only rows of groups with one of them are written: groups that
the file defines are looked at first, in a pass of their own.
"""

import gzip
import sys
from pathlib import Path
from typing import IO, Any, cast

import ijson
import pyarrow as pa
import pyarrow.parquet as pq

BLOCK = 200_000


def flatten(path: Path, output: Path, npis: frozenset[str] | None = None) -> int:
    """Flatten a file and return the number of rows."""
    rows: list[dict[str, Any]] = []
    writer: pq.ParquetWriter | None = None
    count = 0
    defined = find_wanted(path, npis) if npis is not None else set()
    with _open(path) as file:
        for item in ijson.items(file, "in_network.item", use_float=True):
            for rate in item["negotiated_rates"]:
                groups = rate.get("provider_references") or [str(rate.get("provider_groups"))]
                if npis is not None and not _has_npi(rate.get("provider_groups") or [], npis):
                    groups = [group for group in groups if group in defined]
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


def find_wanted(path: Path, npis: frozenset[str]) -> set[Any]:
    """Return the ids of the groups that a file defines and that have one of the NPIs."""
    with _open(path) as file:
        return {
            each["provider_group_id"]
            for each in ijson.items(file, "provider_references.item", use_float=True)
            if _has_npi(each["provider_groups"], npis)
        }


def _has_npi(provider_groups: list[dict[str, Any]], npis: frozenset[str]) -> bool:
    return any(str(npi) in npis for group in provider_groups for npi in group["npi"])


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _write(writer: pq.ParquetWriter | None, output: Path, rows: list[dict[str, Any]]) -> pq.ParquetWriter:
    table = pa.Table.from_pylist(rows)
    writer = writer or pq.ParquetWriter(output, table.schema, compression="zstd", compression_level=1)
    writer.write_table(table)
    return writer


if __name__ == "__main__":
    wanted = frozenset(Path(sys.argv[3]).read_text("utf-8").split()) if len(sys.argv) > 3 else None
    print(f"{flatten(Path(sys.argv[1]), Path(sys.argv[2]), wanted)} rows")
