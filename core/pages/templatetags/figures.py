"""How figures are written, and links made, in templates."""

import time
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.fields.place_of_service import EVERY_PLACE, PLACES
from core.fields.states import STATES
from core.pages.shared import urls
from core.queries.rules.market import NOT_STATED

register = template.Library()

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@register.filter
def count(value: int | None) -> str:
    """1234567 as 1,234,567."""
    return "–" if value is None else f"{value:,}"


@register.filter
def dollars(value: float | None) -> str:
    """1234.5 as $1,234.50."""
    return "–" if value is None else f"${value:,.2f}"


@register.filter
def percent(value: float | None) -> str:
    """1.234 as 123 %; below 10 % with one decimal."""
    if value is None:
        return "–"
    return f"{value:.1%}".replace("%", " %") if value < 0.1 else f"{value:.0%}".replace("%", " %")


@register.filter
def share(value: float) -> str:
    """0.0004 as 0.04 %: a share in which one in ten thousand counts, never written as nothing where there is some."""
    return "under 0.01 %" if 0 < value < 0.0001 else f"{value:.2%}".replace("%", " %")


@register.filter
def figure(value: float | None, kind: str) -> str:
    """A rate in its kind's unit: $104.00, 62.5 %, $1,950.00 a day."""
    if value is None:
        return "–"
    if kind == "percentage":
        return f"{value:,.4f}".rstrip("0").rstrip(".") + " %"
    if kind == "other":
        return f"{value:,.2f}"
    return f"${value:,.2f}" + (" a day" if kind == "per diem" else "")


@register.filter
def month(value: str | None) -> str:
    """2025-08 as August 2025."""
    if not value:
        return ""
    year, number = value.split("-")
    return f"{_MONTHS[int(number) - 1]} {year}"


@register.filter
def state_name(value: str | None) -> str:
    """GA as Georgia."""
    return STATES.get(value or "", value or "")


@register.filter
def tin(value: str, kind: str = "ein") -> str:
    """123456789 as 12-3456789, where it is an EIN."""
    return f"{value[:2]}-{value[2:]}" if kind == "ein" and len(value) == 9 else value


@register.filter
def postal_code(value: str) -> str:
    """303031234 as 30303-1234."""
    return f"{value[:5]}-{value[5:]}" if len(value) == 9 and value.isdecimal() else value


@register.filter
def places(codes: list[str]) -> SafeString:
    """A set of places of service, short, with the names as its title."""
    if not codes:
        return format_html('<span class="quiet">{}</span>', "none stated")
    if EVERY_PLACE in codes:
        return format_html("{}", "every place")
    names = ", ".join(f"{code} {PLACES.get(code, 'not in the CMS list')}" for code in codes)
    shown = " ".join(codes[:4]) + (f" and {len(codes) - 4} more" if len(codes) > 4 else "")
    return format_html('<span title="{}">{}</span>', names, shown)


@register.simple_tag
def to(page: str, market: Any = None, **parameters: Any) -> str:
    """The address of a page, with the market's parameters (if given) and others, in their canonical order."""
    return urls.to(page, market, **parameters)


@register.simple_tag(takes_context=True)
def here(context: dict[str, Any], **changes: Any) -> str:
    """The address of this page with some parameters changed; None takes one out."""
    return urls.changed(context["path"], context["parameters"], **changes)


@register.simple_tag(takes_context=True)
def having(context: dict[str, Any], name: str, value: Any = None) -> str:
    """The address of this page's first part with one parameter changed; without it where no value is given."""
    return urls.changed(context["path"], context["parameters"], **{name: value, "page": None})


@register.simple_tag
def milliseconds_since(started: float | None) -> str:
    """Whole milliseconds since a moment of the clock that measures durations."""
    return "" if started is None else f"{1000 * (time.perf_counter() - started):,.0f}"


@register.filter
def filter_value(value: str, name: str) -> str:
    """A filter's value as a reader knows it: 11 as 11 Office, 2025-08 as August 2025."""
    if name == "pos":
        return "every place" if value == EVERY_PLACE else f"{value} {PLACES.get(value, '')}".strip()
    if name == "year_month":
        return month(value)
    return "not stated" if value == NOT_STATED else value


@register.filter
def versus(difference: float | None) -> str:
    """A difference in words: 0.123 as 12 % above, -0.031 as 3.1 % below, 0 as the same."""
    if difference is None:
        return "–"
    if difference == 0:
        return "the same"
    size = "under 0.1 %" if abs(difference) < 0.0005 else percent(abs(difference))
    return f"{size} {'above' if difference > 0 else 'below'}"


@register.filter
def change(share: float | None) -> str:
    """A change with its sign: 0.02 as +2.0 %, -0.5 as −50 %."""
    if share is None:
        return "–"
    return percent(0.0) if share == 0 else f"{'+' if share > 0 else '−'}{percent(abs(share))}"


@register.filter
def moved_by(value: float | None, kind: str) -> str:
    """A difference of two rates in their kind's unit, with its sign: +$2.00, −1.5 %."""
    if value is None:
        return "–"
    return figure(0.0, kind) if value == 0 else f"{'+' if value > 0 else '−'}{figure(abs(value), kind)}"
