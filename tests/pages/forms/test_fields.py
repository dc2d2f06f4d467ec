"""Fields of a query string: how each normalizes a value, and what it refuses."""

import re

import pytest
from django.core.exceptions import ValidationError

from core.pages.forms.fields import (
    CodeListField,
    CodeTypeField,
    LowercaseField,
    ModifierField,
    MonthField,
    NpiField,
    NumberField,
    OneOfField,
    PatternField,
    PayerField,
    PlaceField,
    QueryField,
    StateField,
    TinField,
)
from core.pages.forms.market_forms import ChangesForm, MarketForm, PayersForm, ProviderForm
from core.queries.market.market import Market

CLASS = OneOfField("billing class", ("professional", "institutional"))
RATE_TYPE = LowercaseField("rate type", example="negotiated", meaning="")


@pytest.mark.parametrize(
    ("field", "given", "expected"),
    [
        (StateField(), " ga ", "GA"),
        (MonthField(), "2025-08", "2025-08"),
        (CodeTypeField(), "rc", "REV"),
        (CodeListField(), " 99213\tcpt 99214; 99213", "99213,CPT:99214"),
        (PayerField(), "example_plan", "example_plan"),
        (PlaceField(), "1", "01"),
        (PlaceField(), "cstm-00", "CSTM-00"),
        (CLASS, "Professional", "professional"),
        (RATE_TYPE, "Fee Schedule", "fee schedule"),
        (ModifierField(), "tc", "TC"),
        (ModifierField(), "None", "none"),
        (NpiField(), "1234567893", "1234567893"),
        (TinField(), "12-3456789", "123456789"),
        (TinField(), "", ""),
        (OneOfField("sort order", ("rate", "payer"), default="rate"), "", "rate"),
    ],
)
def test_a_value_is_written_in_one_way(field: QueryField, given: str, expected: str) -> None:
    assert field.clean(given) == expected
    assert field.clean(expected) == expected, "a canonical value stays as it is"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (StateField(), "ZZ", "'ZZ' is not a state: two letters, such as GA"),
        (MonthField(), "2025-13", "'2025-13' is not a month as YYYY-MM, such as 2025-08"),
        (MonthField(), "1999-12", "'1999-12' is not a month as YYYY-MM, such as 2025-08"),
        (PlaceField(), "11, 22", "'11,22' is not a place of service: two digits, such as 11"),
        (NpiField(), "3234567893", "'3234567893' is not an NPI: 10 digits, starting with 1 or 2"),
        (NpiField(), "12345678931", "'12345678931' is not an NPI: 10 digits, starting with 1 or 2"),
        (NpiField(), "１２３４５６７８９３", "'１２３４５６７８９３' is not an NPI: 10 digits, starting with 1 or 2"),
        (TinField(), "1234567x", "'1234567x' is not a tax ID: the 9 digits of an EIN, or the 10 digits of an NPI"),
        (CLASS, "dental", "'dental' is not a valid billing class: expected one of professional, institutional"),
        (PayerField(), "x" * 601, "Ensure this value has at most 600 characters (it has 601)."),
        (ModifierField(), "26,TC", "'26,TC' is not a modifier such as 26, or none"),
        (RATE_TYPE, "x" * 41, "Ensure this value has at most 40 characters (it has 41)."),
    ],
)
def test_an_invalid_value_is_explained(field: QueryField, value: str, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        field.clean(value)
    assert error.value.messages == [message]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "1000001"])
def test_a_page_number_is_a_whole_number_in_range(value: str) -> None:
    field = NumberField("Page", max_value=1_000_000, expected="a page number", default=1)
    with pytest.raises(ValidationError, match="is not a page number"):
        field.clean(value)
    assert [field.clean(given) for given in ("", "1", "1000000")] == [1, 1, 1_000_000]


def test_every_field_documents_itself_and_accepts_its_example() -> None:
    for form in (MarketForm(), PayersForm(), ChangesForm()):
        for name, field in form.fields.items():
            if name in {"page", "sort", "table", "format", "generation"}:
                continue
            assert isinstance(field, QueryField)
            assert field.meaning, name
            assert field.clean(field.example) == field.example, name
            if isinstance(field, PatternField) and not field.allowed:
                assert re.fullmatch(field.pattern, field.example, re.ASCII), name


def test_a_form_with_other_values_is_a_new_form() -> None:
    form = MarketForm({"code": "450", "code_type": "rc", "state": "ga"})
    assert form.is_valid()
    shown = form.with_values(state="FL", year_month="2025-08", unknown="ignored")
    assert (shown.cleaned_data["state"], shown.cleaned_data["code"]) == ("FL", "0450")
    assert form.cleaned_data["state"] == "GA"
    with pytest.raises(ValueError, match="refuse"):
        form.with_values(state="ZZ")


def test_a_form_with_other_values_is_not_validated_again() -> None:
    class CountedForm(MarketForm):
        validations = 0

        def full_clean(self) -> None:
            CountedForm.validations += 1
            super().full_clean()

    form = CountedForm({"code": "99213", "state": "ga"})
    assert form.is_valid()
    shown = form.with_values(state="FL", code_type="CPT")
    assert shown.is_valid()
    assert shown["state"].value() == "FL"
    assert shown.market() == Market("FL", "", "CPT", "99213")
    assert CountedForm.validations == 1


def test_a_provider_of_the_path_is_not_part_of_the_form() -> None:
    form = ProviderForm({"payer": "a"})
    assert form.is_valid()
    assert form.with_values(tin="123456789012", state="GA").parameters() == {"state": "GA", "payer": "a"}
