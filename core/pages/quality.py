"""What dq_check found, and the rows behind it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, make_dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString

from core.fields.payer_slug import make_payer_slug
from core.pages.charts.sparkline import sparkline
from core.pages.forms import QualityForm
from core.pages.shared import urls
from core.pages.shared.downloads import ROW_CAP, download
from core.pages.shared.page import Paging, context, page, sorry, span, wrong
from core.quality.checks import CHECKS
from core.quality.failing_rows import find_failing_rows as rows_behind
from core.queries import quality
from core.queries.rules.market import NO_MODIFIER
from core.store.connection import QueryTimeout, Snapshot

RUNS_SHOWN = 20

_CHECKS = {one.name: one for one in CHECKS}
_SORTS = {"zero_rates": "rate", "odd_percentages": "-rate", "expired_rates": "expires"}
"""The order in which the page of a code shows what a check flags first."""


@dataclass(frozen=True)
class Line:
    """A check's counts over the runs."""

    check_name: str
    chart: SafeString
    counts: list[int]

    @property
    def before(self) -> int | None:
        """The count of the run before the last."""
        return self.counts[-2] if len(self.counts) > 1 else None


@page
def show(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/quality/`"""
    form = QualityForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    chosen, part = form.cleaned_data, form.part()
    runs = quality.list_runs(db)
    if not runs:
        return render(request, "quality.html", context(request, form, db, runs=runs, checks=CHECKS))
    run = quality.choose_run(runs, chosen["run"])
    if run is None:
        why = f"dq_check's run {chosen['run']} is not kept; there are runs {runs[-1].run_id} to {runs[0].run_id}."
        return sorry(request, 404, "There is no such run", [("run", why)])
    if chosen["format"] != "html":
        return _download(db, form, run, runs)
    total, _ = quality.list_checked_places(db, run.run_id, part, 0)
    paging = Paging(chosen["page"], total)
    places = quality.list_checked_places(db, run.run_id, part, paging.limit, paging.offset)[1]
    cells = quality.list_month_cells(db, run.run_id)
    months = sorted({cell.year_month for cell in cells}, reverse=True)
    lines = _lines(quality.list_history(db, run.run_id, part), part)
    return render(
        request,
        "quality.html",
        context(
            request,
            form,
            db,
            part=chosen if part else {},
            run=run,
            runs=runs,
            shown=RUNS_SHOWN,
            unchanged=run.data_version == db.manifest.data_version,
            outcomes=[(one, _CHECKS.get(one.check_name)) for one in quality.list_check_outcomes(db, run.run_id)],
            places=[(one, _behind(one), _rates(one.check_name, _example(one))) for one in places],
            paging=paging,
            months=months,
            over=sum(cell.over > 0 for cell in cells),
            by_payer=_by_payer(cells, months),
            lines=[line for line in lines if any(line.counts)],
            silent=[line.check_name for line in lines if not any(line.counts)],
        ),
    )


@page
def behind(request: HttpRequest, db: Snapshot, check: str) -> HttpResponseBase:
    """`/quality/<check>/`: the rows that a check finds in the data as it is now."""
    one = _CHECKS.get(check)
    if one is None:
        return sorry(request, 404, "There is no such check", [("", f"{check!r}: expected one of {', '.join(_CHECKS)}")])
    form = QualityForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    chosen = form.cleaned_data
    for name in {"state", "year_month", "payer"} - one.parted:
        if chosen[name]:
            why = f"{check} looks at things that are not told apart by it; take it out of the address"
            return sorry(request, 400, "That address cannot be answered", [(name, why)])
    state, year_month, payer = (chosen[name] or None for name in ("state", "year_month", "payer"))
    if chosen["format"] != "html":
        found = rows_behind(db, one, ROW_CAP, 0, state, year_month, payer)
        kind = make_dataclass("Row", [(name, of | None) for name, of in zip(found.names, found.types, strict=True)])
        return download((kind(*row) for row in found.rows), kind, check, chosen["format"])
    size, before = span(chosen["page"])
    try:
        found = rows_behind(db, one, size, before, state, year_month, payer)
    except QueryTimeout as error:
        # What takes too long in all data may be answered for one payer's month: these the record knows.
        newest = next(iter(quality.list_runs(db)), None)
        known = quality.list_checked_places(db, newest.run_id, {"check_name": check}, size)[1] if newest else []
        smaller = [(place, _behind(place)) for place in known]
        slow = context(request, form, db, check=one, chosen=chosen, smaller=smaller, error=error)
        return render(request, "quality_rows.html", slow, status=503)
    names = sorted(found.names, key=lambda name: name == "fact_uid")  # long, and the least told by it
    rows = [dict(zip(found.names, row, strict=True)) for row in found.rows]
    return render(
        request,
        "quality_rows.html",
        context(
            request,
            form,
            db,
            check=one,
            chosen=chosen,
            names=names,
            rows=[([row[name] for name in names], _rates(check, row)) for row in rows],
            paging=Paging(chosen["page"], found.total),
            cap=ROW_CAP,
        ),
    )


def _download(db: Snapshot, form: QualityForm, run: quality.CheckRun, runs: list[quality.CheckRun]) -> HttpResponseBase:
    part, number = form.part(), run.run_id
    rows_and_kind: dict[str, tuple[Any, type]] = {
        "checks": (lambda: quality.list_check_outcomes(db, number), quality.CheckOutcome),
        "places": (lambda: quality.list_checked_places(db, number, part, ROW_CAP)[1], quality.CheckedPlace),
        "months": (lambda: quality.list_month_cells(db, number), quality.Cell),
        "history": (lambda: quality.list_history(db, number, part), quality.Count),
        "runs": (lambda: runs, quality.CheckRun),
    }
    table = form.cleaned_data["table"]
    rows, kind = rows_and_kind[table]
    return download(rows(), kind, f"quality_{table}", form.cleaned_data["format"])


def _by_payer(cells: Sequence[quality.Cell], months: Sequence[str]) -> list[tuple[quality.Cell, list[Any]]]:
    """A row for each payer: one of its cells, and its cell of each month, None where the month is not loaded."""
    rows: dict[str, dict[str, quality.Cell]] = {}
    for cell in cells:
        rows.setdefault(cell.payer_slug, {})[cell.year_month] = cell
    return [(next(iter(of.values())), [of.get(month) for month in months]) for of in rows.values()]


def _lines(history: Sequence[quality.Count], part: dict[str, str]) -> list[Line]:
    """The counts of each check that can be told apart by what is asked for."""
    counts: dict[str, list[int]] = {}
    for one in history:
        counts.setdefault(one.check_name, []).append(one.found)
    return [
        Line(name, sparkline(found, _words(name, found)), found)
        for name, found in counts.items()
        if name in _CHECKS and _CHECKS[name].tells_apart(part)
    ]


def _words(name: str, found: Sequence[int]) -> str:
    return (
        f"{name} over {len(found)} runs: first {found[0]:,}, last {found[-1]:,}, "
        f"lowest {min(found):,}, highest {max(found):,}"
    )


def _example(place: quality.CheckedPlace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(place.example) if place.example else {}
    known = {"state": place.state, "year_month": place.year_month, "payer_slug": place.payer_slug}
    return {**{name: value for name, value in known.items() if value}, **found}


def _behind(place: quality.CheckedPlace) -> str:
    """The address of the rows behind a place."""
    if place.check_name not in _CHECKS:
        return ""
    part = {"state": place.state, "year_month": place.year_month, "payer": place.payer_slug}
    return urls.changed(reverse("quality_rows", kwargs={"check": place.check_name}), part)


def _rates(check: str, row: dict[str, Any]) -> str:
    """The address where the rates of a row are: of its code, of its NPI, or else all of its payer's month."""
    if row.get("npi"):
        return urls.to("npi", npi=row["npi"])
    name = row.get("reporting_entity_name")
    market = {key: row.get(key) for key in ("state", "year_month", "code_type", "code", "billing_class")}
    market["payer"] = row.get("payer_slug") or (make_payer_slug(name) if name else None)
    if "billing_code_modifier" in row:
        market["modifier"] = (row["billing_code_modifier"] or NO_MODIFIER).split(",")[0]
    if not (market["state"] and market["year_month"]):
        return ""
    if not market["code"]:
        return urls.to("medicare", **market)
    if "times_medicare" in row:
        return urls.to("medicare", sort="-percent" if row["times_medicare"] > 1 else "percent", **market)
    return urls.to("rates", sort=_SORTS.get(check), **market)
