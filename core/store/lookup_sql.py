"""SQL of a lookup's rows: from its stored answer where there is one, otherwise from the tables it is made from."""

from pathlib import Path

from core.store.generations.manifest import Manifest
from core.store.remote_facts import locate
from core.store.schema.lookups import Lookup
from core.store.sql import parquet_rows


def lookup_rows(lookup: Lookup, root: Path, manifest: Manifest) -> str:
    """Return SQL that selects all rows of a lookup, in a connection that has the views of all tables."""
    parts = manifest.lookup_parts(lookup)
    stored = [str(root / part.answer.path) for part in parts if part.answer is not None]
    missing = [part.files for part in parts if part.answer is None]
    if not stored:
        return lookup_query(lookup)
    # Their paths name months, which are columns as well.
    selects = [f"SELECT * FROM {parquet_rows(stored, 'hive_partitioning = false')}"]
    if missing:
        paths = [locate(root, file) for files in missing for file in files]
        # A query of its own, which may begin with a WITH.
        selects.append(f"SELECT * FROM ({lookup_query(lookup, parquet_rows(paths))})")
    return " UNION ALL BY NAME ".join(selects)


def lookup_query(lookup: Lookup, rows: str = "") -> str:
    """Return the query of a lookup, of the whole tables; or of these rows, if it is about one table."""
    return lookup.query.format_map({table.name: rows or table.name for table in lookup.sources})
