"""Provider groups whose members are at another URL.

Their members go into the file's spools. Groups whose members could not be fetched are recorded in the store, so that
they can be tried again without reading the rates.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import polars as pl

from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.providers.group_index import GroupIndex
from core.load.providers.group_tables import create_resolved_before
from core.load.remote.fetch_groups import NOT_TRIED, FetchedMembers, FetchReport, GroupFetcher, storable_location
from core.load.staging.group_members import FETCHER, MemberLists
from core.load.staging.row_spool import RowSpool
from core.load.staging.spool_set import SpoolSet
from core.store.changes.upsert import write_query
from core.store.generations.store import Transaction
from core.store.schema.tables import XREF_GROUP_LOCATION
from core.store.sql import parquet_rows, stored_rows

ADDRESSES_PER_FETCH = 1000
"""Rows of the query for addresses that are in memory at a time."""

MAX_EXAMPLES = 10
"""Problems that are kept as examples. All are counted."""


class RemoteGroup(NamedTuple):
    """A provider group whose members are at an address. `seq` is the place in the file that names the address."""

    key: int
    pg_uid: str
    seq: int


@dataclass(frozen=True)
class FetchedGroups:
    """What became of the groups that were looked for. Rows are in spools, named here by glob patterns."""

    report: FetchReport
    wanted: str
    """pg_uid and location of all groups that were looked for."""
    failed: str
    """pg_uid, location, signed, problem and tried_at of the groups that were not found."""


@dataclass(frozen=True)
class RemoteGroups:
    """The remote groups of a file that is being loaded."""

    fetched: FetchedGroups
    known_before: str | None
    """The table (key, pg_uid) of groups whose members are in the store already, None if there are none."""


def fetch_remote_groups(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    spools: Path,
    batch_id: str,
    groups: GroupIndex,
    fetcher: GroupFetcher | None,
    sizes: LoadSizes = DEFAULT_SIZES,
) -> RemoteGroups | None:
    """Fetch the members of a file's remote groups into its spools. Return None if it has no remote groups.

    Groups whose members are all in the store already are not fetched. Without a `fetcher` none are.
    """
    locations = parquet_rows([str(spools / "locations-*.parquet")])
    if not connection.execute(f"SELECT 1 FROM {locations} LIMIT 1").fetchall():
        return None
    connection.register("located_frame", groups.frame)
    connection.execute("CREATE OR REPLACE TEMP TABLE located AS FROM located_frame")
    create_resolved_before(connection, transaction, batch_id)
    ((known_before,),) = connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE located_before AS
            SELECT DISTINCT key, pg_uid FROM located SEMI JOIN resolved_before USING (pg_uid)
                                                     SEMI JOIN {locations} USING (key)"""
    ).fetchall()
    # A group may have some members, and others at an address that failed: it is fetched again.
    still_open = stored_rows(transaction, XREF_GROUP_LOCATION)
    found = connection.execute(
        f"""SELECT url, list([key::VARCHAR, pg_uid, seq::VARCHAR] ORDER BY seq)
            FROM located ANTI JOIN (FROM resolved_before ANTI JOIN {still_open} USING (pg_uid)) USING (pg_uid)
                        JOIN {locations} USING (key)
            GROUP BY url ORDER BY min(seq)"""
    )
    fetched = fetch_members(_read_addresses(found), fetcher, SpoolSet(spools, FETCHER, sizes))
    return RemoteGroups(fetched, known_before="located_before" if known_before else None)


def fetch_members(
    wanted: Iterable[tuple[str, list[RemoteGroup]]], fetcher: GroupFetcher | None, spools: SpoolSet
) -> FetchedGroups:
    """Fetch the members at each address into `spools`, for all groups that name the address."""
    text = pl.String
    columns = {"pg_uid": text, "location": text, "signed": pl.Boolean, "problem": text}
    failed_rows = RowSpool(spools.directory, "unresolved", {**columns, "tried_at": pl.Datetime("us", "UTC")})
    wanted_rows = RowSpool(spools.directory, "located", {"pg_uid": text, "location": text})
    asked = failed = 0
    examples: list[str] = []
    for answer in fetcher.fetch_all(wanted) if fetcher else _refuse_all(wanted):
        asked += 1
        problems = []
        parts_of: dict[bytes, MemberLists | None] = {}
        for group in answer.tag:
            wanted_rows.add(group.pg_uid, answer.location)
            problem, parts = answer.problem, None
            if answer.members is not None:
                array = bytes(answer.members.of(group.key) or b"")
                if array not in parts_of:
                    parts_of[array] = _read_parts(spools, array)
                parts = parts_of[array]
                problem = None if parts else _explain_no_member(answer.location, array)
            if parts:
                spools.add_parts(np.array([group.key], np.uint64), parts, np.array([group.seq], np.uint64))
            else:
                failed_rows.add(group.pg_uid, answer.location, answer.signed, problem, answer.tried_at)
            if problem:
                problems.append(problem)
        failed += bool(problems)
        examples += [problem for problem in dict.fromkeys(problems) if problem not in examples]
        del examples[MAX_EXAMPLES:]
    for spool in (wanted_rows, failed_rows, spools):
        spool.close()
    report = FetchReport(asked, failed, tuple(examples), spools.parts.notes)
    return FetchedGroups(report, wanted_rows.glob, failed_rows.glob)


def _read_parts(spools: SpoolSet, array: bytes) -> MemberLists | None:
    """Return the parts of a provider_groups array, or None if none of them has a tax ID or an NPI."""
    parts = spools.parts.read([array])
    return parts if spools.parts.any_members(parts) else None


def _explain_no_member(location: str, array: bytes) -> str:
    if array:
        return f"{location}: names no member of a provider group; expected provider_groups"
    return f"{location}: has the members of several provider groups, but not those of this one, by their ids"


def record_unresolved(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    batch_id: str,
    fetched: FetchedGroups,
    *,
    keep: bool = False,
) -> None:
    """Record in the store which groups and addresses failed now, in place of what it has about those looked for.

    With `keep` the store's earlier rows stay, for `retry_unresolved` to look at.
    """
    wanted, failed = parquet_rows([fetched.wanted]), parquet_rows([fetched.failed])
    if not connection.execute(f"SELECT 1 FROM {wanted} LIMIT 1").fetchall():
        return
    old = transaction.paths(XREF_GROUP_LOCATION.name)
    columns, replaced = ", ".join(XREF_GROUP_LOCATION.names), failed if keep else wanted
    kept = (
        f"SELECT {columns} FROM {parquet_rows(old)} o ANTI JOIN {replaced} g USING (pg_uid, location) UNION ALL"
        if old
        else ""
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE the_batch AS SELECT ? AS batch_id", [batch_id])
    path = transaction.new_file(XREF_GROUP_LOCATION.name)
    rows = write_query(
        connection,
        path,
        XREF_GROUP_LOCATION,
        f"""SELECT * FROM ({kept}
            SELECT pg_uid, batch_id, location, bool_or(signed) AS signed, any_value(problem) AS problem,
                   max(tried_at) AS tried_at
            FROM {failed}, the_batch GROUP BY ALL)
            ORDER BY {", ".join(XREF_GROUP_LOCATION.order)}""",
    )
    transaction.put(XREF_GROUP_LOCATION.name, path, rows)


def _read_addresses(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, list[RemoteGroup]]]:
    while rows := found.fetchmany(ADDRESSES_PER_FETCH):
        for url, groups in rows:
            yield url, [RemoteGroup(int(key), pg_uid, int(seq)) for key, pg_uid, seq in groups]


def _refuse_all(wanted: Iterable[tuple[str, list[RemoteGroup]]]) -> Iterator[FetchedMembers[list[RemoteGroup]]]:
    """Yield an answer for each address that nobody fetches."""
    for url, groups in wanted:
        location = storable_location(url)
        yield FetchedMembers(
            tag=groups,
            location=location.text,
            signed=location.signed,
            members=None,
            problem=NOT_TRIED,
            tried_at=None,
        )
