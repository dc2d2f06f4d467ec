"""What the data-quality checks found, and the rows behind it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, make_dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.safestring import SafeString

from core.fields.providers.payer_slug import make_payer_slug
from core.pages.charts.sparkline import sparkline
from core.pages.formats import NONE, write_dollars, write_figure, write_month, write_percent, write_state
from core.pages.forms.quality_form import QualityForm
from core.pages.shared import urls
from core.pages.shared.answer_cache import TOO_SLOW_SECONDS
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.error_pages import invalid_query, sorry
from core.pages.shared.lanes.weights import weigh_check
from core.pages.shared.page import PageQuery, page
from core.pages.shared.paging import Paging, span
from core.pages.shared.words.labels import check_title
from core.quality.check import Check
from core.quality.checks import CHECKS, CHECKS_BY_NAME
from core.quality.failing_rows import find_failing_rows
from core.queries import coverage, quality
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.market.market_filters import NO_MODIFIER
from core.queries.payers.loaded_payers import count_loaded
from core.queries.payers.payer_facts import PayerFacts, list_payer_facts
from core.store.connection import QueryTimeout

RUNS_SHOWN = 20

MOST_STATES = 5
"""The states whose files are described. Each takes a look at all of its rates."""

MAX_FAILING_ROWS = 100_000
"""The rows behind a check are read at once, and a file ends after this many."""

_COLUMN_TITLES = {
    "year_month": "Month",
    "reporting_entity_name": "Payer",
    "payer_slug": "Payer key",
    "code_type": "Code system",
    "negotiated_type": "Rate type",
    "negotiated_rate": "Rate",
    "times_medicare": "% of Medicare",
    "medicare": "Medicare amount",
    "billing_code_modifier": "Modifier",
    "npi": "NPI",
    "fact_uid": "Rate ID",
    "source": "File",
    "updated": "Month it states",
    "named": "Month in its name",
}
"""Headings of the rows behind a check. Columns that are not listed are headed by their own names, in words."""

_MONTHS = {"year_month", "updated", "named"}
"""The columns with months."""


@dataclass(frozen=True)
class CheckHistory:
    """The counts of a check over the runs, oldest first."""

    check_name: str
    chart: SafeString
    counts: list[int]

    @property
    def before(self) -> int | None:
        """The count of the run before the last."""
        return self.counts[-2] if len(self.counts) > 1 else None


@page(QualityForm)
def show_quality(query: PageQuery[QualityForm]) -> HttpResponseBase:
    """Show `/quality/`"""
    db, part = query.db, query.form.part()
    runs = quality.list_runs(db)
    if not runs:
        return query.render("pages/quality.html", runs=runs, checks=CHECKS, facts=_payer_facts(query))
    run = quality.choose_run(runs, query.values["run"])
    if run is None:
        why = f"Run {query.values['run']} is not available. Available runs: {runs[-1].run_id} to {runs[0].run_id}."
        return sorry(query.request, 404, "Run not found", [("run", why)])
    if query.wants_file:
        return _download(query, run, runs)
    number = query.values["page"]
    total, places = quality.list_checked_places(db, run.run_id, part, *span(number))
    cells = quality.list_month_cells(db, run.run_id)
    months = sorted({cell.year_month for cell in cells}, reverse=True)
    histories = _histories(quality.list_history(db, run.run_id, part), part)
    return query.render(
        "pages/quality.html",
        facts=_payer_facts(query),
        part=query.values if part else {},
        payer_name=dict(coverage.list_payers(db)).get(query.values["payer"], query.values["payer"]),
        run=run,
        runs=runs,
        counted=count_loaded(db),
        shown=RUNS_SHOWN,
        unchanged=run.data_version == db.manifest.data_version,
        outcomes=[(one, CHECKS_BY_NAME.get(one.check_name)) for one in quality.list_check_outcomes(db, run.run_id)],
        places=[(one, _rows_address(one), _rates_address(one.check_name, _example(one))) for one in places],
        paging=Paging(number, total),
        months=months,
        over=sum(cell.over > 0 for cell in cells),
        by_payer=_by_payer(cells, months),
        histories=[one for one in histories if any(one.counts)],
        silent=[check_title(one.check_name) for one in histories if not any(one.counts)],
    )


def _payer_facts(query: PageQuery[QualityForm]) -> list[tuple[PayerFacts, list[str]]]:
    """Return what to know about the newest file of each payer, and in which states that the page is about it is so."""
    states = sorted({one.state for one in coverage.list_periods(query.db)})
    wanted = [one for one in states if query.values["state"] in {"", one}][:MOST_STATES]
    found: list[tuple[PayerFacts, list[str]]] = []
    for state in wanted:
        for one in list_payer_facts(query.db, with_latest(query.db, Market(state, "")), datetime.now(UTC).date()):
            if query.values["payer"] not in {"", one.payer_slug}:
                continue
            # A file that is not divided by state has the same to say in each.
            same = next((of for facts, of in found if replace(facts, state=state) == one), None)
            if same is None:
                found.append((one, [state]))
            else:
                same.append(state)
    return found


@page(QualityForm, weigh_check)
def show_failing_rows(query: PageQuery[QualityForm], check: str) -> HttpResponseBase:
    """Show `/quality/<check>/`: the rows that a check finds in the data as it is now."""
    one = CHECKS_BY_NAME.get(check)
    if one is None:
        why = f"{check!r} is not a check. Checks: {', '.join(CHECKS_BY_NAME)}"
        return sorry(query.request, 404, "Check not found", [("", why)])
    chosen = query.values
    for name in {"state", "year_month", "payer"} - one.parted:
        if chosen[name]:
            why = f"This check cannot be narrowed by {name}. Remove it from the address."
            return invalid_query(query.request, [(name, why)])
    state, year_month, payer = (chosen[name] or None for name in ("state", "year_month", "payer"))
    context: dict[str, Any] = {
        "check": one,
        "chosen": chosen,
        "payer_name": dict(coverage.list_payers(query.db)).get(payer or "", payer),
    }
    loaded = coverage.count_loaded_rates(query.db, chosen["state"], [chosen["year_month"]], payer)
    if loaded > settings.BEACONPOINT_WHOLE_RATES:
        return _recorded_places(query, one, context)
    if query.wants_file:
        found = find_failing_rows(query.db, one, MAX_FAILING_ROWS, 0, state, year_month, payer)
        columns = [(name, of | None) for name, of in zip(found.names, found.types, strict=True)]
        row_type = make_dataclass("FailingRow", columns)
        return query.download((row_type(*row) for row in found.rows), row_type, check)
    limit, offset = span(chosen["page"])
    try:
        found = find_failing_rows(query.db, one, limit, offset, state, year_month, payer)
    except QueryTimeout:
        return _recorded_places(query, one, context, status=503)
    names = sorted(found.names, key=lambda name: name == "fact_uid")  # long, and of the least interest
    figures = {name for name, of in zip(found.names, found.types, strict=True) if of in {int, float}}
    rows = [dict(zip(found.names, row, strict=True)) for row in found.rows]
    return query.render(
        "pages/quality_rows.html",
        names=[(_column_title(name), name in figures) for name in names],
        rows=[
            ([(_write_cell(row, name), name in figures) for name in names], _rates_address(check, row)) for row in rows
        ],
        paging=Paging(chosen["page"], found.total),
        cap=MAX_FAILING_ROWS,
        **context,
    )


def _column_title(name: str) -> str:
    return _COLUMN_TITLES.get(name) or name.replace("_", " ").capitalize()


def _write_cell(row: dict[str, Any], name: str) -> Any:
    """Return a value as pages write it. Columns are those of the checks' SQL."""
    value = row[name]
    if value in {None, ""}:
        return NONE
    if name == "state":
        return write_state(value)
    if name in _MONTHS:
        return write_month(value)
    if name == "negotiated_rate":
        return write_figure(value, "percentage" if row.get("negotiated_type") == "percentage" else "dollars")
    if name == "medicare":
        return write_dollars(value)
    return write_percent(value) if name == "times_medicare" else value


def _recorded_places(
    query: PageQuery[QualityForm], one: Check, context: dict[str, Any], status: int = 200
) -> HttpResponseBase:
    """Return what the newest run of the checks has recorded, where looking at the data now would take too long.

    It says how much was found for each payer and month, with an example each; one of these is looked at now.
    """
    if query.wants_file and status == 200:
        narrow = f"Narrow it by {', '.join(sorted(one.parted))}." if one.parted else "See the page of the check."
        return invalid_query(query.request, [("", f"The data is too large to check at once. {narrow}")])
    run = quality.choose_run(quality.list_runs(query.db), None)
    part = {**query.form.part(), "check_name": one.name}
    number = query.values["page"]
    total, places = quality.list_checked_places(query.db, run.run_id, part, *span(number)) if run else (0, [])
    outcomes = quality.list_check_outcomes(query.db, run.run_id) if run else []
    response = query.render(
        "pages/quality_rows.html",
        status=status,
        recorded=True,
        stopped=status == 503,
        run=run,
        unchanged=run is not None and run.data_version == query.db.manifest.data_version,
        outcome=next((outcome for outcome in outcomes if outcome.check_name == one.name), None),
        places=[(place, _rows_address(place), _example_cells(place)) for place in places],
        months=[] if run else _loaded_parts(query, one),
        paging=Paging(number, total),
        **context,
    )
    if status == 503:
        response["Retry-After"] = str(TOO_SLOW_SECONDS)
    return response


def _example_cells(place: quality.CheckedPlace) -> list[tuple[str, Any]]:
    """Return the columns of a place's example that the table does not have anyway, each with its value as written."""
    example = json.loads(place.example) if place.example else {}
    hidden = {"state", "year_month", "reporting_entity_name", "payer_slug", "fact_uid", "negotiated_type"}
    told = (name for name, value in example.items() if name not in hidden and value not in {None, ""})
    return [(_column_title(name), _write_cell(example, name)) for name in told]


def _loaded_parts(query: PageQuery[QualityForm], one: Check) -> list[tuple[coverage.Coverage, str]]:
    """Return the payers' months, each with the address of what a check finds there now."""
    if one.parted != {"state", "year_month", "payer"}:
        return []
    path = query.request.path
    return [
        (row, urls.changed(path, {"state": row.state, "year_month": row.year_month, "payer": row.payer_slug}))
        for row in coverage.list_coverage(query.db)
    ]


def _download(query: PageQuery[QualityForm], run: quality.CheckRun, runs: list[quality.CheckRun]) -> HttpResponseBase:
    db, part, number, table = query.db, query.form.part(), run.run_id, query.values["table"]
    tables: dict[str, tuple[Callable[[], Sequence[Any]], type]] = {
        "checks": (lambda: quality.list_check_outcomes(db, number), quality.CheckOutcome),
        "places": (lambda: quality.list_checked_places(db, number, part, ROW_CAP)[1], quality.CheckedPlace),
        "months": (lambda: quality.list_month_cells(db, number), quality.CheckedMonth),
        "history": (lambda: quality.list_history(db, number, part), quality.CheckCount),
        "runs": (lambda: runs, quality.CheckRun),
    }
    rows, row_type = tables[table]
    return query.download(rows(), row_type, f"quality_{table}")


def _by_payer(
    cells: Sequence[quality.CheckedMonth], months: Sequence[str]
) -> list[tuple[quality.CheckedMonth, list[Any]]]:
    """Return a row for each payer: one of its cells, and its cell of each month; None if that month is not loaded."""
    rows: dict[str, dict[str, quality.CheckedMonth]] = {}
    for cell in cells:
        rows.setdefault(cell.payer_slug, {})[cell.year_month] = cell
    return [(next(iter(of.values())), [of.get(month) for month in months]) for of in rows.values()]


def _histories(counts: Sequence[quality.CheckCount], part: dict[str, str]) -> list[CheckHistory]:
    """Return the history of each check that can be narrowed to the part that is asked for."""
    by_check: dict[str, list[int]] = {}
    for one in counts:
        by_check.setdefault(one.check_name, []).append(one.found)
    return [
        CheckHistory(name, sparkline(found, _describe_counts(name, found)), found)
        for name, found in by_check.items()
        if name in CHECKS_BY_NAME and CHECKS_BY_NAME[name].tells_apart(part)
    ]


def _describe_counts(name: str, found: Sequence[int]) -> str:
    return (
        f"{check_title(name)} over {len(found)} runs: first {found[0]:,}, last {found[-1]:,}, "
        f"lowest {min(found):,}, highest {max(found):,}"
    )


def _example(place: quality.CheckedPlace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(place.example) if place.example else {}
    known = {"state": place.state, "year_month": place.year_month, "payer_slug": place.payer_slug}
    return {**{name: value for name, value in known.items() if value}, **found}


def _rows_address(place: quality.CheckedPlace) -> str:
    """Return the address of the rows behind a count; empty text for a check that no longer exists."""
    if place.check_name not in CHECKS_BY_NAME:
        return ""
    part = {"state": place.state, "year_month": place.year_month, "payer": place.payer_slug}
    return urls.changed(reverse("quality_rows", kwargs={"check": place.check_name}), part)


def _rates_address(check: str, row: dict[str, Any]) -> str:
    """Return the address of a row's rates: those of its code, of its NPI, or else of its payer's month."""
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
    sort = CHECKS_BY_NAME[check].rates_sort if check in CHECKS_BY_NAME else None
    return urls.to("rates", sort=sort, **market)
