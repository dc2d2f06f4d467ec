"""A provider group: its tax IDs, members, networks, plans, and file."""

from django.http import HttpResponseBase

from core.pages.forms.roll_up_forms import GroupForm
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.error_pages import sorry
from core.pages.shared.page import PageQuery, page
from core.pages.shared.paging import Paging, span
from core.queries.comparison.overruled_labels import list_overruled_labels
from core.queries.market.market import Market
from core.queries.parties import groups, providers
from core.queries.payers import plans

MAX_TINS_SHOWN, MAX_PLANS_SHOWN = 100, 20


@page(GroupForm)
def show_group(query: PageQuery[GroupForm], group: str) -> HttpResponseBase:
    """Show `/groups/<group>/`"""
    db = query.db
    found = groups.find_group(db, group.lower())
    if found is None:
        why = "No loaded rate is for a provider group with this key. Groups change with each month’s files."
        return sorry(query.request, 404, "Provider group not found", [("", why)])
    if query.wants_file:
        return _download(query, found)
    limit, offset = span(query.values["page"])
    total, npis = groups.list_npis_of_group(db, found, limit, offset)
    files = groups.list_files_of_group(db, found)
    states = sorted({file.state for file in files})
    leading = groups.find_leading_tin(db, found)
    by_state = groups.count_rates_by_state(db, found)
    state = query.values["state"] if query.values["state"] in by_state else next(iter(by_state), None)
    of_each = next(iter(by_state.values())) if len(by_state) > 1 and len(set(by_state.values())) == 1 else None
    return query.render(
        "pages/group.html",
        group=found,
        leading=leading,
        others=found.tins - 1,
        city=groups.find_main_city(db, found),
        tins=groups.list_tins_of_group(db, found, MAX_TINS_SHOWN, 0)[1],
        npis=npis,
        plans=groups.list_plans_of_group(db, found, MAX_PLANS_SHOWN, 0)[1],
        files=files,
        states=states,
        by_state=by_state,
        state=state,
        rates_of_each=of_each,
        counted=of_each or found.rates,
        # The payer's labels that are not what its fees are: such a class is the file's word.
        overruled=[
            (state, label.billing_class)
            for state in states
            for label in list_overruled_labels(db, Market(state, found.year_month, payer=found.payer_slug))
        ],
        rates=groups.list_rates_of_group(db, found, limit, offset, state),
        rates_paging=Paging(query.values["page"], by_state.get(state or "", 0)),
        paging=Paging(query.values["page"], total),
    )


def _download(query: PageQuery[GroupForm], found: groups.ProviderGroup) -> HttpResponseBase:
    db, table, name = query.db, query.values["table"], f"group_{found.pg_uid[:12]}"
    if table == "tins":
        return query.download(groups.list_tins_of_group(db, found, ROW_CAP, 0)[1], providers.TaxId, f"{name}_tins")
    if table == "npis":
        return query.download(groups.list_npis_of_group(db, found, ROW_CAP, 0)[1], providers.Npi, f"{name}_npis")
    if table == "plans":
        every = groups.list_plans_of_group(db, found, ROW_CAP, 0)[1]
        return query.download(every, plans.HealthPlan, f"{name}_plans")
    if table == "rates":
        return query.download(groups.list_rates_of_group(db, found, ROW_CAP, 0), groups.GroupRate, f"{name}_rates")
    if table == "files":
        return query.download(groups.list_files_of_group(db, found), groups.GroupFile, f"{name}_files")
    return query.download(groups.list_entries(db, found, ROW_CAP), groups.GroupEntry, name)
