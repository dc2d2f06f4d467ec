"""The parameters of the API: those of the pages' forms, in the one spelling that the API takes, with their meaning.

What a value means is the form's to say. Here stands how it is written, for OpenAPI and for programs: where a page takes
`ga` and `GA`, the API takes `GA` alone. Everything that is taken here, the form takes as it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from django import forms
from django.http import HttpRequest
from ninja.errors import ValidationError
from pydantic import BaseModel, BeforeValidator, Field, create_model

from core.api.protocol.problems import Problem
from core.fields.code_list import MAX_CODES
from core.fields.states import STATES
from core.pages.forms import QueryForm
from core.pages.forms.fields import BILLING_CLASSES, MAX_TEXT_LENGTH, SETTINGS
from core.quality.checks import CHECKS
from core.queries.rules.matching import OUTCOMES

MOST_ROWS, USUAL_ROWS = 1000, 100
"""Rows of one answer, at most and where nothing is said."""

_NO_CONTROLS = r"[^\x00-\x1f\x7f-\x9f]"
_TEXT = rf"^[^\s\x00-\x1f\x7f-\x9f]({_NO_CONTROLS}*[^\s\x00-\x1f\x7f-\x9f])?$"
_ONE_CODE = "([A-Z][A-Z0-9-]*:)?([A-Z][A-Z.-]*)?[0-9][0-9A-Z.-]*"
"""A code in a list: with a digit, so that it is told from the name of a system."""
_WORDS = "^[a-z]([a-z _-]{0,38}[a-z_-])?$"


@dataclass(frozen=True)
class Parameter:
    """How a parameter is written: `pattern` or `choices`; `expected` ends the sentence `'x' is not …`."""

    meaning: str
    expected: str
    example: str
    pattern: str = _TEXT
    choices: Sequence[str] = ()


PARAMETERS = {
    "q": Parameter(
        "A code's number or its beginning, or words.",
        f"at most {MAX_TEXT_LENGTH} characters", "knee", f"^{_NO_CONTROLS}*$",
    ),
    "state": Parameter(
        "The state. Where state or month are left out, the newest month with most rates; the answer says which.",
        "a state's two letters, such as GA", "GA", choices=tuple(STATES),
    ),
    "year_month": Parameter(
        "The month of the payers' files.",
        "a month as YYYY-MM, such as 2025-08", "2025-08", "^20[0-9]{2}-(0[1-9]|1[0-2])$",
    ),
    "code_type": Parameter(
        "The code system. May be left out where the number stands for one code only.",
        "a code system such as CPT, HCPCS, MS-DRG or REV", "CPT",
    ),
    "code": Parameter("The billing code.", "a code such as 99213", "99213"),
    "payer": Parameter(
        "The payer's key, as `payer_slug` has it.",
        "a payer's key of a-z, 0-9 and _, such as example_health_plan", "example_peach_health_plan", "^[a-z0-9_]+$",
    ),
    "pos": Parameter(
        "The place of service. Also matches rates that hold in every place (CSTM-00).",
        "a place of service: two digits such as 11", "11", "^([0-9]{2}|CSTM-00)$",
    ),
    "billing_class": Parameter(
        "The class.", f"a billing class: one of {', '.join(BILLING_CLASSES)}", "professional", choices=BILLING_CLASSES,
    ),
    "modifier": Parameter(
        "One modifier of the rate's, or `none` for rates without.",
        "a modifier such as 26, or none", "none", "^(none|[0-9A-Z]{1,10})$",
    ),
    "setting": Parameter(
        "The setting.", f"a setting: one of {', '.join(SETTINGS)}", "outpatient", choices=SETTINGS,
    ),
    "negotiated_type": Parameter(
        "The type of rate, as the facts have it; `unstated` for none.",
        "a type of rate such as negotiated", "negotiated", _WORDS,
    ),
    "arrangement": Parameter(
        "The arrangement, as the facts have it; `unstated` for none.",
        "an arrangement: ffs, bundle or capitation", "ffs", _WORDS,
    ),
    "network": Parameter("A network's name, as `networks` has it.", "a network's name", "Example PPO"),
    "npi": Parameter(
        "An NPI.", "an NPI: ten digits that begin with 1 or 2", "1234567893", "^[12][0-9]{9}$",
    ),
    "tin": Parameter(
        "A tax number: the digits of an EIN, or the NPI that stands in for one.",
        "a tax number of nine digits, or an NPI of ten", "123456789", "^[0-9]{9,10}$",
    ),
    "codes": Parameter(
        f"One code or up to {MAX_CODES}, joined by commas, each with its system or without: without, every system's "
        "that has it, CPT and HCPCS being one.",
        f"up to {MAX_CODES} codes joined by commas, such as 99213,CPT:99214", "99213,CPT:70450",
        f"^{_ONE_CODE}(,{_ONE_CODE}){{0,{MAX_CODES - 1}}}$",
    ),
    "base": Parameter(
        "The payer with whose medians the others' are compared; all payers together where it is left out.",
        "a payer's key of a-z, 0-9 and _, such as example_health_plan", "example_peach_health_plan", "^[a-z0-9_]+$",
    ),
    "from": Parameter(
        "The earlier month, with which `year_month` is compared; the one loaded before it where it is left out.",
        "a month as YYYY-MM, such as 2025-07", "2025-07", "^20[0-9]{2}-(0[1-9]|1[0-2])$",
    ),
    "what": Parameter(
        "What became of the rates.", f"an outcome: one of {', '.join(OUTCOMES)}", "up", choices=tuple(OUTCOMES),
    ),
    "run": Parameter(
        "The number of dq_check's run, as `quality/runs` has it; the newest of all data where it is left out.",
        "a run's number, such as 12", "1", "^[1-9][0-9]{0,14}$",
    ),
    "check": Parameter(
        "The check, by its name.", "a check's name, such as zero_rates", "zero_rates",
        choices=tuple(sorted(check.name for check in CHECKS)),
    ),
    "sort": Parameter("The order of the rows; `-` is downwards.", "an order", ""),
}  # fmt: skip
"""By the name of the form's field."""

_UNUSED = {"page", "table", "format"}
"""Parameters of pages that the API has its own way for."""


def _whole(value: object) -> object:
    # pydantic reads `1.0` and ` 1_0` as whole numbers too.
    return value if isinstance(value, int) or (isinstance(value, str) and re.fullmatch("[0-9]+", value)) else None


_LIMIT = Annotated[
    int,
    Field(ge=1, le=MOST_ROWS, description=f"Rows of one answer, at most {MOST_ROWS:,}.", examples=[USUAL_ROWS]),
    BeforeValidator(_whole),
]
_CURSOR = Annotated[
    str,
    Field(
        pattern="^[A-Za-z0-9_-]+$",
        max_length=4000,
        description="Where to go on: the `next` of the answer before, with the same other parameters.",
    ),
]


def query_model(
    form: type[QueryForm], required: Sequence[str] = (), without: Sequence[str] = (), paged: bool = True
) -> type[BaseModel]:
    """The query string of a resource: the form's parameters but some and, for a table, `limit` and `cursor`."""
    fields: dict[str, Any] = {
        name: (_type(name, field, form), ... if name in required else None)
        for name, field in sorted(form().fields.items(), key=lambda item: item[0] == "sort")
        if name not in {*_UNUSED, *without} and (name != "sort" or form.sorts)
    }
    if paged:
        fields |= {"limit": (_LIMIT, USUAL_ROWS), "cursor": (_CURSOR, None)}
    return cast(type[BaseModel], create_model(f"{form.__name__}Query", **fields))


def path_model(names: Sequence[str]) -> type[BaseModel]:
    """The parameters in a path."""
    fields: dict[str, Any] = {name: (_annotated(PARAMETERS[name]), ...) for name in names}
    return create_model("Path", **fields)


def _type(name: str, field: forms.Field, form: type[QueryForm]) -> Any:
    rule = PARAMETERS.get(name)
    if rule is None:
        label = str(field.label or name)
        rule = Parameter(f"{label}.", label.lower(), "")
    if name == "sort":
        meaning = f"{rule.meaning} `{form.sorts[0]}` where it is left out."
        rule = Parameter(meaning, rule.expected, form.sorts[0], choices=form.sorts)
    return _annotated(rule, getattr(field, "max_length", None))


def _annotated(rule: Parameter, longest: int | None = None) -> Any:
    examples = [rule.example] if rule.example else None
    if rule.choices:
        one_of: Any = Literal[tuple(rule.choices)]
        return Annotated[one_of, Field(description=rule.meaning, examples=examples)]
    return Annotated[str, Field(description=rule.meaning, examples=examples, pattern=rule.pattern, max_length=longest)]


def check_names(request: HttpRequest, model: type[BaseModel]) -> None:
    """Refuses parameters that the resource does not have, or that are given twice: the answer would be another."""
    known = f"some of: {', '.join(model.model_fields)}" if model.model_fields else "none"
    errors = []
    for name, values in request.GET.lists():
        if name not in model.model_fields:
            errors.append((name[:MAX_TEXT_LENGTH], f"there is no such parameter here; expected {known}"))
        elif len(values) > 1:
            errors.append((name, f"given {len(values)} times; expected once"))
    if errors:
        raise Problem("wrong-parameter", errors=errors)


def wrong(request: HttpRequest, error: ValidationError) -> Problem:
    """The problem of values that are not written as they should be."""
    parts = request.resolver_match.kwargs if request.resolver_match else {}
    given = {"query": request.GET, "path": parts}
    return Problem(
        "wrong-parameter",
        errors=[(one["loc"][-1], _sentence(one, given[one["loc"][0]].get(one["loc"][-1]))) for one in error.errors],
    )


def _sentence(error: dict[str, Any], value: str | None) -> str:
    name, about = error["loc"][-1], error.get("ctx", {})
    if name in {"limit", "sort", "cursor"} or name not in PARAMETERS:
        expected = {
            "limit": f"a whole number from 1 to {MOST_ROWS}",
            "sort": f"one of {about.get('expected')}",
            "cursor": "the `next` of an answer",
        }.get(name, error["msg"])
    else:
        expected = PARAMETERS[name].expected
    if value is None:
        return f"missing; expected {expected}"
    if error["type"] == "string_too_long":
        return f"longer than {about['max_length']} characters"
    return f"{value[:MAX_TEXT_LENGTH]!r} is not {expected}"
