"""The API's document says what is true: examples fit schemas, parameters fit the forms, the page shows all of it."""

import json
import re
import subprocess
import sys
from html import unescape
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from core.api.document import document
from core.api.parameters import PARAMETERS, query_model
from core.api.problems import KINDS
from core.forms import CodesForm, MarketForm, MedicareForm, OrganizationsForm, QueryForm, RatesForm
from tests.browser.conftest import ROOT

OPERATIONS = [(path, methods["get"]) for path, methods in document()["paths"].items()]
FORMS = [CodesForm, RatesForm, MedicareForm, OrganizationsForm]


def check(schema: dict[str, Any], value: Any) -> None:
    whole = {**schema, "components": document()["components"]}
    jsonschema_rs.validator_for(whole, validate_formats=True).validate(value)


def test_the_document_is_served_and_not_sent_twice(site: Client) -> None:
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
            for example in examples:
                check(content["schema"], example)
                assert "text" not in json.dumps(example).split('"'), "an example of a field that nobody named"
    for parameter in operation["parameters"]:
        for example in parameter["schema"].get("examples", []):
            check(parameter["schema"], example)


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_resource_and_parameter_is_explained(path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["tags"]
    for parameter in operation["parameters"]:
        assert parameter["description"]
        assert {"pattern", "enum", "minimum"} & set(parameter["schema"]), parameter["name"]
    statuses = {str(status) for status, *_ in KINDS.values()} - {"404"}
    assert statuses <= set(operation["responses"])


@pytest.mark.parametrize("form", FORMS)
def test_the_parameters_are_those_of_the_form(form: type[QueryForm]) -> None:
    names = set(query_model(form).model_fields)
    assert names == (set(form.base_fields) - {"page", "table", "format"} - ({"sort"} - set(names))) | {
        "limit",
        "cursor",
    }
    assert set(form.base_fields) - {"page", "table", "format"} <= set(PARAMETERS)


def a_value(name: str) -> st.SearchStrategy[str]:
    rule = PARAMETERS[name]
    return st.sampled_from(rule.choices) if rule.choices else st.from_regex(rule.pattern, fullmatch=True)


@given(st.data())
def test_the_form_takes_as_it_is_whatever_the_api_takes(data: st.DataObject) -> None:
    for name in sorted(set(MarketForm.base_fields) & set(PARAMETERS) - {"sort", "code", "code_type"}):
        value = data.draw(a_value(name))
        form = MarketForm({name: value})
        assert form.is_valid(), (name, value)
        assert form.cleaned_data[name] in {value, value.lower()}, "nothing but NONE is written otherwise"
    value = data.draw(a_value("code").filter(lambda text: len(text) <= 40))
    form = MarketForm({"code": value, "code_type": "CPT"})
    assert form.is_valid()
    assert form.cleaned_data["code"] == value.upper()


def test_the_page_shows_all_of_it_without_scripts(site: Client) -> None:
    response = site.get("/api/docs")
    content = response.content.decode()
    assert response.status_code == 200
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", content)
    for path, operation in OPERATIONS:
        assert f"GET {path}<" in content
        assert f'id="{operation["operationId"]}"' in content
        for parameter in operation["parameters"]:
            assert f"<code>{parameter['name']}</code>" in content
    for kind in KINDS:
        assert f'id="{kind}"' in content
    ids = re.findall(r'id="([^"]*)"', content)
    assert len(ids) == len(set(ids))
    for anchor in re.findall(r'href="#([^"]*)"', content):
        assert anchor in ids


def test_every_question_of_the_page_can_be_asked(site: Client) -> None:
    commands = re.findall(r"curl '([^']*)'", unescape(site.get("/api/docs").content.decode()))
    assert len(commands) == len(OPERATIONS)
    for command in commands:
        response = site.get(command.removeprefix("http://testserver"))
        assert response.status_code == (404 if "/providers/" in command else 200), command


def test_commands_do_not_load_the_api() -> None:
    program = (
        "import sys; sys.argv = ['manage.py', 'data_dictionary']; import manage; manage.main();"
        "assert not {'ninja', 'pydantic', 'beaconpoint.urls'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
