"""Prefer official titles to the payers' descriptions of the same code, whichever was loaded first."""

from core.store.generations.store import Transaction
from core.store.schema.tables import DIM_CODE_OFFICIAL
from core.store.sql import stored_rows


def prefer_official_titles(transaction: Transaction, rows: str, official: str | None = None) -> str:
    """Return SQL of rows of dim_code (`rows` is SQL of them) with official titles where there are any.

    `official` is SQL of dim_code_official's rows (default: as stored). No official title belongs to CPT itself, but
    payers also label level II codes CPT, so a CPT row takes the title of the HCPCS code.
    """
    return f"""SELECT r.code_type, r.code, coalesce(o.code_desc, r.code_desc) AS code_desc,
                      coalesce(o.name, r.name) AS name
               FROM ({rows}) r LEFT JOIN {official or stored_rows(transaction, DIM_CODE_OFFICIAL)} o
               ON o.code = r.code AND o.code_type = CASE r.code_type WHEN 'CPT' THEN 'HCPCS' ELSE r.code_type END"""
