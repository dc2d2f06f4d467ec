"""The hand-made files of the public test data."""

from pathlib import Path

import pytest

from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.load.payer_mistakes.mistaken_files import tins


@pytest.mark.parametrize(
    ("name", "rows", "tax_ids"),
    [
        ("a01_decimal_ids_trailing_zero.json", 2, 2),
        ("b09_reporting_plans_in_root.json", 1, 1),
        ("c24_in_and_out_of_network.json", 1, 1),
        ("c27_singular_negotiated_price.json", 1, 1),
        ("f03_tin_placeholders.json", 7, 0),
        ("f14_ssn_dashes.json", 1, 0),
        ("i01_lists_for_scalars.json", 6, 1),
        ("k06_nan_text_everywhere.json", 1, 1),
        ("m01_rates_key_twice_in_item.json", 2, 1),
        ("m07_misspelt_negotiated_rates.json", 1, 1),
        ("m10_tin_float_text.json", 3, 1),
        ("n01_tin_zero_market.json", 4, 1),
    ],
)
def test_hand_made_cases(shared: Path, load: Load, store: Store, name: str, rows: int, tax_ids: int) -> None:
    outcome = load((shared / "cases" / "tic" / name).read_bytes())
    assert (outcome.rows_added, outcome.record["rows_rejected"], len(tins(store))) == (rows, 0, tax_ids)
