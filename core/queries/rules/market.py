"""Which rates a question is about: state, month, code and filters, as a WHERE clause with bound parameters."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any

from core.queries.rules.columns import Month, State, described
from core.store.connection import Snapshot
from core.store.generations.manifest import BY_GROUP
from core.store.schema.tables import FACT_RATE

NO_MODIFIER = "none"
"""The value of `modifier` that asks for rates without any."""

NOT_STATED = "unstated"
"""The value of a filter that asks for rates whose file does not state it."""

_WHOSE = ("network", "npi", "tin")
"""What narrows a market by whose the rates are."""

FILTERS = {
    "payer": "payer",
    "pos": "place",
    "billing_class": "class",
    "modifier": "modifier",
    "setting": "setting",
    "negotiated_type": "type",
    "arrangement": "arrangement",
    "network": "network",
    "npi": "NPI",
    "tin": "tax number",
}
"""What narrows a market beside state, month and code, and what pages call it."""


@dataclass(frozen=True)
class Market:
    """A selection of rates by state, month, code and filters. A filter that is not set does not narrow it.

    `payer` is a payer_slug; `pos` also matches sets with CSTM-00 (every place); `modifier` is one modifier of the rate,
    or NO_MODIFIER. `billing_class`, `setting`, `negotiated_type` and `arrangement` may be NOT_STATED. An empty
    `year_month` selects every month.
    """

    state: State
    year_month: Month
    code_type: Annotated[str | None, described("Code system.", "CPT")] = None
    code: Annotated[str | None, described("Billing code.", "99213")] = None
    payer: Annotated[str | None, described("Key of the payer, as `payer_slug` has it.", None)] = None
    pos: Annotated[str | None, described("Place of service; also matches rates for every place (CSTM-00).", None)] = (
        None
    )
    billing_class: Annotated[str | None, described("Billing class.", None)] = None
    modifier: Annotated[str | None, described("One modifier, or `none` for rates without one.", None)] = None
    setting: Annotated[str | None, described("Setting.", None)] = None
    negotiated_type: Annotated[str | None, described("Type of rate.", None)] = None
    arrangement: Annotated[str | None, described("Arrangement.", None)] = None
    network: Annotated[str | None, described("Name of a network.", None)] = None
    npi: Annotated[str | None, described("NPI.", None)] = None
    tin: Annotated[str | None, described("Tax ID (TIN).", None)] = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The values that `where` binds."""
        return {name: value for name in CONDITIONS if (value := getattr(self, name))}

    @property
    def where(self) -> str:
        """The condition on fact_rate AS f. Every value is a named parameter."""
        every = " AND ".join(CONDITIONS[name] for name in self.parameters)
        return every if self.year_month else every.replace(_IN_MONTH, "")

    @property
    def in_any_month(self) -> "Market":
        """The same in all months of its state."""
        return replace(self, year_month="")

    @property
    def unfiltered(self) -> "Market":
        """The market of the same state, month, code and groups, without what else narrows it."""
        whose = {name: getattr(self, name) for name in _WHOSE}
        return Market(self.state, self.year_month, self.code_type, self.code, **whose)

    def without(self, name: str) -> "Market":
        """The market without one of its filters."""
        return Market(**{**vars(self), name: None})


@contextmanager
def market_cache(db: Snapshot, market: Market) -> Iterator[Snapshot]:
    """Yield the generation with `counted_rate` of the unfiltered market, where that is one code's or one provider's.

    Every question about the market has the same answer there, and is answered sooner: many facts differ only in whose
    they are. Filters, orders and pages that a visitor asks for next find the rows in memory.
    """
    if market.code is None and market.npi is None and market.tin is None:
        yield db
        return
    facts = market.unfiltered
    of_provider = market.code is None
    with db.market_snapshot(facts.where, facts.parameters, BY_GROUP if of_provider else FACT_RATE.name) as cached:
        yield cached


def counted_rates(db: Snapshot, market: Market) -> tuple[str, dict[str, Any]]:
    """Return SQL that selects the market's rates, and its parameters. A row stands for `rate_count` rates.

    The columns are those of `counted_rate`, see `Snapshot.market_snapshot`; all of the fact's where `db` has no cache.
    """
    if db.market_values is None:
        return f"(SELECT f.*, 1 AS rate_count FROM fact_rate f WHERE {market.where})", market.parameters
    if any(db.market_values.get(name) != getattr(market, name) for name in _WHOSE):
        raise ValueError("the cache is of another market")
    filters = {name: value for name, value in market.parameters.items() if name not in _WHOSE}
    where = " AND ".join(CONDITIONS[name] for name in filters)
    return f"(SELECT * FROM counted_rate f WHERE {where})", filters


def _stated(column: str, name: str) -> str:
    return f"coalesce(f.{column}, '{NOT_STATED}') = ${name}"


_IN_MONTH = "year_month = $year_month AND "
"""What narrows a look into another table to the market's month, where it has one: a group belongs to one month."""

CONDITIONS = {
    "state": "f.state = $state",
    "year_month": "f.year_month = $year_month",
    "code_type": "f.code_type = $code_type",
    "code": "f.code = $code",
    "payer": """f.reporting_entity_name IN (
                    SELECT reporting_entity_name_raw FROM dim_payer_bridge WHERE payer_slug = $payer)""",
    "pos": "f.pos_set_id IN (SELECT pos_set_id FROM xref_pos WHERE pos IN ($pos, 'CSTM-00'))",
    "billing_class": _stated("billing_class", "billing_class"),
    "modifier": f"""CASE WHEN $modifier = '{NO_MODIFIER}' THEN f.billing_code_modifier = ''
                    ELSE list_contains(string_split(f.billing_code_modifier, ','), $modifier) END""",
    "setting": _stated("setting", "setting"),
    "negotiated_type": _stated("negotiated_type", "negotiated_type"),
    "arrangement": _stated("negotiation_arrangement", "arrangement"),
    # A set of groups, not a join: a rate that 30 NPIs share stays one rate.
    "network": f"""f.pg_uid IN (
                      SELECT pg_uid FROM dim_provider_group
                      WHERE {_IN_MONTH}list_contains(network_names, $network))""",
    "npi": f"f.pg_uid IN (SELECT pg_uid FROM xref_group_npi WHERE {_IN_MONTH}npi = $npi)",
    "tin": f"f.pg_uid IN (SELECT pg_uid FROM xref_group_tin WHERE {_IN_MONTH}tin_value = $tin)",
}
"""Each filter's condition on fact_rate AS f."""
