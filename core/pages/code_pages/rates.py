"""The rates of a code."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from django.http import HttpResponseBase

from core.fields.places.care_setting import SIDES
from core.pages.charts import histogram_chart
from core.pages.code_pages.no_rates import find_instead
from core.pages.code_pages.same_columns import find_same_columns
from core.pages.forms.market_forms import RatesForm
from core.pages.shared.answer_cache import meanwhile
from core.pages.shared.downloads import ROW_CAP, download_seconds
from core.pages.shared.page import MarketQuery, market_page
from core.pages.shared.paging import Paging, span
from core.pages.shared.state_places import divide_by_state
from core.pages.shared.words.answer_words import describe_answer, find_of_place, mixes_classes
from core.pages.shared.words.labels import filter_label
from core.queries import rates
from core.queries.code_answer import AnswerSpread, is_far_from_others, spread_by_terms
from core.queries.comparison import overruled_labels
from core.queries.comparison.compared_rates import is_plausible
from core.queries.comparison.unplaced_payers import find_unplaced
from core.queries.coverage import LoadedMonth, list_months
from core.queries.expired_contracts import ExpiredContracts, list_expired_contracts
from core.queries.facets import Choice, count_choices, count_networks
from core.queries.find import codes
from core.queries.histogram import Bin, build_histogram
from core.queries.in_state import ProvidersInState, find_in_state
from core.queries.likely_rates import find_evidence_switch
from core.queries.market.market import Market
from core.queries.market.market_filters import FILTERS
from core.queries.market.market_rates import facts_in_memory, market_cache
from core.queries.middle_organization import find_notable_middle, list_said_prices
from core.queries.profiles import count_profile_choices
from core.queries.rates_against_medicare import (
    RateAgainstMedicare,
    SummaryAgainstMedicare,
    find_amount,
    find_percents_of_areas,
    stream_against_medicare,
    summarize_against_medicare,
)
from core.queries.rules.rate_kinds import KINDS
from core.queries.yardstick import medicare_amounts
from core.queries.yardstick.like_facility_fees import list_like_facility_fees
from core.store.connection import Snapshot
from core.store.views import SURGICAL_CENTER_PAYEE

MAX_CHOICES = 50
"""The choices of a filter that the page offers: a state has hundreds of cities. The form takes any."""


MAX_SHOWN = 8
"""The choices of a filter that are shown at once."""

MAX_ALIKE = 3
"""The places with the same number of rates that are shown at once."""


@market_page(RatesForm, "rates", needs_code=True)
def show_rates(query: MarketQuery[RatesForm]) -> HttpResponseBase:
    """Show `/rates/`"""
    if query.wants_file:
        return _download(query)
    db, market, sort = query.db, query.market, query.values["sort"]
    limit, offset = span(query.values["page"])
    # Whose the rates are, and what else could be asked, is asked at the same time as what they are.
    about_groups = meanwhile(_ask_about_groups, db, market, sort, limit, offset)
    about_choices = meanwhile(_ask_about_choices, db, market)
    summaries = rates.summarize_rates(query.cached, market)
    bins = build_histogram(query.cached, market)
    spreads = spread_by_terms(query.cached_by_area, market)
    rows, counted, networks, expired, in_state = about_groups.result()
    amounts = medicare_amounts.find_amounts(query.cached_by_area, market)
    together = {row.terms: row for row in spreads if row.reporting_entity_name is None}
    lines = medicare_amounts.count_amount_lines(amounts)
    choices = {**about_choices.result(), "network": networks}
    settings = next((one.settings for one in query.choice.classes if one.chosen), []) if not market.classes else []
    mixed = mixes_classes(market, query.choice.classes, spreads)
    described = describe_answer(spreads, choices["modifier"], amounts, settings, query.find_labels())
    answer = None if mixed else described
    several = any(terms.payee == SURGICAL_CENTER_PAYEE for terms in amounts)
    centers = overruled_labels.find_surgical_centers(db, [row.pg_uid for row in rows]) if several else set()
    against = [_compare_with_medicare(row, market.code or "", amounts, centers) for row in rows]
    by_area = (
        {}
        if market.basis or market.yardstick
        else find_percents_of_areas(db, market, rows, [one[0] for one in against])
    )
    middle = find_notable_middle(query.cached_by_area, market, spreads)
    return query.render(
        "pages/rates.html",
        middle_organization=middle,
        like_facility_fees=list_like_facility_fees(
            query.cached_by_area, market, list_said_prices(spreads, middle), amounts
        ),
        unplaced=find_unplaced(query.cached, market),
        of_place=find_of_place(query.cached, market, answer),
        evidence=find_evidence_switch(query.cached, market),
        code=codes.describe_code(db, market.code_type, market.code),
        counts=counted,
        kinds=[(kind, [row for row in summaries if row.kind == kind.name]) for kind in KINDS.values()],
        left_out=_left_out(summaries, counted.without_pos),
        histogram=bins,
        chart=histogram_chart.draw_histogram(bins, lines, _median_of_one_class(spreads)),
        answer=answer,
        in_state=in_state,
        mixed=mixed,
        together=list(together.values()),
        of_percents={(row.reporting_entity_name, *row.terms): row for row in spreads},
        implausible=sum(row.implausible for row in together.values()),
        far=sum(row.far_from_others for row in together.values()),
        amounts=lines,
        facets=facets_to_show(choices, query.names_in_tabs, market),
        months=_other_months(db, market),
        rows=[
            (row, *compared, is_far_from_others(market, row, together), by_area.get(row.fact_uid))
            for row, compared in zip(rows, against, strict=True)
        ],
        compared=bool(lines),
        expired=expired,
        same=find_same_columns(rows),
        labels=described.labels if described else [],
        paging=Paging(query.values["page"], counted.rates),
        answer_rows=counted.rates,
        sort=sort,
        cap=ROW_CAP,
        instead=None if counted.rates else find_instead(query, "rates"),
    )


def _median_of_one_class(spreads: Sequence[AnswerSpread]) -> float | None:
    """Return the median of the rates in dollars if they have one class and modifier: others have no median together."""
    together = [row for row in spreads if row.reporting_entity_name is None]
    return together[0].p50 if len(together) == 1 else None


def _ask_about_groups(
    db: Snapshot, market: Market, sort: str, limit: int, offset: int
) -> tuple[list[rates.RateRow], rates.RateCounts, list[Choice], Sequence[ExpiredContracts], Sequence[ProvidersInState]]:
    """Return the rows of the page, what they count, the networks to choose from, whose contracts have expired, and
    how many of the providers practice in the state where a file is not divided by state."""
    with facts_in_memory(db, market) as memory:
        return (
            rates.list_rates(memory, market, sort, limit, offset),
            rates.count_market(memory, market),
            count_networks(memory, market),
            list_expired_contracts(memory, market, datetime.now(UTC).date()),
            find_in_state(memory, market),
        )


def _ask_about_choices(db: Snapshot, market: Market) -> dict[str, list[Choice]]:
    """Return the choices of each filter but networks."""
    with market_cache(db, market) as cached:
        return count_choices(cached, market) | count_profile_choices(cached, market)


def _download(query: MarketQuery[RatesForm]) -> HttpResponseBase:
    db, market = query.db, query.market
    if query.values["table"] == "summary":
        return query.download(summarize_against_medicare(db, market), SummaryAgainstMedicare, "summary")
    if query.values["table"] == "histogram":
        return query.download(build_histogram(db, market).bins, Bin, "histogram")
    every = stream_against_medicare(db, market, query.values["sort"], ROW_CAP, download_seconds())
    return query.download(every, RateAgainstMedicare, f"rates_{market.code}")


@dataclass(frozen=True)
class FilterChoices:
    """A filter with its choices; of places, those of the market's state, and those elsewhere apart."""

    label: str
    name: str
    choices: Sequence[Choice]
    elsewhere: Sequence[Choice] = ()

    @property
    def first(self) -> Sequence[Choice]:
        """The choices that are shown at once; of places with the same rates the first few."""
        return self._divided[0]

    @property
    def more(self) -> Sequence[Choice]:
        """The choices that are folded."""
        return self._divided[1]

    @property
    def more_words(self) -> str:
        """What the fold is called."""
        counts, number = {one.rates for one in self.more}, len(self.more)
        if self.name != "pos" or len(counts) != 1 or not counts.intersection(one.rates for one in self.first):
            return f"{number:,} more"
        [rates] = counts
        return f"{number:,} more with the same {rates:,} rate{'' if rates == 1 else 's'}"

    @cached_property
    def _divided(self) -> tuple[Sequence[Choice], Sequence[Choice]]:
        first, more, alike = list[Choice](), list[Choice](), Counter[int]()
        for at, one in enumerate(self.choices):
            # Payers list dozens of places for one rate: the fourth of them says nothing new.
            is_folded = at >= MAX_SHOWN or (self.name == "pos" and alike[one.rates] >= MAX_ALIKE)
            (more if is_folded and not one.chosen else first).append(one)
            alike[one.rates] += 1
        return first, more


def _other_months(db: Snapshot, market: Market) -> list[LoadedMonth]:
    """Return the months to choose from; none if there is one.

    They say whose rates they have, and not how many of this code: counting opens the files of every month, which takes
    as long as the rest of the page where two years are loaded.
    """
    months = list_months(db, market.state or "", market.payer)
    return months if len(months) > 1 else []


_OF_STATES = ("city", "county", "metro")
"""The filters whose choices name a state."""


def facets_to_show(
    choices: Mapping[str, Sequence[Choice]], in_tabs: Collection[str], market: Market
) -> list[FilterChoices]:
    """Return each filter that can be set or is set, and that no tab shows."""
    if market.classes or market.care_setting in SIDES:
        # A tab shows the side, or all classes. The settings can still be chosen.
        settings = [one for one in choices["care_setting"] if one.value not in SIDES]
        choices, in_tabs = {**choices, "care_setting": settings}, set(in_tabs) - {"care_setting"}
    first = ("care_setting", "pos", "payer")
    labels = {name: filter_label(name) for name in (*first, *FILTERS) if name in choices}
    facets = []
    for name, label in labels.items():
        if name in in_tabs or (len(choices[name]) < 2 and not any(choice.chosen for choice in choices[name])):
            continue
        own, elsewhere = divide_by_state(choices[name], market.state) if name in _OF_STATES else (choices[name], [])
        facets.append(FilterChoices(label, name, _most(own), _most(elsewhere)))
    return facets


def _most(choices: Sequence[Choice]) -> list[Choice]:
    """Return the choices that are shown: the first MAX_CHOICES, and what is chosen."""
    return [one for n, one in enumerate(choices) if n < MAX_CHOICES or one.chosen]


def _compare_with_medicare(
    row: rates.RateRow,
    code: str,
    amounts: Mapping[medicare_amounts.ScheduleTerms, medicare_amounts.Amount],
    centers: Collection[str],
) -> tuple[medicare_amounts.Amount, float | None, bool, float | None]:
    """Return what a rate of the code is compared with, its percent of Medicare, whether that is plausible, and its
    percent of the state's workers' compensation schedule.

    `centers` are the provider groups that are surgical centers.
    """
    amount = find_amount(row, code, amounts, centers)
    percent = amount.percent(row.negotiated_rate)
    plausible = percent is None or is_plausible(percent)
    return amount, percent, plausible, amount.percent_of_schedule(row.negotiated_rate)


def _left_out(summaries: Sequence[rates.Summary], without_pos: int) -> list[tuple[int, str]]:
    """Return how many rates are not among those in dollars, or not shown at all, each with the reason."""
    found = []
    for kind in KINDS.values():
        number = sum(row.rates for row in summaries if row.kind == kind.name)
        if number and kind.name != "dollars":
            found.append((number, f"{kind.title}: {kind.meaning}"))
    if without_pos:
        found.append((without_pos, "No place of service: excluded by the place of service filter."))
    return found
