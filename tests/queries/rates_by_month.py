"""Random rates by month, and stores of them, for comparisons between months and payers."""

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from core.fields.providers.payer_slug import make_payer_slug
from core.store.connection import Snapshot
from core.store.schema.ids import pos_set_id
from tests.queries.tables import written

NPIS, TINS = ["1912951245", "1003027533", "1234567893"], ["100000001", "100000002", "1912951245"]
PLACES: list[list[str]] = [[], ["11"], ["11", "22"]]
RARER_PLACES: list[list[str]] = [["12", "41"], ["21"], ["24"]]
"""Sets of places for rates that are written down rather than made up."""


members = st.tuples(
    st.sets(st.sampled_from(NPIS), max_size=2),
    st.sets(st.tuples(st.sampled_from(["ein", "npi"]), st.sampled_from(TINS)), max_size=2),
)


facts = st.fixed_dictionaries(
    {
        "reporting_entity_name": st.sampled_from(["Payer A, Inc.", "Payer A Inc", "Payer B"]),
        "code_type": st.sampled_from(["CPT", "CPT", "HCPCS"]),
        "code": st.sampled_from(["99213", "99213", "70450"]),
        "negotiated_type": st.sampled_from(["negotiated", "negotiated", "percentage", None]),
        "negotiation_arrangement": st.sampled_from(["ffs", "ffs", "bundle", None]),
        "negotiated_rate": st.sampled_from([0.0, 10.0, 10.0, 20.0, 33.33]),
        "billing_class": st.sampled_from(["professional", "professional", None]),
        "setting": st.sampled_from([None, None, "outpatient"]),
        "billing_code_modifier": st.sampled_from(["", "", "26"]),
        "severity_of_illness": st.sampled_from([None, None, "2"]),
        "places": st.sampled_from(PLACES),
        "group": st.integers(0, 3),
    }
)


def _names_of(
    by_payer: dict[tuple[str, str, str], list[dict[str, Any]]], slug: str, month: str
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the names of a payer in a month, each with its rates: one file each."""
    return [(name, rates) for (of, when, name), rates in by_payer.items() if (of, when) == (slug, month)]


def store_of(root: Path, by_month: dict[str, tuple[list[Any], list[dict[str, Any]]]]) -> Snapshot:
    """Return a store of months, each with groups (their NPIs and tax IDs) and the facts that name them by number."""
    rates, npis, tins = [], [], []
    for month, (groups, facts_of_month) in by_month.items():
        for number, fact in enumerate(facts_of_month):
            of_group = {
                "pg_uid": f"{make_payer_slug(fact['reporting_entity_name'])} {month} {fact['group']}",
                "payer_slug": make_payer_slug(fact["reporting_entity_name"]),
                "year_month": month,
            }
            here = {**fact, **of_group, "state": "GA", "pos_set_id": pos_set_id(fact["places"])}
            rates.append({**here, "fact_uid": f"{month} {number}"})
            npis += [{**of_group, "npi": npi} for npi in groups[fact["group"]][0]]
            tins += [{**of_group, "tin_type": kind, "tin_value": tin} for kind, tin in groups[fact["group"]][1]]
    by_payer: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for rate in rates:
        of_payer = by_payer.setdefault((rate["payer_slug"], rate["year_month"], rate["reporting_entity_name"]), [])
        of_payer.append(rate)
    names = {rate["reporting_entity_name"] for rate in rates}
    bridge = [{"reporting_entity_name_raw": name, "payer_slug": make_payer_slug(name)} for name in names]
    tables = {
        "fact_rate": rates,
        "xref_group_npi": [dict(row) for row in {tuple(row.items()) for row in npis}],
        "xref_group_tin": [dict(row) for row in {tuple(row.items()) for row in tins}],
        "dim_provider_group": [
            {"pg_uid": pg_uid, "payer_slug": slug, "year_month": month, "batch_id": f"{slug} {month}"}
            for pg_uid, slug, month in {(row["pg_uid"], row["payer_slug"], row["year_month"]) for row in rates}
        ],
        "dim_batch": [
            {
                "batch_id": f"{slug} {month}" if number == 0 else f"{slug} {month} {name}",
                "state": "GA",
                "payer_slug": slug,
                "year_month": month,
                "reporting_entity_name": name,
                "source": f"{slug}_{month}.json.gz",
                "rows_added": len(of_payer),
            }
            for slug, month in {(slug, month) for slug, month, _ in by_payer}
            for number, (name, of_payer) in enumerate(_names_of(by_payer, slug, month))
        ],
        "dim_payer_bridge": bridge,
        "dim_reporting_entity": [
            {"payer_slug": slug, "reporting_entity_name": slug.upper()}
            for slug in {row["payer_slug"] for row in bridge}
        ],
        "dim_pos_set": [
            {"pos_set_id": pos_set_id(places), "service_codes": places} for places in PLACES + RARER_PLACES
        ],
        "xref_pos": [
            {"pos_set_id": pos_set_id(places), "pos": place} for places in PLACES + RARER_PLACES for place in places
        ],
    }
    return written(root, tables)
