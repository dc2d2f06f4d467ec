"""A market by tax number."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from core.pages.charts import spread_chart
from core.pages.forms import OrganizationsForm
from core.pages.shared.downloads import ROW_CAP, download
from core.pages.shared.page import Paging, choose_market, context, page, wrong
from core.queries import codes
from core.queries.organizations import Organization, count_terms, count_totals, list_organizations
from core.queries.rules.which_filter_emptied import count_without_each_filter
from core.store.connection import Snapshot

CHARTED = 10
"""So many organizations a figure has."""


@page
def show(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/organizations/`"""
    form = OrganizationsForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    asked, meant = choose_market(form, db)
    if not asked.code or meant:
        page_context = context(request, form, db, market=asked, meant=meant, action="organizations")
        return render(request, "choose.html", page_context)
    chosen = form.cleaned_data
    if chosen["format"] != "html":
        every = list_organizations(db, asked, chosen["sort"], ROW_CAP, 0)
        return download(every, Organization, f"organizations_{asked.code}", chosen["format"])
    counted = count_totals(db, asked)
    paging = Paging(chosen["page"], counted.organizations)
    rows = list_organizations(db, asked, chosen["sort"], paging.limit, paging.offset)
    bars = [
        spread_chart.Bar(row.business_name or row.tin_value, (row.p10, row.p25, row.p50, row.p75, row.p90))
        for row in rows[:CHARTED]
    ]
    title = "Rates in dollars by organization; the line is the market's median"
    return render(
        request,
        "organizations.html",
        context(
            request,
            form,
            db,
            market=asked,
            code=codes.describe_code(db, asked.code_type, asked.code),
            totals=counted,
            rows=rows,
            charted=len(bars),
            chart=spread_chart.spreads(bars, spread_chart.dollars(counted.median), title),
            terms=count_terms(db, asked),
            freed=[] if counted.dollars else count_without_each_filter(db, asked),
            paging=paging,
            sort=chosen["sort"],
        ),
    )
