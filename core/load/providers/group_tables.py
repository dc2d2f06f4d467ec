"""Write a file's provider groups and their members into the store."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from core.load.batch.rejects import LEFT_OUT
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.providers.cross_references import (
    CrossReferenceFile,
    KeptMembers,
    index_members,
    write_cross_references,
)
from core.load.providers.group_index import GroupIndex
from core.load.staging.group_key_set import union
from core.load.staging.group_members import FETCHER, WRITER_BITS
from core.load.table_writer import TableWriter
from core.reference.nppes.provider_names import new_npi_rows
from core.reference.organizations.roll_up import put_organizations
from core.reference.places.group_areas import put_group_areas
from core.reference.profiles.group_specialties import put_group_specialties
from core.reference.profiles.provider_profiles import put_profiles
from core.runtime.workers import Workers, give_back_memory
from core.store.changes.upsert import upsert_sorted
from core.store.generations.store import Transaction
from core.store.schema.tables import (
    DIM_NPI,
    DIM_PROVIDER_GROUP,
    DIM_TIN,
    XREF_GROUP_NPI,
    XREF_GROUP_TIN,
    XREF_TIN_NPI,
)
from core.store.sql import parquet_rows, quote


@dataclass(frozen=True)
class BatchScope:
    """The columns that all rows of a file's groups have in common."""

    batch_id: str
    payer_slug: str
    year_month: str


@dataclass(frozen=True)
class MemberCounts:
    """The number of a file's provider groups and of their members."""

    groups: int
    """Groups that facts name."""
    unresolved: int
    """Groups among them without any known member."""
    unused: int
    """Groups that no fact names. They are left out."""
    group_npis: int
    group_tins: int
    left_out: dict[str, int]
    """How many values were left out of groups, by reason: values that are not NPIs, not tax numbers, or not objects,
    once for each group, and groups from which a person's tax number was withheld."""

    @property
    def invalid_npis(self) -> int:
        """Return how many values are not NPIs, once for each group."""
        return self.left_out.get("invalid_npi", 0)

    @property
    def notes(self) -> dict[str, int]:
        """Return the oddities, for the batch record."""
        return {"unresolved_groups": self.unresolved, "unused_groups": self.unused, **self.left_out_notes}

    @property
    def left_out_notes(self) -> dict[str, int]:
        """Return what was left out of groups, by the name of the note that counts it."""
        return {LEFT_OUT.get(reason, reason): count for reason, count in self.left_out.items()}


def write_group_tables(
    writer: TableWriter,
    spools: Path,
    groups: GroupIndex,
    used: Sequence[npt.NDArray[np.int32] | None],
    scope: BatchScope,
    workers: Workers,
    sizes: LoadSizes = DEFAULT_SIZES,
) -> list[MemberCounts]:
    """Write groups and their members, and return how many there are.

    `used` has the positions of the groups that each state's facts name (None for all groups). Groups of any of them are
    written, and each is counted by itself. The views of `spools` exist. Leave the relation `odd_values` behind, for the
    file's rejects.
    """
    each_used = [positions for positions in used if positions is not None]
    members = index_members(spools, groups, union(each_used) if len(each_used) == len(used) else None, sizes)
    _create_relations(writer, groups, members, scope)
    with ThreadPoolExecutor(1, "cross-references") as pool:
        # Workers write the pairs. Meanwhile this process's DuckDB writes the tables of one row per group or member.
        pending = pool.submit(
            write_cross_references,
            members,
            writer.transaction.work,
            workers,
            year_month=scope.year_month,
            payer_slug=scope.payer_slug,
            sizes=sizes,
        )
        _write_members(writer, members)
        _write_groups(writer)
        pairs = pending.result()
    every_pair = _all_pairs(writer, str(pairs[XREF_GROUP_NPI.name].path), scope)
    with ThreadPoolExecutor(1, "organizations") as pool, writer.connection.cursor() as other:
        # What follows from the members by tax ID, beside what follows from them by group: no table is of both.
        by_tin = pool.submit(_put_tins, other, writer.transaction, pairs[XREF_TIN_NPI.name].path)
        put_group_areas(writer.connection, writer.transaction, every_pair)
        put_profiles(writer.connection, writer.transaction, every_pair)
        put_group_specialties(writer.connection, writer.transaction, every_pair)
        counts = _count_members(writer.connection, groups, used, pairs)
        for table in (XREF_GROUP_NPI, XREF_GROUP_TIN):
            upsert_sorted(writer.connection, writer.transaction, table, pairs[table.name].path)
        by_tin.result()
    return counts


def _put_tins(connection: duckdb.DuckDBPyConnection, transaction: Transaction, pairs: Path) -> None:
    upsert_sorted(connection, transaction, XREF_TIN_NPI, pairs)
    put_organizations(connection, transaction)


def create_resolved_before(connection: duckdb.DuckDBPyConnection, transaction: Transaction, batch_id: str) -> None:
    """Create the table `resolved_before` of the batch's groups with known members.

    There are some if the file was loaded before, for another state or with another filter.
    """
    old = transaction.paths(DIM_PROVIDER_GROUP.name)
    found = f"SELECT pg_uid FROM {parquet_rows(old)} WHERE batch_id = ? AND resolved" if old else "SELECT ? WHERE false"
    connection.execute("CREATE OR REPLACE TEMP TABLE resolved_before (pg_uid VARCHAR)")
    connection.execute(f"INSERT INTO resolved_before {found}", [batch_id])


def _create_relations(writer: TableWriter, groups: GroupIndex, members: KeptMembers, scope: BatchScope) -> None:
    """Create the relations that the statements of this module read: scope, used, odd_values, resolved_before."""
    connection = writer.connection
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE scope AS SELECT ? AS year_month, ? AS payer_slug, ? AS batch_id",
        [scope.year_month, scope.payer_slug, scope.batch_id],
    )
    frame = groups.frame[members.positions_by_rank].with_columns(resolved=pl.Series(members.resolved))
    connection.register("used_frame", frame)
    connection.execute("CREATE OR REPLACE TEMP TABLE used AS FROM used_frame")
    connection.unregister("used_frame")
    del frame
    give_back_memory()
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE odd_values AS
            SELECT key, reason, value, min(seq) AS seq, max(part) >> {WRITER_BITS} = {FETCHER} AS fetched
            FROM spooled_group_parts JOIN spooled_part_odd_values USING (part) SEMI JOIN used USING (key)
            GROUP BY key, reason, value"""
    )
    create_resolved_before(connection, writer.transaction, scope.batch_id)


def _all_pairs(writer: TableWriter, new: str, scope: BatchScope) -> str:
    """Return SQL of all known pairs of these groups and NPIs: the new ones, and those that an earlier load wrote."""
    stored = writer.transaction.paths(XREF_GROUP_NPI.name)
    if not stored or not writer.connection.execute("SELECT 1 FROM resolved_before LIMIT 1").fetchall():
        return parquet_rows([new])
    return f"""(FROM {parquet_rows([new])} UNION
                FROM {parquet_rows(stored)}
                WHERE year_month = {quote(scope.year_month)} AND payer_slug = {quote(scope.payer_slug)}
                    AND pg_uid IN (SELECT pg_uid FROM resolved_before))"""


def _write_members(writer: TableWriter, members: KeptMembers) -> None:
    writer.connection.register("npis", members.npis)
    writer.upsert(DIM_NPI, new_npi_rows(writer.transaction, "SELECT npi FROM npis"))
    writer.connection.register("tins", members.tins)
    names = _business_names_sql(writer.connection)
    writer.upsert(DIM_TIN, f"FROM tins LEFT JOIN ({names}) USING (tin_type, tin_value)")


def _write_groups(writer: TableWriter) -> None:
    writer.upsert(
        DIM_PROVIDER_GROUP,
        """WITH networks AS (
                SELECT key, list_sort(list_distinct(flatten(list(network_names)))) AS network_names
                FROM spooled_groups WHERE len(network_names) > 0 GROUP BY key)
            SELECT pg_uid, batch_id, payer_slug, year_month, raw AS provider_group_id_raw,
                   coalesce(network_names, []) AS network_names,
                   resolved OR pg_uid IN (FROM resolved_before) AS resolved
            FROM used LEFT JOIN networks USING (key), scope""",
        keep="new",
    )


def _business_names_sql(connection: duckdb.DuckDBPyConnection) -> str:
    """Return SQL for the first business name of each tax ID that has one."""
    # Most payers publish none, and the joins below would read all pairs of groups and parts for nothing.
    if not connection.execute("SELECT 1 FROM spooled_part_names LIMIT 1").fetchall():
        return "SELECT NULL AS tin_type, NULL AS tin_value, NULL AS business_name WHERE false"
    return """SELECT tin_type, tin_value, arg_min(business_name, (seq, part)) AS business_name
              FROM spooled_part_tins JOIN spooled_part_names USING (part)
              JOIN (SELECT part, min(seq) AS seq FROM spooled_group_parts SEMI JOIN used USING (key) GROUP BY part)
                  USING (part)
              GROUP BY ALL"""


def _count_members(
    connection: duckdb.DuckDBPyConnection,
    groups: GroupIndex,
    used: Sequence[npt.NDArray[np.int32] | None],
    pairs: Mapping[str, CrossReferenceFile],
) -> list[MemberCounts]:
    """Return the counts for each of `used`."""
    keys = [np.asarray(groups.keys if positions is None else groups.keys[positions]) for positions in used]
    numbers = np.repeat(np.arange(len(keys)), [len(each) for each in keys])
    frame = pl.DataFrame({"number": numbers, "key": np.concatenate(keys)})
    connection.register("counted_groups", frame)
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE defined_keys AS
           SELECT DISTINCT key FROM (SELECT key FROM spooled_defined UNION ALL SELECT key FROM spooled_groups)"""
    )
    rows = connection.execute(
        """SELECT number, count(*), count(*) FILTER (NOT resolved AND b.pg_uid IS NULL), count(d.key)
           FROM counted_groups JOIN used u USING (key) LEFT JOIN resolved_before b USING (pg_uid)
                LEFT JOIN defined_keys d USING (key) GROUP BY number"""
    ).fetchall()
    ((defined,),) = connection.execute("SELECT count(*) FROM defined_keys").fetchall()
    found = {number: counts for number, *counts in rows}
    members = [_count_pairs(connection, pairs[table.name], len(used)) for table in (XREF_GROUP_NPI, XREF_GROUP_TIN)]
    left_out: list[dict[str, int]] = [{} for _ in used]
    for number, reason, count in connection.execute(
        "SELECT number, reason, count(*) FROM counted_groups JOIN odd_values USING (key) GROUP BY ALL"
    ).fetchall():
        left_out[number][reason] = count
    connection.unregister("counted_groups")
    counted = []
    for number in range(len(used)):
        named, unresolved, defined_here = found.get(number, (0, 0, 0))
        counted.append(
            MemberCounts(
                groups=named,
                unresolved=unresolved,
                unused=defined - defined_here,
                group_npis=members[0][number],
                group_tins=members[1][number],
                left_out=left_out[number],
            )
        )
    return counted


def _count_pairs(connection: duckdb.DuckDBPyConnection, pairs: CrossReferenceFile, states: int) -> list[int]:
    """Return the number of pairs of each state's groups."""
    if states == 1:
        return [pairs.rows]
    rows = connection.execute(
        f"""SELECT number, sum(pairs)::BIGINT FROM counted_groups JOIN used USING (key)
            JOIN (SELECT pg_uid, count(*) AS pairs FROM {parquet_rows([str(pairs.path)])} GROUP BY ALL) USING (pg_uid)
            GROUP BY number"""
    ).fetchall()
    found = dict(rows)
    return [found.get(number, 0) for number in range(states)]
