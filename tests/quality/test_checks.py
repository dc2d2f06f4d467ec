"""Each check finds what it is for, and nothing in sound data."""

import json
import random
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.demo.payer_files import npi
from core.demo.physician_fees import write_physician_fees
from core.quality.checks import CHECKS, MACROS
from core.quality.failing_rows import find_failing_rows
from core.quality.report import QualityReport, run_checks
from core.queries.comparison.compared_rates import compared_sql
from core.reference.medicare.professional import physician
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.rate_files import file_of, item_of
from tests.stores import open_snapshot, publish_wrong


def failed(report: QualityReport) -> dict[str, int]:
    return {finding.name: finding.count for finding in report.findings if not finding.passed}


def test_the_demo_is_sound(demo: Snapshot) -> None:
    report = run_checks(demo)
    assert failed(report) == {}
    assert [finding.name for finding in report.findings] == [one.name for one in CHECKS]
    assert json.loads(json.dumps(report.as_json(), default=str))["passed"] is True


def test_odd_rates_are_found(load: Load, store: Store) -> None:
    percent = {"negotiated_type": "percentage"}
    load(
        file_of(
            item_of(0, 0, 5, {"negotiated_rate": 0.5, **percent}, {"negotiated_rate": 101, **percent}),
            item_of(
                {"negotiated_rate": 7, "expiration_date": "2025-07-31"},
                {"negotiated_rate": 8, "expiration_date": "2025-08-01"},
            ),
        ),
        name="2025-09-01_payer.json",
    )
    report = run_checks(open_snapshot(store))
    assert failed(report) == {
        "rates_without_npi": 6,
        "groups_without_tin": 1,
        "zero_rates": 1,
        "odd_percentages": 2,
        "expired_rates": 1,
        "month_disagrees": 1,
    }
    zero = next(finding for finding in report.findings if finding.name == "zero_rates")
    assert (zero.total, zero.share, zero.severity) == (6, 1 / 6, "warning")
    assert zero.examples[0]["negotiated_rate"] == 0
    assert report.failed(("error",)) == []


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (file_of({"billing_code_type": "CPT", "billing_code": "1"}), {"files_without_rates", "content_without_rows"}),
        (file_of(item_of("none")), {"files_without_rates"}),
        (
            file_of(item_of(1, negotiated_rates=[{"provider_references": [1]}])),
            {"files_without_rates", "content_without_rows"},
        ),
        (file_of(item_of(1), 7), {"content_without_rows"}),
        (file_of(item_of(1), provider_references=[{"provider_groups": []}]), {"content_without_rows"}),
        (file_of(item_of(1)), set()),
        (file_of(), set()),
    ],
)  # fmt: skip
def test_what_a_file_lost_is_found(load: Load, store: Store, content: dict[str, object], found: set[str]) -> None:
    load(content)
    assert failed(run_checks(open_snapshot(store))).keys() & {"files_without_rates", "content_without_rows"} == found


def test_placeholders_that_an_older_version_stored_are_found(load: Load, store: Store) -> None:
    members = [{"npi": [1912951245], "tin": {"type": "ein", "value": "123456789"}}]
    load(file_of(item_of(1), provider_references=[{"provider_group_id": 1, "provider_groups": members}]))
    manifest = store.manifest()
    assert manifest is not None
    assert "placeholder_tax_ids" not in failed(run_checks(open_snapshot(store)))
    (path,) = manifest.paths(store.root, "xref_group_tin")
    rows = pq.read_table(path)
    zeros = pa.array(["000000000"] * len(rows))
    publish_wrong(store, path, rows.set_column(rows.column_names.index("tin_value"), "tin_value", zeros))
    assert failed(run_checks(open_snapshot(store)))["placeholder_tax_ids"] == 1


def test_percentages_of_exactly_1_and_100_are_not_odd(load: Load, store: Store) -> None:
    percents = [{"negotiated_type": "percentage", "negotiated_rate": rate} for rate in (0.99, 1, 100, 100.01)]
    load(file_of(item_of(*percents, 100.01, 0.99)))
    (finding,) = (one for one in run_checks(open_snapshot(store)).findings if one.name == "odd_percentages")
    assert [example["negotiated_rate"] for example in finding.examples] == [0.99, 100.01]
    assert (finding.count, finding.total, finding.share) == (2, 4, 0.5)


def test_a_rate_that_expires_on_the_first_of_its_month_has_not_expired(load: Load, store: Store) -> None:
    ends = [{"negotiated_rate": 5, "expiration_date": day} for day in ("2025-07-31", "2025-08-01", "9999-12-31")]
    load(file_of(item_of(*ends)))
    (finding,) = (one for one in run_checks(open_snapshot(store)).findings if one.name == "expired_rates")
    assert [example["expiration_date"] for example in finding.examples] == ["2025-07-31"]


def test_implausible_rates_are_found(load: Load, store: Store, tmp_path: Path) -> None:
    """99213 in Georgia's offices is 86.745 dollars: half of it and thirty times it are the plausible edges."""
    prices = [
        {"negotiated_type": "negotiated", "negotiated_rate": rate, "billing_class": "professional"}
        for rate in (43.37, 43.38, 2602.35, 2602.36, 0)
    ]
    load(file_of(item_of(*prices, {"negotiated_rate": 1, "negotiated_type": "percentage"})))
    physician.load(store, write_physician_fees(tmp_path))
    (finding,) = (one for one in run_checks(open_snapshot(store)).findings if one.name == "implausible_rates")
    assert (finding.count, finding.total, finding.severity) == (2, 4, "warning")
    assert [example["negotiated_rate"] for example in finding.examples] == [43.37, 2602.36]
    assert finding.examples[0]["basis"] == "MPFS non-facility"


def test_a_benchmark_s_record_that_does_not_add_up_is_found(store: Store, tmp_path: Path) -> None:
    physician.load(store, write_physician_fees(tmp_path))
    manifest = store.manifest()
    assert manifest is not None
    path = manifest.paths(store.root, "dim_benchmark")[0]
    record = pq.read_table(path)
    assert failed(run_checks(open_snapshot(store))) == {}
    column = record.schema.get_field_index("left_out")
    publish_wrong(store, path, record.set_column(column, "left_out", [['{"odd": 1}']]))
    assert failed(run_checks(open_snapshot(store))) == {"benchmark_arithmetic": 1}


def test_months_that_disagree(load: Load, store: Store) -> None:
    load(file_of(item_of(1), last_updated_on="2/4/2026"), name="a.json", year_month="2025-08")
    load(file_of(item_of(1), last_updated_on="20250801"), name="b.json")
    load(file_of(item_of(2), last_updated_on="2099-01-01"), name="c.json")
    report = run_checks(open_snapshot(store))
    (finding,) = (one for one in report.findings if one.name == "month_disagrees")
    assert [example["source"] for example in finding.examples] == ["a.json", "c.json"]


def test_wrong_check_digits_are_found(load: Load, store: Store) -> None:
    groups = [{"provider_group_id": 1, "provider_groups": [{"npi": [1234567893, 1234567890], "tin": {"value": "1"}}]}]
    load(file_of(item_of(1), provider_references=groups))
    (finding,) = (f for f in run_checks(open_snapshot(store)).findings if f.name == "npi_check_digits")
    assert [example["npi"] for example in finding.examples] == ["1234567890"]


@given(st.integers(0, 2**32))
def test_check_digits_against_luhn(seed: int) -> None:
    number = npi(random.Random(seed))
    digits = [int(digit) for digit in "80840" + number]
    doubled = [d if place % 2 == 0 else sum(divmod(2 * d, 10)) for place, d in enumerate(reversed(digits))]
    assert sum(doubled) % 10 == 0
    connection = duckdb.connect()
    for statement in MACROS:
        connection.execute(statement)
    for last in "0123456789":
        row = connection.execute("SELECT npi_check_sum(?) % 10 = 0", [number[:9] + last]).fetchone()
        assert row == (last == number[9],)


def test_a_store_that_was_tampered_with_is_found(load: Load, store: Store) -> None:
    load(file_of(item_of(1, 2, 3)), name="a.json")
    manifest = store.manifest()
    assert manifest is not None
    path = manifest.paths(store.root, "fact_rate")[0]
    facts = pq.read_table(path)
    twice = facts.slice(0, 1)
    moved = facts.slice(1, 1).to_pylist()[0] | {
        "code": "00000",
        "pos_set_id": "none",
        "pg_uid": "none",
        "fact_uid": "x",
    }
    publish_wrong(store, path, pa.concat_tables([facts, twice, pa.Table.from_pylist([moved], facts.schema)]))
    found = failed(run_checks(open_snapshot(store)))
    for name in ("duplicate_fact_uid", "codes_without_words", "orphan_pos_sets", "orphan_groups", "batch_sums"):
        assert found[name] == 1, name
    (one,) = (one for one in CHECKS if one.name == "duplicate_fact_uid")
    there = find_failing_rows(open_snapshot(store), one, 10)
    (row,) = (dict(zip(there.names, row, strict=True)) for row in there.rows)
    assert (row["times"], row["rates"], row["state"], row["code"]) == (2, 2, "GA", "99213")


def test_a_record_that_does_not_add_up_is_found(load: Load, store: Store) -> None:
    load(file_of(item_of(1, "none")))
    manifest = store.manifest()
    assert manifest is not None
    path = manifest.paths(store.root, "dim_batch")[0]
    record = pq.read_table(path)
    column = record.schema.get_field_index("rejects")
    publish_wrong(store, path, record.set_column(column, "rejects", [['{"invalid_rate": 2}']]))
    assert failed(run_checks(open_snapshot(store)))["batch_arithmetic"] == 1


def test_a_row_counts_once_however_many_npis_it_has(load: Load, store: Store) -> None:
    """The seed's check 8.3 multiplies a row by its NPIs: 3 rows, 2 without a provider, must be two thirds."""
    groups = [{"provider_group_id": 1, "provider_groups": [{"npi": [1234567893, 1912951245, 1003027533]}]}]
    load(file_of(item_of(1), item_of(1, 2, references=[9]), provider_references=groups))
    (finding,) = (f for f in run_checks(open_snapshot(store)).findings if f.name == "rates_without_npi")
    assert (finding.count, finding.total) == (2, 3)
    assert finding.share == pytest.approx(2 / 3)


def test_a_report_of_one_state_and_month(demo: Snapshot, demo_root: Path) -> None:
    everything, one_month = run_checks(demo), run_checks(demo, "GA", "2025-08")
    assert one_month.findings[0].total * 2 == everything.findings[0].total
    assert failed(one_month) == {}
    assert run_checks(demo, "TX").findings[0].total == 0


def test_implausible_rates_are_the_same_when_each_rate_is_compared_by_itself(demo: Snapshot) -> None:
    (check,) = (one for one in CHECKS if one.name == "implausible_rates")
    found = find_failing_rows(demo, check, 10**6)
    rows = {row[found.names.index("fact_uid")]: row for row in found.rows}
    columns = "fact_uid, round(percent, 4), basis, medicare"
    singly = demo.rows(f"{compared_sql('true')} SELECT {columns} FROM compared WHERE NOT plausible")
    assert len(singly) == found.total == len(rows)
    assert singly
    for fact_uid, percent, basis, medicare in singly:
        row = dict(zip(found.names, rows[fact_uid], strict=True))
        assert (row["times_medicare"], row["basis"], row["medicare"]) == (percent, basis, medicare)
    priced = demo.rows(f"{compared_sql('true')} SELECT count(*) FROM compared WHERE percent IS NOT NULL")
    (finding,) = (one for one in run_checks(demo).findings if one.name == "implausible_rates")
    assert (finding.count, finding.total) == (len(singly), priced[0][0])
