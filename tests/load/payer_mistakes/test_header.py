"""What is wrong or missing in the header, and files of another kind."""

from typing import Any

import pytest

from core.runtime.errors import PayerFileError
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.rate_files import file_of, item_of
from tests.stores import table


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


@pytest.mark.in_turns(4)
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
