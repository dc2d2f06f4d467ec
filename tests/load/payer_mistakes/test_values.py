"""Lists where one value belongs, and words that mean that there is none."""

from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.load.payer_mistakes.mistaken_files import NPIS, PRICE, group
from tests.rate_files import file_of, item_of
from tests.stores import table


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
