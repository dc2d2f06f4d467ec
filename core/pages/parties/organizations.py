"""A market by tax ID."""

from django.http import HttpResponseBase
from django.utils.text import capfirst

from core.pages.charts import spread_chart
from core.pages.code_pages.no_rates import find_instead
from core.pages.formats import name_tin
from core.pages.forms.market_forms import OrganizationsForm
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.page import MarketQuery, ask_for_code, market_page
from core.pages.shared.paging import Paging, span
from core.queries.find import codes
from core.queries.in_state import find_in_state
from core.queries.likely_rates import find_evidence_switch
from core.queries.market.market_filters import ALL_CLASSES
from core.queries.parties.organizations import Organization, count_totals, list_organizations
from core.queries.parties.roll_ups import list_largest
from core.queries.parties.shared_contracts import SharedContract, list_contracts
from core.queries.parties.tax_id_people import find_elsewhere

MAX_BARS = 10
"""More organizations than these make a figure longer than a screen."""

MOST_SHOWN = 100
"""The organizations of one contract that the page names. The download has all."""

MOST_LARGEST = 50
"""The organizations that the page without a code names. The others are found by name."""


@market_page(OrganizationsForm, "organizations")
def show_organizations(query: MarketQuery[OrganizationsForm]) -> HttpResponseBase:
    """Show `/organizations/`"""
    market, sort = query.market, query.values["sort"]
    if not market.code:
        largest = [] if query.wants_file else list_largest(query.db, market.state, MOST_LARGEST)
        return ask_for_code(query, "organizations", largest=largest)
    words = query.values["q"]
    if query.wants_file:
        every = list_organizations(query.db, market, sort, ROW_CAP, 0, words=words)
        return query.download(every, Organization, f"organizations_{market.code}")
    db = query.cached
    counted = count_totals(db, market)
    found = list_contracts(db, market, sort, *span(query.values["page"]), words)
    paging, rows = Paging(query.values["page"], found.contracts), found.rows
    bars = [
        spread_chart.Bar(_bar_name(row), (row.p10, row.p25, row.p50, row.p75, row.p90), tuple(row.few_prices))
        for row in rows[:MAX_BARS]
    ]
    together = market.classes == ALL_CLASSES
    title = "Rates in dollars by organization" + ("" if together else "; the line marks the middle organization")
    middle = None if together else counted.middle
    return query.render(
        "pages/organizations.html",
        evidence=find_evidence_switch(query.db, market),
        code=codes.describe_code(query.db, market.code_type, market.code),
        totals=counted,
        found=found,
        rows=rows,
        cities_elsewhere=find_elsewhere(db, {one.key for row in rows for one in row.parties}, market.state),
        in_state=find_in_state(db, market),
        most_shown=MOST_SHOWN,
        unlikely_from=max(found.fitting - paging.offset, 0) if found.specialties else None,
        together=together,
        charted=len(bars),
        has_bars=any(not bar.values for bar in bars),
        has_dots=any(bar.values for bar in bars),
        chart=spread_chart.draw_spreads(bars, spread_chart.dollars(middle), title),
        instead=None if counted.dollars else find_instead(query, "rates"),
        paging=paging,
        sort=sort,
    )


def _bar_name(row: SharedContract) -> str:
    name = row.leading.business_name or capfirst(name_tin(row.leading.tin_value, row.leading.tin_type))
    return name if row.organizations == 1 else f"{name} +{row.organizations - 1:,}"
