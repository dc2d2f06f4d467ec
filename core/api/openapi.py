"""The OpenAPI document of the API: built from the resources, their row classes and their forms."""

import hashlib
import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from core.api.protocol.problems import CONTENT_TYPE, KINDS, Problem, ProblemDetails
from core.api.site import api
from core.pages.shared.conditional import conditional_answer

Schema = dict[str, Any]

PREFIX = "/api/v1/"

_DESCRIPTION = """\
Negotiated rates of health insurers, as published under the Transparency in Coverage rule. Read only; no key needed.
Resources are read with GET; a body, where a resource takes one, is sent with POST and kept nowhere.
Tables come in pages: pass `next` as `cursor` until `next` is null. The `Link` header has the address of the next page.
A cursor belongs to one generation of the data. After new data is loaded, an old cursor returns 409.
Every answer has an `ETag`. Send it as `If-None-Match`, and an unchanged answer returns 304.
Unknown parameters are refused. Errors are problem details as defined in RFC 9457.
"""

_HEADERS = {
    "ETag": "Changes with each generation of the data.",
    "Link": "Address of the next page, rel=next. Absent on the last page.",
}


@cache
def document() -> Schema:
    """Return the OpenAPI document."""
    found: Schema = json.loads(json.dumps(api.get_openapi_schema(path_prefix=PREFIX)))
    found["info"]["description"] = _DESCRIPTION
    del found["servers"]
    schemas = found["components"]["schemas"]
    problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas.update(problem.pop("$defs"), ProblemDetails=problem)
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            field.pop("title", None)
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            _document_responses(path, method, operation, schemas)
    return found


def _document_responses(path: str, method: str, operation: Schema, schemas: dict[str, Schema]) -> None:
    """Add an example, the headers, and every problem that the operation can answer with."""
    responses = operation["responses"]
    content = responses["200"]["content"]["application/json"]
    content["example"] = example(content["schema"], schemas)
    if method == "get":
        responses["200"]["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in _HEADERS.items()
        }
        responses["304"] = {"description": "The answer named in If-None-Match has not changed."}
    names = {parameter["name"] for parameter in operation["parameters"]}
    names_one_thing = "{" in path or bool(names & {"run", "from"})
    for kind, (status, _, meaning) in KINDS.items():
        if kind != "not-found" or names_one_thing:
            _add_problem(responses, kind, str(status), meaning)


def _add_problem(responses: Schema, kind: str, status: str, meaning: str) -> None:
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    empty = {"description": "", "content": {CONTENT_TYPE: {"schema": schema, "examples": {}}}}
    response = responses.setdefault(status, empty)
    response["description"] = f"{response['description']} {meaning}".strip()
    wrong = [("state", "'ZZ' is not a state: two letters, such as GA")] if kind == "wrong-parameter" else None
    details = json.loads(Problem(kind, errors=wrong).response().content)
    response["content"][CONTENT_TYPE]["examples"][kind] = {"value": details}


def example(schema: Schema, schemas: dict[str, Schema]) -> Any:
    """Return an instance of a JSON schema, built from the examples of its fields.

    Raises ValueError if a field has neither an example nor fields of its own: every column is documented.
    """
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas)
    if options := schema.get("anyOf") or schema.get("allOf"):
        return example(options[0], schemas)
    if "properties" in schema:
        return {name: example(field, schemas) for name, field in schema["properties"].items()}
    if schema.get("type") == "array":
        return [example(schema["items"], schemas)]
    raise ValueError(f"a field without an example: {schema}")


@cache
def _serialized() -> tuple[bytes, str]:
    content = json.dumps(document(), indent=1).encode()
    return content, f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


@require_safe
def show(request: HttpRequest) -> HttpResponseBase:
    """Serve `/api/v1/openapi.json`."""
    content, tag = _serialized()
    return conditional_answer(request, tag, lambda: HttpResponse(content, content_type="application/json"))
