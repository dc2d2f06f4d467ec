"""Ids of provider groups that are spelled in two ways."""

import json

import pytest

from core.load.load_sizes import LoadSizes
from core.store.generations.store import Store
from tests import slow_reader
from tests.fixture_types import Load
from tests.load.expected import assert_same
from tests.load.payer_mistakes.mistaken_files import PIECES, group
from tests.rate_files import file_of, item_of
from tests.stores import table


def decimal_ids(*definitions: str, uses: list[str]) -> bytes:
    """Return a file whose groups are defined and named by JSON texts; the n-th use has the rate n."""
    references = [group(f"DEFINED{n}", 1000000001 + n, "ein", f"{n + 1}11111111") for n in range(len(definitions))]
    items = [item_of(n, code=str(99213 + n), references=[f"USED{n}"]) for n in range(len(uses))]
    text = json.dumps(file_of(*items, provider_references=references))
    for n, spelling in enumerate(definitions):
        text = text.replace(f'"DEFINED{n}"', spelling)
    for n, spelling in enumerate(uses):
        text = text.replace(f'"USED{n}"', spelling)
    return text.encode()


def npis_by_code(store: Store) -> dict[str, set[str]]:
    facts = table(store, "fact_rate").join(table(store, "xref_group_npi"), on="pg_uid", how="left")
    found: dict[str, set[str]] = {}
    for code, npi in facts.select("code", "npi").rows():
        found.setdefault(code, set()).update([npi] if npi else [])
    return found


@pytest.mark.in_turns(9)
@pytest.mark.parametrize(
    ("definitions", "uses", "expected"),
    [
        # Both spellings are defined: two groups, matched by exact text.
        (["320.2597", "320.25970"], ["320.2597", "320.25970"], [{0}, {1}]),
        (['"320.2597"', "320.25970"], ["320.2597", '"320.25970"'], [{0}, {1}]),
        (["12", "12.0"], ["12", "12.0", '"12"', '"12.0"'], [{0}, {1}, {0}, {1}]),
        # A spelling that is not defined means the number.
        (["320.2597", "320.25970"], ["320.259700"], [{0}]),
        # Nothing says which of the two is meant: the rate is kept, and its group is unresolved.
        (["320.25970", "320.259700"], ["320.2597", "320.25970"], [set(), {0}]),
        # One spelling is defined, once or twice: the number is the id.
        (["320.25970"], ["320.2597", "320.25970"], [{0}, {0}]),
        (["320.25970", "320.25970"], ["320.2597"], [{0, 1}]),
        (["320.2597", "320.2597"], ["320.25970"], [{0, 1}]),
        (["12.0"], ["12", "12.00"], [{0}, {0}]),
    ],
)
@pytest.mark.parametrize("sizes", PIECES)
def test_two_spellings_of_one_number(
    load: Load, store: Store, definitions: list[str], uses: list[str], expected: list[set[int]], sizes: LoadSizes
) -> None:
    content = decimal_ids(*definitions, uses=uses)
    outcome = load(content, processes=1, sizes=sizes)
    found = npis_by_code(store)
    assert [found[str(99213 + n)] for n in range(len(uses))] == [
        {str(1000000001 + member) for member in members} for members in expected
    ]
    apart = len({definition.strip('"') for definition in definitions}) > 1
    assert outcome.record["notes"].get("provider_group_ids_in_two_spellings") == (2 if apart else None)
    assert_same(store, outcome, slow_reader.flatten(content, "GA"))
    assert load(content, processes=1, sizes=sizes).rows_added == 0
