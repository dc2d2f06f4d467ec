"""The pages `/api/docs` and `/api/docs/examples`: the OpenAPI document for people, without scripts."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from core import open_store
from core.api.openapi import PREFIX, Schema, document
from core.api.protocol.problems import KINDS
from core.queries.coverage import Coverage, list_coverage

MAX_LISTED_CHOICES = 12
"""A parameter with more choices than this shows one of them as an example."""

MIN_OBJECTS = 3
"""A field that as many objects have is explained once for all of them."""

_OPTIONAL_IN_CURL = {"code", "codes", "state", "code_type", "q", "limit"}
"""Parameters that the curl command shows although they may be omitted. Without a month, the newest one answers."""

EXAMPLE_STATE = "GA"
"""The state of the examples."""

_NEEDED_IN_CURL = {"/api/v1/clinic/positions": {"tin"}}
"""Parameters of which a resource needs one."""


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
class ObjectDocs:
    """An object of an answer, as the page shows it: its own fields, and the names of those explained once for all."""

    title: str
    fields: list[FieldDocs]
    shared: list[str]


@dataclass(frozen=True)
class ResourceDocs:
    """A resource, as the page shows it.

    `parameters` are those that mean something of their own here, and `shared` the names of the others. `answers` are
    the objects in its answer that no other resource has.
    """

    path: str
    anchor: str
    summary: str
    description: SafeString
    parameters: list[ParameterDocs]
    shared: list[str]
    curl: str
    answers: list[ObjectDocs]
    example: str


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Serve `/api/docs`."""
    found = document()
    shared = _Shared(found)
    context = {
        "groups": _describe_resources(request, found, shared),
        "shared": shared,
        "problems": [(kind, *about) for kind, about in KINDS.items()],
        "about": _with_code(found["info"]["description"]),
        "prefix": PREFIX,
    }
    return render(request, "pages/api.html", context)


@require_safe
def show_examples(request: HttpRequest) -> HttpResponse:
    """Serve `/api/docs/examples`: an answer of each resource. They are long, and most visitors look for one."""
    found = document()
    return render(request, "pages/api_examples.html", {"groups": _describe_resources(request, found, _Shared(found))})


def _describe_resources(request: HttpRequest, found: Schema, shared: "_Shared") -> dict[str, list[ResourceDocs]]:
    """Return the resources by their group."""
    groups: dict[str, list[ResourceDocs]] = {}
    loaded = _find_loaded()
    for path, methods in found["paths"].items():
        operation = methods["get"]
        resource = _resource(path, operation, shared, request.build_absolute_uri("/")[:-1], loaded)
        groups.setdefault(operation["tags"][0], []).append(resource)
    return groups


class _Shared:
    """The parameters and the objects that several resources have. The page explains each once."""

    def __init__(self, found: Schema) -> None:
        self.schemas: dict[str, Schema] = found["components"]["schemas"]
        operations = [methods["get"] for methods in found["paths"].values()]
        uses = Counter(_key(one) for operation in operations for one in operation["parameters"] if one["in"] == "query")
        by_name: dict[str, Schema] = {}
        for one in (one for operation in operations for one in operation["parameters"]):
            if uses[_key(one)] > 1:
                by_name.setdefault(one["name"], one)
        self._keys = {_key(one) for one in by_name.values()}
        self.parameters = [_parameter(one) for one in sorted(by_name.values(), key=lambda one: str(one["name"]))]
        objects = Counter(
            name for operation in operations for name in set(_objects(_answer_of(operation), self.schemas))
        )
        self._objects = {name for name, times in objects.items() if times > 1}
        fields = Counter(one for name in objects for one in _fields(self.schemas[name]))
        times = Counter(one.name for one in fields)
        # A name that means two things is explained where it stands.
        self._fields = {one for one, number in fields.items() if number >= MIN_OBJECTS and times[one.name] == 1}
        self.fields = sorted(self._fields, key=lambda one: one.name)
        self.objects = [(name, self.describe(self.schemas[name])) for name in sorted(self._objects)]

    def has_parameter(self, parameter: Schema) -> bool:
        """Return whether the parameter is explained once for all resources."""
        return _key(parameter) in self._keys

    def describe(self, one: Schema) -> ObjectDocs:
        """Return an object's title and fields. Those that several objects have are named alone."""
        fields = _fields(one)
        return ObjectDocs(
            title=str(one.get("description", one["title"])),
            fields=[field for field in fields if field not in self._fields],
            shared=[field.name for field in fields if field in self._fields],
        )

    def has_object(self, name: str) -> bool:
        """Return whether the object is explained once for all resources."""
        return name in self._objects


def _key(parameter: Schema) -> str:
    return json.dumps({name: value for name, value in parameter.items() if name != "required"}, sort_keys=True)


def _answer_of(operation: Schema) -> Schema:
    found: Schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return found


def _resource(path: str, operation: Schema, shared: _Shared, site: str, loaded: Sequence[Coverage]) -> ResourceDocs:
    content = operation["responses"]["200"]["content"]["application/json"]
    return ResourceDocs(
        path=path,
        anchor=operation["operationId"],
        summary=operation["summary"].replace("`", ""),
        description=_with_code(operation.get("description", "")),
        parameters=[
            _parameter(one) for one in operation["parameters"] if one["required"] or not shared.has_parameter(one)
        ],
        shared=[one["name"] for one in operation["parameters"] if not one["required"] and shared.has_parameter(one)],
        curl=f"curl '{site}{_example_address(path, operation['parameters'], loaded)}'",
        answers=[
            shared.describe(shared.schemas[name])
            for name in _objects(content["schema"], shared.schemas)
            if not shared.has_object(name)
        ],
        example=json.dumps(content["example"], indent=2),
    )


def _example_address(path: str, parameters: list[Schema], loaded: Sequence[Coverage]) -> str:
    query, needed = {}, _NEEDED_IN_CURL.get(path, set())
    for parameter in parameters:
        name, is_in_path = parameter["name"], parameter["in"] == "path"
        if is_in_path or parameter["required"] or name in _OPTIONAL_IN_CURL | needed:
            example = _example_that_is_loaded(name, parameter["examples"][0], loaded)
            if is_in_path:
                path = path.replace(f"{{{name}}}", example)
            else:
                query[name] = example
    return f"{path}?{urlencode(query)}"


def _find_loaded() -> Sequence[Coverage]:
    """Return what is loaded of the state that the examples are about, or else of one that is: the newest first."""
    db = open_store.snapshot_for_site()
    every = sorted(list_coverage(db), key=lambda one: (one.year_month, one.rates), reverse=True) if db else []
    state = next((one.state for one in every if one.state == EXAMPLE_STATE), every[0].state if every else "")
    return [one for one in every if one.state == state]


def _example_that_is_loaded(name: str, example: Any, loaded: Sequence[Coverage]) -> Any:
    """Return the example of a state or a payer if it is loaded, or else one that is; other examples as they are."""
    values = {"state": [one.state for one in loaded], "payer": [one.payer_slug for one in loaded]}.get(name)
    return example if not values or example in values else values[0]


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


def _objects(schema: Schema, schemas: dict[str, Schema]) -> list[str]:
    """Return the names of an answer and of each kind of object in it."""
    waiting: list[str] = [schema["$ref"]]
    seen: list[str] = []
    while waiting:
        name = waiting.pop(0).rsplit("/", 1)[-1]
        if name not in seen:
            seen.append(name)
            waiting += [one for field in schemas[name]["properties"].values() for one in _kind(field)[1]]
    return seen


def _fields(one: Schema) -> list[FieldDocs]:
    """Return the fields of an object."""
    return [
        FieldDocs(name, _kind(field)[0], _with_code(field.get("description", "")))
        for name, field in one["properties"].items()
    ]


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
