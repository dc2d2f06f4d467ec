"""Workers' compensation fee schedules, looked up by code."""

from collections.abc import Sequence

from django import forms
from django.http import HttpResponseBase

from core.fields.states import STATES
from core.pages.forms.compensation_form import CompensationForm
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.page import PageQuery, page
from core.pages.shared.paging import Paging, span
from core.queries.compensation import (
    AMOUNTS,
    STATUSES,
    CompensationAmount,
    CompensationRelease,
    choose_compensation_release,
    list_compensation_amounts,
    list_compensation_releases,
)


@page(CompensationForm)
def show_compensation(query: PageQuery[CompensationForm]) -> HttpResponseBase:
    """Show `/compensation/`"""
    releases = list_compensation_releases(query.db)
    state = query.values["state"] or next((one.state for one in releases), "")
    release = choose_compensation_release(releases, state, query.values["year_month"])
    total, rows = 0, list[CompensationAmount]()
    if release:
        number = query.values["page"]
        limit, offset = (ROW_CAP, 0) if query.wants_file else span(number)
        total, rows = list_compensation_amounts(
            query.db, release, query.values["code_type"], query.values["code"], limit, offset
        )
    if query.wants_file:
        return query.download(rows, CompensationAmount, f"compensation_{state}")
    offer_states(query.form, releases, state)
    return query.render(
        "pages/compensation.html",
        state=state,
        release=release,
        others=[one for one in releases if one.state == state and one != release],
        states=sorted({one.state for one in releases}),
        rows=[(row, [(name, getattr(row, name)) for name in _columns(rows)]) for row in rows],
        columns=[(name, AMOUNTS[name]) for name in _columns(rows)],
        statuses=[(status, meaning) for status, meaning in STATUSES.items() if any(r.status == status for r in rows)],
        paging=Paging(query.values["page"], total),
    )


def offer_states(form: CompensationForm, releases: Sequence[CompensationRelease], state: str) -> None:
    """Show the state as a select box of those that have a schedule, and the one that was asked for."""
    offered = sorted({one.state for one in releases} | ({state} if state else set()))
    form.fields["state"].widget = forms.Select(choices=[(one, f"{one} {STATES[one]}") for one in offered])
    form.data = {**form.cleaned_data, "state": state}


def _columns(rows: Sequence[CompensationAmount]) -> list[str]:
    """Return the amounts that some row has: a state's schedule has few of the kinds. The professional one is always."""
    return [name for name in AMOUNTS if name == "amount" or any(getattr(row, name) is not None for row in rows)]
