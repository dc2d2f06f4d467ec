"""The register into the store: names for the NPIs already loaded, at once and later; all or nothing; repeatable."""

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.demo.provider_register import write_register
from core.load.load_file import load_file
from core.reference.nppes.latest_rows import LatestRows
from core.reference.nppes.load_register import load_nppes
from core.reference.nppes.provider_names import npi_states
from core.runtime.errors import BeaconError, ReferenceFileError
from core.store.generations.store import Store
from core.store.schema.tables import NPPES
from core.store.writer_connection import connect_for_writing
from core.tic.source import open_documents
from tests.fixture_types import Load
from tests.reference.nppes import slow
from tests.reference.nppes.registers import CLINIC, PRACTICE, STRANGER, SURGEON, names, provider, rates, register
from tests.stores import open_snapshot


def test_the_npis_at_hand_are_named(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates(SURGEON, CLINIC))
    specialty = {
        "Healthcare Provider Taxonomy Code_1": "207X00000X",
        "Healthcare Provider Primary Taxonomy Switch_1": "Y",
    }
    where = {PRACTICE + "State Name": "GA", PRACTICE + "City Name": "MACON"}
    file = register(tmp_path / "n.csv", provider(SURGEON, "WIEBE", **specialty, **where), provider(STRANGER, "DAY"))
    loaded = load_nppes(store, [file])
    assert (loaded.counts.rows_read, loaded.counts.kept, loaded.counts.not_in_use) == (2, 1, 1)
    assert (loaded.in_use, loaded.named, loaded.register) == (2, 1, 0)
    assert names(store) == {CLINIC: None, SURGEON: "WIEBE"}
    # The words for the specialty may come later, or in the same step; the name stays.
    taxonomy = write_register(tmp_path)[1]
    assert load_nppes(store, [taxonomy]).taxonomies == 6
    row = open_snapshot(store).rows("SELECT name, taxonomy_code, taxonomy, city, state FROM dim_npi WHERE name <> ''")
    assert row == [("WIEBE", "207X00000X", "Bone and joint surgeon (demo)", "MACON", "GA")]
    assert names(store, "nppes") == {}


def test_loading_again_changes_nothing_and_later_rows_stay(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates(SURGEON))
    old = register(tmp_path / "old.csv", provider(SURGEON, "WIEBE"), provider(SURGEON, "WIEBE-DAY"))
    new = register(tmp_path / "new.csv", provider(SURGEON, "DAY"))
    first = load_nppes(store, [old])
    assert (first.repeated, names(store)) == (1, {SURGEON: "WIEBE-DAY"})
    before = open_snapshot(store).rows("FROM dim_npi")
    assert load_nppes(store, [old]) == first
    assert open_snapshot(store).rows("FROM dim_npi") == before
    load_nppes(store, [old, new])
    assert names(store) == {SURGEON: "DAY"}


@pytest.mark.parametrize("everything", [False, True])
def test_a_deactivated_npi_keeps_its_words(store: Store, load: Load, tmp_path: Path, everything: bool) -> None:
    load(rates(SURGEON))
    load_nppes(store, [register(tmp_path / "old.csv", provider(SURGEON, "WIEBE"))], everything=everything)
    gone = register(tmp_path / "new.csv", provider(SURGEON, **{"NPI Deactivation Date": "03/03/2021"}))
    assert load_nppes(store, [gone]).deactivated == 1
    tables = ["dim_npi", "nppes"] if everything else ["dim_npi"]
    for table in tables:
        rows = open_snapshot(store).rows(f"SELECT name, entity_type, deactivated_on FROM {table}")
        assert rows == [("WIEBE", "individual", date(2021, 3, 3))]
    back = {"NPI Deactivation Date": "03/03/2021", "NPI Reactivation Date": "04/03/2021"}
    load_nppes(store, [register(tmp_path / "back.csv", provider(SURGEON, "WIEBE", **back))])
    assert open_snapshot(store).rows("SELECT name, deactivated_on FROM dim_npi") == [("WIEBE", None)]


def test_with_the_whole_register_later_ingests_have_names(store: Store, tmp_path: Path) -> None:
    file = register(
        tmp_path / "n.csv", provider(SURGEON, "WIEBE"), provider(CLINIC, "PILCHER"), provider(STRANGER, "DAY")
    )
    loaded = load_nppes(store, [file], everything=True)
    assert (loaded.register, loaded.in_use) == (3, 0)

    def ingest_it(name: str, *npis: str) -> None:
        path = tmp_path / name
        path.write_text(json.dumps(rates(*npis)))
        load_file(store, open_documents(path)[0], "GA")

    ingest_it("one.json", SURGEON)
    assert names(store) == {SURGEON: "WIEBE"}
    # Once the register is kept, a weekly update goes into it, including NPIs that no file has.
    update = register(tmp_path / "weekly.csv", provider(CLINIC, "PILCHER-DAY"), provider(SURGEON, "WIEBE II"))
    assert load_nppes(store, [update]).register == 3
    ingest_it("two.json", SURGEON, CLINIC, "1003027533")
    assert names(store) == {"1003027533": None, CLINIC: "PILCHER-DAY", SURGEON: "WIEBE II"}


def test_a_later_ingest_keeps_names(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates(SURGEON))
    load_nppes(store, [register(tmp_path / "n.csv", provider(SURGEON, "WIEBE"))])
    load(rates(SURGEON, CLINIC), name="later.json")
    assert names(store) == {CLINIC: None, SURGEON: "WIEBE"}


def test_npis_in_a_state(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates(SURGEON, CLINIC))
    rows = [provider(SURGEON, "WIEBE"), provider(CLINIC, "PILCHER"), provider(STRANGER, "DAY"), provider("1003027533")]
    for row, state in zip(rows, ("GA", "FL", "GA", ""), strict=True):
        row[PRACTICE + "State Name"] = state

    def found(state: str) -> list[str]:
        with store.write() as transaction:
            connection = connect_for_writing(transaction.work)
            try:
                sql = f"SELECT DISTINCT npi FROM {npi_states(connection, transaction)} WHERE state = ? ORDER BY npi"
                return [str(npi) for (npi,) in connection.execute(sql, [state]).fetchall()]
            finally:
                connection.close()

    with pytest.raises(BeaconError, match="load its file first: load_nppes --all FILE"):
        found("GA")
    load_nppes(store, [register(tmp_path / "n.csv", *rows)])
    assert (found("GA"), found("FL"), found("AL")) == ([SURGEON], [CLINIC], [])
    load_nppes(store, [register(tmp_path / "n.csv", *rows)], everything=True)
    assert found("GA") == [STRANGER, SURGEON]


def test_what_is_wrong_is_told_and_changes_nothing(store: Store, load: Load, tmp_path: Path) -> None:
    file = register(tmp_path / "n.csv", provider(SURGEON, "WIEBE"))
    with pytest.raises(ReferenceFileError, match="there is no NPI to name yet"):
        load_nppes(store, [file])
    assert store.manifest() is None
    load(rates(SURGEON))
    before = store.manifest()
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(ReferenceFileError, match=r"other\.csv: neither an NPPES file"):
        load_nppes(store, [file, other])
    other.write_text("Code,Grouping,Classification,Specialization,Definition,Notes\n,,,,,\n")
    with pytest.raises(ReferenceFileError, match="no taxonomy code below it"):
        load_nppes(store, [file, other])
    other.write_text(file.read_text() + '"1588667638","1"')
    with pytest.raises(ReferenceFileError, match="cut short"):
        load_nppes(store, [file, other])
    assert store.manifest() == before
    assert names(store) == {SURGEON: None}


def test_the_real_register_s_rows_are_kept_whole(shared: Path, store: Store) -> None:
    path = shared / "nppes" / "nppes_sample_1000.csv"
    loaded = load_nppes(store, [path, shared / "codes" / "nucc_taxonomy_251.csv"], everything=True)
    assert (loaded.counts.kept, loaded.register, loaded.taxonomies) == (1000, 1000, 883)
    expected = sorted(slow.register(path), key=lambda row: str(row["npi"]))
    assert pl.read_parquet(store.root / NPPES.path).to_dicts() == expected
    words = dict(open_snapshot(store).rows("SELECT taxonomy_code, taxonomy FROM dim_taxonomy"))
    assert words["207X00000X"] == "Orthopaedic Surgery Physician"


# --- the newest row of each NPI -------------------------------------------------------------------------------

DAYS = [None, date(2020, 1, 1), date(2021, 3, 3), date(2022, 2, 2)]
rows_of_a_file = st.lists(
    st.tuples(
        st.sampled_from([SURGEON, CLINIC, STRANGER]),
        st.sampled_from([None, "individual"]),
        st.sampled_from([None, "A", "B"]),
        st.sampled_from(DAYS),
        st.sampled_from(DAYS),
    ).map(lambda row: row if row[1] else (*row[:2], None, None, row[4])),  # a blank row has one date
    max_size=12,
)


@given(rows_of_a_file, rows_of_a_file)
def test_the_newest_row_stays(tmp_path_factory: pytest.TempPathFactory, old: list[Any], new: list[Any]) -> None:
    directory = tmp_path_factory.mktemp("runs")
    columns = ("npi", "entity_type", "name", "updated_on", "deactivated_on")

    def frame(rows: list[Any]) -> pl.DataFrame:
        full = [{**dict.fromkeys(NPPES.names), **dict(zip(columns, row, strict=True))} for row in rows]
        return pl.from_arrow(pa.Table.from_pylist(full, NPPES.arrow))  # type: ignore[return-value]

    def newest(rows: list[Any]) -> list[Any]:
        # The newest row that has a kind says who it is; the newest of all whether it is deactivated.
        found = []
        for npi in sorted({row[0] for row in rows}):
            of_npi = [row for row in rows if row[0] == npi]
            by_day = sorted(of_npi, key=lambda row: max(day or date.min for day in row[3:]))
            named = sorted((row for row in by_day if row[1]), key=lambda row: row[3] or date.min)
            found.append((*(named or by_day)[-1][:4], by_day[-1][4]))
        return found

    before = newest(old)
    latest = LatestRows(directory)
    latest.add(frame(before), new=False)
    for row in new:
        latest.add(frame([row]), new=True)
    found = [tuple(row[name] for name in columns) for block in latest.read() for row in block.to_pylist()]
    assert found == newest([*before, *new])
    assert latest.new_npis == len({row[0] for row in new})


@pytest.mark.in_turns(3)
@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_the_newer_row_wins_whatever_the_order_of_the_files_and_of_the_runs(
    store: Store, load: Load, tmp_path: Path, everything: bool, newest_first: bool, apart: bool
) -> None:
    load(rates(SURGEON, CLINIC))
    monthly = register(
        tmp_path / "npidata_pfile_20050523-20251109.csv",
        provider(SURGEON, "OLD", **{"Last Update Date": "11/02/2025"}),
        provider(CLINIC, "SAME", **{"Last Update Date": "11/02/2025"}),
    )
    weekly = register(
        tmp_path / "npidata_pfile_20251110-20251116.csv",
        provider(SURGEON, "NEW", **{"Last Update Date": "11/12/2025"}),
        provider(CLINIC, **{"NPI Deactivation Date": "11/13/2025"}),
    )
    files = [weekly, monthly] if newest_first else [monthly, weekly]
    if apart:
        outdated = [load_nppes(store, [file], everything=everything).outdated for file in files]
        assert outdated == [0, 2 if newest_first else 0]
    else:
        load_nppes(store, files, everything=everything)
    assert names(store) == {SURGEON: "NEW", CLINIC: "SAME"}
    if everything:
        assert names(store, "nppes") == names(store)
    rows = open_snapshot(store).rows(f"SELECT deactivated_on FROM dim_npi WHERE npi = '{CLINIC}'")
    assert str(rows[0][0]) == "2025-11-13"


def test_a_copy_without_dates_is_read_in_the_order_of_the_files(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates(SURGEON))
    files = [register(tmp_path / f"{name}.csv", provider(SURGEON, name)) for name in ("B", "A")]
    for path in files:
        path.write_text(path.read_text().replace("Last Update Date", "Another Date"))
    load_nppes(store, files)
    assert names(store) == {SURGEON: "A"}


def test_a_row_loaded_before_the_whole_register_stays_if_it_is_newer(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates(SURGEON))
    new = register(tmp_path / "new.csv", provider(SURGEON, "NEW", **{"Last Update Date": "11/12/2025"}))
    load_nppes(store, [new])
    old = register(
        tmp_path / "old.csv",
        provider(SURGEON, "OLD", **{"Last Update Date": "11/02/2025"}),
        provider(STRANGER, "DAY", **{"Last Update Date": "11/02/2025"}),
    )
    assert load_nppes(store, [old], everything=True).outdated == 1
    assert names(store) == {SURGEON: "NEW"}
    assert names(store, "nppes") == {STRANGER: "DAY", SURGEON: "NEW"}


def test_a_deactivation_does_not_hide_a_newer_name_loaded_later(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates(SURGEON))
    load_nppes(store, [register(tmp_path / "a.csv", provider(SURGEON, "OLD", **{"Last Update Date": "01/01/2015"}))])
    load_nppes(store, [register(tmp_path / "b.csv", provider(SURGEON, **{"NPI Deactivation Date": "03/03/2021"}))])
    load_nppes(store, [register(tmp_path / "c.csv", provider(SURGEON, "NEW", **{"Last Update Date": "01/01/2020"}))])
    found = open_snapshot(store).rows("SELECT name, updated_on, deactivated_on FROM dim_npi")
    assert found == [("NEW", date(2020, 1, 1), date(2021, 3, 3))]


@pytest.mark.in_turns(3, of="long histories of stores")
def test_many_rows_come_whole_and_in_order(tmp_path: Path) -> None:
    numbers = random.Random(5).sample(range(1_000_000_000, 2_999_999_999), 500_000)
    latest = LatestRows(tmp_path)
    for at in range(0, len(numbers), 40_000):
        npis = pl.Series("npi", [str(number) for number in numbers[at : at + 40_000]])
        latest.add(pl.DataFrame(NPPES.arrow.empty_table()).clear(len(npis)).with_columns(npis, name=npis), new=True)
    found = pl.DataFrame(pa.concat_tables(latest.read()))
    assert found["npi"].to_list() == found["name"].to_list() == sorted(str(number) for number in numbers)
    assert latest.new_npis == len(numbers)
    assert not list(tmp_path.iterdir())
