"""Which rates a question is about: state, month, code and filters, as a WHERE clause with bound parameters."""

from dataclasses import dataclass
from typing import Any

NO_MODIFIER = "none"
"""The value of `modifier` that asks for rates without any."""


@dataclass(frozen=True)
class Market:
    """A selection of facts. What is None does not narrow it.

    `payer` is a payer_slug; `pos` a place of service, which also matches the sets that hold CSTM-00 (every place);
    `modifier` one modifier of the set, or NO_MODIFIER.
    """

    state: str
    year_month: str
    code_type: str | None = None
    code: str | None = None
    payer: str | None = None
    pos: str | None = None
    billing_class: str | None = None
    modifier: str | None = None
    npi: str | None = None
    tin: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The values that `where` binds."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @property
    def where(self) -> str:
        """The condition on fact_rate AS f. Every value is a named parameter."""
        return " AND ".join(sql for name, sql in _CONDITIONS.items() if getattr(self, name) is not None)


_CONDITIONS = {
    "state": "f.state = $state",
    "year_month": "f.year_month = $year_month",
    "code_type": "f.code_type = $code_type",
    "code": "f.code = $code",
    "payer": """f.reporting_entity_name IN (
                    SELECT reporting_entity_name_raw FROM dim_payer_bridge WHERE payer_slug = $payer)""",
    "pos": "f.pos_set_id IN (SELECT pos_set_id FROM xref_pos WHERE pos IN ($pos, 'CSTM-00'))",
    "billing_class": "f.billing_class = $billing_class",
    "modifier": f"""CASE WHEN $modifier = '{NO_MODIFIER}' THEN f.billing_code_modifier = ''
                    ELSE list_contains(string_split(f.billing_code_modifier, ','), $modifier) END""",
    # A set of groups, not a join: a rate that 30 NPIs share stays one rate.
    "npi": "f.pg_uid IN (SELECT pg_uid FROM xref_group_npi WHERE npi = $npi AND year_month = $year_month)",
    "tin": "f.pg_uid IN (SELECT pg_uid FROM xref_group_tin WHERE tin_value = $tin AND year_month = $year_month)",
}
