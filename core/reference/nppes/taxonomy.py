"""NUCC's provider taxonomy: what a taxonomy code means in words, from NUCC's csv as published.

The code set is NUCC's (copyright American Medical Association for NUCC); the project ships none of it.
"""

import csv
from pathlib import Path

import polars as pl

from core.runtime.errors import ReferenceFileError

_COLUMNS = {
    "taxonomy_code": "Code",
    "taxonomy": "Display Name",
    "grouping": "Grouping",
    "classification": "Classification",
    "specialization": "Specialization",
}


def is_taxonomy(path: Path) -> bool:
    """Whether a file is NUCC's csv: its header tells."""
    with path.open("rb") as file:
        head = file.read(1 << 12).decode("utf-8-sig", "replace")
    titles = next(csv.reader([head.split("\n", 1)[0]]), [])
    return {"Code", "Grouping", "Classification"} <= {title.strip() for title in titles}


def read_taxonomies(path: Path) -> pl.DataFrame:
    """The rows, with the columns of dim_taxonomy; each code once, the last row of it. Raises ReferenceFileError.

    Editions before 2020 have no display name: it is put together from classification and specialization.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    found: dict[str, dict[str, str | None]] = {}
    for row in csv.DictReader(text.splitlines(keepends=True)):
        cells = {ours: (row.get(theirs) or "").strip() or None for ours, theirs in _COLUMNS.items()}
        code = cells["taxonomy_code"]
        if code and len(code) == 10 and code.isalnum():
            parts = [cells["classification"], cells["specialization"]]
            cells["taxonomy"] = cells["taxonomy"] or " - ".join(part for part in parts if part)
            found[code.upper()] = {**cells, "taxonomy_code": code.upper()}
    if not found:
        raise ReferenceFileError(f"{path.name}: NUCC's header, but no taxonomy code below it; get the file again")
    return pl.DataFrame(list(found.values()), schema=dict.fromkeys(_COLUMNS, pl.String))
