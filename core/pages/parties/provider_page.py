"""What the pages of a provider share: its rates in a few figures, and by code, beside Medicare and the market.

A provider is an NPI, a tax ID, or all tax IDs of an organization or a health system.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpResponseBase

from core.pages.forms.market_forms import ProviderForm
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.market_choice import MarketChoice, choose_provider_market
from core.pages.shared.page import MarketQuery
from core.pages.shared.paging import Paging, span
from core.pages.shared.words.provider_words import describe_provider
from core.queries.baskets.clinic_gaps import sum_gaps
from core.queries.baskets.clinic_rows import ClinicPosition
from core.queries.baskets.provider_positions import MOST_PLACED, clinic_of, list_row_positions, place_rows
from core.queries.codes_within import choose_within
from core.queries.comparison.left_out import counts_everything
from core.queries.facets import count_choices
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache, uses_own_areas
from core.queries.parties import provider_rates, providers
from core.queries.parties.line_medians import LINE, knows_lines, list_payers_of_lines
from core.queries.parties.provider_summary import (
    FamilyRates,
    ProviderPayer,
    list_family_rates,
    list_provider_payers,
    summarize_provider,
)
from core.queries.releases import oldest_schedule_if_newer
from core.queries.rules.measured_class import class_of_like
from core.store.connection import Snapshot

MAX_OTHER_TINS = 12
"""Other tax IDs under which the members of a provider bill that are named."""


def choose_for_provider(form: ProviderForm, db: Snapshot, by: providers.By, value: str) -> MarketChoice:
    """Return the market of the provider that a path names."""
    chosen: dict[str, Any] = {**dict.fromkeys(form.in_path), by: value}
    asked = replace(form.market(), **chosen)
    return choose_provider_market(asked, db, providers.list_provider_periods(db, by, value))


def show_provider(
    query: MarketQuery[ProviderForm], by: providers.By, value: str, about: str, **who: Any
) -> HttpResponseBase:
    """Return the page of a provider, or the file of one of the tables of its rates. `who` says who it is."""
    db, asked = query.db, query.market
    within = choose_within(db, query.values["q"], query.values["family"])
    order = query.values["sort"]
    # All of the rates, without the filters by terms: every such filter that is tried next finds them in memory.
    whole = asked.unfiltered.without("code_type", "code")
    with market_cache(db, whole, areas=uses_own_areas(db, asked)) as cached:
        if query.wants_file:
            return _download_rates(query, cached, f"{by}_{value}")
        total, rows = provider_rates.list_code_rates(db, cached, asked, *span(query.values["page"]), order, within)
        payers = [
            choice for choice in count_choices(cached, asked, ["payer"])["payer"] if choice.rates or choice.chosen
        ]
        answer = describe_provider(
            summarize_provider(db, cached, asked),
            list_family_rates(db, cached, asked),
            list_provider_payers(db, cached, asked),
            query.measured,
        )
    clinic = clinic_of(asked)
    # Of more rows than a page has, the first sentence would be about those of the page, and a page takes twice as long.
    is_placed = clinic is not None and total <= MOST_PLACED
    positions = list_row_positions(db, asked, clinic, rows) if clinic and is_placed else []
    placed = [one for one in positions if one]
    market_payers = [] if is_placed else _payers_by_row(db, asked, rows)
    return query.render(
        f"pages/{by}.html",
        about=about,
        value=value,
        market=Market(asked.state, asked.year_month, basis=asked.basis, latest=asked.latest),
        asked=asked,
        periods=query.choice.periods,
        payers=payers,
        answer=answer,
        by_organizations=is_placed,
        has_report=clinic is not None,
        # A percentile among all rates has another meaning than a place among organizations.
        has_percentiles=not is_placed and answer.summary.has_percentiles,
        positions=positions,
        placed=placed,
        gaps=sum_gaps(placed),
        lines_apart=_count_apart(placed),
        knows_market=not is_placed and knows_lines(db, asked),
        market_payers=market_payers,
        in_market=_if_few(market_payers),
        oldest_schedule=oldest_schedule_if_newer(db, asked.newest_month),
        rows=rows,
        implausible=sum(row.implausible for row in rows),
        far=sum(row.far_from_others for row in rows),
        counts_everything=counts_everything(asked),
        sort=order,
        within=within,
        paging=Paging(query.values["page"], total),
        answer_rows=sum(choice.rates for choice in payers),
        **query.files_of({choice.value for choice in payers if choice.rates}),
        **who,
    )


def _count_apart(positions: Sequence[ClinicPosition]) -> int:
    """Return how many lines that count are of a part of a service, or of another class than most whole services are.

    The report begins with whole services of one class, and has a tab of each class.
    """
    counted = [one for one in positions if one.counts]
    classes = Counter(class_of_like(one.billing_class) for one in counted if not one.modifier)
    return len(counted) - max(classes.values(), default=0)


def _payers_by_row(db: Snapshot, market: Market, rows: Sequence[provider_rates.CodeRates]) -> list[list[str]]:
    """Return the payers whose rates the market's median of each row is of; none where they are not known."""
    found = list_payers_of_lines(db, market, sorted({row.code for row in rows}))
    return [found.get(tuple(getattr(row, name) for name in LINE), []) for row in rows]


MOST_PAYERS_NAMED = 4


def _if_few(market_payers: Sequence[Sequence[str]]) -> list[str]:
    """Return the payers in the markets of all rows, if they are so few that a market says little."""
    payers = sorted({payer for some in market_payers for payer in some})
    return payers if len(payers) <= MOST_PAYERS_NAMED else []


def _download_rates(query: MarketQuery[ProviderForm], cached: Snapshot, name: str) -> HttpResponseBase:
    db, asked, values = query.db, query.market, query.values
    if values["table"] == "families":
        return query.download(list_family_rates(db, cached, asked), FamilyRates, f"{name}_families")
    if values["table"] == "payers":
        return query.download(list_provider_payers(db, cached, asked), ProviderPayer, f"{name}_payers")
    within = choose_within(db, values["q"], values["family"])
    total, every = provider_rates.list_code_rates(db, cached, asked, ROW_CAP, 0, values["sort"], within)
    return query.download(place_rows(db, asked, total, every), provider_rates.CodeRates, f"{name}_rates")
