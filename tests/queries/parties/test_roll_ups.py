"""Organizations and health systems: a rate counts once at every level, against a slow count."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.queries import rates
from core.queries.find.search import search_everything
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.parties import roll_ups
from core.queries.parties.organizations import list_organizations
from core.queries.payers import plans
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.queries.one_market import A_RATE, MARKET
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written
from tests.reference.places.store_rows import write_rows
from tests.stores import open_snapshot

TINS = [("ein", f"10000000{number}") for number in range(4)]
ORGANIZATIONS = ("elm", "oak")
SYSTEMS = {"elm": "big", "oak": None}


def rolled_up(tins: dict[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Return the rows of the table organization for tax IDs with their organizations."""
    return [
        {
            "tin_type": tin[0], "tin_value": tin[1], "name": f"{key} {tin[1]}", "name_source": "irs",
            "name_confidence": "high", "organization_id": key, "organization_name": key.upper(), "city": "MACON",
            "state": "GA", "organization_source": "same name", "organization_confidence": "medium",
            "system_id": SYSTEMS[key], "system_name": SYSTEMS[key] and "BIG HEALTH",
            "system_source": SYSTEMS[key] and "ahrq", "system_confidence": SYSTEMS[key] and "high",
        }
        for tin, key in tins.items()
    ]  # fmt: skip


def with_organizations(root: Path, tins: dict[tuple[str, str], str], plan: str = "") -> Snapshot:
    """Return the store below a directory with a roll-up, and with a plan of all files if one is named."""
    store = Store(root)
    names = [{"tin_type": kind, "tin_value": value} for kind, value in tins]
    columns = ("batch_id", "state", "payer_slug", "year_month", "reporting_entity_name")
    rows = open_snapshot(store).rows(f"SELECT {', '.join(columns)} FROM dim_batch")
    loaded = [{**dict(zip(columns, row, strict=True)), "rows_added": 1} for row in rows]
    batches = [(row["batch_id"], row["state"]) for row in loaded]
    listed = [
        {"batch_id": batch, "state": state, "plan_name": plan, "plan_id_type": "hios", "plan_id": "12345",
         "plan_market_type": "group"} for batch, state in batches
    ] if plan else []  # fmt: skip
    write_rows(
        store, {"dim_batch": loaded, "dim_tin": names, "organization": rolled_up(tins), "xref_batch_plan": listed}
    )
    return open_snapshot(store)


@settings(max_examples=4, deadline=None)
@given(
    st.lists(st.sets(st.sampled_from(TINS), max_size=4), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(("99213", "99214"))), max_size=12),
    st.lists(st.sampled_from(ORGANIZATIONS), min_size=4, max_size=4),
)
def test_a_rate_counts_once_at_every_level(
    groups: list[set[tuple[str, str]]], of_rates: list[tuple[int, str]], keys: list[str]
) -> None:
    tins = dict(zip(TINS, keys, strict=True))
    facts: list[dict[str, Any]] = [
        {**A_RATE, "group": group % len(groups), "code": code, "negotiated_rate": float(number)}
        for number, (group, code) in enumerate(of_rates)
    ]
    with TemporaryDirectory() as directory:
        store_of(Path(directory), {"2025-08": ([({"1912951245"}, members) for members in groups], facts)})
        db = with_organizations(Path(directory), tins)
        for level, wanted in (("organization", "elm"), ("organization", "oak"), ("system", "big")):
            of_level = {tin for tin, key in tins.items() if wanted in {key, SYSTEMS[key]}}
            mine = [fact for fact in facts if groups[fact["group"]] & of_level]
            counted = roll_ups.count_rates_of(db, level, wanted)  # type: ignore[arg-type]
            assert sum(row.rates for row in counted) == len(mine)
            assert sum(row.groups for row in counted) == len({fact["group"] for fact in mine})
            market = Market("GA", "2025-08", "CPT", "99213", **{level: wanted})
            visits = [fact for fact in mine if fact["code"] == "99213"]
            assert rates.count_market(db, market).rates == len(visits)
            found = rates.list_rates(db, market, "rate", 100, 0)
            assert [row.negotiated_rate for row in found] == sorted(fact["negotiated_rate"] for fact in visits)
            with market_cache(db, market) as cached:
                assert sum(row.rates for row in rates.summarize_rates(cached, market)) == len(visits)


def test_a_page_of_an_organization_has_its_tax_ids_and_their_evidence(tmp_path: Path) -> None:
    members = [({"1912951245"}, {TINS[0], TINS[1]}), ({"1003027533"}, {TINS[2]})]
    store_of(tmp_path, {"2025-08": (members, [A_RATE, {**A_RATE, "group": 1}])})
    db = with_organizations(tmp_path, dict(zip(TINS[:3], ("elm", "elm", "oak"), strict=True)))
    found = roll_ups.find_organization(db, "elm")
    assert found is not None
    assert (found.organization_name, found.tins, found.inferred, found.system_name) == ("ELM", 2, 2, "BIG HEALTH")
    assert roll_ups.find_organization(db, "ein_100000000") == found
    assert roll_ups.find_organization(db, "ash") is None
    total, tins = roll_ups.list_tins(db, "organization", "elm", 1, 0)
    assert (total, len(tins), tins[0].organization_source) == (2, 1, "same name")
    system = roll_ups.find_system(db, "big")
    assert system is not None
    assert (system.system_name, system.organizations, system.tins) == ("BIG HEALTH", 1, 2)
    assert [one.organization_id for one in roll_ups.list_organizations_of_system(db, "big", 9, 0)[1]] == ["elm"]


def test_search_finds_organizations_by_name_and_town_and_systems_and_plans(tmp_path: Path) -> None:
    store_of(tmp_path, {"2025-08": ([({"1912951245"}, set(TINS[:2]))], [A_RATE])})
    db = with_organizations(tmp_path, dict.fromkeys(TINS[:2], "elm"), plan="Gold PPO")
    assert [one.organization_id for one in search_everything(db, "elm macon").organizations] == ["elm"]
    assert not search_everything(db, "elm dalton").organizations
    assert not search_everything(db, "macon").organizations
    assert [one.system_id for one in search_everything(db, "big health").systems] == ["big"]
    for text in ("gold ppo", "12345"):
        assert [one.plan_key for one in search_everything(db, text).plans] == ["hios_12345_group_gold_ppo"]


def test_a_plan_selects_the_rates_of_its_files(tmp_path: Path) -> None:
    other = {**A_RATE, "reporting_entity_name": "Payer B", "negotiated_rate": 20.0}
    store_of(tmp_path, {"2025-08": ([({"1912951245"}, {TINS[0]})], [A_RATE, other])})
    store = Store(tmp_path)
    write_rows(
        store,
        {
            "xref_batch_plan": [
                {"batch_id": "payer_a 2025-08", "state": "GA", "plan_name": name, "plan_id_type": "ein",
                 "plan_id": "123456789", "plan_market_type": "group", "plan_sponsor_name": "Mill"}
                for name in ("Gold", "Silver")
            ]
        },
    )  # fmt: skip
    db = open_snapshot(store)
    key = "ein_123456789_group_gold"
    found = rates.list_rates(db, Market("GA", "2025-08", "CPT", "99213", plan=key), "rate", 9, 0)
    assert [(row.negotiated_rate, row.plans, row.batch_id) for row in found] == [(10.0, 2, "payer_a 2025-08")]
    assert [(row.negotiated_rate, row.plans) for row in rates.list_rates(db, MARKET, "rate", 9, 0)] == [
        (10, 2),
        (20, 0),
    ]
    assert [row.plan_name for row in plans.list_plans_of_file(db, "payer_a 2025-08", 9, 0)[1]] == ["Gold", "Silver"]
    plan = plans.find_plan(db, key)
    assert plan is not None
    assert (plan.plan_name, plan.plan_sponsor_name, plan.files) == ("Gold", "Mill", 1)
    (file,) = plans.list_plan_files(db, key)
    assert (file.payer_slug, file.groups, file.plans) == ("payer_a", 1, 2)
    assert plans.search_plans(db, "", 9)[0] == 2


def test_an_organization_s_market_lists_its_tax_ids_with_names(tmp_path: Path) -> None:
    store_of(tmp_path, {"2025-08": ([({"1912951245"}, {TINS[0], TINS[2]})], [A_RATE])})
    db = with_organizations(tmp_path, dict(zip(TINS[:3], ("elm", "elm", "oak"), strict=True)))
    rows = list_organizations(db, Market("GA", "2025-08", "CPT", "99213", organization="elm"), "rates", 9, 0)
    assert {(row.business_name, row.organization_id, row.rates) for row in rows} == {
        ("elm 100000000", "elm", 1), ("oak 100000002", "oak", 1),
    }  # fmt: skip


def test_a_person_with_the_npis_of_others_is_no_large_organization(tmp_path: Path) -> None:
    tins = {("ein", "100000001"): "elm", ("npi", "1912951245"): "oak", ("npi", "1003027533"): "oak"}
    person, practice = ("1912951245", "individual"), ("1003027533", "organization")
    of_month = {"year_month": "2025-08", "payer_slug": "payer_a"}
    db = written(
        tmp_path,
        {
            "dim_tin": [{"tin_type": kind, "tin_value": value} for kind, value in tins],
            "organization": rolled_up(tins),
            "dim_npi": [{"npi": npi, "entity_type": kind} for npi, kind in (person, practice)],
            "xref_tin_npi": [
                {**of_month, "tin_type": kind, "tin_value": value, "npi": f"{value}-{number}"}
                for (kind, value), npis in zip(tins, (2, 9, 1), strict=True)
                for number in range(npis)
            ],
        },
    )
    found = [(one.organization_id, one.tins, one.npis) for one in roll_ups.list_largest(db, "GA", 9)]
    assert found == [("elm", 1, 2), ("oak", 1, 1)]
