"""Official titles go before payers' words for the same code, whichever is loaded first."""

from core.store.connection import stored_rows
from core.store.generations.store import Transaction
from core.store.schema.tables import DIM_CODE_OFFICIAL


def prefer_official_titles(transaction: Transaction, rows: str, official: str | None = None) -> str:
    """SQL of rows of dim_code (`rows` is SQL with its columns) with official titles in place of the payers' words.

    `official` is SQL of dim_code_official's rows; as the store has them where it is not given. Payers label HCPCS
    level II codes CPT as well; no official title is CPT's own.
    """
    return f"""SELECT r.code_type, r.code, coalesce(o.code_desc, r.code_desc) AS code_desc,
                      coalesce(o.name, r.name) AS name
               FROM ({rows}) r LEFT JOIN {official or stored_rows(transaction, DIM_CODE_OFFICIAL)} o
               ON o.code = r.code AND o.code_type = CASE r.code_type WHEN 'CPT' THEN 'HCPCS' ELSE r.code_type END"""
