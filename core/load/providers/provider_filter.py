"""Match provider groups against the filters on NPIs, tax IDs, and states."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from core.load.rate_filters import RateFilter
from core.load.staging.group_key_set import Keys
from core.load.staging.spool_set import spooled
from core.reference.nppes.provider_names import npis_in_state
from core.store.generations.store import Transaction
from core.store.schema.tables import XREF_GROUP_NPI, XREF_GROUP_TIN
from core.store.sql import stored_rows


def match_provider_filters(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    directory: Path,
    keys: Keys,
    filters: Sequence[RateFilter],
    known_before: str | None = None,
) -> npt.NDArray[np.uint64]:
    """Return a mask for each group of `keys`: bit n is set if filter n wants the group.

    `directory` has the file's spools. `known_before` names a table (key, pg_uid) of groups whose members are in the
    store and not in the spools. A filter wants a group if any of its members meets each condition; a group without
    known members is wanted by none. Raise BeaconError for a filter on a state if no provider's state is known.
    """
    masks = np.zeros(len(keys), np.uint64)
    parts, npis, tins = (spooled(directory, name) for name in ("group_parts", "part_npis", "part_tins"))
    with_npi = f"SELECT key FROM {parts} SEMI JOIN (FROM {npis} WHERE npi::VARCHAR IN (SELECT unnest($1))) USING (part)"
    with_tin = f"SELECT key FROM {parts} SEMI JOIN (FROM {tins} WHERE tin_value IN (SELECT unnest($1))) USING (part)"
    if known_before:
        stored_npis, stored_tins = stored_rows(transaction, XREF_GROUP_NPI), stored_rows(transaction, XREF_GROUP_TIN)
        with_npi += f""" UNION ALL SELECT key FROM {known_before} SEMI JOIN
                         (FROM {stored_npis} WHERE npi IN (SELECT unnest($1))) USING (pg_uid)"""
        with_tin += f""" UNION ALL SELECT key FROM {known_before} SEMI JOIN
                         (FROM {stored_tins} WHERE tin_value IN (SELECT unnest($1))) USING (pg_uid)"""
    for bit, one in enumerate(filters):
        fits = np.ones(len(keys), np.bool_)
        if one.npis:
            fits &= _with_member(connection, keys, with_npi, list(one.npis))
        if one.tins:
            fits &= _with_member(connection, keys, with_tin, list(one.tins))
        if one.in_state:
            in_state = npis_in_state(connection, transaction, one.in_state).to_pylist()
            fits &= _with_member(connection, keys, with_npi, in_state)
        masks[fits] |= np.uint64(1 << bit)
    return masks


def _with_member(
    connection: duckdb.DuckDBPyConnection, keys: Keys, sql: str, values: list[str]
) -> npt.NDArray[np.bool_]:
    """Return for each of `keys` whether `sql` finds it. Its one parameter is the list of values."""
    found = connection.execute(f"SELECT DISTINCT key FROM ({sql})", [values]).fetchnumpy()["key"]
    return np.isin(keys, np.asarray(found, np.uint64))
