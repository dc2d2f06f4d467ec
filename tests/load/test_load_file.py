"""What loading a file puts into the store, compared with the slow reader and rule by rule."""

import gzip
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given

from core.demo.payer_files import write_files
from core.load.load_file import load_file
from core.runtime.errors import PayerFileError
from core.store.generations.store import Store
from core.store.schema import ids
from core.store.schema.tables import FACT_RATE, TABLES
from core.tic.source import open_documents
from tests import payer_files, slow_reader
from tests.fixture_types import Load
from tests.load.expected import REAL, assert_same
from tests.rate_files import file_of, item_of
from tests.stores import table


@given(payer_files.contents())
def test_any_file_is_loaded_as_by_the_slow_reader(content: bytes) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "rates.json"
        path.write_bytes(content)
        store = Store(Path(directory) / "data")
        outcome = load_file(store, open_documents(path)[0], "GA")
        assert_same(store, outcome, slow_reader.flatten(content, "GA"))


def test_the_demo_is_loaded_as_by_the_slow_reader(tmp_path: Path) -> None:
    for number, path in enumerate(write_files(tmp_path, ("2025-08",))):
        store = Store(tmp_path / f"data{number}")
        source = open_documents(path)[0]
        content = b"".join(source.read_blocks())
        assert_same(store, load_file(store, source, "GA"), slow_reader.flatten(content, "GA"))


# Of the two months of one payer, the larger: test_layouts.py counts the rows of the other.
@pytest.mark.in_turns(5)
@pytest.mark.parametrize(
    ("name", "rows"), [(name, rows) for name, rows in REAL.items() if "2025-01-06_Evry" not in name]
)
def test_real_files_are_loaded_as_by_the_slow_reader(shared: Path, store: Store, name: str, rows: int | None) -> None:
    source = open_documents(shared / "tic" / name)[0]
    content = b"".join(source.read_blocks())
    outcome = load_file(store, source, "TX")
    assert_same(store, outcome, slow_reader.flatten(content, "TX"))
    assert rows is None or outcome.rows_added == rows
    if "HealthSCOPE" in name:
        assert outcome.members is not None
        assert (outcome.members.groups, outcome.members.group_npis, outcome.members.group_tins) == (11, 11_800, 59)


# --- one rule at a time ---------------------------------------------------------------------------------------


def test_a_file_loaded_again_adds_nothing_however_it_is_packed(load: Load, store: Store, tmp_path: Path) -> None:
    content = json.dumps(file_of(item_of(1, 2, 2))).encode()
    first = load(content)
    before = store.manifest()
    packed = tmp_path / "x.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.json", content)
    renamed = load(content, name="renamed.json")
    zipped = load_file(store, open_documents(packed)[0], "GA")
    gzipped = load(gzip.compress(content[:5]) + gzip.compress(content[5:]), name="two_members.gz")
    for again in (renamed, zipped, gzipped):
        assert again.loaded_before
        assert (again.rows_added, again.duplicates, again.record["rows_read"]) == (0, 3, 3)
    assert first.rows_added == 2
    assert store.manifest() == before


def test_one_file_for_two_states_has_rows_for_both(load: Load, store: Store) -> None:
    content = file_of(item_of(1))
    assert load(content, "GA").rows_added == 1
    assert load(content, "FL").rows_added == 1
    assert table(store, "fact_rate")["state"].to_list() == ["FL", "GA"]
    assert len(table(store, "dim_batch")) == 2
    assert len(table(store, "dim_provider_group")) == 1


def test_the_month_can_be_given_but_not_changed_later(load: Load, store: Store) -> None:
    assert load(file_of(item_of(1), last_updated_on=None), year_month="2025-09").record["year_month"] == "2025-09"
    before = store.manifest()
    with pytest.raises(PayerFileError, match="already, as 2025-09 in GA"):
        load(file_of(item_of(1), last_updated_on=None), year_month="2025-10")
    with pytest.raises(PayerFileError, match="already, as 2025-09 in GA"):
        load(file_of(item_of(1), last_updated_on=None), "FL", year_month="2025-10")
    assert store.manifest() == before


@pytest.mark.parametrize("month", [None, "", "soon", "1999-01-01", "0001-01-01", 7])
def test_a_missing_month_names_the_option(load: Load, month: Any) -> None:
    with pytest.raises(PayerFileError, match="--year-month YYYY-MM"):
        load(file_of(item_of(1), last_updated_on=month))


@pytest.mark.in_turns(6)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"[]", "expected one JSON object"),
        (b"{}", "has no in_network array"),
        (b'{"in_network": 3}', "in_network is 3; expected an array"),
        (b'{"in_network": [{} {}]}', "not JSON: .* at byte 19, in in_network"),
        (b'{"in_network": [{},]}', "not JSON: .* in in_network"),
        (b'{"in_network": [,{}]}', "not JSON: .* at byte 16, in in_network"),
        (b'{"in_network": [{"a": nul}]}', "not JSON: .* at byte 22, in in_network"),
        (b'{"in_network": [{"a": [1}]]}', "not JSON"),
        (b'{"provider_references": [{"a" 1}], "in_network": []}', "not JSON: .* in provider_references"),
        (b'{"in_network": [{"a": ' + b"[" * 9999 + b"]" * 9999 + b"}]}", "nested deeper"),
        (b'{"reporting_entity_name": "A", "reporting_structure": [{}], "in_network": []}', "a table of contents"),
        (b'{"reporting_entity_name": "A", "out_of_network": []}', "an allowed-amounts file"),
        (b'{"provider_groups": [], "version": "1"}', "a provider-reference file"),
        (b'{"in_network": [], "last_updated_on": "2025-08-01"}', "has no reporting_entity_name"),
        (
            b'{"in_network": [], "last_updated_on": "2025-08-01", "reporting_entity_name": 7}',
            "has no reporting_entity_name",
        ),
    ],
)
def test_another_kind_of_file_is_refused_in_one_line_and_changes_nothing(
    load: Load, store: Store, content: bytes, message: str
) -> None:
    load(file_of(item_of(1)))
    before = sorted((p, p.stat().st_mtime_ns) for p in store.root.rglob("*") if p.is_file() and p.name != ".lock")
    with pytest.raises(PayerFileError, match=f"^bad.json: .*{message}"):
        load(content, name="bad.json")
    assert (
        sorted((p, p.stat().st_mtime_ns) for p in store.root.rglob("*") if p.is_file() and p.name != ".lock") == before
    )


def test_null_or_one_object_is_accepted_in_place_of_an_array(load: Load) -> None:
    reference = {"provider_group_id": 1, "provider_groups": [{"npi": 1912951245}]}
    assert load(file_of(provider_references=None) | {"in_network": None}, name="none.json").record["rows_read"] == 0
    outcome = load(file_of(provider_references=reference) | {"in_network": item_of(1)}, name="one.json")
    assert outcome.rows_added == 1
    assert outcome.members is not None
    assert outcome.members.group_npis == 1


def test_the_first_description_name_and_remark_stay(load: Load, store: Store) -> None:
    priced = {"negotiated_type": "negotiated", "negotiated_rate": 5}
    load(
        file_of(
            item_of({**priced, "additional_information": "one"}, name=" ", description="first"),
            item_of({**priced, "additional_information": "two"}, name="second", description="third"),
        )
    )
    load(file_of(item_of(5, name="other", description="other"), last_updated_on="2025-09-01"), name="later.json")
    assert table(store, "dim_code").row(0, named=True) == {
        "code_type": "CPT", "code": "99213", "code_desc": "first", "name": "second",
    }  # fmt: skip
    remarks = table(store, "fact_rate").filter(pl.col("year_month") == "2025-08")["additional_information"]
    assert remarks.to_list() == ["one"]


def test_the_code_set_version_is_kept_and_of_duplicates_the_first_stays(load: Load, store: Store) -> None:
    load(
        file_of(
            item_of(1, 2, code="470", billing_code_type="MS-DRG", billing_code_type_version=" v42 "),
            item_of(2, 3, code="470", billing_code_type="MS-DRG", billing_code_type_version="v43"),
            item_of(4, code="470", billing_code_type="MS-DRG", billing_code_type_version=43),
            item_of(5, code="470", billing_code_type="MS-DRG"),
        )
    )
    facts = table(store, "fact_rate").sort("negotiated_rate")
    assert facts["billing_code_type_version"].to_list() == ["v42", "v42", "v43", "43", None]
    assert [ids.fact_uid(row) for row in facts.to_dicts()] == facts["fact_uid"].to_list()


def test_groups_without_a_rate_are_left_out_and_counted(load: Load, store: Store) -> None:
    members = [{"npi": [1912951245], "tin": {"type": "ein", "value": "1"}}]
    references = [{"provider_group_id": n, "provider_groups": members} for n in (1, 2, 3)]
    outcome = load(file_of(item_of(1), item_of("none", references=[2]), provider_references=references))
    assert outcome.members is not None
    assert outcome.members.unused == 2
    assert outcome.record["notes"]["unused_groups"] == 2
    assert table(store, "dim_provider_group")["provider_group_id_raw"].to_list() == ["1"]


def test_rejects_have_a_place_and_a_value(load: Load, store: Store) -> None:
    outcome = load(
        file_of(
            item_of(1, "N/A", references=[1, 2]),
            item_of(1, references=[]),
            item_of(1, code=""),
            provider_references=[{"provider_group_id": 1, "provider_groups": [{"npi": ["99"], "tin": None}]}],
        )
    )
    manifest = store.manifest()
    assert manifest is not None
    path = store.root / manifest.rejects[outcome.record["batch_id"]].path
    assert pl.read_parquet(path).rows() == [
        ("invalid_npi", "provider_references[0]", "99", 0),
        ("invalid_rate", "in_network[0].negotiated_rates[0].negotiated_prices[1]", "N/A", 2),
        ("no_code", "in_network[2].negotiated_rates[0].negotiated_prices[0]", '["CPT",""]', 1),
        ("no_provider", "in_network[1].negotiated_rates[0].negotiated_prices[0]", None, 1),
    ]
    stable = store.root / "silver" / "rejects" / f"{outcome.record['batch_id']}.parquet"
    assert pl.read_parquet(stable).height == 4


def test_facts_are_sorted_and_typed_as_declared(load: Load, store: Store) -> None:
    load(file_of(*(item_of(n, code=str(99999 - n)) for n in range(50))), "GA")
    load(file_of(item_of(1, code="50000"), last_updated_on="2025-07-01"), "GA", name="b.json")
    load(file_of(item_of(1, code="50000"), reporting_entity_name="Another"), "FL", name="c.json")
    facts = table(store, "fact_rate")
    assert facts.select(FACT_RATE.order).rows() == sorted(facts.select(FACT_RATE.order).rows())
    manifest = store.manifest()
    assert manifest is not None
    for name, declared in TABLES.items():
        for path in manifest.paths(store.root, name):
            assert pq.read_schema(path).remove_metadata().equals(declared.arrow), name


def test_a_long_list_of_groups_is_one_row_each(load: Load, store: Store) -> None:
    outcome = load(file_of(item_of(1, 1, references=[*range(70_000), 0])))
    assert (outcome.record["rows_read"], outcome.rows_added, outcome.duplicates) == (140_002, 70_000, 70_002)
    assert table(store, "fact_rate")["fact_uid"].n_unique() == 70_000


@pytest.mark.in_turns(3, of="long histories of stores")
def test_tables_of_several_row_groups_are_in_order(load: Load, store: Store) -> None:
    """126,000 groups, more than a row group, whose unordered ids are no numbers: keys, ids, members are found again."""
    names = [f"G{(n * 7919) % 126_001}" for n in range(126_000)]
    references = [{"provider_group_id": name, "provider_groups": [{"npi": 10**9 + n}]} for n, name in enumerate(names)]
    content = json.dumps(file_of(item_of(1, references=names), provider_references=references)).encode()
    assert_same(store, load(content), slow_reader.flatten(content, "GA"))
