"""What all resources share: the question as asked, its page of a table, and the answer's frame."""

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified, StreamingHttpResponse
from ninja import Path, Query, Router
from pydantic import BaseModel, Field

from core import open_store
from core.api.protocol import cursors, parameters
from core.api.protocol.problems import Problem
from core.pages.forms import ChangesForm, MarketForm, ProviderForm, QueryForm
from core.pages.shared.answer_cache import admitted
from core.pages.shared.conditional import answer_tag
from core.pages.shared.market_choice import (
    InvalidChoice,
    MarketChoice,
    choose_market,
    choose_months,
    choose_provider_market,
)
from core.queries import coverage, providers
from core.queries.rules import keyset
from core.queries.rules.market import Market
from core.store.connection import Snapshot

_CURSOR = "WyI1ZDQxNDAyYWJjNGIiLCI3ZDc5MzAzN2EwNzYiLDcwLFsxMDQuNSwiOGYxZDJjMGEiXV0"
"""The cursor in examples."""

Row = TypeVar("Row")
Found = dict[str, Any]
"""What an answer holds beside its generation and market."""


class Answer(BaseModel):
    """An answer."""

    generation: int = Field(description="Generation of the data. Each load adds 1.", examples=[7])


class Page(Answer, Generic[Row]):
    """One page of a table."""

    rows: list[Row] = Field(description="Rows of this page.")
    next: str | None = Field(description="Cursor of the next page; null on the last page.", examples=[_CURSOR])
    total: int = Field(description="Number of rows on all pages.", examples=[70])


class MarketAnswer(Answer):
    """An answer about a market."""

    market: Market = Field(
        description="The market of the answer, with the state, month and code system that were chosen."
    )


class MarketPage(Page[Row], MarketAnswer, Generic[Row]):
    """One page of a table about a market."""


@dataclass(frozen=True)
class Asked:
    """A question, checked and normalised by the pages' form, which is valid; `path` are the path's parameters."""

    db: Snapshot
    address: str
    form: QueryForm
    path: dict[str, str]
    limit: int
    cursor: str | None
    of_market: Market | None = None

    @property
    def chosen(self) -> dict[str, Any]:
        """The values of the form's fields."""
        return self.form.cleaned_data

    @property
    def market(self) -> Market:
        """The market that a resource of a MarketForm is about."""
        if self.of_market is None:
            raise TypeError("a market is asked for with a MarketForm")
        return self.of_market

    @property
    def sort(self) -> str:
        """The name of the order."""
        return str(self.chosen["sort"])

    def by_key(
        self,
        row: type[Row],
        order: str,
        total: Callable[[], int],
        rows: Callable[[int, keyset.RowKey | None], Sequence[Row]],
    ) -> Found:
        """A page that begins after a key. `rows(limit, last)` are rows in `order`, which is total; `total()` counts."""
        cursor, last = self._begun(), None
        if cursor:
            last = cursors.key(cursor, order, row)
        found = rows(self.limit + 1, last)
        number = cursor.total if cursor else total()
        more = len(found) > self.limit
        return self._page(found, number, keyset.row_key(order, found[self.limit - 1]) if more else None)

    def by_place(self, rows: Callable[[int, int], tuple[int, Sequence[Row]]]) -> Found:
        """A page that begins after so many rows: of a table that is small, or has an order that is not in its rows.

        `rows(limit, offset)` gives how many rows there are, and some of them in an order that is total.
        """
        cursor = self._begun()
        offset = cursors.place(cursor) if cursor else 0
        total, found = rows(self.limit, offset)
        after = offset + len(found)
        return self._page(found, total, after if found and after < total else None)

    def whole(self, rows: Sequence[Row]) -> Found:
        """A page of a table that is at hand."""
        return self.by_place(lambda limit, offset: (len(rows), rows[offset : offset + limit]))

    def _page(self, found: Sequence[Row], total: int, after: int | keyset.RowKey | None) -> Found:
        following = None if after is None else cursors.write(self.db, self._question, total, after)
        return {"rows": found[: self.limit], "next": following, "total": total}

    def _begun(self) -> cursors.Cursor | None:
        return cursors.read(self.db, self._question, self.cursor) if self.cursor else None

    @property
    def _question(self) -> Any:
        of_market = vars(self.of_market) if self.of_market else {}
        return [self.address, sorted({**self.chosen, **of_market}.items())]


def resource(
    router: Router,
    path: str,
    form: type[QueryForm],
    answer: type[Answer],
    required: Sequence[str] = (),
    without: Sequence[str] = (),
) -> Callable[[Callable[[Asked], Found]], Callable[[Asked], Found]]:
    """Makes a function that answers questions a resource of the API.

    Its query string is the form's, of which `required` must be given and `without` is left out. The function's
    docstring is its documentation: the first line the summary. Every answer has an ETag; whoever has it already is not
    sent it again. That, and HEAD, asks the data nothing.
    """
    paged = "next" in answer.model_fields
    query = parameters.query_model(form, required, without, paged)
    names = re.findall(r"{(\w+)}", path)

    def register(function: Callable[[Asked], Found]) -> Callable[[Asked], Found]:
        def operation(request: HttpRequest, response: HttpResponse, **given: Any) -> HttpResponseBase | Answer:
            filled, db = _checked(request, form, query, given)
            etag = answer_tag(db, request)
            response["ETag"], response["Cache-Control"] = etag, "no-cache"
            if etag in request.headers.get("If-None-Match", "").split(", "):
                return HttpResponseNotModified(headers=dict(response.headers))
            if request.META["REQUEST_METHOD"] == "HEAD":
                return _without_length(response)
            where = given["where"].model_dump() if "where" in given else {}
            with admitted():
                asked = _asked(request, db, filled, where, given.get("query"))
                found = function(asked)
            if "market" in answer.model_fields:
                found["market"] = asked.market
            if found.get("next"):
                response["Link"] = _link(request, found["next"])
            return answer(generation=db.manifest.generation, **found)

        kinds: list[tuple[str, Any]] = [("request", HttpRequest), ("response", HttpResponse)]
        if query.model_fields:
            kinds.append(("query", Query[query]))  # type: ignore[misc, valid-type]
        if names:
            kinds.append(("where", Path[parameters.path_model(names)]))  # type: ignore[misc]
        by_name = inspect.Parameter.KEYWORD_ONLY
        operation.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, by_name, annotation=kind) for name, kind in kinds]
        )
        operation.__name__ = function.__name__
        summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n")
        router.get(
            path,
            response=answer,
            summary=summary.rstrip("."),
            description=" ".join(description.split()),
            operation_id=re.sub(r"\W+", "_", path).strip("_"),
        )(operation)
        return function

    return register


def _without_length(response: HttpResponse) -> StreamingHttpResponse:
    """The head of an answer that is not made; a streamed one has no length, which nobody knows yet."""
    return StreamingHttpResponse((), headers=dict(response.headers))


def _link(request: HttpRequest, cursor: str) -> str:
    """The header that has the address of the next page (RFC 8288)."""
    following = request.GET.copy()
    following["cursor"] = cursor
    return f'<{request.path}?{following.urlencode()}>; rel="next"'


def _checked(
    request: HttpRequest, form: type[QueryForm], query: type[BaseModel], given: dict[str, Any]
) -> tuple[QueryForm, Snapshot]:
    """The filled form, and the data to ask: all that can be said against the question without asking it is said."""
    if not request.accepts("application/json"):
        raise Problem("not-acceptable")
    parameters.check_names(request, query)
    filled = form(given["query"].model_dump(exclude_none=True) if "query" in given else {})
    if not filled.is_valid():
        raise Problem("wrong-parameter", errors=filled.problems)
    db = open_store.snapshot()
    if db is None:
        raise Problem("nothing-loaded")
    return filled, db


def _asked(request: HttpRequest, db: Snapshot, form: QueryForm, where: dict[str, str], given: Any) -> Asked:
    limit, cursor = getattr(given, "limit", parameters.USUAL_ROWS), getattr(given, "cursor", None)
    choice = _choice(form, db, where)
    if choice is None:
        return Asked(db, request.path, form, where, limit, cursor)
    if choice.meanings:
        several = ", ".join(f"{code.code_type} {code.code}" for code in choice.meanings)
        why = f"{form.cleaned_data['code']!r} may be {several}; say which with code_type"
        raise Problem("ambiguous-code", errors=[("code", why)], choices=[vars(code) for code in choice.meanings])
    return Asked(db, request.path, form.with_values(**choice.values), where, limit, cursor, choice.market)


def _choice(form: QueryForm, db: Snapshot, where: dict[str, str]) -> MarketChoice | None:
    """Return the market that a valid form is about, if it is about one."""
    if isinstance(form, ProviderForm):
        by: providers.By = "npi" if "npi" in where else "tin"
        asked = replace(form.market(), **{by: where[by]})
        return choose_provider_market(asked, providers.list_provider_periods(db, by, where[by]))
    if isinstance(form, ChangesForm):
        try:
            choice = choose_months(form.market(), form.cleaned_data["from"], db, coverage.list_coverage(db))
        except InvalidChoice as error:
            raise Problem("wrong-parameter", errors=error.problems) from None
        if not choice.earlier_month:
            state, month = choice.market.state, choice.market.year_month
            why = f"No month of {state} before {month} is loaded: there is nothing to compare with."
            raise Problem("not-found", why)
        return choice
    return choose_market(form.market(), db) if isinstance(form, MarketForm) else None
