"""Keys that are misspelt, and lists that are given twice."""

import json
from typing import Any

import pytest

from core.load.load_sizes import LoadSizes
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.load.expected import assert_adds_up
from tests.load.payer_mistakes.mistaken_files import NPIS, PIECES, PRICE, group, rates, rejects, tins
from tests.rate_files import file_of, item_of
from tests.stores import table


def twice(content: dict[str, Any], key: str) -> bytes:
    """Return a file's text in which `key` and `key` with an X are the same key."""
    return json.dumps(content).replace(f'"{key}X"', f'"{key}"').encode()


@pytest.mark.parametrize("sizes", PIECES)
@pytest.mark.parametrize("spoiled", ["", "\udc00"])
def test_rates_given_twice_in_an_item_are_both_read(load: Load, store: Store, sizes: LoadSizes, spoiled: str) -> None:
    items = [item_of(n, code=str(99213 + n), name=spoiled) for n in range(4)]
    items[1]["negotiated_ratesX"] = item_of(20, 21)["negotiated_rates"]
    content = twice(file_of(*items), "negotiated_rates")
    outcome = load(content, processes=1, sizes=sizes)
    assert rates(store) == [("99213", 0), ("99214", 1), ("99214", 20), ("99214", 21), ("99215", 2), ("99216", 3)]
    assert_adds_up(outcome)


@pytest.mark.parametrize("key", ["negotiated_prices", "provider_references"])
def test_lists_given_twice_in_the_first_rate_of_an_item(load: Load, store: Store, key: str) -> None:
    item = item_of(1)
    item["negotiated_ratesX"] = []
    other = {"negotiated_prices": [PRICE], "provider_references": [2]}
    item["negotiated_rates"][0][f"{key}X"] = other[key]
    content = twice(file_of(item), key).replace(b'"negotiated_ratesX"', b'"negotiated_rates"')
    outcome = load(content)
    assert outcome.rows_added == 2
    assert outcome.record["notes"]["repeated_keys"] == 2


MISSPELT = [
    ("negotiated_rates", "negotiated_rate"),
    ("negotiated_rates", "NegotiatedRates"),
    ("negotiated_rates", "negotiated-rates"),
    ("negotiated_rates", "negotiated_ratess"),
    ("negotiated_prices", "negotiated_price"),
    ("negotiated_prices", "Negotiated_Prices"),
    ("negotiated_rate", "Negotiated_Rate"),
    ("provider_references", "provider_reference"),
    ("billing_code", "billing_codes"),
    ("billing_code_type", "billingCodeType"),
    ("negotiation_arrangement", "negotiation_arrangment"),
    ("billing_class", "billing_clas"),
    ("service_code", "service_codes"),
    ("billing_code_modifier", "billing_code_modifer"),
    ("provider_group_id", "providerGroupId"),
    ("provider_groups", "provider_group"),
    ("npi", "NPIs"),
    ("tin", "TIN"),
    ("value", "tin_value"),
    ("in_network", "inNetwork"),
    ("provider_references", "provider_refrences"),
    ("reporting_entity_name", "Reporting_Entity_Name"),
    ("last_updated_on", "last_update_on"),
]


@pytest.mark.in_turns(8)
@pytest.mark.parametrize(("key", "spelling"), MISSPELT)
def test_a_misspelt_key_is_read_as_what_it_means(load: Load, store: Store, key: str, spelling: str) -> None:
    full = {**PRICE, "service_code": ["11"], "billing_code_modifier": ["26"], "expiration_date": "2026-12-31"}
    references = [group(1, NPIS[0]), group(2, NPIS[1], "ein", "222222222")]
    content = file_of(
        *(item_of(full, code=str(n), references=[1, 2]) for n in range(3)), provider_references=references
    )
    text = json.dumps(content).replace(f'"{key}":', f'"{spelling}":').encode()
    outcome = load(text, processes=1)
    fact = {name: table(store, "fact_rate")[name].to_list() for name in ("code", "billing_class", "expiration_date")}
    assert fact == {
        "code": ["0", "0", "1", "1", "2", "2"],
        "billing_class": ["professional"] * 6,
        "expiration_date": ["2026-12-31"] * 6,
    }
    for name, values in {
        "negotiated_rate": {100.0}, "billing_code_modifier": {"26"}, "negotiation_arrangement": {"ffs"},
        "reporting_entity_name": {"Payer"}, "year_month": {"2025-08"}, "code_type": {"CPT"},
    }.items():  # fmt: skip
        assert set(table(store, "fact_rate")[name]) == values
    assert set(table(store, "xref_pos")["pos"]) == {"11"}
    assert tins(store) == [("ein", "111111111"), ("ein", "222222222")]
    assert len(table(store, "xref_tin_npi")) == 2
    assert outcome.members is not None
    assert outcome.members.unresolved == 0


@pytest.mark.parametrize("spelling", ["negotiated_rate", "NegotiatedRates"])
def test_the_rates_of_a_giant_item_under_a_misspelt_key(load: Load, store: Store, spelling: str) -> None:
    text = json.dumps(file_of(item_of(*range(1, 40)))).replace('"negotiated_rates":', f'"{spelling}":')
    load(text.encode(), processes=1, sizes=LoadSizes(chunk_bytes=60, giant_item_bytes=120))
    assert len(rates(store)) == 39


def item_of_rates(*prices: int, code: str = "99213") -> dict[str, Any]:
    """Return an item in which each price is in a rate of its own."""
    return item_of(code=code) | {"negotiated_rates": [item_of(price)["negotiated_rates"][0] for price in prices]}


LATER_RATES = [
    ("negotiated_prices", "negotiated_price"),
    ("provider_references", "providerReferences"),
    ("provider_groups", "Provider_Groups"),
]


@pytest.mark.parametrize(("key", "spelling"), LATER_RATES)
@pytest.mark.parametrize("sizes", PIECES)
def test_only_a_later_rate_of_an_item_is_misspelt(
    load: Load, store: Store, key: str, spelling: str, sizes: LoadSizes
) -> None:
    items = [item_of_rates(10 * n, 10 * n + 1, 10 * n + 2, code=str(n)) for n in range(1, 4)]
    later = items[1]["negotiated_rates"][1]
    if key == "provider_groups":
        del later["provider_references"]
        later[spelling] = group(2, NPIS[1], "ein", "222222222")["provider_groups"]
    else:
        later[spelling] = later.pop(key)
    content = file_of(*items, provider_references=[group(1, NPIS[0])])
    outcome = load(content, processes=1, sizes=sizes)
    assert rates(store) == [(str(n), 10 * n + more) for n in range(1, 4) for more in range(3)]
    assert outcome.record["notes"]["misspelt_keys"] == 1
    assert "rates_without_prices" not in outcome.record["notes"]
    assert outcome.record["rejects"] == {}
    assert_adds_up(outcome)
    expected = [("ein", "111111111"), ("ein", "222222222")] if key == "provider_groups" else [("ein", "111111111")]
    assert tins(store) == expected


def test_a_rate_without_prices_beside_a_misspelt_one_is_still_listed(load: Load, store: Store) -> None:
    item = item_of_rates(1, 2, 3)
    item["negotiated_rates"][1]["negotiated_price"] = item["negotiated_rates"][1].pop("negotiated_prices")
    del item["negotiated_rates"][2]["negotiated_prices"]
    outcome = load(file_of(item))
    assert rates(store) == [("99213", 1), ("99213", 2)]
    assert rejects(store, outcome) == [("no_prices", "in_network[0].negotiated_rates[2]", None, 0)]


def test_the_right_spelling_counts_before_another_one(load: Load, store: Store) -> None:
    item = item_of(1) | {"negotiated_rate": item_of(2)["negotiated_rates"], "billing_codes": "99999"}
    load(file_of(item))
    assert rates(store) == [("99213", 1)]
