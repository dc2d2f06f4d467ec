"""Filters that write figures, and tags that make links, for templates."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.template import Context, engines
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.fields.places.place_of_service import EVERY_PLACE, PLACES
from core.pages import formats
from core.pages.code_pages.code_tabs import CODE_TABS
from core.pages.shared import urls
from core.pages.shared.words.answer_words import begin_in_lower_case, describe_setting, list_amounts
from core.pages.shared.words.basket_words import describe_counting, explain_no_index, explain_no_percent
from core.pages.shared.words.change_words import (
    count_of_direction,
    count_paid,
    name_place,
    name_terms,
    tell_median_change,
    tell_ratio_in_short,
    tell_ratio_of_code,
    write_ratio,
)
from core.pages.shared.words.labels import (
    check_meaning,
    check_title,
    class_in_short,
    class_label,
    class_tabs,
    confidence_words,
    evidence_words,
    filter_label,
    find_part,
    rule_words,
    schedule_label,
    source_words,
    title_of,
)
from core.pages.site_map import PAGES, SitePage
from core.queries.market.market import Market
from core.queries.market.which_filter_emptied import RatesWithoutFilter
from core.vocabulary.separate_fees import find_separate_fees

MAX_PLACES_SHOWN = 4

register = template.Library()
register.simple_tag(formats.write_rank, name="rank")

FIGURES: dict[str, Callable[..., str]] = {
    "why_no_index": explain_no_index,
    "compared_by": describe_counting,
    "why_no_percent": explain_no_percent,
    "count": formats.write_count,
    "dollars": formats.write_dollars,
    "sum": formats.write_sum,
    "percent": formats.write_percent,
    "gap": formats.write_gap,
    "percentile": formats.write_percentile,
    "points": formats.write_points,
    "share": formats.write_share,
    "limit": formats.write_limit,
    "figure": formats.write_figure,
    "month": formats.write_month,
    "file_date": formats.write_file_date,
    "months": formats.write_months,
    "day": formats.write_day,
    "state_name": formats.write_state,
    "city": formats.write_city,
    "tin": formats.write_tin,
    "tin_name": formats.name_tin,
    "postal_code": formats.write_postal_code,
    "filter_value": formats.write_filter,
    "code_name": formats.write_code_name,
    "end_sentence": formats.end_sentence,
    "billing_class": formats.write_class,
    "fee": formats.write_fee,
    "versus": formats.write_difference,
    "change": formats.write_change,
    "paid_counts": count_paid,
    "median_change": tell_median_change,
    "of_direction": count_of_direction,
    "ratio": write_ratio,
    "ratio_of_code": tell_ratio_of_code,
    "ratio_in_short": tell_ratio_in_short,
    "place": name_place,
    "terms_words": name_terms,
    "outcome": formats.write_outcome,
    "moved_by": formats.write_moved_by,
    "setting_label": formats.write_setting,
    "basis": formats.write_basis,
    "amount_area": formats.write_amount_area,
    "in_setting": describe_setting,
    "class_in_short": class_in_short,
    "evidence_words": evidence_words,
    "check_title": check_title,
    "check_meaning": check_meaning,
    "filter_label": filter_label,
    "schedule": schedule_label,
    "rule_words": rule_words,
    "title_of": title_of,
    "amounts": list_amounts,
    "within_a_sentence": begin_in_lower_case,
    "source_words": source_words,
    "confidence_words": confidence_words,
}
"""The filters that write one value as text, by their name in templates."""

register.filter("class_label", class_label)
register.simple_tag(class_tabs)
register.simple_tag(find_part, name="part")
register.simple_tag(find_separate_fees, name="separate_fees")

for _name, _function in FIGURES.items():
    register.filter(_name, _function)


def dated_month(row: Any) -> SafeString:
    """Return the month of a row, and the date of its files with a link to what that means if they are much older."""
    month = formats.write_month(row.year_month)
    if not row.file_month:
        return format_html("{}", month)
    address = f"{urls.to('method')}#the-latest-file-of-each-payer"
    return format_html('{} <a href="{}">({})</a>', month, address, formats.write_file_date(row.file_month))


register.filter("dated_month", dated_month)


@register.simple_tag(takes_context=True)
def month_of_payer(context: dict[str, Any], month: str, payer_slug: str, state: str = "") -> SafeString:
    """Return a month of a payer as dated_month does: in the state of the market, unless another is given."""
    state = state or context["market"].state
    return dated_month(_PayerMonth(month, context["old_months"].get((state, month, payer_slug))))


@register.simple_tag(takes_context=True)
def own_date_of_payer(context: dict[str, Any], month: str, payer_slug: str, state: str) -> str:
    """Return the date of a payer's files of a month if they are much older; empty text if they are not."""
    return formats.write_file_date(context["old_months"].get((state, month, payer_slug)))


@register.simple_tag(takes_context=True)
def date_of_payer(context: dict[str, Any], payer_slug: str) -> str:
    """Return what follows a payer's name in a sentence: the date of its file, where the title's is not that of all."""
    dates = {one.payer_slug: formats.write_own_date(one.year_month, one.file_month) for one in context["payer_months"]}
    return f" ({dates[payer_slug]})" if payer_slug in dates else ""


def date_range(context: Mapping[str, Any], row: Any) -> str:
    """Return when the rates of a row are of: its months, or the date of its payers' files that are much older.

    Only some rows name their payers. Of others a file's date is told if all files of these months have it.
    """
    oldest, newest = row.oldest_month, row.newest_month
    files = [one for one in context["payer_months"] if oldest <= one.year_month <= newest]
    own = [one for one in files if one.reporting_entity_name in getattr(row, "payers", ())] or files
    dates = {one.file_month or one.year_month for one in own}
    if len(dates) == 1 and own[0].file_month:
        return formats.write_file_date(own[0].file_month)
    return " to ".join(formats.write_month(month) for month in dict.fromkeys((oldest, newest)))


@dataclass(frozen=True)
class _PayerMonth:
    year_month: str
    file_month: str | None


@register.filter
def places(codes: list[str]) -> SafeString:
    """Return a set of places of service, shortened, with the names as its tooltip."""
    if not codes:
        return format_html('<span class="quiet">{}</span>', "not stated")
    if EVERY_PLACE in codes:
        return format_html("{}", "every place")
    names = ", ".join(f"{code} {PLACES.get(code, 'not in the CMS list')}" for code in codes)
    more = f" and {len(codes) - MAX_PLACES_SHOWN} more" if len(codes) > MAX_PLACES_SHOWN else ""
    return format_html('<span title="{}">{}</span>', names, " ".join(codes[:MAX_PLACES_SHOWN]) + more)


@dataclass(frozen=True)
class PageLink:
    """A link to a page that says whether the visitor is there."""

    label: str
    address: str
    current: bool


@register.simple_tag(takes_context=True)
def navigation(context: dict[str, Any]) -> dict[str, list[PageLink]]:
    """Return the links of the navigation: those in front, and those in the menu behind them."""
    path, market = context.get("path"), context.get("linked_market") or context.get("market")
    shown = [page for page in PAGES if page.label]
    return {
        "first": [_link_to_page(page, path, market) for page in shown if not page.in_more],
        "more": [_link_to_page(page, path, market) for page in shown if page.in_more],
    }


def _link_to_page(page: SitePage, path: str | None, market: Any) -> PageLink:
    return PageLink(page.label, urls.to(page.name, market if page.keeps_market else None), path == f"/{page.path}")


@register.simple_tag(takes_context=True)
def code_tabs(context: dict[str, Any]) -> list[PageLink]:
    """Return the tabs of the code of the page, with its filters, and with its month if the visitor has chosen one."""
    market = context.get("linked_market") or context["market"]
    return [
        PageLink(tab.label, urls.to(tab.page, market), context["path"] == urls.to(tab.page))
        for tab in CODE_TABS
        if context.get("has_earlier_month") or not tab.needs_earlier_month or context["path"] == urls.to(tab.page)
    ]


@register.simple_tag
def to(page: str, market: Any = None, **parameters: Any) -> str:
    """Return the address of a page with the parameters of the market, if any, and others, in their canonical order."""
    return urls.to(page, market, **parameters)


@register.simple_tag
def rates_found(code: Any, said: Any) -> str:
    """Return the address of the rates of a code that a search has found, with the other things that its text says."""
    return urls.to("rates", state=code.state, code_type=code.code_type, code=code.code, **said.filters)


@dataclass(frozen=True)
class OrganizationLinks:
    """Where an organization that a search has found has its page, and its report against the market."""

    page: str
    report: str


@register.simple_tag
def organization_found(one: Any) -> OrganizationLinks:
    """Return the addresses of an organization: by its key if it has several tax IDs, or else by its number."""
    if one.tins > 1:
        by, value = "organization", one.organization_id
    elif one.tins:
        by, value = "tin", one.tin
    else:
        by, value = "npi", one.npi
    state = one.rates_state
    return OrganizationLinks(
        urls.to(by, None, state=state, **{by: value}), urls.to("clinic", None, state=state, **{by: value})
    )


@register.simple_tag(takes_context=True)
def own_rates_of(context: dict[str, Any], one: Any) -> Any:
    """Return the rates of an organization that a search finds, for the code that it asks for."""
    return context["own"].get((one.organization_id, one.tin), [])


@register.simple_tag(takes_context=True)
def rates_of(context: dict[str, Any], terms: dict[str, Any]) -> str:
    """Return the address of the rates with some terms (a code, a payer, and filters) in the market of the page."""
    return urls.to("rates", context["market"], **terms)


@register.simple_tag(takes_context=True)
def provider_page(context: dict[str, Any], page: str, number: str) -> str:
    """Return the address of an NPI, a tax ID, or a provider group, in the state and month that the page is about.

    Where all rates are compared with one schedule, they are there too.
    """
    market: Market | None = context.get("market")
    return urls.to(page, market and Market(market.state, market.year_month, basis=market.basis), **{page: number})


@register.simple_tag(takes_context=True)
def here(context: dict[str, Any], **changes: Any) -> str:
    """Return the address of this page with some parameters changed; None removes one."""
    return urls.changed(context["path"], context["parameters"], **changes)


@register.simple_tag(takes_context=True)
def having(context: dict[str, Any], name: str, value: Any = None) -> str:
    """Return the address of this page's first part with one parameter changed, or removed if no value is given."""
    return urls.changed(context["path"], context["parameters"], **{name: value, "page": None})


@register.simple_tag(takes_context=True)
def unfiltered(context: dict[str, Any], freed: Sequence[tuple[RatesWithoutFilter, str]]) -> str:
    """Return the address of this page's first part without any of these filters."""
    removed = {one.filter: None for one, _ in freed}
    return urls.changed(context["path"], context["parameters"], **removed, page=None)


@register.simple_tag(takes_context=True)
def sort_link(context: dict[str, Any], label: str, *orders: str, arrow: str = "", title: str = "") -> SafeString:
    """Return the heading of a column that sorts by it: the first order, or the second if sorted by the first."""
    current = context.get("sort") or ""
    following = orders[1] if len(orders) > 1 and current == orders[0] else orders[0]
    mark = f" {arrow or ('↓' if current.startswith('-') else '↑')}" if current in orders else ""
    address = here(context, sort=following, page=None)
    return format_html(
        '<a href="{}#rows" hx-boost="false" title="{}">{}{}</a>',
        address,
        title or f"Sort by {label.lower()}",
        label,
        mark,
    )


@register.simple_tag(takes_context=True)
def sort_head(
    context: dict[str, Any], label: str, *orders: str, of_figures: bool = True, title: str = ""
) -> SafeString:
    """Return the head of a column that sorts by it, and says so if the table is sorted by it."""
    current = context.get("sort") or ""
    sorted_by = ""
    if current in orders:
        sorted_by = "descending" if current.startswith("-") or len(orders) == 1 else "ascending"
    return format_html(
        '<th scope="col"{}{}>{}</th>',
        SafeString(' class="n"') if of_figures else "",
        format_html(' aria-sort="{}"', sorted_by) if sorted_by else "",
        sort_link(context, label, *orders, arrow="↓" if sorted_by == "descending" else "", title=title),
    )


@register.simple_tag(takes_context=True)
def table(context: Context, name: str, **values: Any) -> SafeString:
    """Return a table of templates/tables/*.jinja, made from the values of the page and these."""
    seen: dict[str, Any] = dict(context.flatten().items())  # type: ignore[arg-type]
    return SafeString(engines["tables"].get_template(f"tables/{name}.jinja").render(seen | values))


@register.simple_tag
def column_heads(*names: str) -> SafeString:
    """Return the head of a table. A name with # before it is that of a column of figures, which are aligned right.

    A column with ~ before its name, or behind its #, is shown on a phone among all fields of a row only.
    """
    columns = [
        ((' class="n"' if name.startswith("#") else "") + (" data-last" if "~" in name[:2] else ""), name.lstrip("#~"))
        for name in names
    ]
    cells = format_html_join("", '<th scope="col"{}>{}</th>', [(SafeString(kind), name) for kind, name in columns])
    return format_html("<thead><tr>{}</tr></thead>", cells)


@register.simple_tag
def milliseconds_since(started: float | None) -> str:
    """Return whole milliseconds since a moment of the clock that measures durations."""
    return "" if started is None else f"{1000 * (time.perf_counter() - started):,.0f}"
