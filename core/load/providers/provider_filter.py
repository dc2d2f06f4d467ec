"""Match provider groups against the filters on NPIs, tax IDs, and states."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from core.load.rate_filters import RateFilter
from core.load.staging.group_key_set import Keys
from core.load.staging.spool_set import spooled
from core.reference.nppes.provider_names import npi_states
from core.store.generations.store import Transaction
from core.store.schema.tables import XREF_GROUP_NPI, XREF_GROUP_TIN
from core.store.sql import quote, stored_rows


def match_provider_filters(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    directory: Path,
    keys: Keys,
    filters: Sequence[RateFilter],
    known_before: str | None = None,
) -> npt.NDArray[np.uint64]:
    """Return a mask for each group of `keys`: bit n is set if filter n wants the group.

    `keys` are sorted. `directory` has the file's spools. `known_before` names a table (key, pg_uid) of groups whose
    members are in the store and not in the spools. A filter wants a group if any of its members meets each condition; a
    group without known members is wanted by none. Raise BeaconError for a filter on a state if no provider's state is
    known.
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
    states = list(dict.fromkeys(one.in_state for one in filters if one.in_state))
    state_masks = _match_states(connection, transaction, directory, keys, states, known_before) if states else masks
    for bit, one in enumerate(filters):
        fits = np.ones(len(keys), np.bool_)
        if one.npis:
            fits &= _with_member(connection, keys, with_npi, list(one.npis))
        if one.tins:
            fits &= _with_member(connection, keys, with_tin, list(one.tins))
        if one.in_state:
            fits &= (state_masks & np.uint64(1 << states.index(one.in_state))) != 0
        masks[fits] |= np.uint64(1 << bit)
    return masks


def _match_states(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    directory: Path,
    keys: Keys,
    states: Sequence[str],
    known_before: str | None,
) -> npt.NDArray[np.uint64]:
    """Return a mask for each of `keys`: bit n is set if an NPI of the group practices in the state n.

    All states are looked up at once: the register has millions of NPIs, and a file may be loaded for 56 states.
    """
    parts, npis = spooled(directory, "group_parts"), spooled(directory, "part_npis")
    members, pairs = f"SELECT npi FROM {npis}", f"SELECT key, mask FROM {parts} JOIN part_states USING (part)"
    if known_before:
        stored = f"{known_before} JOIN {stored_rows(transaction, XREF_GROUP_NPI)} USING (pg_uid)"
        members += f" UNION ALL SELECT npi::UBIGINT FROM {stored}"
        pairs += f" UNION ALL SELECT key, mask FROM {stored} s JOIN npi_states n ON s.npi::UBIGINT = n.npi"
    bits = ", ".join(f"({quote(state)}, {1 << bit}::UBIGINT)" for bit, state in enumerate(states))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE npi_states AS
            WITH member AS (SELECT DISTINCT npi FROM ({members})),
                 wanted (state, bit) AS (VALUES {bits})
            SELECT m.npi, bit_or(bit) AS mask
            FROM {npi_states(connection, transaction)} k JOIN wanted USING (state)
                 JOIN member m ON m.npi = TRY_CAST(k.npi AS UBIGINT)
            GROUP BY m.npi"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE part_states AS
            SELECT part, bit_or(mask) AS mask FROM {npis} JOIN npi_states USING (npi) GROUP BY part"""
    )
    found = connection.execute(f"SELECT key, bit_or(mask) AS mask FROM ({pairs}) GROUP BY key").fetchnumpy()
    connection.execute("DROP TABLE npi_states; DROP TABLE part_states")
    masks = np.zeros(len(keys), np.uint64)
    found_keys, found_masks = np.asarray(found["key"], np.uint64), np.asarray(found["mask"], np.uint64)
    places = np.searchsorted(keys, found_keys)
    there = keys.take(places, mode="clip") == found_keys if len(keys) else np.zeros(len(found_keys), np.bool_)
    masks[places[there]] = found_masks[there]
    return masks


def _with_member(
    connection: duckdb.DuckDBPyConnection, keys: Keys, sql: str, values: list[str]
) -> npt.NDArray[np.bool_]:
    """Return for each of `keys` whether `sql` finds it. Its one parameter is the list of values."""
    found = connection.execute(f"SELECT DISTINCT key FROM ({sql})", [values]).fetchnumpy()["key"]
    return np.isin(keys, np.asarray(found, np.uint64))
