"""A question to a page: the request, the data that answers it, and its form."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from core.pages.citation import Citation, cite
from core.pages.forms.query_form import QueryForm
from core.pages.shared import urls
from core.pages.shared.downloads import download
from core.pages.shared.program_version import version_in_words
from core.pages.shared.stacked_tables import label_cells
from core.queries.code_titles import code_titles
from core.queries.market.file_dates import old_months
from core.store.connection import Snapshot
from core.workbook import About, LeadSheet, SourceFile

STARTED_AT = "beaconpoint.started"
"""Where a request keeps the moment at which it began."""

_PAGE_NAMES = {
    "rates": "Negotiated rates",
    "medicare": "Negotiated rates compared with Medicare",
    "compensation": "Workers’ compensation",
    "payers": "Payers compared",
    "baskets": "Payers compared for a basket of codes",
    "clinic": "A clinic against the market",
    "rule": "The rule behind a payer’s rates",
    "report": "Report of a code",
    "npi": "Rates of a provider",
    "tin": "Rates of a tax ID",
    "organization": "Rates of an organization",
    "system": "Rates of a health system",
}
"""What a page is called in a citation, by the first part of its path; the others are called by that part."""

MONTH = "Month"
"""What a page calls the month that was chosen, or the dates of the newest files."""

F = TypeVar("F", bound=QueryForm)


@dataclass(frozen=True)
class PageQuery(Generic[F]):
    """A question to a page: the request, the snapshot to ask, and the form, which is valid."""

    request: HttpRequest
    db: Snapshot
    form: F

    @property
    def values(self) -> dict[str, Any]:
        """The values of the form's fields."""
        return self.form.cleaned_data

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of links to the same page."""
        return self.form.parameters()

    @property
    def wants_file(self) -> bool:
        """Whether a table is asked for as a file."""
        return bool(self.values["format"] != "html")

    def download(
        self, rows: Iterable[Any], row_type: type[Any], name: str, lead: LeadSheet | None = None
    ) -> HttpResponseBase:
        """Return the rows as a file in the format that is asked for. A workbook begins with `lead`."""
        about, constants = partial(self._about, name), self._constants()
        return download(rows, row_type, name, self.values["format"], about, constants, lead)

    def _yardstick_heading(self) -> str:
        """Return what the headings of a workbook call the yardstick of its percents and amounts."""
        return "Medicare"

    def _constants(self) -> dict[str, str | None]:
        """Return what a file of rows says in columns of its own, see `Constants`."""
        return {}

    def _about(self, name: str) -> About:
        """Return what a workbook says about itself."""
        page = self.request.path + urls.query(urls.said({**self.parameters, "format": None, "table": None}))
        return About(
            title=f"BeaconPoint Health: {name.replace('_', ' ')}",
            address=self.request.build_absolute_uri(page),
            choices=self.choices,
            sources=self._sources(),
            generation=self.db.manifest.generation,
            version=version_in_words(),
            made_at=datetime.now(UTC),
            yardstick=self._yardstick_heading(),
        )

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Return what was chosen, in a visitor's words."""
        return []

    def _sources(self) -> list[SourceFile]:
        """Return the payers' files that the rows come from, where they are the files of one market."""
        return []

    def render(self, template: str, status: int = 200, *, about: str = "", **context: Any) -> HttpResponse:
        """Return the page. `path` and `parameters` let templates link to the same page with other parameters.

        `about` names whom the page is about, for its citation.
        """
        citation = {"citation": self._cite(about)}
        response = render(self.request, template, {**self._context(), **citation, **context}, status=status)
        response.content = label_cells(response.content.decode())
        return response

    def _context(self) -> dict[str, Any]:
        return {
            "form": self.form,
            "path": self.request.path,
            "parameters": self.parameters,
            "manifest": self.db.manifest,
            "titles": code_titles(self.db),
            "old_months": old_months(self.db),
            "started": self.request.META.get(STARTED_AT),
            "pinned": self.values.get("generation"),
        }

    def _cite(self, about: str) -> Citation:
        """Return how the page is cited."""
        # A page of rows and an order are part of what is looked at; a format is not.
        parameters = {**self.parameters, "format": None, "table": None}
        newest = urls.changed(self.request.path, {**parameters, "generation": None})
        pinned = urls.changed(self.request.path, {**parameters, "generation": self.db.manifest.generation})
        name = ", ".join(filter(None, (self._page_name(), about)))
        months = self._data_months()
        # The sentence says the month where it says which data it is about.
        chosen = [(label, value) for label, value in self.choices if not (months and label == MONTH)]
        subject = "; ".join([name, *(f"{label.lower()} {value}" for label, value in chosen)])
        return cite(subject, months, newest, pinned, self.db.manifest, version_in_words(), self._feed())

    def _page_name(self) -> str:
        """Return what the page is called: its path in words."""
        first = self.request.path.strip("/").split("/")[0]
        return _PAGE_NAMES.get(first, first.capitalize() or "Negotiated rates")

    def _data_months(self) -> str:
        """Return which months the figures are of; empty text where they are not of a market."""
        return ""

    def _feed(self) -> str:
        """Return the address of the feed of what changes on the page; empty text if it has none."""
        return ""
