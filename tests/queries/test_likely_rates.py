"""The evidence of rates, what the filter leaves, and weighted medians: against a slow reference, on random markets."""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from core.load.load_file import load_file
from core.queries import rates
from core.queries.likely_rates import count_evidence, find_group_uses, leave_likely, weigh_rates
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.store.generations.store import Store
from core.store.parquet.writer import write_table
from core.store.schema.tables import TABLES
from core.tic.source import open_documents
from tests.queries.slow_evidence import Known, evidence_of, weighted_median
from tests.stores import open_snapshot, table

Item = tuple[tuple[str, str], list[tuple[list[str], int]]]
"""A code with its rates, each with its members."""

NPIS = ["1679576722", "1588667638", "1295738227", "1003011404"]
CODES = [("CPT", "99213"), ("CPT", "59400"), ("HCPCS", "J1100"), ("MS-DRG", "470")]
SPECIALTIES = ["Cardiology", "Dermatology", "Pediatrics", ""]

items = st.lists(
    st.tuples(
        st.sampled_from(CODES),
        st.lists(
            st.tuples(st.lists(st.sampled_from(NPIS), min_size=1, max_size=3, unique=True), st.integers(50, 60)),
            min_size=1, max_size=5, unique_by=lambda one: tuple(sorted(one[0])),
        ),
    ),
    min_size=1, max_size=4, unique_by=lambda one: one[0],
)  # fmt: skip
billed = st.dictionaries(
    st.tuples(st.sampled_from(NPIS), st.sampled_from(["99213", "59400", "J1100"])), st.integers(11, 20)
)


def file_of(drawn: list[Item]) -> dict[str, Any]:
    """Return an in-network file; each rate has a group of its own members."""
    return {
        "reporting_entity_name": "Example", "reporting_entity_type": "issuer", "last_updated_on": "2025-08-01",
        "version": "1.0.0",
        "in_network": [
            {
                "negotiation_arrangement": "ffs", "name": "x", "description": "x", "billing_code_type": system,
                "billing_code_type_version": "2025", "billing_code": code,
                "negotiated_rates": [
                    {
                        "provider_groups": [{"npi": npis, "tin": {"type": "ein", "value": "123456789"}}],
                        "negotiated_prices": [
                            {"negotiated_type": "negotiated", "negotiated_rate": rate, "billing_class": "professional"}
                        ],
                    }
                    for npis, rate in of_code
                ],
            }
            for (system, code), of_code in drawn
        ],
    }  # fmt: skip


def write(store: Store, **rows: list[dict[str, Any]]) -> None:
    with store.write() as transaction:
        for name, found in rows.items():
            declared = TABLES[name]
            frame = pl.DataFrame(found, schema=pl.DataFrame(declared.arrow.empty_table()).schema).sort(declared.order)
            path = transaction.new_file(name)
            transaction.put(name, path, write_table(path, declared, [frame.to_arrow().cast(declared.arrow)]))
        transaction.commit()


@settings(max_examples=5)
@given(items, billed, st.data())
def test_each_rate_has_one_level_and_counts_once(
    drawn: list[Item], services: dict[tuple[str, str], int], data: st.DataObject
) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "rates.json"
        path.write_text(json.dumps(file_of(drawn)))
        store = Store(Path(directory) / "data", grace=0)
        load_file(store, open_documents(path)[0], "GA")
        members: dict[str, set[str]] = {}
        for _, _, group, npi in table(store, "xref_group_npi").rows():
            members.setdefault(group, set()).add(npi)
        known = Known(
            members,
            services,
            {group: data.draw(st.sets(st.sampled_from(SPECIALTIES), max_size=2)) for group in sorted(members)},
            {code: data.draw(st.sampled_from([49, 50])) for code in ("99213", "59400", "J1100")},
            {name: data.draw(st.sampled_from([29, 30])) for name in SPECIALTIES if name},
            {
                (name, code): data.draw(st.sampled_from([0.0099, 0.01]))
                for name in SPECIALTIES if name for code in ("99213", "J1100")
            },
        )  # fmt: skip
        write(
            store,
            utilization=[
                {"code": code, "npi": npi, "place": place, "services": n, "beneficiaries": 11, "year": 2023}
                for (npi, code), all_of_them in services.items()
                for place, n in (("office", 5.0), ("facility", all_of_them - 5.0))
            ],
            code_use=[
                {"code": code, "clinicians": n, "services": 1.0, "first_year": 2023, "last_year": 2023}
                for code, n in known.clinicians.items()
            ],
            specialty_size=[{"specialty": name, "clinicians": n} for name, n in known.sizes.items()],
            specialty_use=[
                {"code": code, "specialty": name, "clinicians": 1, "share": share, "services": 1.0}
                for (name, code), share in known.shares.items()
            ],
            group_specialty=[
                {"year_month": "2025-08", "payer_slug": "example", "pg_uid": group, "specialty": name, "npis": 1}
                for group, names in known.specialties.items()
                for name in names
            ],
        )
        db = open_snapshot(store)
        facts = db.rows("SELECT fact_uid, pg_uid, code_type, code, negotiated_rate FROM fact_rate")
        levels = {uid: evidence_of(known, group, system, code) for uid, group, system, code, _ in facts}
        for system, code in [one for one, _ in drawn]:
            market = Market("GA", "2025-08", system, code)
            mine = [fact for fact in facts if fact[3] == code]
            with market_cache(db, market) as cached:
                for asked in (db, cached):
                    counted = count_evidence(asked, market)
                    assert {row.evidence: row.rates for row in counted} == Counter(levels[fact[0]] for fact in mine)
                    assert sum(row.dollars for row in counted) == sum(fact[4] for fact in mine)
                    shown = rates.list_rates(asked, market, "rate", 50, 0)
                    assert {row.fact_uid: row.evidence for row in shown} == {fact[0]: levels[fact[0]] for fact in mine}
                    weighed = weighted_median(known, code, [(group, rate) for _, group, _, _, rate in mine])
                    found = [(one.weighted_p50, one.weighted_rates) for one in weigh_rates(asked, market).values()]
                    assert found == ([] if weighed is None or system == "MS-DRG" else [weighed])
                    assert find_group_uses(asked, market, []) == {}
            likely = Market("GA", "2025-08", system, code, evidence="likely")
            left = {fact[0] for fact in mine if levels[fact[0]] != "none"}
            with market_cache(db, likely) as cached:
                for asked in (db, cached):
                    assert {row.fact_uid for row in rates.list_rates(asked, likely, "rate", 50, 0)} == left
                    assert rates.count_market(asked, likely).rates == len(left) == leave_likely(counted)[0]
                    assert sum(row.rates for row in rates.summarize_rates(asked, likely)) == len(left)
        # Markets of several codes: the whole month, and one provider.
        everything = Market("GA", "2025-08", evidence="likely")
        assert rates.count_rates(db, everything) == sum(level != "none" for level in levels.values())
        of_npi = Market("GA", "2025-08", npi=NPIS[0], evidence="likely")
        expected = [uid for uid, group, *_ in facts if NPIS[0] in members[group] and levels[uid] != "none"]
        assert rates.count_rates(db, of_npi) == len(expected)


def test_the_example_of_the_method_page() -> None:
    known = Known({"a": {"1"}, "b": {"1"}, "c": {"2"}}, {("1", "x"): 90, ("2", "x"): 20}, {}, {}, {}, {})
    assert weighted_median(known, "x", [("a", 100.0), ("b", 140.0), ("c", 200.0)]) == (140.0, 3)
