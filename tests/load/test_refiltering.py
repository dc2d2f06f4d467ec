"""One filter after another, while more becomes known of the providers that filters ask for."""

import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from core.load.load_file import load_file
from core.load.outcome import LoadOutcome
from core.load.rate_filters import ALL_RATES, MAX_FILTERS, RateFilter, make_filter
from core.load.remote.retry_unresolved import retry_unresolved
from core.quality.report import run_checks
from core.runtime.errors import PayerFileError
from core.store.generations.store import Store
from core.store.parquet.writer import write_table
from core.store.schema.tables import DIM_BATCH
from core.tic.source import Source
from tests.fetch.server import Server
from tests.fixture_types import Fetching, Load
from tests.load.expected import assert_adds_up
from tests.load.npi_states import place
from tests.load.remote.remote_files import remote, serve, source_of
from tests.rate_files import file_of, item_of
from tests.stores import open_snapshot, table

FIRST, SECOND = make_filter(npis=["1912951245"]), make_filter(npis=["1234567893"])
"""Filters that want the first and the second group of `remote`."""


def assert_true_to_its_record(store: Store, outcome: LoadOutcome) -> None:
    """Check that the batch's record has the right number of rows, and that the store's checks find nothing."""
    assert_adds_up(outcome)
    assert outcome.record["rows_added"] == len(table(store, "fact_rate"))
    assert run_checks(open_snapshot(store)).failed(("error",)) == []


def test_a_filter_sees_members_that_were_resolved_for_another_state(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    serve(server, 1, 2, 3)
    source = source_of(tmp_path, remote(server))
    load_file(store, source, "FL", fetcher=locations())
    first = load_file(store, source, "GA", only=FIRST, fetcher=locations())
    assert first.rows_added == 2, "two rates of the one group"
    second = load_file(store, source, "GA", only=make_filter(tins=["000000007"]), fetcher=locations())
    assert (second.rows_added, second.record["rows_added"]) == (2, 4)
    assert set(table(store, "fact_rate").filter(state="GA")["provider_group_id_raw"]) == {"1", "2"}
    assert_adds_up(second)


@pytest.mark.parametrize("without", [False, True], ids=["fetching", "without fetching"])
def test_another_filter_keeps_what_the_first_has_added(
    without: bool, server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    serve(server, 1, 2, 3)
    source = source_of(tmp_path, remote(server))
    first = load_file(store, source, "GA", only=FIRST, fetcher=locations())
    assert (first.rows_added, first.record["rows_filtered"]) == (2, 4)
    server.pages.clear()
    second = load_file(store, source, "GA", only=SECOND, fetcher=None if without else locations())
    assert (second.rows_added, second.record["rows_added"], second.record["rows_filtered"]) == (0, 2, 4)
    assert_true_to_its_record(store, second)


def test_rates_of_providers_that_have_moved_since_stay(load: Load, store: Store) -> None:
    members = {
        n: [{"npi": [npi], "tin": {"type": "ein", "value": "1"}}]
        for n, npi in ((1, 1912951245), (2, 1003027533))
    }  # fmt: skip
    content = file_of(
        item_of(5, 6, references=[1, 2]),
        provider_references=[{"provider_group_id": n, "provider_groups": each} for n, each in members.items()],
    )
    load({**content, "version": "other"}, name="other.json", state="FL")
    place(store, npi1912951245="GA", npi1003027533="FL")
    first = load(content, only=make_filter(in_state="GA"))
    assert first.rows_added == 2
    assert load(content, only=make_filter(in_state="GA")).loaded_before
    place(store, npi1912951245="FL", npi1003027533="GA")
    second = load(content, only=make_filter(in_state="GA"))
    assert (second.loaded_before, second.rows_added, second.record["rows_added"]) == (False, 2, 4)
    third = load(content, only=make_filter(codes=["1"]))
    assert (third.rows_added, third.record["rows_added"]) == (0, 4)
    assert len(table(store, "fact_rate").filter(state="GA")) == 4
    assert_adds_up(third)


def test_rates_of_a_location_that_was_away_are_added_when_it_is_back(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    serve(server, 1)
    source = source_of(tmp_path, remote(server))
    wanted = make_filter(npis=[*FIRST.npis, *SECOND.npis])

    def again() -> LoadOutcome:
        return load_file(store, source, "GA", only=wanted, fetcher=locations())

    batch = again().record["batch_id"]
    assert len(table(store, "fact_rate")) == 2
    assert table(store, "xref_group_location")["problem"].len() == 2
    none = retry_unresolved(store, batch, locations())
    assert (none.report.failed, none.wanted_now) == (2, 0)
    assert again().loaded_before, "nothing has become known"
    serve(server, 3)
    other = retry_unresolved(store, batch, locations())
    assert (other.report.failed, other.wanted_now) == (1, 0), "a group that the filter does not want"
    assert again().loaded_before
    serve(server, 2)
    found = retry_unresolved(store, batch, locations())
    assert (found.report.asked, found.report.failed, found.wanted_now) == (1, 0, 1)
    assert json.loads(table(store, "dim_batch")["notes"][0])["groups_found_later"] == 1
    assert table(store, "dim_provider_group")["provider_group_id_raw"].to_list() == ["1"], "no group without a rate"
    outcome = again()
    assert (outcome.loaded_before, outcome.rows_added) == (False, 2)
    assert set(table(store, "fact_rate")["provider_group_id_raw"]) == {"1", "2"}
    assert "groups_found_later" not in outcome.record["notes"]
    assert_true_to_its_record(store, outcome)
    assert again().loaded_before


def test_signed_locations_of_groups_that_a_filter_left_out_are_found_in_the_file(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    source = source_of(tmp_path, remote(server, "?X-Amz-Signature=SECRET"))
    batch = load_file(store, source, "GA", only=SECOND, fetcher=locations()).record["batch_id"]
    assert retry_unresolved(store, batch, locations()).signed == 3
    serve(server, 2)
    found = retry_unresolved(store, batch, locations(), source=source)
    assert (found.report.asked, found.report.failed, found.wanted_now) == (3, 2, 1)
    outcome = load_file(store, source, "GA", only=SECOND, fetcher=locations())
    assert outcome.rows_added == 2


def partly_elsewhere(server: Server, tmp_path: Path) -> Source:
    """Return a file of one group: one member and tax ID are in it, those of `MEMBERS[2]` are on the server."""
    inline = [{"npi": [1003027533], "tin": {"type": "ein", "value": "111111111"}}]
    references = [
        {"provider_group_id": 1, "provider_groups": inline},
        {"provider_group_id": 1, "location": server.url("/2.json")},
    ]
    return source_of(tmp_path, file_of(item_of(1, references=[1]), provider_references=references))


def test_a_filter_on_members_in_the_file_and_elsewhere(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    source, only = partly_elsewhere(server, tmp_path), make_filter(npis=["1003027533"], tins=["000000007"])
    batch = load_file(store, source, "GA", only=only, fetcher=locations()).record["batch_id"]
    serve(server, 2)
    assert retry_unresolved(store, batch, locations()).wanted_now == 1
    assert load_file(store, source, "GA", only=only, fetcher=locations()).rows_added == 1


def test_an_address_of_a_group_with_other_members_is_asked_again(
    server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    source = partly_elsewhere(server, tmp_path)
    load_file(store, source, "GA", fetcher=locations())
    serve(server, 2)
    assert load_file(store, source, "FL", only=SECOND, fetcher=locations()).rows_added == 1


def test_rejects_stay_when_the_file_is_loaded_for_another_state(load: Load, store: Store) -> None:
    content = file_of(item_of(None, code="99214"), item_of(1, code="99213"))
    load(content)
    load(content, state="FL", only=make_filter(codes=["99213"]))
    load(content, only=make_filter(codes=["99213"]))
    manifest = store.loaded()
    (file,) = manifest.rejects.values()
    assert pl.read_parquet(store.root / file.path)["reason"].to_list() == ["invalid_rate"]


def test_too_many_filters_are_refused(load: Load, store: Store) -> None:
    content = file_of(*(item_of(1, code=str(10_000 + n)) for n in range(3)))
    load(content, only=make_filter(codes=["10000", "10001", "10002"]))
    # As if it had been loaded for one code after another: all but the last.
    (record,) = table(store, "dim_batch").to_dicts()
    each = [make_filter(codes=[str(10_000 + n)]).as_json() for n in range(MAX_FILTERS - 1)]
    with store.write() as transaction:
        path = transaction.new_file("dim_batch")
        row = pa.Table.from_pylist([{**record, "filters": json.dumps(each)}], DIM_BATCH.arrow)
        transaction.put("dim_batch", path, write_table(path, DIM_BATCH, [row]))
        transaction.commit()
    assert load(content, only=make_filter(codes=["10062"])).rows_added == 0
    with pytest.raises(PayerFileError, match="loaded with 63 different filters already"):
        load(content, only=make_filter(codes=["1"]))
    assert load(content).rows_added == 0


@pytest.mark.parametrize("only", [ALL_RATES, FIRST, SECOND])
def test_members_found_by_another_state_s_load_are_not_lost_to_a_filter(
    only: RateFilter, server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    source = source_of(tmp_path, remote(server))
    batch = load_file(store, source, "GA", only=SECOND).record["batch_id"]
    serve(server, 1, 2, 3)
    load_file(store, source, "FL", only=only, fetcher=locations())
    assert retry_unresolved(store, batch, locations()).wanted_now == 1
    outcome = load_file(store, source, "GA", only=SECOND, fetcher=locations())
    assert (outcome.rows_added, outcome.record["rows_added"]) == (2, 2)
    assert_adds_up(outcome)
    assert load_file(store, source, "GA", only=SECOND, fetcher=locations()).loaded_before


@pytest.mark.parametrize("only", [FIRST, make_filter(tins=["123456789"])])
def test_everything_after_a_filter(
    only: RateFilter, server: Server, store: Store, locations: Fetching, tmp_path: Path
) -> None:
    serve(server, 1, 2, 3)
    source = source_of(tmp_path, remote(server))
    load_file(store, source, "GA", only=only, fetcher=locations())
    everything = load_file(store, source, "GA", fetcher=locations())
    assert (everything.record["rows_added"], everything.record["rows_filtered"]) == (6, 0)
    assert_true_to_its_record(store, everything)
