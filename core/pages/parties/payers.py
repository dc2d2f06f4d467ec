"""Payers compared for some codes, and one payer."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.safestring import SafeString

from core.fields.codes import code_list
from core.fields.codes.code_list import WantedCode
from core.fields.codes.short_code_list import shorten_list
from core.pages.charts import spread_chart
from core.pages.formats import write_class
from core.pages.forms.market_forms import PayersPageForm
from core.pages.parties.levels_of_payer import find_levels
from core.pages.shared import urls
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.error_pages import sorry
from core.pages.shared.market_choice import MarketChoice, choose_compared_market
from core.pages.shared.page import MarketQuery, market_page
from core.pages.shared.paging import Paging
from core.queries import coverage
from core.queries.baskets.basket_codes import with_ranges_filled
from core.queries.baskets.basket_medians import BasketMedian
from core.queries.baskets.payer_levels import PayerLevels, SpecialtyIndex
from core.queries.code_titles import code_titles
from core.queries.comparison.overruled_labels import list_overruled_labels
from core.queries.comparison.unplaced_payers import find_unplaced
from core.queries.facets import Choice, count_choices
from core.queries.find import codes
from core.queries.in_state import find_in_state
from core.queries.loaded_files import File, list_files, list_shared_files
from core.queries.market.market import Market
from core.queries.market.market_filters import AREA, BASIS, CLASS_FILTERS, YARDSTICK
from core.queries.market.market_rates import market_cache
from core.queries.payers import networks
from core.queries.payers.loaded_payers import count_dollars, newest_of_each_payer, rows_of_payers
from core.queries.payers.payer_facts import list_payer_facts
from core.queries.rules.alike import are_alike
from core.queries.rules.percentiles import FEW_RATES
from core.queries.side_by_side.payer_comparison import AskedCode, compare_payers
from core.queries.side_by_side.payer_spread import PayerSpread, PricedSpread
from core.queries.yardstick.like_facility_fees import (
    ABOVE_PHYSICIANS,
    LikeFacilityFee,
    list_like_facility_fees,
)
from core.store.connection import Snapshot

MAX_CHARTS = 6
MAX_BARS = 20


@dataclass(frozen=True)
class ComparedTerms:
    """One code, billing class, and modifier: all payers together, each payer, and a cell for each column."""

    everybody: PricedSpread
    payers: list[PricedSpread]
    cells: list[PricedSpread | None]
    chart: SafeString

    @property
    def has_percents(self) -> bool:
        """Whether a percent of Medicare is known of any price."""
        return any(row.percent is not None for row in self.payers)

    @property
    def some_by_rates(self) -> bool:
        """Whether a payer is compared by its middle rate: its bar is of rates."""
        return any(not row.by_organizations for row in self.payers)


_OF_COMPARED = (BASIS, AREA, YARDSTICK)
"""The parameters of the page that say what the prices of a code are compared with."""


def _choose(form: PayersPageForm, db: Snapshot) -> MarketChoice:
    return choose_compared_market(form.market(), form.cleaned_data["codes"], db)


@market_page(PayersPageForm, "payers", choose=_choose)
def show_payers(query: MarketQuery[PayersPageForm]) -> HttpResponseBase:
    """Show `/payers/`"""
    if shorten_list(query.values["codes"]) != query.request.GET.get("codes", ""):
        # A list has one spelling, so that an address can be shared however the list was pasted.
        return redirect(urls.changed(query.request.path, query.form.parameters()))
    query.form.offer(base=[("", "All payers together"), *coverage.list_payers(query.db)])
    wanted = with_ranges_filled(query.db, code_list.read_codes(query.values["codes"]))
    if query.market.code and not wanted:
        wanted = [WantedCode(query.market.code_type, query.market.code)]
    if wanted:
        return _compare_payers(query, wanted)
    if query.market.payer and any(query.values[name] for name in _OF_COMPARED):
        # What one payer pays is compared with the schedule of each rate, as a basket of its codes is.
        return redirect(urls.changed(query.request.path, {**query.form.parameters(), **dict.fromkeys(_OF_COMPARED)}))
    return _one_payer(query, query.market.payer) if query.market.payer else _all_payers(query)


def _all_payers(query: MarketQuery[PayersPageForm]) -> HttpResponseBase:
    loaded = coverage.list_coverage(query.db)
    if query.wants_file:
        return query.download(loaded, coverage.Coverage, "payers")
    newest = newest_of_each_payer(loaded, count_dollars(query.db))
    return query.render("pages/payers.html", loaded=rows_of_payers(newest, list_shared_files(query.db)))


def _compare_payers(query: MarketQuery[PayersPageForm], wanted: Sequence[WantedCode]) -> HttpResponseBase:
    db, market, base = query.db, query.market, query.values["base"] or None
    spreads, asked = compare_payers(db, market, wanted, base)
    if market.payer:
        spreads = [row for row in spreads if row.payer_slug in {None, market.payer}]
    if query.wants_file:
        return _download_spreads(query, spreads)
    names = {row.payer_slug: row.reporting_entity_name for row in spreads if row.payer_slug}
    columns = sorted(names, key=lambda slug: (names[slug].lower(), slug))
    by_terms = [list(rows) for _, rows in groupby(spreads, key=lambda row: row.line)]
    if len(wanted) == 1:
        by_terms.sort(key=lambda rows: -rows[0].rates)
    paging = Paging(query.values["page"], len(by_terms))
    numbers = [code for one in wanted for _, code in one.meanings]
    base_name = dict(coverage.list_payers(db)).get(base, base) if base else None
    compared = [
        _compared_terms(
            rows,
            columns,
            base_name,
            number if len(wanted) == 1 and number <= MAX_CHARTS else None,
        )
        for number, rows in enumerate(by_terms[paging.offset : paging.offset + paging.limit], 1)
    ]
    in_order = sorted(compared[0].payers, key=lambda row: -row.price) if len(wanted) == len(compared) == 1 else []
    ranked = [row for row in in_order if row.is_ranked]
    unplaced = find_unplaced(query.cached, market) if market.code else []
    aside = {one.payer_slug for one in unplaced}
    return query.render(
        "pages/payers.html",
        asked=asked,
        codes_text=code_list.codes_text(wanted),
        compared=compared,
        paging=paging,
        base=base,
        base_name=base_name,
        others_name="the other payer" if len(names) == 2 else "the others",
        columns=[(slug, names[slug]) for slug in columns],
        code=codes.describe_code(db, wanted[0].code_type, wanted[0].code) if len(wanted) == 1 else None,
        # Payers are compared in one sentence where there is one table: of one code, class, and modifier.
        ranked=ranked,
        unplaced=unplaced,
        in_state=find_in_state(query.cached, market) if market.code else [],
        alike=are_alike([row.price for row in ranked]),
        like_facility_fees=_find_like_facility_fees(query, in_order),
        too_few=[row for row in in_order if not row.is_ranked],
        least_ranked=FEW_RATES,
        relabeled=any(row.other_label for row in spreads),
        without_place=query.list_without_place(numbers),
        freed=[] if compared else query.list_freed(numbers),
        elsewhere=_in_other_classes(query, {*names, *aside}) if market.code and query.choice.filled else [],
        **_counted(asked),
    )


def _find_like_facility_fees(query: MarketQuery[PayersPageForm], rows: Sequence[PricedSpread]) -> list[LikeFacilityFee]:
    """Return the prices of a code's payers that may be a facility's own fee, and count as a professional's."""
    high = [row for row in rows if row.labeled and row.percent is not None and row.percent > ABOVE_PHYSICIANS]
    if not high:
        return []
    of_code = replace(query.market, code_type=high[0].code_type.partition("/")[0], code=high[0].code)
    with market_cache(query.db, of_code) as cached:
        return list_like_facility_fees(cached, of_code, [row.price for row in high])


def _download_spreads(query: MarketQuery[PayersPageForm], spreads: Sequence[PricedSpread]) -> HttpResponseBase:
    """Return the spreads; a workbook, which people read, has the titles of the page."""
    if query.values["format"] != "xlsx":
        return query.download(spreads, PricedSpread, "payers")
    titles = code_titles(query.db)

    def titled(row: PricedSpread) -> PricedSpread:
        found = (titles.get((system, row.code)) for system in row.code_type.split("/"))
        return replace(row, name=next(filter(None, found), row.name))

    return query.download([titled(row) for row in spreads], PricedSpread, "payers")


def _in_other_classes(query: MarketQuery[PayersPageForm], shown: Collection[str]) -> list[Choice]:
    """Return the payers whose rates of the code are all of other classes than the one that is compared.

    What a setting that the visitor has chosen leaves out is said apart, see list_without_place.
    """
    filled = query.choice.filled
    every = query.market.without(*(name for name in CLASS_FILTERS if name != "care_setting" or name in filled))
    with market_cache(query.db, every) as cached:
        found = count_choices(cached, every, ["payer"])["payer"]
    return [choice for choice in found if choice.rates and choice.value not in shown]


def _counted(asked: Sequence[AskedCode]) -> dict[str, Any]:
    """Return what the page says about the codes of the list: how many rates, and which codes have none to compare."""
    return {
        "unknown": [one.wanted for one in asked if not one.dollars and not one.others],
        "no_dollars": [one for one in asked if one.others and not one.dollars],
        "dollars": sum(one.dollars for one in asked),
        "others": sum(one.others for one in asked),
        "left_out_of_codes": sum(one.left_out for one in asked),
    }


def _compared_terms(
    rows: list[PricedSpread],
    columns: Sequence[str],
    base_name: str | None,
    chart_number: int | None,
) -> ComparedTerms:
    everybody, payers = rows[0], rows[1:]
    by_payer = {row.payer_slug: row for row in payers}
    chart = SafeString("")
    if chart_number is not None:
        bars = [spread_chart.Bar(_bar_name(row), row.percentiles) for row in payers[:MAX_BARS]]
        title = f"What payers pay organizations, in dollars; the line marks {base_name or 'the market'}"
        chart = spread_chart.draw_spreads(bars, spread_chart.dollars(everybody.base_price), title, chart_number)
    return ComparedTerms(everybody, payers, [by_payer.get(slug) for slug in columns], chart)


def _bar_name(row: PayerSpread) -> str:
    label = f"labeled {write_class(row.other_label)}" if row.other_label else ""
    notes = ", ".join(filter(None, (label, "" if row.by_organizations else "by rates")))
    return f"{row.reporting_entity_name} ({notes})" if notes else row.reporting_entity_name


def _one_payer(query: MarketQuery[PayersPageForm], slug: str) -> HttpResponseBase:
    db = query.db
    name = dict(coverage.list_payers(db)).get(slug)
    if name is None:
        return sorry(query.request, 404, "Payer not found", [("payer", f"No rates of the payer {slug!r} are loaded.")])
    months = [row for row in coverage.list_coverage(db) if row.payer_slug == slug]
    state, year_month = query.market.state, query.market.month_of(slug)
    if months and not any((row.state, row.year_month) == (state, year_month) for row in months):
        state, year_month = months[0].state, months[0].year_month
    market = Market(state, year_month, payer=slug)

    def levels() -> PayerLevels:
        return find_levels(db, market)

    tables: dict[str, tuple[Callable[[], Sequence[object]], type]] = {
        "payers": (lambda: months, coverage.Coverage),
        "networks": (lambda: networks.list_networks(db, slug), networks.NetworkRow),
        "files": (lambda: list_files(db, slug), File),
        "codes": (lambda: codes.list_market_codes(db, market, ROW_CAP), codes.MarketCode),
        "specialties": (lambda: levels().specialties, SpecialtyIndex),
        "against_market": (lambda: levels().codes, BasketMedian),
    }
    if query.wants_file:
        rows, row_type = tables[query.values["table"]]
        return query.download(rows(), row_type, f"{slug}_{query.values['table']}")
    every = codes.list_market_codes(db, market, ROW_CAP)
    paging = Paging(query.values["page"], len(every))
    found, level = networks.list_networks(db, slug), levels()
    facts = next(iter(list_payer_facts(db, market, datetime.now(UTC).date())), None)
    of_month = [row for row in months if (row.state, row.year_month) == (state, year_month)]
    return query.render(
        "pages/payer.html",
        market=market,
        of_month=of_month[0] if of_month else market,
        slug=slug,
        name=name,
        months=months,
        rates=sum(row.rates for row in of_month),
        files_of_month=sum(row.files for row in of_month),
        labels=list_overruled_labels(db, market),
        facts=facts,
        levels=level,
        told=_specialties_told(level.specialties),
        furthest=_furthest(level.codes),
        others_name=level.others[0] if level and len(level.others) == 1 else "the other payers",
        networks=found,
        names_networks=any(row.network for row in found),
        files=list_files(db, slug),
        codes=every[paging.offset : paging.offset + paging.limit],
        max_codes=paging.limit,
        code_pages=paging,
        has_earlier_month=coverage.has_earlier_month(db, state, slug),
    )


MAX_TOLD = 3
"""The specialties whose percent of Medicare the first sentence of a payer's page says. The table has all."""


def _specialties_told(found: Sequence[SpecialtyIndex]) -> list[SpecialtyIndex]:
    """Return the first specialties that have a percent, in the order of the table."""
    return [one for one in found if one.percent is not None][:MAX_TOLD]


FURTHEST = 5
"""The codes that a payer pays least and most for, against the other payers, of each so many."""


def _furthest(found: Sequence[BasketMedian]) -> list[tuple[str, Sequence[BasketMedian]]]:
    """Return the codes that a payer pays least and most for, against the other payers, each below its heading."""
    enough = [one for one in found if one.is_ranked]
    below = [one for one in enough[:FURTHEST] if (one.against_others or 0) < 0]
    above = [one for one in reversed(enough[-FURTHEST:]) if (one.against_others or 0) > 0]
    return [(name, rows) for name, rows in (("Pays the least for", below), ("Pays the most for", above)) if rows]
