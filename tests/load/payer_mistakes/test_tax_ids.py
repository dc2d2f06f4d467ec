"""Tax numbers that are placeholders, personal, or written by a spreadsheet."""

from typing import Any

import polars as pl
import pytest

from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.load.payer_mistakes.mistaken_files import NPIS, group, rejects, tins
from tests.rate_files import file_of, item_of
from tests.stores import table

PLACEHOLDERS = [
    ("npi", "0"), ("ein", "0"), ("ein", "000000000"), ("npi", "0000000000"), ("ein", "N/A"), ("ein", ""), ("ein", None),
]  # fmt: skip


def test_placeholders_are_not_one_organization(load: Load, store: Store) -> None:
    references = [group(n, 1000000001 + n, *tin) for n, tin in enumerate([*PLACEHOLDERS, ("ein", "222222222")])]
    outcome = load(file_of(item_of(50, references=range(len(references))), provider_references=references))
    assert outcome.rows_added == len(references)
    assert tins(store) == [("ein", "222222222")]
    assert len(table(store, "xref_group_tin")) == len(table(store, "xref_tin_npi")) == 1
    assert len(table(store, "xref_group_npi")) == len(references)
    assert rejects(store, outcome) == []


def test_nines_are_not_an_organization_but_a_mistake_that_is_listed(load: Load, store: Store) -> None:
    outcome = load(file_of(item_of(1), provider_references=[group(1, NPIS[0], "ein", "999999999")]))
    assert tins(store) == []
    assert outcome.record["notes"]["invalid_tin"] == 1
    assert rejects(store, outcome) == [("invalid_tin", "provider_references[0]", "999999999", 0)]


@pytest.mark.parametrize(("kind", "value"), [("ssn", "123-45-6789"), ("ein", "123-45-6789"), ("ITIN", 912781234)])
@pytest.mark.parametrize("inline", [True, False])
def test_a_personal_tax_number_is_nowhere_and_counted(
    load: Load, store: Store, kind: str, value: Any, inline: bool
) -> None:
    member = group(1, NPIS[0], kind, value)
    item = item_of(1)
    if inline:
        item["negotiated_rates"][0] |= {"provider_references": [], "provider_groups": member["provider_groups"]}
    outcome = load(file_of(item, provider_references=[member]))
    assert outcome.rows_added == 1
    assert tins(store) == []
    assert outcome.record["notes"]["personal_tin"] == 1
    ((reason, place, shown, rows),) = rejects(store, outcome)
    assert (reason, shown, rows) == ("personal_tin", None, 0)
    assert place == ("in_network[0]" if inline else "provider_references[0]")
    for path in store.root.rglob("*.parquet"):
        assert not {"123-45-6789", "123456789", "912781234"} & set(str(pl.read_parquet(path).to_dicts()).split("'"))


def test_a_personal_number_in_the_place_of_an_npi_is_withheld_too(load: Load, store: Store) -> None:
    member = {"provider_group_id": 1, "provider_groups": [{"npi": ["123-45-6789", NPIS[0]], "tin": None}]}
    outcome = load(file_of(item_of(1), provider_references=[member]))
    assert rejects(store, outcome) == [("personal_tin", "provider_references[0]", None, 0)]
    assert len(table(store, "xref_group_npi")) == 1


def test_a_tax_number_that_a_spreadsheet_wrote(load: Load, store: Store) -> None:
    written = ["123456789.0", 123456789.0, "1.23456789E8", "123,456,789", ["12-3456789"]]
    references = [group(n, NPIS[0], "ein", value) for n, value in enumerate(written)]
    load(file_of(item_of(1, references=range(len(written))), provider_references=references))
    assert tins(store) == [("ein", "123456789")]
    assert len(table(store, "xref_group_tin")) == len(written)
