"""What a question will cost, estimated from what it asks for, before any of it is read.

The facts are sorted by state, month, code system and code, so a question about one code reads one or two row groups of
each file, and a question without a code reads a whole month. The estimate decides the lane of a request (see
`admission.py`), and which questions are not asked at all in a store of this size.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings

from core.fields.codes import code_list
from core.pages.forms.basket_forms import MedicareListForm
from core.pages.forms.compensation_form import BelowForm
from core.pages.forms.market_forms import ChangesForm, FeedForm, MarketForm, MedicareForm, ProviderForm, RuleForm
from core.pages.forms.quality_form import QualityForm
from core.pages.forms.query_form import QueryForm
from core.queries import coverage
from core.queries.latest import find_latest
from core.queries.market.market import Market
from core.queries.market.market_filters import BASIS, FILTERS
from core.queries.over_time.matching import count_payees, names_organization
from core.store.connection import Snapshot
from core.store.generations.layout import layout_named, parts
from core.store.parquet.writer import ROW_GROUP_ROWS
from core.store.schema.tables import FACT_RATE
from core.vocabulary.baskets import named_baskets

Weigh = Callable[[Snapshot, Any], int]
"""Estimates how many facts the question of a valid form reads."""

HEAVY_ROWS = 10_000_000
"""A question that reads more facts than this belongs to the heavy ones: half a second of a processor."""

_ROW_GROUPS_PER_CODE = 2
_CODES_OF_RANGE = 20
_WHOLE_WORK = 50
"""Comparing or matching every rate of a month costs about fifty times as much as reading it: comparing the 247,000
rates of five payers' files takes 1.1 seconds of a processor."""


def weigh_question(db: Snapshot, form: QueryForm) -> int:
    """Estimate the question of a form. Those that are not about rates read small tables only."""
    if isinstance(form, ProviderForm):
        return _weigh_provider(db, form)
    if not isinstance(form, MarketForm):
        return 0
    codes = sum(map(_weigh_listed, code_list.read_codes(str(form.cleaned_data.get("codes") or ""))))
    if basket := named_baskets().get(str(form.cleaned_data.get("basket") or "")):
        codes += len(basket.codes)
    codes = codes or int(bool(form.cleaned_data["code"]))
    if codes:
        return _weigh_codes(db, form, codes)
    # The other pages ask for a code, or show what is loaded.
    if isinstance(form, RuleForm):
        # Every price is tried on every release and locality: seconds of a processor, however few rates there are.
        return HEAVY_ROWS + 1 if form.cleaned_data["payer"] else 0
    if isinstance(form, MedicareListForm) and form.cleaned_data["format"] == "html" and not _narrows(form):
        # The page asks for a code, and has the medians of all baskets, as a payer's page has them.
        return 0
    whole = isinstance(form, (MedicareForm, BelowForm)) or (
        isinstance(form, (ChangesForm, FeedForm)) and (form.cleaned_data["payer"] or names_organization(form.market()))
    )
    # Without a payer, the page of changes counts those of all payers, unless they are too many.
    rates = _rates_of_months(db, form) if whole or isinstance(form, ChangesForm) else 0
    return _WHOLE_WORK * rates if whole or rates <= settings.BEACONPOINT_WHOLE_RATES else 0


def _narrows(form: MarketForm) -> bool:
    return any(form.cleaned_data.get(name) for name in (*FILTERS, BASIS))


def _weigh_listed(wanted: code_list.WantedCode) -> int:
    return _CODES_OF_RANGE if wanted.ends else 1


def _weigh_codes(db: Snapshot, form: MarketForm, codes: int) -> int:
    files = _files_of_month(db, form.cleaned_data["state"], form.cleaned_data["year_month"])
    row_groups = _months(form) * codes * _ROW_GROUPS_PER_CODE * files
    return min(row_groups * ROW_GROUP_ROWS, _rates_of_months(db, form))


def _weigh_provider(db: Snapshot, form: MarketForm) -> int:
    # Copies by provider group have a provider's rates side by side. Without them a whole month is read.
    facts = db.manifest.tables.get(FACT_RATE.name, ())
    return 0 if len(db.manifest.copies(facts)) == len(facts) else _rates_of_months(db, form)


def weigh_check(db: Snapshot, form: QualityForm) -> int:
    """Estimate the search for the rows behind a check."""
    values = form.cleaned_data
    rates = coverage.count_loaded_rates(db, values["state"], [values["year_month"]], values["payer"])
    # Too many are not looked at: the page shows what the newest run of the checks has recorded.
    return _WHOLE_WORK * rates if rates <= settings.BEACONPOINT_WHOLE_RATES else 0


def is_too_broad(db: Snapshot, market: Market, earlier_month: str = "") -> bool:
    """Return whether a market is too large for a question that needs each of its rates, and has no code."""
    if market.code:
        return False
    earlier = coverage.count_loaded_rates(db, market.state, [earlier_month], market.payer) if earlier_month else 0
    return coverage.count_market_rates(db, market) + earlier > settings.BEACONPOINT_WHOLE_RATES


def is_too_broad_to_match(db: Snapshot, market: Market, earlier_month: str) -> bool:
    """Return whether too much would have to be matched between two months, without a code.

    Each rate is matched once for each tax ID of its group. A payer whose groups have hundreds of them has as much to
    match as another with a hundred times the rates. Without an earlier month, nothing is matched.
    """
    if not earlier_month:
        return is_too_broad(db, market)
    if market.code or names_organization(market):
        return False
    payees = count_payees(db)
    rates = sum(
        row.rates * payees.get((row.payer_slug, row.year_month), 1.0)
        for row in coverage.list_coverage(db)
        if row.state == market.state
        and row.year_month in {market.year_month, earlier_month}
        and (market.payer or row.payer_slug) == row.payer_slug
    )
    return rates > settings.BEACONPOINT_WHOLE_RATES


def is_too_broad_for_news(db: Snapshot, market: Market) -> bool:
    """Return whether too much would have to be matched to find the changes of a question in the newest two months."""
    months = sorted({row.year_month for row in coverage.list_coverage(db) if row.state == market.state})
    earlier, newest = ["", "", *months][-2:]
    return is_too_broad_to_match(db, replace(market, year_month=newest, latest=None), earlier)


def _rates_of_months(db: Snapshot, form: MarketForm) -> int:
    """Return the rates of the months that a form is about; of the latest file of each payer if it names none."""
    state, month = form.cleaned_data["state"], form.cleaned_data["year_month"]
    if state and not month and not isinstance(form, ChangesForm):
        return find_latest(db, state).rates
    fitting = [
        period.rates
        for period in coverage.list_periods(db)
        if state in {"", period.state} and month in {"", period.year_month}
    ]
    return _months(form) * max(fitting, default=0)


def _months(form: MarketForm) -> int:
    return 2 if isinstance(form, (ChangesForm, FeedForm)) else 1


def _files_of_month(db: Snapshot, state: str, year_month: str) -> int:
    """Return how many files a state's month is divided into, at least 1."""
    wanted = {"state": state, "year_month": year_month}
    by = layout_named(db.manifest.layout).by
    shards: dict[str, int] = {}
    for file in db.manifest.tables.get(FACT_RATE.name, ()):
        values = parts(file.shard)
        if all(wanted[name] in {"", values[name]} for name in by):
            shards[file.shard] = shards.get(file.shard, 0) + 1
    return max(shards.values(), default=1)
