"""Payers side by side for some codes, and one payer."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString

from core.fields import code_list
from core.fields.code_list import WantedCode
from core.pages.charts import spread_chart
from core.pages.forms import PayersForm
from core.pages.shared import urls
from core.pages.shared.downloads import download
from core.pages.shared.page import Paging, choose_market, context, page, sorry, wrong
from core.queries import codes, coverage, networks
from core.queries.payers import PayerSpread, compare_payers
from core.queries.rules.market import Market
from core.queries.rules.which_filter_emptied import count_without_each_filter
from core.store.connection import Snapshot

CHARTS, MOST_BARS, BUSIEST = 6, 20, 25
"""So many figures on a page, bars in one, and codes of a payer."""


@dataclass(frozen=True)
class Line:
    """One code, class and modifier: all payers together, the payers, and a cell for each of the page's payers."""

    everybody: PayerSpread
    payers: list[PayerSpread]
    cells: list[PayerSpread | None]
    chart: SafeString


@page
def show(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/payers/`"""
    form = PayersForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    chosen = form.cleaned_data
    if chosen["codes"] != request.GET.get("codes", ""):
        return redirect(urls.changed(request.path, form.parameters()))
    asked, meant = choose_market(form, db)
    form.offer("base", [("", "all payers together"), *coverage.list_payers(db)])
    if meant:
        return render(request, "choose.html", context(request, form, db, market=asked, meant=meant, action="payers"))
    wanted = code_list.read_codes(chosen["codes"])
    if asked.code and not wanted:
        wanted = [WantedCode(asked.code_type, asked.code)]
    if wanted:
        return _side_by_side(request, db, form, asked, wanted)
    return _one_payer(request, db, form, asked) if asked.payer else _all_payers(request, db, form, asked)


def _all_payers(request: HttpRequest, db: Snapshot, form: PayersForm, market: Market) -> HttpResponseBase:
    loaded = coverage.list_coverage(db)
    if form.cleaned_data["format"] != "html":
        return download(loaded, coverage.Coverage, "payers", form.cleaned_data["format"])
    return render(request, "payers.html", context(request, form, db, market=market, loaded=loaded))


def _side_by_side(
    request: HttpRequest, db: Snapshot, form: PayersForm, market: Market, wanted: Sequence[WantedCode]
) -> HttpResponseBase:
    chosen = form.cleaned_data
    base = chosen["base"] or None
    spreads, asked = compare_payers(db, market, wanted, base)
    if market.payer:
        spreads = [row for row in spreads if row.payer_slug in {None, market.payer}]
    if chosen["format"] != "html":
        return download(spreads, PayerSpread, "payers", chosen["format"])
    names = {row.payer_slug: row.reporting_entity_name for row in spreads if row.payer_slug}
    columns = sorted(names, key=lambda slug: (names[slug].lower(), slug))
    by_line = [list(rows) for _, rows in groupby(spreads, key=lambda row: row.line)]
    if len(wanted) == 1:
        by_line.sort(key=lambda rows: -rows[0].rates)
    paging = Paging(chosen["page"], len(by_line))
    shown = by_line[paging.offset : paging.offset + paging.limit]
    base_name = dict(coverage.list_payers(db)).get(base, base) if base else None
    lines = [
        _line(rows, columns, base_name, key if len(wanted) == 1 and key <= CHARTS else None)
        for key, rows in enumerate(shown, 1)
    ]
    return render(
        request,
        "payers.html",
        context(
            request, form, db, market=market, asked=asked, lines=lines, paging=paging, base_name=base_name, base=base,
            columns=[(slug, names[slug]) for slug in columns],
            code=codes.describe_code(db, wanted[0].code_type, wanted[0].code) if len(wanted) == 1 else None,
            freed=[]
            if lines
            else count_without_each_filter(db, market, [code for one in wanted for _, code in one.meanings]),
            unknown=[one.wanted for one in asked if not one.dollars and not one.others],
            no_dollars=[one for one in asked if one.others and not one.dollars],
            dollars=sum(one.dollars for one in asked),
            others=sum(one.others for one in asked),
        ),
    )  # fmt: skip


def _line(rows: list[PayerSpread], columns: Sequence[str], base_name: str | None, key: int | None) -> Line:
    everybody, payers = rows[0], rows[1:]
    by_payer = {row.payer_slug: row for row in payers}
    chart = SafeString("")
    if key is not None:
        bars = [
            spread_chart.Bar(row.reporting_entity_name, (row.p10, row.p25, row.p50, row.p75, row.p90))
            for row in rows[: MOST_BARS + 1]
        ]
        title = f"Rates in dollars by payer; the line is the median of {base_name or 'all payers together'}"
        chart = spread_chart.spreads(bars, spread_chart.dollars(everybody.base_p50), title, key)
    return Line(everybody, payers, [by_payer.get(slug) for slug in columns], chart)


def _one_payer(request: HttpRequest, db: Snapshot, form: PayersForm, market: Market) -> HttpResponseBase:
    chosen = form.cleaned_data
    slug = str(market.payer)
    name = dict(coverage.list_payers(db)).get(slug)
    if name is None:
        why = f"No payer with the key {slug} is loaded."
        return sorry(request, 404, "This payer is not loaded", [("payer", why)])
    rows = [row for row in coverage.list_coverage(db) if row.payer_slug == slug]
    if not any((row.state, row.year_month) == (market.state, market.year_month) for row in rows) and rows:
        market = Market(rows[0].state, rows[0].year_month, payer=slug)
    of_month = Market(market.state, market.year_month, payer=slug)
    if chosen["format"] != "html":
        tables: dict[str, tuple[Sequence[object], type]] = {
            "payers": (rows, coverage.Coverage),
            "networks": (networks.list_networks(db, slug), networks.NetworkRow),
            "files": (coverage.list_files(db, slug), coverage.File),
            "codes": (codes.list_busiest_codes(db, of_month, BUSIEST), codes.CodeCount),
        }
        return download(*tables[chosen["table"]], f"{slug}_{chosen['table']}", chosen["format"])
    return render(
        request,
        "payer.html",
        context(
            request, form, db, market=of_month, slug=slug, name=name, months=rows,
            networks=networks.list_networks(db, slug), files=coverage.list_files(db, slug),
            codes=codes.list_busiest_codes(db, of_month, BUSIEST),
        ),
    )  # fmt: skip
