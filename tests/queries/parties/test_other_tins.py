"""Other tax IDs under which the members of a provider bill, and what payers have there."""

from pathlib import Path

from core.queries.market.market import Market
from core.queries.parties.other_tins import list_other_tins, list_rates_under_others
from core.store.connection import Snapshot
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written

OURS, THEIRS, STRANGERS = "100000001", "100000002", "100000003"
ANNA, BERT = "1912951245", "1003027533"
GROUPS = [({ANNA}, {("ein", OURS)}), ({ANNA}, {("ein", THEIRS)}), ({BERT}, {("ein", THEIRS)})]
MARKET = Market("GA", "2025-08")


def store(root: Path) -> Snapshot:
    """Return a store in which Anna bills under two tax IDs, the second of which has rates at Payer B only."""
    rates = [("Payer A", 0), ("Payer B", 1), ("Payer B", 1), ("Payer B", 2), ("Payer C", 2)]
    facts = [
        {**A_RATE, "reporting_entity_name": payer, "group": group, "negotiated_rate": float(number)}
        for number, (payer, group) in enumerate(rates, 10)
    ]
    plain = store_of(root, {"2025-08": (GROUPS, facts)})
    pairs = [
        ("payer_a", OURS, ANNA), ("payer_b", THEIRS, ANNA), ("payer_b", THEIRS, BERT), ("payer_c", STRANGERS, BERT),
    ]  # fmt: skip
    tables = {
        "xref_tin_npi": [
            {"year_month": "2025-08", "payer_slug": slug, "tin_type": "ein", "tin_value": tin, "npi": npi}
            for slug, tin, npi in pairs
        ],
        "dim_npi": [{"npi": npi} for npi in (ANNA, BERT)],
        "dim_tin": [{"tin_type": "ein", "tin_value": tin} for tin in (OURS, THEIRS, STRANGERS)],
    }
    return written(plain.root, tables)


def test_a_tax_id_knows_under_which_others_its_members_bill(tmp_path: Path) -> None:
    db = store(tmp_path)
    assert [(one.tin_value, one.shared) for one in list_other_tins(db, "tin", OURS, 5)[1]] == [(THEIRS, 1)]
    found = [(one.tin_value, one.shared) for one in list_other_tins(db, "tin", THEIRS, 5)[1]]
    assert found == [(OURS, 1), (STRANGERS, 1)]
    assert list_other_tins(db, "tin", THEIRS, 1)[0] == 2
    assert list_other_tins(db, "tin", "999999999", 5) == (0, [])


def test_only_rates_of_groups_with_a_member_count(tmp_path: Path) -> None:
    db = store(tmp_path)
    found = list_rates_under_others(db, MARKET, "tin", OURS, ["payer_b", "payer_c"])
    assert [(one.payer_slug, one.tin_value, one.rates) for one in found] == [("payer_b", THEIRS, 2)]
    assert list_rates_under_others(db, Market("TX", "2025-08"), "tin", OURS, ["payer_b"]) == []
    assert list_rates_under_others(db, MARKET, "tin", OURS, []) == []
