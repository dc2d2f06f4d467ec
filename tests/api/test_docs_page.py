"""The page /api/docs shows the whole document, and its commands work."""

import gzip
import json
import re
from html import unescape
from pathlib import Path

from django.test import Client
from django.utils.html import escape

from core.api.openapi import document
from core.api.protocol.problems import KINDS
from tests.queries.one_market import store_of_market
from tests.site import Visitor, serving

POSTED = ("PostedClinic", "PostedLine")
OPERATIONS = [(path, methods["get"]) for path, methods in document()["paths"].items()]


def test_the_page_shows_the_whole_document_without_scripts(site: Client) -> None:
    response = site.get("/api/docs")
    content = response.content.decode()
    assert response.status_code == 200
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert not re.search(r"<script(?! src=\"/static/)|<style|\sstyle=|\son[a-z]+=", content)
    for path, operation in OPERATIONS:
        assert f"GET {path}<" in content
        assert f'id="{operation["operationId"]}"' in content
        for parameter in operation["parameters"]:
            assert f"<code>{parameter['name']}</code>" in content
    for kind in KINDS:
        assert f'id="{kind}"' in content
    for name, schema in document()["components"]["schemas"].items():
        if "properties" in schema and name not in {"ProblemDetails", "ParameterError", *POSTED}:
            assert all(f"<code>{field}</code>" in content for field in schema["properties"]), name
    assert len(gzip.compress(response.content)) < 44_000, "what several resources have is explained once"
    ids = re.findall(r'id="([^"]*)"', content)
    assert len(ids) == len(set(ids))
    for anchor in re.findall(r'href="#([^"]*)"', content):
        assert anchor in ids


def test_each_resource_has_an_example_response(site: Client) -> None:
    content = site.get("/api/docs/examples").content.decode()
    described = site.get("/api/docs").content.decode()
    for path, operation in OPERATIONS:
        example = operation["responses"]["200"]["content"]["application/json"]["example"]
        assert escape(json.dumps(example, indent=2)) in content, path
        assert f'id="{operation["operationId"]}"' in content
        assert f'href="/api/docs/examples#{operation["operationId"]}"' in described
        assert f'href="/api/docs#{operation["operationId"]}"' in content


def test_every_command_on_the_page_works(site: Client) -> None:
    commands = re.findall(r"curl '([^']*)'", unescape(site.get("/api/docs").content.decode()))
    assert len(commands) == len(OPERATIONS)
    for command in commands:
        response = site.get(command.removeprefix("http://testserver"))
        # The example of a provider, a group, an organization, a system, or a plan is nobody's.
        of_one = re.search("/(providers|groups|organizations|systems|plans)/", command)
        assert response.status_code == (404 if of_one else 200), command
        assert "year_month" not in command, "an old month may not be loaded: the newest answers"


def test_commands_ask_for_what_is_loaded(tmp_path: Path) -> None:
    with serving(store_of_market(tmp_path, {}).root):
        commands = re.findall(r"curl '([^']*)'", unescape(Visitor().get("/api/docs").content.decode()))
        (rates,) = [one for one in commands if "/api/v1/rates?" in one]
        found = Visitor().get(rates.removeprefix("http://testserver")).json()
    assert found["total"] == 1
    assert {match for one in commands for match in re.findall("payer=([a-z_]+)", one)} == {"payer_a"}
    assert any("/payers/payer_a/networks" in one for one in commands)
