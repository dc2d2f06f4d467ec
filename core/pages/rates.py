"""The rates of a code."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from core.pages.charts import histogram_chart
from core.pages.forms import RatesForm
from core.pages.shared.answer_cache import meanwhile
from core.pages.shared.downloads import ROW_CAP, download
from core.pages.shared.page import Paging, choose_market, context, page, span, wrong
from core.queries import codes, medicare, rates
from core.queries.facets import Choice, count_choices, count_months, count_networks
from core.queries.histogram import Bin, build_histogram
from core.queries.rules.market import market_cache
from core.queries.rules.rate_kinds import KINDS
from core.queries.rules.which_filter_emptied import count_without_each_filter
from core.store.connection import Snapshot

DOWNLOAD_SECONDS = 120.0

FACETS = {
    "payer": "Payer",
    "year_month": "Month",
    "pos": "Place of service",
    "billing_class": "Class",
    "modifier": "Modifier",
    "setting": "Setting",
    "negotiated_type": "Type of rate",
    "arrangement": "Arrangement",
    "network": "Network",
}
"""The filters that are offered with counts, in this order."""


@page
def show(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/rates/`"""
    form = RatesForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    chosen = form.cleaned_data
    asked, meant = choose_market(form, db)
    if not asked.code or meant:
        return render(request, "choose.html", context(request, form, db, market=asked, meant=meant, action="rates"))
    if chosen["format"] != "html":
        if chosen["table"] == "summary":
            return download(rates.summarize_rates(db, asked), rates.Summary, "summary", chosen["format"])
        if chosen["table"] == "histogram":
            return download(build_histogram(db, asked).bins, Bin, "histogram", chosen["format"])
        every = rates.stream_rates(db, asked, chosen["sort"], ROW_CAP, DOWNLOAD_SECONDS)
        return download(every, rates.RateRow, f"rates_{asked.code}", chosen["format"])
    limit, offset = span(chosen["page"])
    # These are about whose the rates are, and read the facts; the others are asked of few rows, at the same time.
    counting = meanwhile(rates.count_market, db, asked)
    paging_through = meanwhile(rates.list_rates, db, asked, chosen["sort"], limit, offset)
    with market_cache(db, asked) as narrow:
        summaries = rates.summarize_rates(narrow, asked)
        amounts = medicare.find_amounts(narrow, asked)
        bins = build_histogram(narrow, asked)
        choices = count_choices(narrow, asked)
    choices |= {"network": count_networks(db, asked), "year_month": count_months(db, asked)}
    counted, rows = counting.result(), paging_through.result()
    paging = Paging(chosen["page"], counted.rates)
    lines = medicare.count_amount_lines(amounts)
    return render(
        request,
        "rates.html",
        context(
            request,
            form,
            db,
            market=asked,
            code=codes.describe_code(db, asked.code_type, asked.code),
            counts=counted,
            kinds=[(kind, [s for s in summaries if s.kind == kind.name]) for kind in KINDS.values()],
            left_out=left_out(summaries, counted.without_pos),
            histogram=bins,
            chart=histogram_chart.histogram(bins, lines),
            amounts=lines,
            facets=[(FACETS[name], name, choices[name]) for name in FACETS if worth_showing(choices[name])],
            rows=[(row, *of_medicare(row, amounts)) for row in rows],
            compared=bool(lines),
            paging=paging,
            answer_rows=counted.rates,
            sort=chosen["sort"],
            cap=ROW_CAP,
            freed=[] if counted.rates else count_without_each_filter(db, asked),
            near=[] if counted.rates else codes.find_nearby_codes(db, asked.state, asked.year_month, asked.code, 8),
        ),
    )


def of_medicare(
    row: rates.RateRow, amounts: Mapping[medicare.ScheduleTerms, medicare.Amount]
) -> tuple[medicare.Amount, float | None, bool]:
    """What a rate is compared with, its percent of that, and whether that is plausible."""
    amount = amounts[
        medicare.ScheduleTerms(
            row.billing_class,
            row.setting,
            row.modifier,
            row.pos_set_id,
            row.negotiated_type,
            row.negotiation_arrangement,
            row.negotiated_rate == 0,
        )
    ]
    percent = amount.percent(row.negotiated_rate)
    return amount, percent, percent is None or medicare.is_plausible(percent)


def worth_showing(choices: list[Choice]) -> bool:
    """Whether there is anything to choose, or a choice to take back."""
    return len(choices) > 1 or any(choice.chosen for choice in choices)


def left_out(summaries: list[rates.Summary], without_pos: int) -> list[tuple[int, str]]:
    """What stands apart from the spreads in dollars, or is not there, with the reason."""
    found = []
    for kind in KINDS.values():
        n = sum(row.rates for row in summaries if row.kind == kind.name)
        if n and kind.name != "dollars":
            found.append((n, f"{kind.title.lower()}: {kind.meaning}"))
    if without_pos:
        found.append((without_pos, "no place of service stated: a filter by place leaves them out."))
    return found
