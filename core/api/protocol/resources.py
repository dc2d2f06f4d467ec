"""The decorator that makes a function a resource of the API: validation, ETag, market, and the answer's envelope."""

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Body, Path, Query, Router
from pydantic import BaseModel

from core import open_store
from core.api.protocol import parameters
from core.api.protocol.answers import Answer, AnswerFields, MarketAnswer, MarketPage, Page
from core.api.protocol.problems import Problem
from core.api.protocol.requests import ResourceRequest, choose_for
from core.pages.forms.query_form import QueryForm
from core.pages.shared.answer_cache import SLOW_QUESTIONS, ending_together
from core.pages.shared.conditional import answer_tag, conditional_answer
from core.pages.shared.lanes.admission import HEAVY_QUESTIONS, QUESTIONS, client_of
from core.pages.shared.lanes.weights import HEAVY_ROWS, weigh_question
from core.queries.latest import list_payer_months
from core.rows import write_json
from core.runtime.request_notes import note_private
from core.store.connection import QueryTimeout, Snapshot, time_limit
from core.store.kept_reader import GenerationNotKept

__all__ = [
    "Answer",
    "AnswerFields",
    "MarketAnswer",
    "MarketPage",
    "Page",
    "ResourceRequest",
    "posted_resource",
    "resource",
]

JSON = "application/json; charset=utf-8"

Resource = Callable[..., AnswerFields]
"""A function of a ResourceRequest, and of the body of the request if it has one."""


@dataclass(frozen=True)
class _Operation:
    """What answers the requests to one resource."""

    function: Resource
    form: type[QueryForm]
    query_model: type[BaseModel]
    answer: type[Answer]

    def respond(self, request: HttpRequest, query: BaseModel | None, path_values: dict[str, str]) -> HttpResponseBase:
        """Return the answer, or 304 if the client has it. Raise a Problem for anything that is wrong.

        Everything that can be refused without reading data is refused first. A 304 and HEAD read no data.
        """
        form, db = self._validate(request, query)
        tag = answer_tag(db, request)

        def make() -> HttpResponseBase:
            # The site turns HEAD into GET so that ninja routes it; the server's own word for it stays.
            if request.META["REQUEST_METHOD"] == "HEAD":
                # A streaming response has no length: nobody knows it before the answer is made.
                return StreamingHttpResponse((), content_type=JSON)
            if reason := SLOW_QUESTIONS.get(tag):
                raise QueryTimeout(reason)
            try:
                return self._answer_in_lane(request, db, form, query, path_values)
            except QueryTimeout as error:
                SLOW_QUESTIONS.note(tag, str(error))
                raise

        return conditional_answer(request, tag, make)

    def respond_to_posted(self, request: HttpRequest, query: BaseModel | None, posted: BaseModel) -> HttpResponseBase:
        """Return the answer to a request with a body. Nothing of it is kept: not the answer, nor what is logged."""
        note_private()
        form, db = self._validate(request, query)
        response = self._answer_in_lane(request, db, form, query, {}, posted)
        response["Cache-Control"] = "no-store"
        return response

    def _validate(self, request: HttpRequest, query: BaseModel | None) -> tuple[QueryForm, Snapshot]:
        if not request.accepts("application/json"):
            raise Problem("not-acceptable")
        parameters.check_names(request, self.query_model)
        form = self.form(query.model_dump(exclude_none=True) if query else {})
        if not form.is_valid():
            raise Problem("wrong-parameter", errors=form.problems)
        return form, _snapshot(form)

    def _answer_in_lane(
        self,
        request: HttpRequest,
        db: Snapshot,
        form: QueryForm,
        query: Any,
        path_values: dict[str, str],
        *posted: BaseModel,
    ) -> HttpResponse:
        """Return the answer, made once there is a place in the lane that the question belongs to by what it costs."""
        heavy = weigh_question(db, form) > HEAVY_ROWS
        lane = HEAVY_QUESTIONS if heavy else QUESTIONS
        with lane.enter(client_of(request)), time_limit(lane.limits.seconds), ending_together():
            return self._answer(request, _snapshot(form, heavy=heavy), form, query, path_values, *posted)

    def _answer(
        self,
        request: HttpRequest,
        db: Snapshot,
        form: QueryForm,
        query: Any,
        path_values: dict[str, str],
        *posted: BaseModel,
    ) -> HttpResponse:
        choice = choose_for(form, db, path_values)
        found = self.function(
            ResourceRequest(
                db=db,
                address=request.path,
                form=form,
                values={**form.cleaned_data, **(choice.values if choice else {})},
                path_values=path_values,
                limit=getattr(query, "limit", parameters.DEFAULT_ROWS),
                cursor=getattr(query, "cursor", None),
                chosen_market=choice.market if choice else None,
            ),
            *posted,
        )
        if choice and "market" in self.answer.model_fields:
            shown = replace(choice.market, year_month=choice.market.one_month, latest=None)
            months = list_payer_months(db, choice.market)
            found = {"rate_classes": choice.classes, **found, "market": shown, "months": months}
        answer = self.answer(generation=db.manifest.generation, **found)
        response = HttpResponse(write_json(answer.model_dump()), content_type=JSON)
        if found.get("next"):
            response["Link"] = _link(request, found["next"])
        return response


def _snapshot(form: QueryForm, *, heavy: bool = False) -> Snapshot:
    """Return the generation that is asked for, or the newest."""
    try:
        db = open_store.snapshot_for_site(heavy=heavy, generation=form.cleaned_data["generation"])
    except GenerationNotKept as error:
        raise Problem("not-kept" if error.was_there else "not-found", f"{error}.") from error
    if db is None:
        raise Problem("nothing-loaded")
    return db


def _link(request: HttpRequest, cursor: str) -> str:
    """Return the header with the address of the next page (RFC 8288)."""
    following = request.GET.copy()
    following["cursor"] = cursor
    return f'<{request.path}?{following.urlencode()}>; rel="next"'


def resource(
    router: Router,
    path: str,
    form: type[QueryForm],
    answer: type[Answer],
    required: Sequence[str] = (),
    without: Sequence[str] = (),
) -> Callable[[Resource], Resource]:
    """Make a function a resource of the API.

    The form's fields are its query parameters, except those in `without`; those in `required` must be given. The
    function's docstring is its documentation: the first line is the summary.
    """
    query_model = parameters.query_model(form, required, without, paged="next" in answer.model_fields)
    path_names = re.findall(r"{(\w+)}", path)

    def register(function: Resource) -> Resource:
        resource_operation = _Operation(function, form, query_model, answer)

        def operation(request: HttpRequest, **given: Any) -> HttpResponseBase:
            path_values = given["path_values"].model_dump() if "path_values" in given else {}
            return resource_operation.respond(request, given.get("query"), path_values)

        kinds: list[tuple[str, Any]] = [("request", HttpRequest)]
        if query_model.model_fields:
            kinds.append(("query", Query[query_model]))  # type: ignore[misc, valid-type]
        if path_names:
            kinds.append(("path_values", Path[parameters.path_model(path_names)]))  # type: ignore[misc]
        _sign(operation, function, kinds)
        router.get(path, response=answer, operation_id=_id_of(path), **_describe(function))(operation)
        return function

    return register


def posted_resource(
    router: Router,
    path: str,
    form: type[QueryForm],
    answer: type[Answer],
    body: type[BaseModel],
    without: Sequence[str] = (),
) -> Callable[[Resource], Resource]:
    """Make a function of a ResourceRequest and a body a resource that is asked by POST, because the body is private."""
    query_model = parameters.query_model(form, without=without, paged=False)

    def register(function: Resource) -> Resource:
        resource_operation = _Operation(function, form, query_model, answer)

        def operation(request: HttpRequest, query: BaseModel, posted: BaseModel) -> HttpResponseBase:
            return resource_operation.respond_to_posted(request, query, posted)

        of_query, of_body = Query[query_model], Body[body]  # type: ignore[misc, valid-type]
        _sign(operation, function, [("request", HttpRequest), ("query", of_query), ("posted", of_body)])
        router.post(path, response=answer, operation_id=f"post_{_id_of(path)}", **_describe(function))(operation)
        return function

    return register


def _id_of(path: str) -> str:
    return re.sub(r"\W+", "_", path).strip("_")


def _sign(operation: Callable[..., Any], function: Resource, kinds: Sequence[tuple[str, Any]]) -> None:
    """Give an operation the signature from which ninja reads its parameters."""
    by_name = inspect.Parameter.KEYWORD_ONLY
    operation.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, by_name, annotation=kind) for name, kind in kinds]
    )
    operation.__name__ = function.__name__


def _describe(function: Resource) -> dict[str, Any]:
    """Return what the document says about a function: the first line of its docstring, and the others."""
    summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n")
    return {"summary": summary.rstrip("."), "description": " ".join(description.split())}
