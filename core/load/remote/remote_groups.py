"""The provider groups of a file whose members are elsewhere on the web: their members into the file's spools, and what
could not be had into the store, so that it can be tried again without reading the rates.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import polars as pl

from core.load.dimension_tables import resolved_before
from core.load.providers.group_index import GroupIndex
from core.load.providers.group_members import FETCHER
from core.load.remote.fetch_groups import NOT_TRIED, FetchedMembers, FetchReport, GroupFetcher, stored
from core.load.staging.row_spool import RowSpool
from core.load.staging.spool_set import SpoolSet
from core.store.changes.upsert import write_query
from core.store.connection import parquet_list, stored_rows
from core.store.generations.store import Transaction
from core.store.schema.tables import XREF_GROUP_LOCATION

_AT_ONCE = 1000


class Group(NamedTuple):
    """A provider group, and which of the file's definitions names the address: its `seq` in the file's spools."""

    key: int
    pg_uid: str
    seq: int


class Unresolved:
    """The groups whose members were looked for, and the addresses where they could not be had, spooled to disk."""

    def __init__(self, directory: Path) -> None:
        text = pl.String
        columns = {"pg_uid": text, "location": text, "signed": pl.Boolean, "problem": text}
        self._failed = RowSpool(directory, "unresolved", {**columns, "tried_at": pl.Datetime("us", "UTC")})
        self._wanted = RowSpool(directory, "located", {"pg_uid": text, "location": text})

    def fetch(
        self, wanted: Iterable[tuple[str, list[Group]]], locations: GroupFetcher | None, spools: SpoolSet
    ) -> FetchReport:
        """Puts the members that are to be had at the addresses into `spools`; none are without `locations`."""
        report = FetchReport()
        answers = locations.fetch_all(wanted) if locations else _not_tried(wanted)
        for answer in answers:
            parts = spools.parts.of([bytes(answer.groups)]) if answer.groups else None
            if answer.groups is not None and not (parts and spools.parts.any_members(parts)):
                problem = f"{answer.location}: names no member of a provider group; expected provider_groups"
                answer, parts = replace(answer, problem=problem), None  # noqa: PLW2901 - it is no answer
            report.count(answer)
            for group in answer.tag:
                self._wanted.add(group.pg_uid, answer.location)
                if parts:
                    spools.add_parts(np.array([group.key], np.uint64), parts, np.array([group.seq], np.uint64))
                else:
                    failed = answer.location, answer.signed, answer.problem, answer.tried_at
                    self._failed.add(group.pg_uid, *failed)
        for spool in (self._wanted, self._failed):
            spool.close()
        spools.close()
        return report

    def put(
        self, connection: duckdb.DuckDBPyConnection, transaction: Transaction, batch_id: str, *, keep: bool = False
    ) -> None:
        """Makes the store's list of what is unresolved hold of these groups and addresses just what failed now.

        With `keep` what was there stays as well, for `resolve` to look at.
        """
        wanted, failed = parquet_list([self._wanted.glob]), parquet_list([self._failed.glob])
        if not connection.execute(f"SELECT 1 FROM {wanted} LIMIT 1").fetchall():
            return
        old = transaction.paths(XREF_GROUP_LOCATION.name)
        columns, gone = ", ".join(XREF_GROUP_LOCATION.names), failed if keep else wanted
        kept = (
            f"SELECT {columns} FROM {parquet_list(old)} o ANTI JOIN {gone} g USING (pg_uid, location) UNION ALL"
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


class RemoteGroups:
    """The groups of one file that is being loaded."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, transaction: Transaction, directory: Path, batch_id: str
    ) -> None:
        self._connection = connection
        self._transaction = transaction
        self._directory = directory
        self._batch_id = batch_id
        self._unresolved = Unresolved(directory)
        self._any = False
        self.known_before: str | None = None
        """The table (key, pg_uid) of groups whose members the store has already; None for none."""

    def fetch(self, locations: GroupFetcher | None, groups: GroupIndex) -> FetchReport | None:
        """Fetches the members of groups, unless all of them are known already.

        The members go to the file's spools, in `directory`.
        """
        there = parquet_list([str(self._directory / "locations-*.parquet")])
        self._any = bool(self._connection.execute(f"SELECT 1 FROM {there} LIMIT 1").fetchall())
        if not self._any:
            return None
        self._connection.register("located_frame", groups.frame)
        self._connection.execute("CREATE OR REPLACE TEMP TABLE located AS FROM located_frame")
        resolved_before(self._connection, self._transaction, self._batch_id)
        known = self._connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE located_before AS
                SELECT DISTINCT key, pg_uid FROM located SEMI JOIN resolved_before USING (pg_uid)
                                                         SEMI JOIN {there} USING (key)"""
        ).fetchall()
        self.known_before = "located_before" if known[0][0] else None
        still_open = stored_rows(self._transaction, XREF_GROUP_LOCATION)
        found = self._connection.execute(
            f"""SELECT url, list([key::VARCHAR, pg_uid, seq::VARCHAR] ORDER BY seq)
                FROM located ANTI JOIN (FROM resolved_before ANTI JOIN {still_open} USING (pg_uid)) USING (pg_uid)
                            JOIN {there} USING (key)
                GROUP BY url ORDER BY min(seq)"""
        )
        return self._unresolved.fetch(_addresses(found), locations, SpoolSet(self._directory, FETCHER))

    def add_unresolved(self, *, keep: bool) -> None:
        """Puts what could not be had into the store; `keep` where what was missing before is to be looked at again."""
        if self._any:
            self._unresolved.put(self._connection, self._transaction, self._batch_id, keep=keep)


def _addresses(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, list[Group]]]:
    while rows := found.fetchmany(_AT_ONCE):
        for url, groups in rows:
            yield url, [Group(int(key), pg_uid, int(seq)) for key, pg_uid, seq in groups]


def _not_tried(wanted: Iterable[tuple[str, list[Group]]]) -> Iterator[FetchedMembers[list[Group]]]:
    for url, groups in wanted:
        yield FetchedMembers(groups, *stored(url), None, NOT_TRIED, None)
