"""The page `/api/docs`: the OpenAPI document for people, without scripts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from core.api.openapi import PREFIX, Schema, document
from core.api.protocol.problems import KINDS

MAX_LISTED_CHOICES = 12
"""A parameter with more choices than this shows one of them as an example."""

_OPTIONAL_IN_CURL = {"code", "codes", "state", "year_month", "code_type", "q", "limit"}
"""Parameters that the curl command shows although they may be omitted."""


@dataclass(frozen=True)
class ParameterDocs:
    """A parameter, as the page shows it."""

    name: str
    required: bool
    meaning: SafeString
    spelling: str
    example: str


@dataclass(frozen=True)
class FieldDocs:
    """A field of an answer, as the page shows it."""

    name: str
    kind: str
    meaning: SafeString


@dataclass(frozen=True)
class ResourceDocs:
    """A resource, as the page shows it. `answers` are the objects in its answer: a title and fields each."""

    path: str
    anchor: str
    summary: str
    description: SafeString
    parameters: list[ParameterDocs]
    curl: str
    answers: list[tuple[str, list[FieldDocs]]]
    example: str


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Serve `/api/docs`."""
    found = document()
    groups: dict[str, list[ResourceDocs]] = {}
    for path, methods in found["paths"].items():
        operation = methods["get"]
        resource = _resource(path, operation, found["components"]["schemas"], request.build_absolute_uri("/")[:-1])
        groups.setdefault(operation["tags"][0], []).append(resource)
    problems = [(kind, *about) for kind, about in KINDS.items()]
    about = _with_code(found["info"]["description"])
    return render(request, "pages/api.html", {"groups": groups, "problems": problems, "about": about, "prefix": PREFIX})


def _resource(path: str, operation: Schema, schemas: dict[str, Schema], site: str) -> ResourceDocs:
    content = operation["responses"]["200"]["content"]["application/json"]
    return ResourceDocs(
        path=path,
        anchor=operation["operationId"],
        summary=operation["summary"].replace("`", ""),
        description=_with_code(operation.get("description", "")),
        parameters=[_parameter(parameter) for parameter in operation["parameters"]],
        curl=f"curl '{site}{_example_address(path, operation['parameters'])}'",
        answers=list(_answers(content["schema"], schemas)),
        example=json.dumps(content["example"], indent=2),
    )


def _example_address(path: str, parameters: list[Schema]) -> str:
    query = {}
    for parameter in parameters:
        name = parameter["name"]
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", parameter["examples"][0])
        elif parameter["required"] or name in _OPTIONAL_IN_CURL:
            query[name] = parameter["examples"][0]
    return f"{path}?{urlencode(query)}"


def _with_code(text: str) -> SafeString:
    """Return text as HTML, with the words in backquotes as code."""
    marks = ("{}", "<code>{}</code>")
    return format_html_join("", "{}", ((format_html(marks[n % 2], part),) for n, part in enumerate(text.split("`"))))


def _parameter(parameter: Schema) -> ParameterDocs:
    schema = parameter["schema"]
    spelling = schema.get("pattern", "")
    if choices := schema.get("enum"):
        few = len(choices) < MAX_LISTED_CHOICES
        spelling = ", ".join(choices) if few else f"one of {len(choices)}, such as {schema['examples'][0]}"
    elif schema["type"] == "integer":
        spelling = f"{schema['minimum']:,} to {schema['maximum']:,}; default {schema['default']:,}"
    elif "[^" in spelling:
        # Patterns that exclude control characters say less to people than the word.
        spelling = "text"
    return ParameterDocs(
        name=parameter["name"],
        required=parameter["required"],
        meaning=_with_code(parameter.get("description", "")),
        spelling=spelling,
        example=str(schema.get("examples", [""])[0]),
    )


def _answers(schema: Schema, schemas: dict[str, Schema]) -> Iterator[tuple[str, list[FieldDocs]]]:
    """Yield the title and the fields of an answer, then those of each kind of object in it."""
    waiting: list[str] = [schema["$ref"]]
    seen: set[str] = set()
    while waiting:
        reference = waiting.pop(0)
        if reference in seen:
            continue
        one = schemas[reference.rsplit("/", 1)[-1]]
        fields = []
        for name, field in one["properties"].items():
            kind, references = _kind(field)
            waiting += references
            fields.append(FieldDocs(name, kind, _with_code(field.get("description", ""))))
        yield str(one.get("description", one["title"])), fields
        seen.add(reference)


def _kind(schema: Schema) -> tuple[str, list[str]]:
    """Return the type of a field in a few words, and the references in it."""
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[-1], [schema["$ref"]]
    if options := schema.get("anyOf") or schema.get("allOf"):
        of_each = [_kind(option) for option in options]
        return " or ".join(kind for kind, _ in of_each), [one for _, references in of_each for one in references]
    if schema.get("type") == "array":
        kind, references = _kind(schema["items"])
        return f"list of {kind}", references
    return schema.get("format") or schema.get("type", "anything"), []
