"""The health plans whose rates a file contains."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from core.fields.texts.text import fit_text
from core.store.schema.tables import XREF_BATCH_PLAN
from core.tic.key_spelling import respell


class Plan(NamedTuple):
    """A plan as a table of contents or a file names it; empty text for what is not stated."""

    plan_name: str
    plan_id_type: str
    plan_id: str
    plan_market_type: str
    issuer_name: str = ""
    plan_sponsor_name: str = ""

    @property
    def label(self) -> str:
        """Return the plan in a few words."""
        both = self.plan_name and self.plan_id
        return f"{self.plan_name} ({self.plan_id})" if both else self.plan_name or self.plan_id


def parse_plan(fields: Mapping[str, Any]) -> tuple[Plan | None, int]:
    """Return the plan that an object's fields name, None if they name none, and what was done to its texts.

    That is SHORTENED and CLEANED, as bits.
    """
    found, _ = respell(fields, Plan._fields)
    fitted = {name: fit_text(found.get(name), XREF_BATCH_PLAN.column(name).longest) for name in Plan._fields}
    texts = {name: text or "" for name, (text, _) in fitted.items()}
    if not texts["plan_name"] and not texts["plan_id"]:
        return None, 0
    for name in ("plan_id_type", "plan_market_type"):
        texts[name] = texts[name].lower()
    return Plan(**texts), reduce(or_, (done for _, done in fitted.values()))
