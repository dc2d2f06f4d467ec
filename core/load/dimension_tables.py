"""What was read of one file to rows of the store's keyed tables (all but the facts)."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from core.fields.payer_slug import make_payer_slug
from core.load.providers.cross_references import CrossReferences
from core.load.providers.group_index import GroupIndex
from core.load.providers.group_members import FETCHER, NAMED_KEY, WRITER_BITS
from core.load.staging.spool_set import spooled
from core.reference.code_sets.official_titles import prefer_official_titles
from core.reference.nppes.provider_names import new_npi_rows
from core.runtime.workers import Workers, give_back_memory
from core.store.changes.upsert import upsert, upsert_sorted, write_query
from core.store.connection import parquet_list
from core.store.generations.store import Transaction
from core.store.schema.tables import (
    DIM_BATCH,
    DIM_CODE,
    DIM_NPI,
    DIM_PAYER_BRIDGE,
    DIM_POS_SET,
    DIM_PROVIDER_GROUP,
    DIM_REPORTING_ENTITY,
    DIM_TIN,
    REJECTS,
    XREF_BUNDLED_CODE,
    XREF_GROUP_NPI,
    XREF_GROUP_TIN,
    XREF_POS,
    XREF_TIN_NPI,
)
from core.tic.header import Header

SPOOLS = (
    "codes", "bundles", "groups", "rejects", "defined", "group_parts",
    "part_tins", "part_npis", "part_names", "part_invalid",
)  # fmt: skip
"""The spools of `flatten.Spools`."""


@dataclass(frozen=True)
class MemberCounts:
    """Counts of a file's provider groups and of their members."""

    groups: int
    """Groups that facts name."""
    unresolved: int
    """Those of them of which no member is known."""
    unused: int
    """Groups that no kept rate names, left out."""
    group_npis: int
    group_tins: int
    invalid_npis: int

    @property
    def notes(self) -> dict[str, int]:
        """The oddities, for the batch record."""
        return {
            "unresolved_groups": self.unresolved,
            "unused_groups": self.unused,
            "invalid_npi": self.invalid_npis,
        }


def named_keys(directory: Path) -> pl.DataFrame:
    """The keys of ids that are no whole numbers, with the ids: columns key and raw, sorted by key.

    `directory` holds the file's spools. Raises ValueError where two ids share a key, see `members.group_key`.
    """
    spool = pl.scan_parquet(str(directory / "groups-*.parquet")).select("key", "raw")
    found = spool.filter(pl.col("key") >= NAMED_KEY).collect().unique().sort("key")
    if found["key"].n_unique() != len(found):
        raise ValueError("two provider group ids of the file have the same 63 bits of their MD5 sums")
    return found


def resolved_before(connection: duckdb.DuckDBPyConnection, transaction: Transaction, batch_id: str) -> None:
    """Makes the table of the batch's groups whose members are known: it may be in the store for another state."""
    old = transaction.paths(DIM_PROVIDER_GROUP.name)
    found = f"SELECT pg_uid FROM {parquet_list(old)} WHERE batch_id = ? AND resolved" if old else "SELECT ? WHERE false"
    connection.execute("CREATE OR REPLACE TEMP TABLE resolved_before (pg_uid VARCHAR)")
    connection.execute(f"INSERT INTO resolved_before {found}", [batch_id])


class FileTables:
    """The rows of one file, as relations of `connection`, and their way into the store.

    The file's spools stand in `directory`. `used` are the places of the groups that facts name; where it is not given,
    facts name all. `pieces` tells where in the file each piece stood; only the rejects need it.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        transaction: Transaction,
        directory: Path,
        header: Header,
        batch_id: str,
        groups: GroupIndex,
        used: npt.NDArray[np.int32] | None = None,
        pieces: pl.DataFrame | None = None,
    ) -> None:
        self._connection = connection
        self._transaction = transaction
        self._header = header
        self._batch_id = batch_id
        self._slug = make_payer_slug(header.reporting_entity_name)
        self._xrefs = CrossReferences(directory, groups, used)
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE scope AS SELECT ? AS year_month, ? AS payer_slug, ? AS batch_id",
            [header.year_month, self._slug, batch_id],
        )
        frame = groups.frame[self._xrefs.places_by_rank].with_columns(resolved=pl.Series(self._xrefs.resolved))
        connection.register("used_frame", frame)
        connection.execute("CREATE OR REPLACE TEMP TABLE used AS FROM used_frame")
        connection.unregister("used_frame")
        del frame
        give_back_memory()
        if pieces is not None:
            connection.register("pieces", pieces)
        for name in SPOOLS:
            connection.execute(f"CREATE OR REPLACE TEMP VIEW spooled_{name} AS FROM {spooled(directory, name)}")
        connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE invalid_npi AS
               SELECT key, value, min(seq) AS seq, max(part) >> {WRITER_BITS} = {FETCHER} AS fetched
               FROM spooled_group_parts JOIN spooled_part_invalid USING (part) SEMI JOIN used USING (key)
               GROUP BY key, value"""
        )
        resolved_before(connection, transaction, batch_id)

    def add_groups(self, workers: Workers) -> MemberCounts:
        """Puts the groups that facts name, and their members, into the store; a workers shares the work."""
        with ThreadPoolExecutor(1, "xrefs") as pool:
            # The workers writes pairs while the database here writes what there is one row of.
            written = pool.submit(
                self._xrefs.write, self._transaction.work, self._header.year_month, self._slug, workers
            )
            self._add_members()
            pairs = written.result()
        for table in (XREF_GROUP_NPI, XREF_GROUP_TIN, XREF_TIN_NPI):
            upsert_sorted(self._connection, self._transaction, table, pairs[table.name].path)
        groups, unresolved, unused, invalid = self._connection.execute(
            """SELECT (SELECT count(*) FROM used),
                      (SELECT count(*) FROM used ANTI JOIN resolved_before USING (pg_uid) WHERE NOT resolved),
                      (SELECT count(DISTINCT key)
                       FROM (SELECT key FROM spooled_defined UNION ALL SELECT key FROM spooled_groups)
                       ANTI JOIN used USING (key)),
                      (SELECT count(*) FROM invalid_npi)"""
        ).fetchall()[0]
        rows = {name: each.rows for name, each in pairs.items()}
        return MemberCounts(groups, unresolved, unused, rows[XREF_GROUP_NPI.name], rows[XREF_GROUP_TIN.name], invalid)

    def _add_members(self) -> None:
        """Puts the groups, their NPIs and their tax numbers into the store, each for itself."""
        self._connection.register("npis", self._xrefs.npis)
        self._upsert(DIM_NPI, new_npi_rows(self._transaction, "SELECT npi FROM npis"))
        self._connection.register("tins", self._xrefs.tins)
        self._upsert(DIM_TIN, f"FROM tins LEFT JOIN ({self._business_names()}) USING (tin_type, tin_value)")
        self._upsert(
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

    def _business_names(self) -> str:
        """SQL of the first business name of each tax number, for those that have one."""
        if not self._connection.execute("SELECT 1 FROM spooled_part_names LIMIT 1").fetchall():
            return "SELECT NULL AS tin_type, NULL AS tin_value, NULL AS business_name WHERE false"
        return """SELECT tin_type, tin_value, arg_min(business_name, (seq, part)) AS business_name
                  FROM spooled_part_tins JOIN spooled_part_names USING (part)
                  JOIN (SELECT part, min(seq) AS seq FROM spooled_group_parts SEMI JOIN used USING (key) GROUP BY part)
                      USING (part)
                  GROUP BY ALL"""

    def add_codes(self) -> None:
        """Puts the words for the codes that facts use, and the members of bundles, into the store."""
        self._upsert(
            DIM_CODE,
            prefer_official_titles(
                self._transaction,
                """SELECT code_type, code, arg_min(code_desc, seq) AS code_desc, arg_min(name, seq) AS name
                   FROM spooled_codes GROUP BY ALL""",
            ),
        )
        self._upsert(
            XREF_BUNDLED_CODE,
            """SELECT code_type, code, member_code_type, member_code,
                      arg_min(negotiation_arrangement, seq) AS negotiation_arrangement,
                      arg_min(member_description, seq) AS member_description
               FROM spooled_bundles GROUP BY ALL""",
        )

    def add_places(self, pos_sets: dict[str, tuple[str, ...]]) -> None:
        """Puts the sets of places of service that facts use into the store."""
        if not pos_sets:
            return
        frame = pl.DataFrame(
            {"pos_set_id": list(pos_sets), "service_codes": [list(codes) for codes in pos_sets.values()]},
            schema={"pos_set_id": pl.String, "service_codes": pl.List(pl.String)},
        )
        self._connection.register("pos_sets", frame)
        self._upsert(DIM_POS_SET, "FROM pos_sets")
        self._upsert(XREF_POS, "SELECT pos_set_id, unnest(service_codes) AS pos FROM pos_sets")

    def add_payer(self) -> None:
        """Puts the payer into the store."""
        self._upsert_row(
            DIM_REPORTING_ENTITY,
            {
                "payer_slug": self._slug,
                "reporting_entity_name": self._header.reporting_entity_name,
                "reporting_entity_type": self._header.reporting_entity_type,
                "version": self._header.version,
            },
        )
        self._upsert_row(
            DIM_PAYER_BRIDGE,
            {
                "reporting_entity_name_raw": self._header.reporting_entity_name,
                "payer_slug": self._slug,
            },
        )

    def add_batch(self, record: dict[str, Any]) -> None:
        """Puts the batch's record into the store; `rejects`, `notes` and `filters` are dictionaries."""
        texts = {name: json.dumps(record[name], sort_keys=True) for name in ("rejects", "notes", "filters")}
        self._upsert_row(DIM_BATCH, {**record, **texts})

    def add_rejects(self) -> None:
        """Puts what was left out, the NPIs that are none among it, with the batch's rejects."""
        put_rejects(
            self._connection,
            self._transaction,
            self._batch_id,
            """WITH placed AS (
                   SELECT r.*, first_rate,
                          "array" || '[' || (first_element + (seq & 4294967295)) || ']' || suffix AS element
                   FROM (SELECT reason, seq, rate, price, value, rows, '' AS suffix FROM spooled_rejects
                         UNION ALL
                         SELECT 'invalid_npi', seq, NULL, NULL, value, 0, if(fetched, '.location', '')
                         FROM invalid_npi) r
                   JOIN pieces ON number = seq >> 32)
               SELECT reason, value, rows,
                      element || coalesce('.negotiated_rates[' || (first_rate + rate) || ']', '')
                      || coalesce('.negotiated_prices[' || price || ']', '') AS place
               FROM placed""",
        )

    def _upsert_row(self, table: Any, row: dict[str, Any]) -> None:
        self._connection.register("one_row", pl.DataFrame([row], schema_overrides=_text_for_nulls(row)))
        self._upsert(table, "FROM one_row", keep="new")

    def _upsert(self, table: Any, sql: str, keep: Any = "old") -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW new_rows AS {sql}")
        upsert(self._connection, self._transaction, table, "new_rows", keep=keep)


def put_rejects(connection: duckdb.DuckDBPyConnection, transaction: Transaction, batch_id: str, rejects: str) -> None:
    """Puts rejects (SQL of REJECTS's columns) into the batch's file of them.

    What an earlier load of the file has found, for another state or filter, is true of it still and stays.
    """
    old = transaction.base.rejects.get(batch_id)
    before = f"UNION BY NAME FROM {parquet_list([str(transaction.root / old.path)])}" if old else ""
    path: Path = transaction.new_file(f"rejects.{batch_id}")
    rows = write_query(connection, path, REJECTS, f"{rejects} {before} ORDER BY {', '.join(REJECTS.names)}")
    transaction.put_rejects(batch_id, path, rows)


def _text_for_nulls(row: dict[str, Any]) -> dict[str, Any]:
    return {name: pl.String for name, value in row.items() if value is None}
