"""What has no row is counted and listed."""

import pytest

from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.load.expected import assert_adds_up
from tests.load.payer_mistakes.mistaken_files import NPIS, group, rejects
from tests.rate_files import file_of, item_of


@pytest.mark.parametrize("spoiled", ["", "\udc00"])
def test_what_has_no_row_is_counted_and_listed(load: Load, store: Store, spoiled: str) -> None:
    empty = {"billing_code_type": "CPT", "billing_code": "1", "negotiation_arrangement": "ffs", "name": spoiled}
    content = file_of(
        item_of(1),
        empty,
        {**empty, "negotiated_rates": []},
        None,
        7,
        {**item_of(2), "negotiated_rates": [{"provider_references": [1]}, {"negotiated_prices": []}]},
        provider_references=[
            group(1, NPIS[0]),
            group(None, NPIS[1]),
            "x",
            {"provider_group_id": 2, "provider_groups": [7, *group(2, NPIS[2])["provider_groups"]]},
        ],
    )
    content["in_network"].append(item_of(3, references=[2]))
    outcome = load(content)
    notes = outcome.record["notes"]
    assert notes["items_without_rates"] == 2
    assert notes["rates_without_prices"] == 2
    assert notes["elements_that_are_not_objects"] == 4
    assert notes["provider_groups_without_an_id"] == 1
    assert outcome.rows_added == 2
    assert_adds_up(outcome)
    assert rejects(store, outcome) == [
        ("no_group_id", "provider_references[1]", None, 0),
        ("no_object", "in_network[3]", None, 0),
        ("no_object", "in_network[4]", None, 0),
        ("no_object", "provider_references[2]", None, 0),
        ("no_object", "provider_references[3]", "7", 0),
        ("no_prices", "in_network[5].negotiated_rates[0]", None, 0),
        ("no_prices", "in_network[5].negotiated_rates[1]", None, 0),
        ("no_rates", "in_network[1]", None, 0),
        ("no_rates", "in_network[2]", None, 0),
    ]
