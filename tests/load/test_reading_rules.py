"""Rules of reading a file, one at a time."""

import polars as pl
import pytest

from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.rate_filters import RateFilter, make_filter
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.rate_files import file_of, item_of
from tests.stores import table

SEVERAL_PIECES = LoadSizes(chunk_bytes=2_000)
SEVERAL_RUNS = LoadSizes(run_prices=50, open_runs=2, min_partition_rows=40)


@pytest.mark.parametrize("length", [199, 200, 201, 5_000])
def test_a_rejected_value_is_cut_to_200_characters(load: Load, store: Store, length: int) -> None:
    outcome = load(file_of(item_of("x" * length)))
    path = store.root / "silver" / "rejects" / f"{outcome.record['batch_id']}.parquet"
    (row,) = pl.read_parquet(path).to_dicts()
    assert (row["reason"], row["value"]) == ("invalid_rate", "x" * min(length, 200))


def test_an_unreadable_date_counts_once_for_each_group(load: Load) -> None:
    price = {"negotiated_type": "negotiated", "negotiated_rate": 5, "expiration_date": "soon"}
    dated = {"negotiated_type": "negotiated", "negotiated_rate": 6, "expiration_date": "2026-12-31"}
    outcome = load(file_of(item_of(price, dated, references=[1, 2, 3])))
    assert outcome.record["notes"]["unreadable_expiration_dates"] == 3


@pytest.mark.parametrize("missing", [{}, {"expiration_date": None}, {"expiration_date": ""}])
def test_a_missing_date_does_not_count_as_an_unreadable_one(load: Load, missing: dict[str, object]) -> None:
    """The fields of both prices are equal; with equal rates they are the same fact as well."""
    price = {"negotiated_type": "negotiated", "negotiated_rate": 5}
    prices = [price | {"expiration_date": "soon"}, price | {"negotiated_rate": 6} | missing, price | missing]
    outcome = load(file_of(item_of(*prices, references=[1, 2, 3])))
    assert outcome.record["notes"]["unreadable_expiration_dates"] == 3
    assert (outcome.record["rows_added"], outcome.record["duplicates"]) == (6, 3)


@pytest.mark.parametrize(
    ("sizes", "processes"),
    [(DEFAULT_SIZES, 1), (SEVERAL_PIECES, 1), (SEVERAL_RUNS, 1), (SEVERAL_PIECES, 2)],
    ids=["whole", "pieces", "runs", "workers"],
)
def test_of_equal_rates_with_other_remarks_the_first_in_the_file_stays(
    load: Load, store: Store, sizes: LoadSizes, processes: int
) -> None:
    """The second half of the file repeats the first, and with two workers either of them may get either half."""

    def price(rate: int, remark: str) -> dict[str, object]:
        return {"negotiated_type": "negotiated", "negotiated_rate": rate, "additional_information": remark}

    items = [
        item_of(*(price(rate, f"{number}-{rate}") for rate in range(9)), code=str(10_000 + number % 30))
        for number in range(60)
    ]
    load(file_of(*items), processes=processes, sizes=sizes)
    facts = table(store, "fact_rate").sort("code", "negotiated_rate")
    assert facts["additional_information"].to_list() == [
        f"{number}-{rate}" for number in range(30) for rate in range(9)
    ]


def test_a_filter_on_a_state_is_the_same_filter_with_another_register() -> None:
    before, after = (RateFilter(in_state="GA", register=register) for register in ("0" * 32, "1" * 32))
    assert before == after
    assert len({before, after}) == 1


@pytest.mark.parametrize(
    ("codes", "code_types", "code_type", "code", "wanted"),
    [
        (["99213"], [], "CPT", "99213", True),
        (["99213"], ["CPT"], "CPT", "99213", True),
        (["99213"], ["HCPCS"], "CPT", "99213", False),
        ([], ["HCPCS"], "CPT", "99213", False),
        (["99214"], ["CPT"], "CPT", "99213", False),
        (["450"], [], "REV", "0450", True),
        (["0450"], [], "REV", "0450", True),
        (["450"], [], "CPT", "00450", False),
        (["450"], ["CPT"], "REV", "0450", False),
    ],
)
def test_a_filter_wants_a_code_of_its_code_system(
    codes: list[str], code_types: list[str], code_type: str, code: str, wanted: bool
) -> None:
    assert make_filter(codes=codes, code_types=code_types).wants_code(code_type, code) is wanted
