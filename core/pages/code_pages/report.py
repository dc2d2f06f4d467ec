"""A report of a code on one sheet of paper: the answer, a chart, payers, sources, and how to cite it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponseBase

from core.pages.code_pages.same_contracts import list_same_contracts
from core.pages.forms.market_forms import ReportForm
from core.pages.shared.page import MarketQuery, market_page
from core.pages.shared.words.answer_words import describe_answer, find_of_place, mixes_classes
from core.queries.code_answer import AnswerSpread, answer_code, spread_by_terms
from core.queries.comparison.unplaced_payers import find_unplaced
from core.queries.facets import count_choices
from core.queries.find import codes
from core.queries.in_state import find_in_state
from core.queries.loaded_files import list_sources
from core.queries.market.market import Market
from core.queries.middle_organization import find_notable_middle, list_said_prices
from core.queries.parties.shared_contracts import ContractPage, SharedContract, list_contracts
from core.queries.parties.tax_id_people import find_elsewhere
from core.queries.yardstick.like_facility_fees import list_like_facility_fees
from core.queries.yardstick.medicare_amounts import count_amount_lines, find_amounts
from core.store.connection import Snapshot

MAX_PAYERS, MAX_ROWS, MAX_SOURCES, MAX_LINES = 5, 12, 6, 3
"""What fits one sheet: payers of the chart and of the table, files, and amounts. Those with most rates come first."""


MAX_EXTREMES, MAX_MOVES = 3, 3
"""The contracts that pay the most and the least, and the payers whose last change is told."""

MOST_LOOKED_AT = 20
"""The contracts at either end among which those of likely performers are looked for."""


@dataclass(frozen=True)
class _Extremes:
    """The contracts of a market that pay the most and the least, of those that the page may name."""

    page: ContractPage
    best: Sequence[SharedContract]
    worst: Sequence[SharedContract]


def _find_extremes(db: Snapshot, market: Market) -> _Extremes:
    """Return the contracts with the highest and the lowest medians.

    Where it is known who usually performs the service, only organizations are named that are likely to: others have
    the code in a list of prices for everything, and nobody is ever paid these. A contract whose organizations all
    practice in other states is no contract of the state's.
    """
    highest, lowest = (list_contracts(db, market, order, MOST_LOOKED_AT, 0) for order in ("-p50", "p50"))
    parties = {party.key for some in (highest, lowest) for one in some.rows for party in one.parties}
    elsewhere = find_elsewhere(db, parties, market.state).keys()
    down, up = (
        [
            one
            for one in some.rows
            if (not some.specialties or (one.fits and one.likely))
            and any(party.key not in elsewhere for party in one.parties)
        ]
        for some in (highest, lowest)
    )
    several = len({(one.tin_type, one.tin_value) for one in (*down, *up)})
    best = down[: min(MAX_EXTREMES, several // 2)]
    # Of contracts with the same median, both orders begin with the same one.
    worst = [one for one in up if one not in best][: len(best)]
    return _Extremes(highest, best, worst)


@market_page(ReportForm, "report", needs_code=True)
def show_report(query: MarketQuery[ReportForm]) -> HttpResponseBase:
    """Show `/report/`"""
    db, market = query.db, query.market
    spreads = spread_by_terms(query.cached_by_area, market)
    if query.wants_file:
        return query.download(spreads, AnswerSpread, f"report_{market.code}")
    amounts = find_amounts(query.cached, market)
    settings = next((one.settings for one in query.choice.classes if one.chosen), []) if not market.classes else []
    modifiers = count_choices(query.cached, market)["modifier"]
    answer = describe_answer(
        spreads,
        modifiers,
        amounts,
        settings,
        query.find_labels(),
        most_payers=MAX_PAYERS,
        most_amounts=MAX_LINES,
    )
    mixed = mixes_classes(market, query.choice.classes, spreads)
    middle = find_notable_middle(query.cached_by_area, market, spreads)
    found = None if mixed else answer_code(spreads)
    payers = found.payers if found else []
    there = {one.reporting_entity_name for one in payers}
    every = list_sources(db, market.state, market.months, market.payer)
    files = {(one.payer, one.file): one for one in every if one.payer in there}
    extremes = _find_extremes(query.cached, market) if found and not market.classes else None
    slugs = list(dict.fromkeys(filter(None, (one.payer_slug for one in payers))))
    return query.render(
        "pages/report.html",
        middle_organization=middle,
        like_facility_fees=list_like_facility_fees(query.cached, market, list_said_prices(spreads, middle), amounts),
        unplaced=find_unplaced(query.cached, market),
        of_place=find_of_place(query.cached, market, None if mixed else answer),
        extremes=extremes,
        in_state=find_in_state(query.cached, market),
        moves=list_same_contracts(db, market, slugs, MAX_MOVES) if found else [],
        code=codes.describe_code(db, market.code_type, market.code),
        answer=None if mixed else answer,
        mixed=mixed,
        labels=answer.labels if answer else [],
        found=found,
        payers=payers[:MAX_ROWS],
        more_payers=max(len(payers) - MAX_ROWS, 0),
        amounts=count_amount_lines(amounts)[:MAX_LINES],
        sources=list(files.values())[:MAX_SOURCES],
        more_sources=max(len(files) - MAX_SOURCES, 0),
        answer_rows=sum(row.rates for row in spreads if row.reporting_entity_name is None),
    )
