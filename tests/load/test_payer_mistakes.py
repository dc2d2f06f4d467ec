"""What payers get wrong in their files: read as it is meant, or counted and listed, never lost in silence."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.outcome import LoadOutcome
from core.runtime.errors import PayerFileError
from core.store.generations.store import Store
from tests import slow_reader
from tests.fixture_types import Load
from tests.load.expected import assert_adds_up, assert_same
from tests.rate_files import file_of, item_of
from tests.stores import table

PIECES = [DEFAULT_SIZES, LoadSizes(chunk_bytes=150), LoadSizes(chunk_bytes=60, giant_item_bytes=120)]
PRICE = {"negotiated_type": "negotiated", "negotiated_rate": 100.0, "billing_class": "professional"}
NPIS = [1000000001, 1000000002, 1000000003]


def group(number: Any, npi: int, kind: Any = "ein", value: Any = "111111111") -> dict[str, Any]:
    members = [{"npi": [npi], "tin": {"type": kind, "value": value}}]
    return {"provider_group_id": number, "provider_groups": members}


def tins(store: Store) -> list[tuple[str, str]]:
    return table(store, "dim_tin").select("tin_type", "tin_value").rows()


def rates(store: Store) -> list[tuple[str, float]]:
    return sorted(table(store, "fact_rate").select("code", "negotiated_rate").rows())


def rejects(store: Store, outcome: LoadOutcome) -> list[tuple[Any, ...]]:
    path = store.root / "silver" / "rejects" / f"{outcome.record['batch_id']}.parquet"
    return pl.read_parquet(path).select("reason", "place", "value", "rows").rows() if path.exists() else []


# --- tax numbers ----------------------------------------------------------------------------------------------


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


# --- provider group ids ---------------------------------------------------------------------------------------


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


# --- lists given twice, keys misspelt ---------------------------------------------------------------------------


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


def test_the_right_spelling_counts_before_another_one(load: Load, store: Store) -> None:
    item = item_of(1) | {"negotiated_rate": item_of(2)["negotiated_rates"], "billing_codes": "99999"}
    load(file_of(item))
    assert rates(store) == [("99213", 1)]


# --- counted and listed ---------------------------------------------------------------------------------------


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


def test_a_list_of_one_is_its_element(load: Load, store: Store) -> None:
    listed = {
        "negotiated_type": ["negotiated"],
        "negotiated_rate": [100],
        "expiration_date": ["2026-12-31"],
        "billing_class": ["professional"],
        "setting": ["outpatient"],
        "additional_information": ["see contract"],
    }
    item = item_of(listed, code="560") | {
        "billing_code_type": ["APR-DRG"],
        "billing_code": ["560"],
        "negotiation_arrangement": ["ffs"],
        "severity_of_illness": ["1"],
    }
    outcome = load(file_of(item, reporting_entity_name=["Payer"], last_updated_on=["2025-08-01"]))
    (fact,) = table(store, "fact_rate").to_dicts()
    assert {name: fact[name] for name in ("code_type", "code", "severity_of_illness", "reporting_entity_name")} == {
        "code_type": "APR-DRG", "code": "560", "severity_of_illness": "1", "reporting_entity_name": "Payer",
    }  # fmt: skip
    assert {name: fact[name] for name in listed} == {
        "negotiated_type": "negotiated",
        "negotiated_rate": 100,
        "expiration_date": "2026-12-31",
        "billing_class": "professional",
        "setting": "outpatient",
        "additional_information": "see contract",
    }
    assert "lists_in_place_of_scalars" not in outcome.record["notes"]


def test_lists_of_several_where_one_value_belongs_are_counted(load: Load, store: Store) -> None:
    price = {**PRICE, "setting": ["inpatient", "outpatient"], "billing_class": {"a": 1}}
    outcome = load(file_of(item_of(price, negotiation_arrangement=["ffs", "bundle"], name=[]), item_of([1, 2])))
    (fact,) = table(store, "fact_rate").to_dicts()
    assert (fact["setting"], fact["billing_class"], fact["negotiation_arrangement"]) == (None, None, None)
    assert outcome.record["notes"]["lists_in_place_of_scalars"] == 3
    assert outcome.record["rejects"] == {"invalid_rate": 1}


def test_words_for_a_missing_value_mean_nothing(load: Load, store: Store) -> None:
    price = {
        "negotiated_type": "None", "negotiated_rate": 100, "expiration_date": "nan", "service_code": ["nan"],
        "billing_class": "NaN", "billing_code_modifier": ["nan", "N/A"], "setting": "null",
        "additional_information": "N/A",
    }  # fmt: skip
    reference = group(1, NPIS[0]) | {"network_name": ["nan", "PPO"]}
    reference["provider_groups"][0]["tin"]["business_name"] = "None"
    reference["provider_groups"][0]["npi"] += ["nan", "N/A"]
    outcome = load(
        file_of(
            item_of(price, name="nan", description="None", severity_of_illness="nan"),
            item_of(1, code="N/A"),
            item_of(1, code="1", references=["nan"]),
            provider_references=[reference, group("null", NPIS[1])],
            plan_name="None",
            version="nan",
        )
    )
    (fact,) = table(store, "fact_rate").to_dicts()
    for name in ("negotiated_type", "expiration_date", "billing_class", "setting", "additional_information"):
        assert fact[name] is None
    assert (fact["billing_code_modifier"], fact["severity_of_illness"]) == ("", None)
    assert table(store, "dim_pos_set")["service_codes"].to_list() == [[]]
    assert table(store, "dim_code").select("code_desc", "name").rows() == [(None, None)]
    assert table(store, "dim_provider_group")["network_names"].to_list() == [["PPO"]]
    assert table(store, "dim_tin")["business_name"].to_list() == [None]
    assert table(store, "xref_batch_plan").is_empty()
    assert outcome.record["version"] is None
    assert outcome.record["rejects"] == {"no_code": 1, "no_provider": 1}
    assert outcome.record["notes"]["provider_groups_without_an_id"] == 1
    assert "invalid_npi" not in outcome.record["notes"]


# --- the header -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [None, "", " ", "nan", "N/A", 7, []])
def test_a_payer_that_is_not_named_is_named_by_an_option(load: Load, store: Store, name: Any) -> None:
    content = file_of(item_of(1), reporting_entity_name=name)
    with pytest.raises(PayerFileError, match=r"has no reporting_entity_name; say whose rates these are with --payer"):
        load(content)
    outcome = load(content, payer="Peach Health")
    assert table(store, "fact_rate")["reporting_entity_name"].to_list() == ["Peach Health"]
    assert outcome.record["notes"]["payer_not_named_in_the_file"] == 1


def test_a_payer_that_is_named_stays(load: Load, store: Store) -> None:
    load(file_of(item_of(1)), payer="Peach Health")
    assert table(store, "fact_rate")["reporting_entity_name"].to_list() == ["Payer"]


def test_one_line_names_the_options_for_payer_and_month(load: Load) -> None:
    content = file_of(item_of(1), reporting_entity_name=None, last_updated_on=None)
    with pytest.raises(PayerFileError, match=r"--payer NAME and which month .* --year-month YYYY-MM"):
        load(content)
    assert load(content, payer="Peach", year_month="2025-08").rows_added == 1


def test_plans_in_the_root_are_kept(load: Load, store: Store) -> None:
    plans = [
        {"plan_name": "P one", "plan_id_type": "HIOS", "plan_id": "12345", "plan_market_type": "individual"},
        {"plan_name": "P two", "plan_id_type": "EIN", "plan_id": "12-3456789", "plan_sponser_name": "Acme"},
        None,
    ]
    load(file_of(item_of(1), reporting_plans=plans, plan_name="P three"))
    found = table(store, "xref_batch_plan").select("plan_name", "plan_id_type", "plan_id", "plan_sponsor_name").rows()
    assert sorted(found) == [
        ("P one", "hios", "12345", ""), ("P three", "", "", ""), ("P two", "ein", "12-3456789", "Acme"),
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["out_of_network", "reporting_structure", "provider_groups", "drugs"])
@pytest.mark.parametrize("value", [None, [], {}])
def test_an_empty_list_of_another_kind_of_file_does_not_matter(load: Load, key: str, value: Any) -> None:
    assert load({key: value, **file_of(item_of(1))}).rows_added == 1
    alone = {name: value for name, value in file_of().items() if name != "in_network"}
    with pytest.raises(PayerFileError, match="not an in-network file but"):
        load({**alone, key: value}, name="alone.json")


@pytest.mark.parametrize(
    ("root", "kind"),
    [
        ({"hospital_name": "West Mercy", "standard_charge_information": []}, "a hospital's standard-charges file"),
        ({"version": "3.0.0", "standard_charge_information": [{"description": "x"}]}, "a hospital's standard-charges"),
        ({"reporting_entity_name": "A", "drugs": [{"drug_name": "x"}]}, "a payer's prescription-drug file"),
        ({"reporting_entity_name": "A", "out_of_network": [{"name": "x"}]}, "an allowed-amounts file"),
    ],
)
def test_other_files_of_price_transparency_are_named(load: Load, root: dict[str, Any], kind: str) -> None:
    with pytest.raises(PayerFileError, match=f"not an in-network file but {kind}"):
        load(root)


# --- the hand-made files of the public test data -----------------------------------------------------------------


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
