"""The header of an in-network file and the plan it names."""

import json
from typing import Any

import pytest

from core.runtime.errors import PayerFileError
from core.tic.header import Header, read_header, refuse_other_kinds
from core.tic.plans import Plan, parse_plan

ROOT = {"reporting_entity_name": " Peach Health ", "last_updated_on": "2025-08-01", "version": 1.0}


def header(year_month: str | None = None, **changes: Any) -> Header:
    texts: dict[str, bytes | None] = {key: json.dumps(value).encode() for key, value in {**ROOT, **changes}.items()}
    return read_header("rates.json", texts, year_month)


def test_a_header_keeps_the_payer_s_name_as_published() -> None:
    found = header(reporting_entity_type="health insurance issuer")
    assert found == Header(" Peach Health ", "health insurance issuer", "2025-08-01", "1", "2025-08")


def test_the_month_may_be_overridden() -> None:
    assert header("2024-01").year_month == "2024-01"
    assert header("2024-01", last_updated_on=None).last_updated_on is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"last_updated_on": None}, r"rates\.json: has no last_updated_on; say which month .* --year-month"),
        ({"last_updated_on": " "}, "has no last_updated_on"),
        ({"last_updated_on": "August"}, "last_updated_on 'August' is not a date"),
        ({"last_updated_on": "1999-12-31"}, "is not a date"),
        ({"reporting_entity_name": None}, "has no reporting_entity_name"),
        ({"reporting_entity_name": " "}, "has no reporting_entity_name"),
        ({"reporting_entity_name": 5}, "has no reporting_entity_name"),
    ],
)
def test_a_file_without_payer_or_month_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PayerFileError, match=message):
        header(**changes)


def test_a_value_that_is_not_json_is_an_error_that_names_it() -> None:
    with pytest.raises(PayerFileError, match=r"rates\.json: not JSON: .* in the value of version"):
        read_header("rates.json", {"version": b"{"}, None)


@pytest.mark.parametrize("key", ["reporting_structure", "out_of_network", "provider_groups"])
def test_another_kind_of_file_is_refused(key: str) -> None:
    with pytest.raises(PayerFileError, match=r"rates\.json: not an in-network file but"):
        refuse_other_kinds("rates.json", key)
    refuse_other_kinds("rates.json", "in_network")


def test_the_plan_of_a_file_of_one_plan() -> None:
    found = header(plan_name=" Peach PPO ", plan_id_type="EIN", plan_id=12, plan_market_type="Group")
    assert found.plans == {Plan("Peach PPO", "ein", "12", "group")}


def test_a_plan_has_a_name_or_an_id() -> None:
    assert parse_plan({"plan_market_type": "group"}) == (None, 0)
    assert parse_plan({"plan_name": " ", "plan_id": None}) == (None, 0)
    assert parse_plan({"plan_id": "12"}) == (Plan("", "", "12", ""), 0)


@pytest.mark.parametrize(
    ("name", "number", "label"),
    [("Peach PPO", "12", "Peach PPO (12)"), ("Peach PPO", "", "Peach PPO"), ("", "12", "12")],
)
def test_the_label_of_a_plan(name: str, number: str, label: str) -> None:
    assert Plan(name, "ein", number, "group").label == label
