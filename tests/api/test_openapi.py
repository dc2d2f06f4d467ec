"""The OpenAPI document is complete and true: examples fit their schemas, parameters fit the forms."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from core.api.openapi import document, example
from core.api.protocol.parameters import FORM_FIELDS, query_model
from core.api.protocol.problems import KINDS
from core.fields.codes import code_list
from core.pages.forms.compensation_form import BelowForm
from core.pages.forms.fields import CodeListField
from core.pages.forms.market_forms import (
    ChangesForm,
    MarketForm,
    MedicareForm,
    OrganizationsForm,
    PayersForm,
    ProviderForm,
    RatesForm,
)
from core.pages.forms.quality_form import QualityForm
from core.pages.forms.query_form import CodesForm, QueryForm
from core.store.schema.tables import FACT_RATE
from tests.paths import ROOT

OPERATIONS = [(path, methods["get"]) for path, methods in document()["paths"].items()]
FORMS = [
    CodesForm, RatesForm, MedicareForm, OrganizationsForm, ProviderForm, PayersForm, ChangesForm, QualityForm, BelowForm
]  # fmt: skip

ONE_CODE = CodeListField.pattern.partition("(,")[0]


@cache
def validator(schema: str) -> Any:
    """Return what checks values against a schema. All components are read for it, so only if it names some."""
    whole = json.loads(schema) | ({"components": document()["components"]} if "$ref" in schema else {})
    return jsonschema_rs.validator_for(whole, validate_formats=True)


def check(schema: dict[str, Any], value: Any) -> None:
    validator(json.dumps(schema)).validate(value)


def test_the_document_is_served_and_an_unchanged_one_is_304(site: Client) -> None:
    response = site.get("/api/v1/openapi.json")
    assert response.json() == document()
    assert site.get("/api/v1/openapi.json", headers={"If-None-Match": response["ETag"]}).status_code == 304
    assert response.json()["openapi"].startswith("3.1")


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_example_fits_its_schema(path: str, operation: dict[str, Any]) -> None:
    for response in operation["responses"].values():
        for content in response.get("content", {}).values():
            examples = [content["example"]] if "example" in content else []
            examples += [one["value"] for one in content.get("examples", {}).values()]
            assert examples
            for one in examples:
                check(content["schema"], one)
    for parameter in operation["parameters"]:
        for one in parameter["schema"].get("examples", []):
            check(parameter["schema"], one)


def test_every_field_of_an_answer_has_a_description_and_an_example() -> None:
    for title, schema in document()["components"]["schemas"].items():
        if title.endswith("Query"):
            continue  # parameters, described with the operations
        for name, field in schema["properties"].items():
            assert field["description"].endswith("."), (title, name)
            check(field, example(field, document()["components"]["schemas"]))


def test_a_field_without_an_example_is_an_error() -> None:
    schemas = {"Row": {"properties": {"code": {"type": "string", "description": "Billing code."}}}}
    with pytest.raises(ValueError, match="a field without an example"):
        example({"$ref": "#/components/schemas/Row"}, schemas)


def test_a_stored_column_is_described_as_the_store_describes_it() -> None:
    described = document()["components"]["schemas"]["RateAgainstMedicare"]["properties"]
    for column in FACT_RATE.columns:
        name = {"billing_code_modifier": "modifier"}.get(column.name, column.name)
        if name in described:
            assert described[name]["description"] == column.meaning
    assert described["negotiated_rate"]["examples"] == [104.5]


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_resource_and_parameter_is_described(path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["tags"]
    for parameter in operation["parameters"]:
        assert parameter["description"]
        assert {"pattern", "enum", "minimum"} & set(parameter["schema"]), parameter["name"]
    statuses = {str(status) for status, *_ in KINDS.values()} - {"404"}
    assert statuses <= set(operation["responses"])


def test_resources_that_ask_for_one_thing_can_answer_not_found() -> None:
    found = {
        path.removeprefix("/api/v1/")
        for path, operation in OPERATIONS
        if "not-found" in operation["responses"]["404"]["content"]["application/problem+json"]["examples"]
    }
    of_a_path = {path.removeprefix("/api/v1/") for path, _ in OPERATIONS if "{" in path}
    of_a_run = {"quality", "quality/places", "quality/months", "quality/history"}
    assert found == of_a_path | of_a_run | {"changes", "changes/payers", "changes/codes", "changes/organizations"}


@pytest.mark.parametrize("form", FORMS)
def test_a_resource_has_the_parameters_of_its_form(form: type[QueryForm]) -> None:
    fields = set(form().fields) - {"page", "table", "format"} - (set() if form.sorts else {"sort"})
    assert set(query_model(form).model_fields) == fields | {"limit", "cursor"}
    assert set(query_model(form, paged=False).model_fields) == fields
    assert fields <= set(FORM_FIELDS)
    without = sorted(fields)[:2]
    assert set(query_model(form, without=without).model_fields) == (fields - set(without)) | {"limit", "cursor"}


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_the_examples_of_all_parameters_together_are_a_valid_request(
    site: Client, path: str, operation: dict[str, Any]
) -> None:
    query = {}
    for parameter in operation["parameters"]:
        for one in parameter["schema"].get("examples", [])[:1]:
            path = path.replace(f"{{{parameter['name']}}}", str(one))
            if parameter["in"] == "query":
                query[parameter["name"]] = one
    response = site.get(path, query)
    assert response.status_code in {200, 404}, response.content
    assert "no-such-address" not in response.content.decode()


def test_a_parameter_in_the_path_is_not_in_the_query_too() -> None:
    for path, operation in OPERATIONS:
        in_path, in_query = (
            {one["name"] for one in operation["parameters"] if one["in"] == where} for where in ("path", "query")
        )
        assert in_path == set(re.findall(r"{(\w+)}", path))
        assert not in_path & in_query
        if "providers" in path:
            assert not {"npi", "tin"} & in_query


def a_value(name: str) -> st.SearchStrategy[str]:
    field = FORM_FIELDS[name]
    return st.sampled_from(field.allowed) if field.allowed else st.from_regex(field.pattern, fullmatch=True)


def forms_of(name: str) -> list[type[QueryForm]]:
    return [form for form in FORMS if name in form().fields]


@pytest.mark.parametrize(
    "name", sorted(set(FORM_FIELDS) - {"page", "table", "format", "sort", "code", "code_type", "codes"})
)
@given(data=st.data())
def test_forms_accept_every_value_that_the_api_accepts_unchanged(name: str, data: st.DataObject) -> None:
    longest = getattr(FORM_FIELDS[name], "max_length", None) or 100
    value = data.draw(a_value(name).filter(lambda text: len(text) <= min(longest, 100)))
    for kind in forms_of(name):
        form = kind({name: value})
        assert form.is_valid(), (name, value)
        assert str(form.cleaned_data[name]) in {value, value.lower(), value.upper(), value.strip()}


@given(st.data())
def test_forms_accept_every_code_that_the_api_accepts(data: st.DataObject) -> None:
    value = data.draw(a_value("code").filter(lambda text: len(text) <= 40))
    form = MarketForm({"code": value, "code_type": "CPT"})
    assert form.is_valid()
    assert form.cleaned_data["code"] == value.upper()


@given(st.lists(st.from_regex(ONE_CODE, fullmatch=True).filter(lambda text: len(text) < 50), min_size=1, max_size=5))
def test_forms_accept_every_list_of_codes_that_the_api_accepts(codes: list[str]) -> None:
    assert re.fullmatch(CodeListField.pattern, ",".join(codes))
    form = PayersForm({"codes": ",".join(codes)})
    assert form.is_valid(), codes
    assert len(code_list.read_codes(form.cleaned_data["codes"])) <= len(codes)


@pytest.mark.parametrize(
    "text", ["CPT", "99213,", ",99213", "99213 99214", "cpt:99213", ",".join(["99213"] * (code_list.MAX_CODES + 1))]
)
def test_the_api_refuses_lists_of_codes_in_other_spellings(text: str) -> None:
    assert not re.fullmatch(CodeListField.pattern, text)


def test_commands_do_not_import_the_api() -> None:
    program = (
        "import sys; sys.argv = ['manage.py', 'data_dictionary']; import manage; manage.main();"
        "assert not {'ninja', 'pydantic', 'beaconpoint.urls'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def meanings(schema: Any, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the descriptions of all fields of an answer."""
    if isinstance(schema, list):
        for one in schema:
            yield from meanings(one, seen)
    elif isinstance(schema, dict):
        reference = schema.get("$ref", "")
        if reference and reference not in seen:
            yield from meanings(document()["components"]["schemas"][reference.split("/")[-1]], seen | {reference})
        for one in schema.get("properties", {}).values():
            yield one.get("description", "")
        for value in schema.values():
            yield from meanings(value, seen)


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_a_resource_with_figures_of_medicare_takes_the_schedule_to_compare_with(
    path: str, operation: dict[str, Any]
) -> None:
    said = meanings(operation["responses"].get("200", {}))
    if any(re.search(r"[Pp]ercents? of Medicare|Medicare amount|of Medicare's", one) for one in said):
        assert "basis" in {parameter["name"] for parameter in operation["parameters"]}
