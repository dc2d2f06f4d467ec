"""Which groups of a batch lack members, and the addresses where the members may be."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from core.fetch.address import redact_url
from core.fields.providers.provider_group_id import parse_provider_group_id, spell_provider_group_id
from core.load.providers.group_key import WHOLE_KEY_LIMIT, group_key
from core.load.remote.remote_groups import RemoteGroup
from core.runtime.errors import PayerFileError
from core.runtime.progress import Progress
from core.store.generations.store import Manifest, Store
from core.store.schema import ids
from core.store.schema.tables import DIM_BATCH, DIM_PROVIDER_GROUP, XREF_GROUP_LOCATION
from core.store.sql import parquet_rows
from core.tic import decode, lenient_json
from core.tic.array_splitter import ArraySplitter, ElementChunk
from core.tic.source import Source

UNPLACED = 1 << 32
"""Stands for the place in the file of an address that comes from the store."""

Addresses = dict[str, list[RemoteGroup]]
"""Addresses on the web, with the groups whose members are there."""


@dataclass(frozen=True)
class UnresolvedBatch:
    """A batch, and what it lacks."""

    batch_id: str
    unresolved: int
    """Groups without any known member."""
    signed_addresses: int
    """Addresses that the store does not keep whole."""


def read_unresolved_batch(connection: duckdb.DuckDBPyConnection, store: Store, batch: str) -> UnresolvedBatch:
    """Return the batch whose id begins with `batch`. Create the store's views, for the other functions here.

    Raise PayerFileError unless exactly one batch matches.
    """
    manifest = store.manifest()
    if manifest is None:
        raise PayerFileError(f"{store.root}: nothing is loaded yet; load files with ingest_mrf")
    create_store_views(connection, manifest, store.root)
    found = _query(connection, "SELECT DISTINCT batch_id FROM batches WHERE starts_with(batch_id, ?)", batch.lower())
    if len(found) != 1 or not batch:
        problem = f"is the beginning of {len(found)} batch ids" if found else "not a batch of this store"
        raise PayerFileError(f"{redact_url(batch)}: {problem}; expected the id of one, as ingest_mrf prints it")
    ((batch_id,),) = found
    ((unresolved,),) = _query(connection, "SELECT count(*) FROM groups WHERE batch_id = ? AND NOT resolved", batch_id)
    ((signed,),) = _query(
        connection, "SELECT count(DISTINCT location) FROM failed WHERE batch_id = ? AND signed", batch_id
    )
    return UnresolvedBatch(batch_id, unresolved, signed)


def create_store_views(connection: duckdb.DuckDBPyConnection, manifest: Manifest, root: Path) -> None:
    """Create views of the store's tables: batches, groups, and failed (the addresses that failed)."""
    for name, table in (("batches", DIM_BATCH), ("groups", DIM_PROVIDER_GROUP), ("failed", XREF_GROUP_LOCATION)):
        paths = manifest.paths(root, table.name)
        if paths:
            connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {parquet_rows(paths)}")
        else:
            connection.register(name, table.arrow.empty_table())


def read_addresses(connection: duckdb.DuckDBPyConnection, batch_id: str) -> Addresses:
    """Return the addresses that the store keeps whole."""
    found = _query(
        connection,
        """SELECT location, list([pg_uid, provider_group_id_raw])
           FROM failed LEFT JOIN groups USING (pg_uid, batch_id) WHERE batch_id = ? AND NOT signed
           GROUP BY location ORDER BY location""",
        batch_id,
    )
    return {
        url: [RemoteGroup(_key_of(pg_uid, raw), pg_uid, UNPLACED) for pg_uid, raw in groups] for url, groups in found
    }


def find_addresses(
    connection: duckdb.DuckDBPyConnection, batch_id: str, source: Source, progress: Progress | None
) -> Addresses:
    """Return the addresses that the batch's file has for groups that lack members.

    Raise PayerFileError for the file of another batch.
    """
    lacking = _query(
        connection,
        """SELECT pg_uid FROM groups WHERE batch_id = $1 AND NOT resolved
           UNION SELECT pg_uid FROM failed WHERE batch_id = $1""",
        batch_id,
    )
    wanted = {pg_uid for (pg_uid,) in lacking}
    found: Addresses = {}
    for seq, reference in enumerate(_read_references(source, progress)):
        if reference is None or not reference.location:
            continue
        value = lenient_json.parse_raw(reference.provider_group_id)
        # An id that the file defines in two spellings is in the store as the file spells it, see `id_spellings`.
        for raw in dict.fromkeys((spell_provider_group_id(value) or "", parse_provider_group_id(value) or "")):
            pg_uid = ids.pg_uid(batch_id, raw)
            if pg_uid in wanted:
                found.setdefault(reference.location, []).append(RemoteGroup(group_key(raw), pg_uid, seq))
                break
    if source.batch_id != batch_id:
        raise PayerFileError(
            f"{source.name}: its content is batch {source.batch_id}, not {batch_id}; expected the file that the batch "
            "was loaded from"
        )
    return found


def _read_references(source: Source, progress: Progress | None) -> Iterator[decode.ReferenceObject | None]:
    """Yield the definitions of provider groups in a file, which is read to its end."""
    for part in ArraySplitter(source.name, source.read_blocks(progress)).parts():
        if isinstance(part, ElementChunk) and part.array == "provider_references":
            try:
                yield from decode.REFERENCE_DECODER.read(part.text)[0]
            except lenient_json.UndecodableError as error:
                raise PayerFileError(f"{source.name}: not JSON: {error.problem} in provider_references") from None


def _key_of(pg_uid: str, raw: str | None) -> int:
    """Return the key of a group.

    Of groups that no kept rate names, the store has the pg_uid but not the raw id. Their keys lie between
    WHOLE_KEY_LIMIT and NAMED_KEY, where no raw id's key does.
    """
    return group_key(raw) if raw else WHOLE_KEY_LIMIT | (int(pg_uid, 16) % WHOLE_KEY_LIMIT)


def _query(connection: duckdb.DuckDBPyConnection, sql: str, parameter: str) -> list[Any]:
    return connection.execute(sql, [parameter]).fetchall()
