"""A validated request to a resource, and the pages of its answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from core.api.protocol import cursors
from core.api.protocol.answers import AnswerFields, Row
from core.api.protocol.problems import Problem
from core.pages.forms.market_forms import ChangesForm, MarketForm, PayersForm, ProviderForm
from core.pages.forms.query_form import QueryForm
from core.pages.shared.lanes.weights import is_too_broad_to_match
from core.pages.shared.market_choice import (
    InvalidChoice,
    MarketChoice,
    choose_compared_market,
    choose_market,
    choose_months,
    choose_provider_market,
)
from core.queries import coverage
from core.queries.market.market import Market
from core.queries.parties import providers
from core.queries.parties.roll_ups import find_organization
from core.queries.rules import keyset
from core.store.connection import Snapshot


@dataclass(frozen=True)
class ResourceRequest:
    """A request to a resource.

    The form is valid. `values` are the values of its fields, with those that were chosen for the client: the state,
    the month, the code system. `path_values` are the parameters in the path.
    """

    db: Snapshot
    address: str
    form: QueryForm
    values: dict[str, Any]
    path_values: dict[str, str]
    limit: int
    cursor: str | None
    chosen_market: Market | None = None

    @property
    def market(self) -> Market:
        """Return the market of a resource whose form is a MarketForm."""
        if self.chosen_market is None:
            raise TypeError("only a resource with a MarketForm has a market")
        return self.chosen_market

    @property
    def sort(self) -> str:
        """Return the name of the order."""
        return str(self.values["sort"])

    def refuse_if_too_broad(self, earlier_month: str = "") -> None:
        """Raise a Problem if a question without a code needs more rates than one question may."""
        if is_too_broad_to_match(self.db, self.market, earlier_month):
            why = f"More than {settings.BEACONPOINT_WHOLE_RATES:,} rates are loaded of this market"
            raise Problem("too-broad", f"{why}: choose a code, or fewer rates with payer, state and year_month.")

    def page_after_key(
        self,
        row_type: type[Row],
        order: keyset.Order,
        count: Callable[[], int],
        list_rows: Callable[[int, keyset.RowKey | None], Sequence[Row]],
    ) -> AnswerFields:
        """Return the page after the key of a row, for tables that are too large to skip rows.

        `list_rows(limit, last)` returns rows in `order`, which is total, after the key `last`; `count()` counts them
        all. It is called for the first page only: later pages read the total from the cursor.
        """
        cursor = self._read_cursor()
        last = cursors.key_of(cursor, order, row_type) if cursor else None
        # One row more than the page has shows whether there is a next page.
        rows = list_rows(self.limit + 1, last)
        total = cursor.total if cursor else count()
        more = len(rows) > self.limit
        return self._page(rows[: self.limit], total, keyset.row_key(order, rows[self.limit - 1]) if more else None)

    def page_at_offset(self, list_rows: Callable[[int, int], tuple[int, Sequence[Row]]]) -> AnswerFields:
        """Return the page after a number of rows: for small tables, and orders by something that rows do not contain.

        `list_rows(limit, offset)` returns the number of all rows, and some of them in an order that is total.
        """
        cursor = self._read_cursor()
        offset = cursors.offset_of(cursor) if cursor else 0
        total, rows = list_rows(self.limit, offset)
        end = offset + len(rows)
        return self._page(rows, total, end if rows and end < total else None)

    def page_of(self, rows: Sequence[Row]) -> AnswerFields:
        """Return a page of rows that are all in memory."""
        return self.page_at_offset(lambda limit, offset: (len(rows), rows[offset : offset + limit]))

    def _page(self, rows: Sequence[Row], total: int, after: int | keyset.RowKey | None) -> AnswerFields:
        following = None if after is None else cursors.write_cursor(self.db, self._query, total, after)
        return {"rows": rows, "next": following, "total": total}

    def _read_cursor(self) -> cursors.Cursor | None:
        return cursors.read_cursor(self.db, self._query, self.cursor) if self.cursor else None

    @property
    def _query(self) -> Any:
        """Return what a cursor belongs to: everything that decides which rows there are, and in which order."""
        of_market = {**vars(self.chosen_market), "latest": None} if self.chosen_market else {}
        return [self.address, sorted({**self.values, **of_market}.items())]


def choose_for(form: QueryForm, db: Snapshot, path_values: dict[str, str]) -> MarketChoice | None:
    """Return the market that a valid form means, None if it is not about a market.

    Raise a Problem if a code is ambiguous, or if there is no earlier month to compare with.
    """
    try:
        choice = _choose(form, db, path_values)
    except InvalidChoice as error:
        raise Problem("wrong-parameter", errors=error.problems) from error
    if choice and choice.meanings:
        several = ", ".join(f"{code.code_type} {code.code}" for code in choice.meanings)
        why = f"{form.cleaned_data['code']!r} can be {several}. Choose one with code_type."
        raise Problem("ambiguous-code", errors=[("code", why)], choices=[vars(code) for code in choice.meanings])
    return choice


def _choose(form: QueryForm, db: Snapshot, path_values: dict[str, str]) -> MarketChoice | None:
    if isinstance(form, ProviderForm):
        by = next(name for name in providers.BY if name in path_values)
        value = path_values[by]
        if by == "organization" and (found := find_organization(db, value)):
            value = found.organization_id  # the path may name it by one of its tax IDs
        periods = providers.list_provider_periods(db, by, value)
        return choose_provider_market(replace(form.market(), **{by: value}), db, periods)
    if isinstance(form, PayersForm):
        return choose_compared_market(form.market(), form.cleaned_data["codes"], db)
    if isinstance(form, ChangesForm):
        choice = choose_months(form.market(), form.cleaned_data["from"], db, coverage.list_coverage(db))
        if not choice.earlier_month:
            market = choice.market
            why = f"No month of {market.state} before {market.year_month} is loaded: there is nothing to compare with."
            raise Problem("not-found", why)
        return choice
    return choose_market(form.market(), db) if isinstance(form, MarketForm) else None
