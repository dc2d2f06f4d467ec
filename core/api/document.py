"""The API's own description: OpenAPI, with examples and every problem, and the page that shows it."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from core.api.examples import Schema, example
from core.api.meanings import MEANINGS
from core.api.problems import CONTENT_TYPE, KINDS, Problem, ProblemDetails
from core.api.site import api

PREFIX = "/api/v1/"

_DESCRIPTION = """\
Health insurers' negotiated rates, as the payers published them (Transparency in Coverage). Read only, no key needed.
A table comes in pages: go on with `cursor` = `next` until `next` is null; the header `Link` has the whole address.
A cursor holds for the generation of the data that it began with: when new data has been loaded, the answer is 409.
Every answer has an `ETag`: send it as `If-None-Match`, and what has not changed is answered with 304.
Parameters that a resource does not have are refused. Errors are problems as of RFC 9457.
"""

_HEADERS = {
    "ETag": "Changes with the data's generation.",
    "Link": "The address of the next page, rel=next; absent on the last one.",
}


@cache
def document() -> Schema:
    """The OpenAPI document."""
    found: Schema = json.loads(json.dumps(api.get_openapi_schema(path_prefix=PREFIX)))
    found["info"]["description"] = _DESCRIPTION
    del found["servers"]
    schemas = found["components"]["schemas"]
    problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas.update(problem.pop("$defs"), ProblemDetails=problem)
    for schema in schemas.values():
        for name, property_ in schema.get("properties", {}).items():
            property_.pop("title", None)
            scalar = property_.get("items", property_).keys() & {"type", "anyOf", "enum"}
            meaning = MEANINGS.get(f"{schema['title']}.{name}", MEANINGS.get(name))
            if scalar and meaning and schema["title"] != "ProblemDetails":
                property_.setdefault("description", meaning)
    for path, methods in found["paths"].items():
        responses, parameters = methods["get"]["responses"], methods["get"]["parameters"]
        content = responses["200"]["content"]["application/json"]
        content["example"] = example(content["schema"], schemas)
        responses["200"]["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in _HEADERS.items()
        }
        responses["304"] = {"description": "What If-None-Match names has not changed."}
        for kind, (status, _, meaning) in KINDS.items():
            if kind != "not-found" or "{" in path or {"run", "from"} & {one["name"] for one in parameters}:
                _add_problem(responses, kind, str(status), meaning)
    return found


def _add_problem(responses: Schema, kind: str, status: str, meaning: str) -> None:
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    response = responses.setdefault(
        status, {"description": "", "content": {CONTENT_TYPE: {"schema": schema, "examples": {}}}}
    )
    response["description"] = f"{response['description']} {meaning}".strip()
    wrong = [("state", "'ZZ' is not a state's two letters, such as GA")] if kind == "wrong-parameter" else None
    told = json.loads(Problem(kind, errors=wrong).response().content)
    response["content"][CONTENT_TYPE]["examples"][kind] = {"value": told}


@cache
def _written() -> tuple[bytes, str]:
    content = json.dumps(document(), indent=1).encode()
    return content, f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """`/api/v1/openapi.json`"""
    content, etag = _written()
    known = etag.strip('"') in request.headers.get("If-None-Match", "")
    response = HttpResponseNotModified() if known else HttpResponse(content, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache"
    return response


@dataclass(frozen=True)
class Resource:
    """A resource, as the page shows it."""

    path: str
    anchor: str
    summary: str
    description: str
    parameters: list[dict[str, str]]
    curl: str
    answers: list[tuple[str, list[dict[str, str]]]]
    example: str


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """`/api/docs`"""
    found = document()
    groups: dict[str, list[Resource]] = {}
    for path, methods in found["paths"].items():
        operation = methods["get"]
        shown = _resource(path, operation, found["components"]["schemas"], request.build_absolute_uri("/")[:-1])
        groups.setdefault(operation["tags"][0], []).append(shown)
    problems = [(kind, *about) for kind, about in KINDS.items()]
    about = _marked(found["info"]["description"])
    return render(request, "api.html", {"groups": groups, "problems": problems, "about": about, "prefix": PREFIX})


def _resource(path: str, operation: Schema, schemas: dict[str, Schema], site: str) -> Resource:
    content = operation["responses"]["200"]["content"]["application/json"]
    parameters = operation["parameters"]
    address = path
    for parameter in parameters:
        if parameter["in"] == "path":
            address = address.replace(f"{{{parameter['name']}}}", parameter["examples"][0])
    shown = {"code", "codes", "state", "year_month", "code_type", "q", "limit"}
    query = {
        one["name"]: one["examples"][0]
        for one in parameters
        if one["in"] == "query" and (one["required"] or one["name"] in shown)
    }
    return Resource(
        path,
        operation["operationId"],
        operation["summary"],
        _marked(operation.get("description", "")),
        [_parameter(parameter) for parameter in parameters],
        f"curl '{site}{address}?{urlencode(query)}'",
        list(_tables(content["schema"], schemas)),
        json.dumps(content["example"], indent=2),
    )


def _marked(text: str) -> SafeString:
    """Text whose words in backquotes are code."""
    marks = ("{}", "<code>{}</code>")
    return format_html_join("", "{}", ((format_html(marks[n % 2], part),) for n, part in enumerate(text.split("`"))))


def _parameter(parameter: Schema) -> dict[str, str]:
    schema = parameter["schema"]
    written = schema.get("pattern", "")
    if "enum" in schema:
        choices = schema["enum"]
        written = ", ".join(choices) if len(choices) < 12 else f"one of {len(choices)}, such as {schema['examples'][0]}"
    elif schema["type"] == "integer":
        written = f"{schema['minimum']} to {schema['maximum']}, {schema['default']} where it is left out"
    elif "^[^" in written:
        written = "text"
    return {
        "name": parameter["name"],
        "required": "required" if parameter["required"] else "",
        "meaning": _marked(parameter.get("description", "")),
        "written": written,
        "example": str(schema.get("examples", [""])[0]),
    }


def _tables(schema: Schema, schemas: dict[str, Schema]) -> Any:
    """The fields of an answer and of each kind of object in it, by name."""
    waiting, seen = [schema["$ref"]], set()
    while waiting:
        reference = waiting.pop(0)
        if reference in seen:
            continue
        seen.add(reference)
        one = schemas[reference.rsplit("/", 1)[-1]]
        fields = []
        for name, property_ in one["properties"].items():
            kind, references = _kind(property_)
            waiting += references
            fields.append({"name": name, "kind": kind, "meaning": property_.get("description", "")})
        yield one.get("description", one["title"] if seen - {reference} else "The answer"), fields


def _kind(schema: Schema) -> tuple[str, list[str]]:
    """A schema in a few words, and the references in it."""
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[-1], [schema["$ref"]]
    if options := schema.get("anyOf") or schema.get("allOf"):
        kinds, references = zip(*(_kind(option) for option in options), strict=True)
        return " or ".join(kinds), [reference for some in references for reference in some]
    if schema.get("type") == "array":
        kind, found = _kind(schema["items"])
        return f"list of {kind}", found
    return schema.get("format") or schema.get("type", "anything"), []
