"""Write the rest of what a file says into the store: its codes, places of service, payer, rejects, and batch record."""

import json
from collections.abc import Iterable

import polars as pl

from core.load.batch.batch_record import BatchRecord
from core.load.batch.rejects import put_rejects
from core.load.table_writer import TableWriter
from core.reference.code_sets.official_titles import prefer_official_titles
from core.store.schema.tables import (
    DIM_BATCH,
    DIM_CODE,
    DIM_PAYER_BRIDGE,
    DIM_POS_SET,
    DIM_REPORTING_ENTITY,
    XREF_BUNDLED_CODE,
    XREF_POS,
)
from core.tic.header import Header


def write_codes(writer: TableWriter) -> None:
    """Write the texts about the codes that facts use, and the members of bundles."""
    writer.upsert(
        DIM_CODE,
        prefer_official_titles(
            writer.transaction,
            """SELECT code_type, code, arg_min(code_desc, seq) AS code_desc, arg_min(name, seq) AS name
               FROM spooled_codes GROUP BY ALL""",
        ),
    )
    writer.upsert(
        XREF_BUNDLED_CODE,
        """SELECT code_type, code, member_code_type, member_code,
                  arg_min(negotiation_arrangement, seq) AS negotiation_arrangement,
                  arg_min(member_description, seq) AS member_description
           FROM spooled_bundles GROUP BY ALL""",
    )


def write_places(writer: TableWriter, pos_sets: dict[str, tuple[str, ...]]) -> None:
    """Write the sets of places of service that prices use, given by id."""
    if not pos_sets:
        return
    frame = pl.DataFrame(
        {"pos_set_id": list(pos_sets), "service_codes": [list(codes) for codes in pos_sets.values()]},
        schema={"pos_set_id": pl.String, "service_codes": pl.List(pl.String)},
    )
    writer.connection.register("pos_sets", frame)
    writer.upsert(DIM_POS_SET, "FROM pos_sets")
    writer.upsert(XREF_POS, "SELECT pos_set_id, unnest(service_codes) AS pos FROM pos_sets")


def write_payer(writer: TableWriter, header: Header, payer_slug: str) -> None:
    """Write the payer."""
    writer.upsert_rows(
        DIM_REPORTING_ENTITY,
        [
            {
                "payer_slug": payer_slug,
                "reporting_entity_name": header.reporting_entity_name,
                "reporting_entity_type": header.reporting_entity_type,
                "version": header.version,
            }
        ],
    )
    writer.upsert_rows(
        DIM_PAYER_BRIDGE, [{"reporting_entity_name_raw": header.reporting_entity_name, "payer_slug": payer_slug}]
    )


def write_rejects(writer: TableWriter, batch_id: str, pieces: pl.DataFrame) -> None:
    """Write what was left out of the file, values of provider groups included.

    `pieces` says where each piece is in the file. An element's position is that of its piece's first element plus the
    element's position in the piece, which is the lower half of `seq`.
    """
    writer.connection.register("pieces", pieces)
    put_rejects(
        writer.connection,
        writer.transaction,
        batch_id,
        """WITH placed AS (
               SELECT r.*, first_rate,
                      "array" || '[' || (first_element + (seq & 4294967295)) || ']' || suffix AS element
               FROM (SELECT reason, seq, rate, price, value, rows, '' AS suffix FROM spooled_rejects
                     UNION ALL
                     SELECT reason, seq, NULL, NULL, value, 0, if(fetched, '.location', '')
                     FROM odd_values) r
               JOIN pieces ON number = seq >> 32)
           SELECT reason, value, rows,
                  element || coalesce('.negotiated_rates[' || (first_rate + rate) || ']', '')
                  || coalesce('.negotiated_prices[' || price || ']', '') AS place
           FROM placed""",
    )


def write_batches(writer: TableWriter, records: Iterable[BatchRecord]) -> None:
    """Write the batch's records, one for each state. Their `rejects`, `notes`, and `filters` become JSON text."""
    rows = [
        {**record, **{name: json.dumps(record[name], sort_keys=True) for name in ("rejects", "notes", "filters")}}
        for record in records
    ]
    writer.upsert_rows(DIM_BATCH, rows)
