"""Read NUCC's provider taxonomy: what each taxonomy code means, from NUCC's csv as published.

The code set is copyrighted (American Medical Association, for NUCC), so this project includes none of it.
"""

import csv
from pathlib import Path

import polars as pl

from core.fields.texts.clean_text import clean_name
from core.runtime.errors import ReferenceFileError
from core.store.schema.columns import MAX_NAME

_COLUMNS = {
    "taxonomy_code": "Code",
    "taxonomy": "Display Name",
    "grouping": "Grouping",
    "classification": "Classification",
    "specialization": "Specialization",
}


def is_taxonomy(path: Path) -> bool:
    """Return whether a file is NUCC's csv, by its header."""
    with path.open("rb") as file:
        head = file.read(1 << 12).decode("utf-8-sig", "replace")
    titles = next(csv.reader([head.split("\n", 1)[0]]), [])
    return {"Code", "Grouping", "Classification"} <= {title.strip() for title in titles}


def read_taxonomies(path: Path) -> pl.DataFrame:
    """Return the rows, with the columns of dim_taxonomy; of a code's rows the last. Raise ReferenceFileError if none.

    Editions before 2020 have no display name: it is composed of classification and specialization.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    found: dict[str, dict[str, str | None]] = {}
    for row in csv.DictReader(text.splitlines(keepends=True)):
        cells = {name: clean_name(row.get(title) or "", MAX_NAME) or None for name, title in _COLUMNS.items()}
        code = cells["taxonomy_code"]
        if code and len(code) == 10 and code.isalnum():
            parts = [cells["classification"], cells["specialization"]]
            cells["taxonomy"] = cells["taxonomy"] or " - ".join(part for part in parts if part)
            found[code.upper()] = {**cells, "taxonomy_code": code.upper()}
    if not found:
        raise ReferenceFileError(f"{path.name}: NUCC's header, but no taxonomy code below it; download the file again")
    return pl.DataFrame(list(found.values()), schema=dict.fromkeys(_COLUMNS, pl.String))
