"""Compare what a load put into the store with what it should have."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from core.load.load_file import load_file
from core.load.load_sizes import LoadSizes
from core.load.outcome import LoadOutcome
from core.store.generations.store import Store
from core.store.schema import ids
from core.store.schema.tables import TABLES
from core.tic.source import open_documents
from tests import slow_reader
from tests.stores import table


def assert_same(store: Store, outcome: LoadOutcome, flat: slow_reader.Flat) -> None:
    """Check that the store, which contains only this file, has what the slow reader says."""
    facts = table(store, "fact_rate")
    grains = facts.select(slow_reader.COLUMNS).iter_rows()
    assert dict(zip(grains, facts.select(slow_reader.CARRIED).iter_rows(), strict=True)) == flat.facts
    assert len(facts) == len(flat.facts)
    # The slow ids of a large file take longer than all the rest: those of every tenth fact.
    some = facts.gather_every(1 if len(facts) < 50_000 else 10)
    assert [ids.fact_uid(row) for row in some.iter_rows(named=True)] == some["fact_uid"].to_list()
    record = outcome.record
    assert (record["rows_read"], outcome.duplicates, record["rejects"]) == (
        flat.read,
        flat.duplicates,
        dict(flat.rejected),
    )
    assert flat.read == len(flat.facts) + flat.duplicates + flat.rejected.total()
    groups = table(store, "dim_provider_group")
    raw_of = dict(zip(groups["pg_uid"], groups["provider_group_id_raw"], strict=True))
    assert set(raw_of.values()) == set(flat.groups)
    resolved = dict(zip(groups["provider_group_id_raw"], groups["resolved"], strict=True))
    assert resolved == {raw: bool(group.members) for raw, group in flat.groups.items()}
    networks = dict(zip(groups["provider_group_id_raw"], groups["network_names"].to_list(), strict=True))
    assert networks == {raw: sorted(group.networks) for raw, group in flat.groups.items()}
    npis, tins = table(store, "xref_group_npi"), table(store, "xref_group_tin")
    assert sorted((raw_of[r["pg_uid"]], r["npi"]) for r in npis.to_dicts()) == sorted(flat.group_npis)
    assert sorted((raw_of[r["pg_uid"]], r["tin_type"], r["tin_value"]) for r in tins.to_dicts()) == sorted(
        flat.group_tins
    )
    pairs = {member for group in flat.groups.values() for member in group.members if all(member)}
    assert set(table(store, "xref_tin_npi").select("tin_type", "tin_value", "npi").rows()) == pairs
    assert set(table(store, "dim_npi")["npi"]) == {npi for _, npi in flat.group_npis}
    assert set(table(store, "dim_tin").select("tin_type", "tin_value").rows()) == {t[1:] for t in flat.group_tins}
    pos_sets = table(store, "dim_pos_set")
    assert dict(zip(pos_sets["pos_set_id"], pos_sets["service_codes"].to_list(), strict=True)) == flat.pos_sets
    exploded = sorted((key, pos) for key, codes in flat.pos_sets.items() for pos in codes)
    assert sorted(table(store, "xref_pos").rows()) == exploded
    codes = {(r["code_type"], r["code"]): [r["code_desc"], r["name"]] for r in table(store, "dim_code").to_dicts()}
    assert codes == flat.codes
    assert set(table(store, "xref_bundled_code").select(pl.nth(0, 1, 2, 3)).rows()) == flat.bundles
    for name, declared in TABLES.items():
        rows = table(store, name).select(declared.order).rows()
        assert rows == sorted(rows), f"{name} is not in its order"
    odd = Counter(reason for group in flat.groups.values() for reason, _ in group.odd)
    assert Counter(outcome.members.left_out if outcome.members else {}) == odd


def assert_loaded_as_by_the_slow_reader(content: bytes, sizes: LoadSizes, processes: int = 1) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "rates.json"
        path.write_bytes(content)
        store = Store(Path(directory) / "data")
        outcome = load_file(store, open_documents(path)[0], "GA", processes=processes, sizes=sizes)
        assert_same(store, outcome, slow_reader.flatten(content, "GA"))


REAL = {
    "payers/2025-06-23_Evry-Health_in-network-rates.json.gz": 30_033,
    "payers/2025-01-06_Evry-Health_in-network-rates.json.gz": 24_820,
    "payers/2023-02-01_HealthSCOPE_in-network-rates.json.gz": 211_905,
    "payers/innetwork-S-QMXCT25139-1.json": 4_236,
    "payers/innetwork-G-QMXCT20404-1.json": 438,
    "cms/v2.2.0/in-network-rates-all-negotiated-types-sample.json": 10,
    "cms/v2.2.0/in-network-rates-multiple-plans-sample.json": 6,
    "cms/v1.6.2/in-network-rates-fee-for-service-single-plan-sample.json": 5,
    "cms/v1.0.0/in-network-rates-bundle-single-plan-sample.json": None,
    "cms/v1.0.0/in-network-rates-capitation-single-plan-sample.json": None,
    "cms/v1.0.0/in-network-rates-multiple-plans-sample.json": None,
    "cms/v1.6.2/in-network-rates-no-npi.json": None,
    "cms/v2.2.0/in-network-rates-bundle-single-plan-sample.json": None,
    "cms/v2.2.0/in-network-rates-capitation-single-plan-sample.json": None,
    "cms/v2.2.0/in-network-rates-no-npi.json": None,
}


def assert_adds_up(outcome: LoadOutcome) -> None:
    record = outcome.record
    assert record["rows_read"] == (
        record["rows_added"] + record["duplicates"] + record["rows_rejected"] + record["rows_filtered"]
    )
