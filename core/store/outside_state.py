"""Which rates are of providers in other states: a payer's national file has them beside those of each state."""

GROUP_STATE = "group_state"
"""The table, made from group_states_sql, that IS_OUTSIDE_STATE reads."""

IS_OUTSIDE_STATE = f"""f.pg_uid IN (SELECT pg_uid FROM {GROUP_STATE})
    AND NOT EXISTS (FROM {GROUP_STATE} s WHERE s.pg_uid = f.pg_uid AND s.state = f.state)"""
"""SQL of whether nobody of the group of a fact f practices in its state, though it is known where somebody does.

Where it is not known, the rate may be the state's: it is not outside.
"""


def group_states_sql(members: str, npis: str) -> str:
    """Return SQL of the states (two letters) where providers of a group practice, by their main address: pg_uid, state.

    `members` is SQL of rows of xref_group_npi, and `npis` of dim_npi.
    """
    return f"""SELECT DISTINCT pg_uid, state FROM {members} JOIN {npis} USING (npi) WHERE state IS NOT NULL"""
