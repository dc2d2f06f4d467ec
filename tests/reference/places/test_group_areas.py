"""The areas of provider groups, against a slow reference, on random members and places."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.reference.places.group_areas import group_areas_sql, put_all_group_areas, put_group_areas
from core.store.generations.store import Store
from core.store.schema.tables import DIM_GROUP_AREA, DIM_NPI, DIM_ZIP, XREF_GROUP_NPI
from core.store.writer_connection import connect_for_writing
from tests.reference.places import group_reference
from tests.reference.places.store_rows import write_rows
from tests.stores import table

NPIS = [f"10000000{n:02}" for n in range(8)]
ZIPS = ["30303", "31201", "31792", "10001"]
PLACE = {
    "contractor": st.sampled_from(["10212", "13202", None]),
    "locality": st.sampled_from(["01", "99"]),
    "locality_by_plus_four": st.sampled_from([False, False, True]),
    "wage_area": st.sampled_from(["12054", "31420", "GA", None]),
    "dmepos_rural": st.sampled_from([True, False, None]),
}


@st.composite
def places(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Draw the rows of dim_zip. A ZIP code without a contractor has no locality."""
    found = {code: draw(st.fixed_dictionaries(PLACE)) for code in draw(st.lists(st.sampled_from(ZIPS), unique=True))}
    for row in found.values():
        if row["contractor"] is None:
            row["locality"] = row["locality_by_plus_four"] = None
    return found


addresses = st.dictionaries(st.sampled_from(NPIS), st.sampled_from([*ZIPS, "303031234", "99999", None]))
members = st.dictionaries(st.sampled_from("abcde"), st.lists(st.sampled_from(NPIS), min_size=1, unique=True))


def expected_rows(
    groups: dict[str, list[str]], zip_of: dict[str, str | None], zips: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    fives = {npi: code[:5] if code else None for npi, code in zip_of.items()}
    areas = {group: group_reference.group_area(npis, fives, zips) for group, npis in groups.items()}
    scope = {"year_month": "2025-08", "payer_slug": "p"}
    return [{**scope, "pg_uid": group, **area} for group, area in sorted(areas.items()) if area["area"] != "///"]


@given(places(), addresses, members)
def test_a_group_has_the_areas_of_more_than_half_of_its_npis(
    zips: dict[str, dict[str, Any]], zip_of: dict[str, str | None], groups: dict[str, list[str]]
) -> None:
    pairs = [
        {"year_month": "2025-08", "payer_slug": "p", "pg_uid": group, "npi": npi}
        for group, npis in groups.items()
        for npi in npis
    ]
    with TemporaryDirectory() as directory:
        store = Store(Path(directory))
        rows = {
            DIM_ZIP.name: [{"zip": code, **row} for code, row in zips.items()],
            DIM_NPI.name: [{"npi": npi, "postal_code": zip_of.get(npi)} for npi in NPIS],
            XREF_GROUP_NPI.name: pairs,
        }
        write_rows(store, rows)
        expected = expected_rows(groups, zip_of, zips) if zips else []
        for whole in (True, False):
            with store.write() as transaction:
                connection = connect_for_writing(transaction.work)
                if whole:
                    put_all_group_areas(connection, transaction)
                else:
                    connection.register(
                        "new_pairs", pl.DataFrame(pairs or None, schema=dict.fromkeys(XREF_GROUP_NPI.names, pl.String))
                    )
                    put_group_areas(connection, transaction, "new_pairs")
                connection.close()
                transaction.commit()
            assert table(store, DIM_GROUP_AREA.name).to_dicts() == expected
            write_rows(store, {DIM_GROUP_AREA.name: []})


def test_half_of_the_members_is_not_more_than_half() -> None:
    connection = duckdb.connect()
    connection.execute(
        """CREATE TABLE npi_area AS FROM (VALUES
               ('1', '10212', '01', '12054', false), ('2', '10212', '99', '12054', false))
           v(npi, contractor, locality, wage_area, dmepos_rural)"""
    )
    connection.execute(
        "CREATE TABLE pairs AS SELECT '2025-08' AS year_month, 'p' AS payer_slug, 'g' AS pg_uid, npi FROM npi_area"
    )
    (row,) = connection.execute(group_areas_sql("pairs")).fetchall()
    assert row[3:] == (None, None, "12054", False, "//12054/urban")
