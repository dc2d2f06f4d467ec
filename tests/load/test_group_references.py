"""References to provider groups, and texts at their limits."""

from typing import Any

import pytest

from core.store.generations.store import Store
from core.store.schema.tables import FACT_RATE
from tests.fixture_types import Load
from tests.load.payer_mistakes.mistaken_files import group
from tests.rate_files import file_of, item_of
from tests.stores import table


def test_references_that_are_no_ids_are_counted(load: Load) -> None:
    outcome = load(file_of(item_of(5, references=[1, True, None, "2"])))
    assert outcome.record["notes"]["provider_references_that_are_no_ids"] == 2


@pytest.mark.parametrize("reference", [-5, 2**63, 2**63 + 7, 2**64 + 1])
def test_ids_that_are_no_usual_numbers_find_their_groups(load: Load, store: Store, reference: int) -> None:
    defined = [group(reference, 1000000001, "ein", "111111111"), group(6, 1000000002, "ein", "222222222")]
    load(file_of(item_of(5, references=[6, reference]), provider_references=defined))
    facts = table(store, "fact_rate")
    assert sorted(facts["provider_group_id_raw"]) == sorted([str(reference), "6"])
    assert set(table(store, "xref_group_npi")["pg_uid"]) == set(facts["pg_uid"])


@pytest.mark.parametrize(("members", "counted"), [([], 1), (None, 1), ([{"npi": [1000000001]}], 0)])
def test_groups_whose_members_are_elsewhere_are_counted(load: Load, members: Any, counted: int) -> None:
    tin = {"type": "ein", "value": "111111111"}
    here = None if members is None else [{**member, "tin": tin} for member in members]
    defined = {"provider_group_id": 1, "location": "https://example.com/1.json", "provider_groups": here}
    outcome = load(file_of(item_of(5), provider_references=[defined]))
    assert outcome.record["notes"].get("provider_groups_at_a_location", 0) == counted


@pytest.mark.parametrize("name", ["negotiated_type", "billing_class", "setting"])
@pytest.mark.parametrize("more", [0, 1])
def test_a_text_may_be_as_long_as_its_column(load: Load, store: Store, name: str, more: int) -> None:
    longest = FACT_RATE.column(name).longest
    price = {"negotiated_type": "negotiated", "negotiated_rate": 5, name: "x" * (longest + more)}
    outcome = load(file_of(item_of(price)))
    assert (outcome.record["rows_added"], outcome.record["rows_rejected"]) == (1 - more, more)
