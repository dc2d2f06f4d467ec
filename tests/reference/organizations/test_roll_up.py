"""The roll-up of tax IDs: against a slow reference, and never more than one row for each."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.reference.organizations.load_organizations import load_organizations
from core.store.generations.store import Store
from tests.reference.organizations import roll_up_reference
from tests.reference.places.store_rows import write_rows
from tests.stores import table

NPIS = ("1003000126", "1588667638", "1679576722")
TINS = (("ein", "100000001"), ("ein", "100000002"), ("npi", NPIS[0]), ("npi", NPIS[1]))
NAMES = ("Example Clinic", "EXAMPLE CLINIC", "Oak Hospital", "unknown")
CCNS = ("110001", "110002")
name, unsaid = st.sampled_from(NAMES), st.none()
city, state = st.sampled_from(("MACON", "DALTON")), st.sampled_from(("GA", "TX"))
zip_code = st.sampled_from(("30303", "31201"))
system = st.sampled_from(("Big Health", "Small Health"))


def some_rows(keys: tuple[Any, ...], **values: Any) -> st.SearchStrategy[dict[Any, dict[str, Any]]]:
    return st.dictionaries(st.sampled_from(keys), st.fixed_dictionaries(values))


def listed_under(hospital: str, row: dict[str, Any], source: str) -> dict[str, Any]:
    in_own = {"organization_name": None} if source != "user file" else {}
    if source == "irs":
        in_own["system_name"] = None
    placed = {"city": None, "state": None} if source == "hospital list" else {}
    return {**row, "source": source, "hospital": hospital if source == "hospital list" else "", **in_own, **placed}


@st.composite
def stores(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    npis = draw(
        some_rows(
            NPIS, name=name | unsaid, entity_type=st.sampled_from(("organization", "individual")), city=city,
            state=state, postal_code=zip_code,
        )
    )  # fmt: skip
    tins = draw(some_rows(TINS, business_name=unsaid | name))
    pairs = draw(st.sets(st.tuples(st.sampled_from(sorted(tins)), st.sampled_from(NPIS)))) if tins else set()
    listed = draw(
        some_rows(
            tuple((*tin, source, ccn) for tin in TINS for source, ccn in (
                ("user file", ""), ("irs", ""), ("hospital list", CCNS[0]), ("hospital list", CCNS[1]),
            )),
            name=name, organization_name=unsaid | st.just("Example Group"), system_name=unsaid | system, city=city,
            state=state,
        )
    )  # fmt: skip
    hospitals = draw(
        some_rows(CCNS, name=name, city=city, state=state, zip=zip_code, system_name=unsaid | system,
                  system_state=st.just("GA"))
    )  # fmt: skip
    return {
        "dim_npi": [{"npi": npi, **npis.get(npi, {})} for npi in NPIS if npi in npis],
        "dim_tin": [{"tin_type": kind, "tin_value": value, **row} for (kind, value), row in tins.items()],
        "xref_tin_npi": [
            {"year_month": "2025-08", "payer_slug": "p", "tin_type": tin[0], "tin_value": tin[1], "npi": npi}
            for tin, npi in pairs
        ],
        "listed_organization": [
            {"tin_type": kind, "tin_value": value, **listed_under(ccn, row, source)}
            for (kind, value, source, ccn), row in listed.items()
        ],
        "hospital": [{"ccn": ccn, **row} for ccn, row in hospitals.items()],
    }


@settings(max_examples=5, deadline=None)
@given(stores())
def test_each_tax_id_rolls_up_once_as_the_slow_reference_says(rows: dict[str, list[dict[str, Any]]]) -> None:
    with TemporaryDirectory() as directory:
        store = Store(Path(directory))
        write_rows(store, rows)
        load_organizations(store, [])
        found = table(store, "organization").to_dicts()
    assert len(found) == len(rows["dim_tin"])
    assert {
        (row["tin_type"], row["tin_value"]): (
            row["name"], row["name_source"], row["name_confidence"], row["organization_id"], row["system_id"],
        )
        for row in found
    } == roll_up_reference.roll_up(rows)  # fmt: skip
    # One name and one system for each organization: a level above never splits one below.
    for level, above in (("organization_id", "system_id"), ("organization_id", "organization_name"),
                         ("system_id", "system_name")):  # fmt: skip
        pairs = {(row[level], row[above]) for row in found if row[level]}
        assert len(pairs) == len({one for one, _ in pairs})
