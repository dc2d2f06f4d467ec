"""What is new about a question as an Atom feed (RFC 4287)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from uuid import NAMESPACE_URL, uuid5

from django.http import HttpResponse
from django.utils.feedgenerator import Atom1Feed

from core.fields.places.care_setting import SIDES
from core.pages.citation import THIS_SITE
from core.pages.formats import (
    write_change,
    write_class,
    write_count,
    write_dollars,
    write_month,
    write_setting,
    write_state,
)
from core.pages.shared import urls
from core.queries.market.market import Market
from core.queries.over_time.news import News, key_of
from core.queries.rules.measured_class import class_of_like

ATOM = "application/atom+xml; charset=utf-8"

_QUESTION = "https://beaconpoint.health/questions"
"""What the ids of feeds and entries are made from. It is a name, not an address."""


class _Feed(Atom1Feed):
    """Django's feed, which is as old as its newest entry, or the data if it has none: never as old as the request."""

    data_of: datetime

    def latest_post_date(self) -> datetime:
        """Return the moment of the newest entry, or of the data."""
        dates = [item["updateddate"] for item in self.items]
        return max(dates, default=self.data_of)


SameOrganizations = Mapping[tuple[str, str, str], str]
"""What became of the organizations that a payer pays in two months, in words, by payer and both months."""


def write_feed(
    market: Market, subject: str, news: Sequence[News], data_of: datetime, same: SameOrganizations
) -> HttpResponse:
    """Return the feed of a market. `subject` says in words what it is about; `data_of` says when it was published."""
    question = urls.to("feed", market)
    feed = _Feed(
        title=f"BeaconPoint Health: {subject}",
        link=THIS_SITE + urls.to("rates" if market.code else "payers", market),
        description=None,
        subtitle="New months, and medians that change by more than 5%.",
        author_name="BeaconPoint Health",
        feed_url=THIS_SITE + question,
        feed_guid=_id_of(question),
        language="en-US",
    )
    feed.data_of = data_of.astimezone(UTC)
    for one in news:
        updated = one.loaded_at.replace(tzinfo=UTC, microsecond=0)
        feed.add_item(
            title=_write_title(one, market),
            link=THIS_SITE + _address(one, market),
            description=" ".join(filter(None, (_write_text(one), same.get(_months_of(one), "")))),
            unique_id=_id_of(f"{question}#{key_of(one)}"),
            updateddate=updated,
            pubdate=None,
        )
    text = BytesIO()
    feed.write(text, "utf-8")
    return HttpResponse(text.getvalue(), content_type=ATOM)


def _id_of(name: str) -> str:
    """Return an id that stays the same, whichever name the site is known by and whatever is loaded."""
    return uuid5(NAMESPACE_URL, _QUESTION + name).urn


def _months_of(one: News) -> tuple[str, str, str]:
    return one.payer_slug, one.before or "", one.year_month


def _write_title(one: News, market: Market) -> str:
    month = write_month(one.year_month)
    if one.what == "files":
        return f"{one.reporting_entity_name}: {month} is loaded"
    terms = ", ".join(filter(None, (_write_class(one, market), one.modifier and f"modifier {one.modifier}")))
    code = f"{one.code_type} {one.code}".strip()
    # A median of all rates also moves with which rates are in the file: it is not anybody's raise.
    change = f"{'' if one.old is None else 'median of all rates '}{write_change(one.change)}"
    return f"{code}: {change} at {one.reporting_entity_name}, {month}{f' ({terms})' if terms else ''}"


def _write_class(one: News, market: Market) -> str:
    """Return the class that the page shows, and what the payer labels the rates if that is another one."""
    if not one.billing_class:
        return ""
    measured = class_of_like(market.billing_class) if market.is_measured else one.billing_class
    label = "" if measured == one.billing_class else f", labeled {write_class(one.billing_class)}"
    side = f" {write_setting(market.care_setting)}" if market.care_setting in SIDES and market.care_setting else ""
    return f"{write_class(measured)}{side}{label}"


def _write_text(one: News) -> str:
    if one.what == "files":
        return f"{write_count(one.rates)} rates of {write_month(one.year_month)}."
    if one.before is None:
        return ""
    between = f"from {write_month(one.before)} to {write_month(one.year_month)}"
    if one.old is None:
        return f"In the middle of the organizations in both months, {write_change(one.change)} {between}."
    medians = f"{write_dollars(one.old)} to {write_dollars(one.new)}"
    return f"The median went from {medians} {between}, of {write_count(one.rates)} rates."


def _address(one: News, market: Market) -> str:
    """Return the page on which the news can be seen."""
    of_payer = {"payer": one.payer_slug, "year_month": one.year_month}
    if one.what == "files":
        return urls.to("rates" if market.code else "payers", market, **of_payer)
    known = {"code_type": one.code_type, "code": one.code, "from": one.before}
    return urls.to("changes", market, **of_payer, **known)


def describe_question(market: Market, choices: Sequence[tuple[str, str]]) -> str:
    """Return what a feed is about, in words."""
    said = [
        value if name == "Code" else f"{name.lower()} {value}"
        for name, value in choices
        if name not in {"State", "Month"}
    ]
    return ", ".join([*said, write_state(market.state)])
