"""Who bills under a tax ID is the same as counted by hand from the pairs and the register."""

from collections import Counter, defaultdict

from core.queries.parties.tax_id_people import TIN_IN_STATE, TaxIdPeople, cursor_of_state, find_people
from core.store.connection import Snapshot
from core.store.market_snapshot import code_snapshot


def most(names: list[str]) -> str | None:
    counted = Counter(names)
    return min(counted, key=lambda name: (-counted[name], name), default=None)


def test_people_of_every_tax_id(demo: Snapshot) -> None:
    register = {row[0]: row[1:] for row in demo.rows("SELECT npi, entity_type, name, city, state FROM dim_npi")}
    members: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind, value, npi in demo.rows("SELECT tin_type, tin_value, npi FROM xref_tin_npi"):
        members[kind, value].add(npi)
    assert members
    expected, in_state = {}, {}
    for key, npis in members.items():
        known = [register[npi] for npi in npis if npi in register]
        cities = [f"{city.upper()}, {state[:2].upper()}" for _, _, city, state in known if city and state]
        names = [name for kind, name, _, _ in known if kind == "organization" and name]
        expected[key] = TaxIdPeople(len(npis), most(cities), most(names))
        if states := {state[:2].upper() for *_, state in known if state}:
            in_state[key] = "GA" in states
    assert find_people(demo, {*members, ("ein", "000000000")}) == {
        **expected,
        ("ein", "000000000"): TaxIdPeople(0, None, None),
    }
    assert any(one.example and one.main_city for one in expected.values())
    for db in (demo, None):
        with code_snapshot(demo, None) as memory, cursor_of_state(db or memory, "GA") as cursor:
            found = cursor.execute(f"SELECT tin_type, tin_value, in_state FROM {TIN_IN_STATE}").fetchall()
            assert {(kind, value): there for kind, value, there in found} == in_state
