"""The parameters of resources, built from the fields of the pages' forms.

A field says what its parameter means and how it is spelled. Pages accept other spellings too and normalize them; the
API accepts only the canonical one, because a program that misspells a filter should hear about it.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

from django.http import HttpRequest
from ninja.errors import ValidationError
from pydantic import BaseModel, BeforeValidator, Field, create_model

from core.api.protocol.problems import Problem
from core.pages.forms.basket_forms import BasketForm
from core.pages.forms.compensation_form import BelowForm
from core.pages.forms.fields import MAX_TEXT_LENGTH, NumberField, QueryField
from core.pages.forms.market_forms import ChangesForm, MedicareForm, PayersForm, ProviderForm
from core.pages.forms.profile_forms import PlacesForm
from core.pages.forms.quality_form import QualityForm
from core.pages.forms.query_form import CodesForm, QueryForm
from core.pages.forms.roll_up_fields import GroupField
from core.pages.forms.roll_up_forms import PlansForm

MAX_ROWS, DEFAULT_ROWS = 1000, 100
"""Rows of one answer."""

FormField = QueryField | NumberField

FORM_FIELDS: dict[str, FormField] = {
    name: cast(FormField, field)
    for form in (
        QualityForm,
        CodesForm,
        PlansForm,
        PayersForm,
        MedicareForm,
        ChangesForm,
        PlacesForm,
        ProviderForm,
        BasketForm,
        BelowForm,
    )
    for name, field in form().fields.items()
} | {"group": GroupField()}
"""Every field, by the name of its parameter. A name means the same in every form; only `sort` has other choices."""

_FOR_PAGES = {"page", "table", "format"}
"""Parameters for which the API has its own way."""


def _digits_only(value: object) -> object:
    # pydantic would also read `1.0` and ` 1_0` as whole numbers.
    return value if isinstance(value, int) or (isinstance(value, str) and re.fullmatch("[0-9]+", value)) else None


_EXPECTED = {"limit": f"a whole number from 1 to {MAX_ROWS:,}", "cursor": "`next` of an answer"}
_LIMIT = Annotated[
    int,
    Field(ge=1, le=MAX_ROWS, description=f"Rows per page, at most {MAX_ROWS:,}.", examples=[DEFAULT_ROWS]),
    BeforeValidator(_digits_only),
]
_CURSOR = Annotated[
    str,
    Field(
        pattern="^[A-Za-z0-9_-]+$",
        max_length=4000,
        description="`next` of the page before. Keep the other parameters.",
    ),
]


def query_model(
    form: type[QueryForm], required: Sequence[str] = (), without: Sequence[str] = (), paged: bool = True
) -> type[BaseModel]:
    """Return the query string of a resource: the form's parameters except some, with `limit` and `cursor` if paged."""
    # The order comes last, after the filters.
    form_fields = sorted(form().fields.items(), key=lambda item: item[0] == "sort")
    fields: dict[str, Any] = {
        name: (_annotation(name, cast(FormField, field)), ... if name in required else None)
        for name, field in form_fields
        if name not in {*_FOR_PAGES, *without} and (name != "sort" or form.sorts)
    }
    if paged:
        fields |= {"limit": (_LIMIT, DEFAULT_ROWS), "cursor": (_CURSOR, None)}
    return cast(type[BaseModel], create_model(f"{form.__name__}Query", **fields))


def path_model(names: Sequence[str]) -> type[BaseModel]:
    """Return the parameters in a path."""
    fields: dict[str, Any] = {name: (_annotation(name, FORM_FIELDS[name]), ...) for name in names}
    return create_model("Path", **fields)


def _annotation(name: str, field: FormField) -> Any:
    meaning = field.meaning
    if name == "sort":
        meaning = f"Order of the rows; `-` is descending. Default: `{field.example}`."
    examples = [field.example] if field.example else None
    if field.allowed:
        one_of: Any = Literal[tuple(field.allowed)]
        return Annotated[one_of, Field(description=meaning, examples=examples)]
    return Annotated[
        str,
        Field(
            description=meaning,
            examples=examples,
            pattern=f"^({field.pattern})$",
            max_length=getattr(field, "max_length", None),
        ),
    ]


def check_names(request: HttpRequest, model: type[BaseModel]) -> None:
    """Raise a Problem for parameters that the resource does not have or that are given twice.

    Ignoring a misspelled filter would silently return more than was asked for.
    """
    known = f"one of {', '.join(model.model_fields)}" if model.model_fields else "no parameters"
    errors = []
    for name, values in request.GET.lists():
        if name not in model.model_fields:
            errors.append((name[:MAX_TEXT_LENGTH], f"unknown parameter; expected {known}"))
        elif len(values) > 1:
            errors.append((name, f"given {len(values)} times; expected once"))
    if errors:
        raise Problem("wrong-parameter", errors=errors)


def invalid_parameters(request: HttpRequest, error: ValidationError) -> Problem:
    """Return the problem of values that are missing or not spelled as they should be."""
    path_values = request.resolver_match.kwargs if request.resolver_match else {}
    given = {"query": request.GET, "path": path_values}
    return Problem(
        "wrong-parameter",
        errors=[
            _problem_of_body(one)
            if one["loc"][0] == "body"
            else (one["loc"][-1], _reason(one, given[one["loc"][0]].get(one["loc"][-1])))
            for one in error.errors
        ],
    )


def _problem_of_body(error: dict[str, Any]) -> tuple[str, str]:
    """Return where in a body a value is not valid, and why, without the value: it is private."""
    place = ".".join(str(one) for one in error["loc"][2:]) or "body"
    return place[:MAX_TEXT_LENGTH], str(error["msg"])


def _reason(error: dict[str, Any], value: str | None) -> str:
    name, about = error["loc"][-1], error.get("ctx", {})
    field = FORM_FIELDS.get(name)
    # The choices of `sort` differ from form to form: pydantic knows which ones were expected.
    expected = f"one of {about['expected']}" if name == "sort" else field.expected if field else _EXPECTED[name]
    if value is None:
        return f"missing; expected {expected}"
    if error["type"] == "string_too_long":
        return f"longer than {about['max_length']} characters"
    return f"{value[:MAX_TEXT_LENGTH]!r} is not {expected}"
