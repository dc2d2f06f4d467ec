"""Health plans: which files their rates are in, with the networks and payers. A file is listed for many plans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from core.queries.rules.columns import (
    FileName,
    GroupCount,
    Month,
    NetworkNames,
    PayerName,
    PayerSlug,
    State,
    described,
    stored,
)
from core.queries.rules.folded_names import contains_words, folded_sql
from core.queries.rules.named_rows import fetch_page, read_page, read_rows
from core.store.connection import Snapshot
from core.store.schema.tables import DIM_BATCH, XREF_BATCH_PLAN

MAX_KEPT_PLANS = 100_000
"""So many rows of plans with their files are kept in memory for the search box. Of more, each search reads them."""


@dataclass(frozen=True)
class HealthPlan:
    """A plan as tables of contents and files name it."""

    plan_key: Annotated[str, described("Key of the plan: its id type, id, market, and name.", "hios_12345_example_ppo")]
    plan_name: Annotated[str, stored(XREF_BATCH_PLAN, "plan_name", "Example PPO")]
    plan_id_type: Annotated[str, stored(XREF_BATCH_PLAN, "plan_id_type", "hios")]
    plan_id: Annotated[str, stored(XREF_BATCH_PLAN, "plan_id", "12345")]
    plan_market_type: Annotated[str, stored(XREF_BATCH_PLAN, "plan_market_type", "group")]
    issuer_name: Annotated[str | None, described("The issuer, if a file of schema 2 names one.", "Example Insurance")]
    plan_sponsor_name: Annotated[str | None, described("The sponsor, such as an employer, likewise.", "Example Works")]
    files: Annotated[int, described("Number of loaded files that are listed for the plan.", 2)]


@dataclass(frozen=True)
class PlanFile:
    """A loaded file that is listed for a plan, in one state."""

    source: FileName
    state: State
    year_month: Month
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    last_updated_on: Annotated[str | None, stored(DIM_BATCH, "last_updated_on", "2025-08-01")]
    rates: Annotated[int, described("Rates that the file has added to the store.", 1200)]
    groups: GroupCount
    networks: NetworkNames
    plans: Annotated[int, described("Number of plans that the file is listed for, this one included.", 12)]


@dataclass(frozen=True)
class PlanContent:
    """What is loaded of a plan: its payers and networks, and how many rates its newest month has in a state."""

    plan_key: str
    payers: dict[str, str]
    networks: list[str]
    state: str
    year_month: str
    rates: int


_PLANS = """
    SELECT plan_key, min(plan_name) AS plan_name, any_value(plan_id_type) AS plan_id_type,
           any_value(plan_id) AS plan_id, any_value(plan_market_type) AS plan_market_type,
           max(nullif(issuer_name, '')) AS issuer_name, max(nullif(plan_sponsor_name, '')) AS plan_sponsor_name,
           count(DISTINCT batch_id) AS files
    FROM plan_file"""


def find_plan(db: Snapshot, key: str) -> HealthPlan | None:
    """Return the plan with a key, or None."""
    rows = read_rows(db, HealthPlan, f"{_PLANS} WHERE plan_key = $key GROUP BY plan_key", {"key": key})
    return rows[0] if rows else None


def list_plan_files(db: Snapshot, key: str) -> list[PlanFile]:
    """Return the loaded files that are listed for a plan, newest month first."""
    return read_rows(
        db,
        PlanFile,
        """WITH b AS (SELECT DISTINCT batch_id, state FROM plan_file WHERE plan_key = $key),
           listed AS (
               SELECT batch_id, count(DISTINCT plan_key) AS plans FROM plan_file
               WHERE batch_id IN (SELECT batch_id FROM b) GROUP BY batch_id),
           g AS (
               SELECT batch_id, count(*) AS groups,
                      list_sort(list_distinct(flatten(list(coalesce(network_names, []))))) AS networks
               FROM dim_provider_group WHERE batch_id IN (SELECT batch_id FROM b) GROUP BY batch_id)
           SELECT d.source, d.state, d.year_month, d.reporting_entity_name, d.payer_slug, d.last_updated_on,
                  d.rows_added AS rates, coalesce(groups, 0) AS groups, coalesce(networks, []) AS networks, plans
           FROM dim_batch d JOIN b USING (batch_id, state) JOIN listed USING (batch_id) LEFT JOIN g USING (batch_id)
           ORDER BY d.year_month DESC, d.reporting_entity_name, d.source, d.state""",
        {"key": key},
    )


def list_plan_contents(db: Snapshot, keys: Sequence[str]) -> dict[str, PlanContent]:
    """Return what is loaded of some plans, by key. The state is the one with most rates in the newest month."""
    if not keys:
        return {}
    rows = db.rows(
        """WITH b AS (SELECT DISTINCT plan_key, batch_id, state FROM plan_file WHERE plan_key IN (SELECT unnest(?))),
           d AS (SELECT plan_key, batch_id, state, payer_slug, reporting_entity_name, year_month, rows_added
                 FROM dim_batch JOIN b USING (batch_id, state)),
           whose AS (SELECT plan_key, array_agg(DISTINCT [payer_slug, reporting_entity_name]) AS payers
                     FROM d GROUP BY plan_key),
           network AS (SELECT batch_id, flatten(list(coalesce(network_names, []))) AS names
                       FROM dim_provider_group WHERE batch_id IN (SELECT batch_id FROM b) GROUP BY batch_id),
           named AS (SELECT plan_key, list_sort(list_distinct(flatten(list(names)))) AS networks
                     FROM b LEFT JOIN network USING (batch_id) GROUP BY plan_key),
           counted AS (SELECT plan_key, state, year_month, sum(rows_added) AS rates FROM d GROUP BY ALL)
           SELECT plan_key, payers, networks, state, year_month, rates
           FROM counted JOIN whose USING (plan_key) JOIN named USING (plan_key)
           QUALIFY row_number() OVER (PARTITION BY plan_key ORDER BY year_month DESC, rates DESC, state) = 1""",
        [list(keys)],
    )
    return {
        key: PlanContent(key, {str(slug): str(name) for slug, name in payers}, networks or [], state, month, int(rates))
        for key, payers, networks, state, month, rates in rows
    }


def find_plans(
    db: Snapshot, text: str, limit: int, offset: int, *, batch: str = "", payer: str = ""
) -> tuple[int, list[HealthPlan]]:
    """Return the plans of a file, or else those of a payer, or else those that search_plans finds; and how many."""
    if batch:
        return list_plans_of_file(db, batch, limit, offset)
    return list_plans_of_payer(db, payer, limit, offset) if payer else search_plans(db, text, limit, offset)


def list_plans_of_file(db: Snapshot, batch_id: str, limit: int, offset: int) -> tuple[int, list[HealthPlan]]:
    """Return the plans that a file is listed for, and so use its rates, by name; and how many there are."""
    return _list_plans(db, "batch_id = $batch_id", {"batch_id": batch_id}, limit, offset)


def list_plans_of_payer(db: Snapshot, payer: str, limit: int, offset: int) -> tuple[int, list[HealthPlan]]:
    """Return the plans that a file of a payer is listed for, by name, and how many there are."""
    of_payer = "batch_id IN (SELECT batch_id FROM dim_batch WHERE payer_slug = $payer)"
    return _list_plans(db, of_payer, {"payer": payer}, limit, offset)


def _list_plans(
    db: Snapshot, condition: str, parameters: Mapping[str, str], limit: int, offset: int
) -> tuple[int, list[HealthPlan]]:
    """Return the plans with a file that meets a condition, by name, and how many there are."""
    return read_page(
        db,
        HealthPlan,
        f"""SELECT count(*) OVER () AS total, * FROM (
                {_PLANS} WHERE plan_key IN (SELECT plan_key FROM plan_file WHERE {condition})
                GROUP BY plan_key)
            ORDER BY lower(plan_name), plan_key LIMIT $limit OFFSET $offset""",
        {**parameters, "limit": limit, "offset": offset},
    )


def search_plans(db: Snapshot, text: str, limit: int, offset: int = 0) -> tuple[int, list[HealthPlan]]:
    """Return the plans whose name, id, sponsor, or issuer contains each word, and how many; all if there is no word."""
    words, has_all = contains_words(text, "folded") if text.strip() else ({}, "true")
    kept = db.ask_once(_read_plans)
    with db.cursor() as cursor:
        if kept is not None:
            cursor.plain.register(_SEARCHED, kept)
        return fetch_page(
            cursor,
            HealthPlan,
            f"""SELECT count(*) OVER () AS total, * EXCLUDE (folded)
                FROM {_SEARCHED if kept is not None else f"({_SEARCHED_SQL})"}
                WHERE {has_all} ORDER BY lower(plan_name), plan_key LIMIT $limit OFFSET $offset""",
            {**words, "limit": limit, "offset": offset},
        )


_SEARCHED = "searched_plan"
_SEARCHED_TEXT = "concat_ws(' ', plan_name, replace(plan_id, '-', ''), plan_id, plan_sponsor_name, issuer_name)"
_SEARCHED_SQL = f"SELECT *, {folded_sql(_SEARCHED_TEXT)} AS folded FROM ({_PLANS} GROUP BY plan_key)"


def _read_plans(db: Snapshot) -> Any:
    """Return all plans with their text as an Arrow table; None if they are too many to be kept for each search."""
    ((listed,),) = db.rows("SELECT count(*) FROM plan_file")
    return db.arrow_rows(_SEARCHED_SQL, {}) if listed <= MAX_KEPT_PLANS else None


def find_which_name_plans(db: Snapshot) -> dict[str, bool]:
    """Return whether a loaded file of each payer is listed for a plan, by the payer's name."""
    rows = db.rows(
        """SELECT reporting_entity_name, count(listed) > 0 FROM dim_batch
           LEFT JOIN (SELECT DISTINCT batch_id, 1 AS listed FROM plan_file) USING (batch_id)
           GROUP BY 1 ORDER BY lower(reporting_entity_name)"""
    )
    return {str(name): bool(named) for name, named in rows}


def find_source(db: Snapshot, batch_id: str) -> str | None:
    """Return the name of a loaded file, or None."""
    rows = db.rows("SELECT min(source) FROM dim_batch WHERE batch_id = ?", [batch_id])
    return str(rows[0][0]) if rows and rows[0][0] else None
