"""Health plans: search, the plans that use a file's rates, and one plan with its files."""

from django.http import HttpResponseBase

from core.pages.forms.roll_up_forms import PlanForm, PlansForm
from core.pages.parties.levels_of_payer import find_levels
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.error_pages import sorry
from core.pages.shared.page import PageQuery, page
from core.pages.shared.paging import Paging, span
from core.queries import coverage
from core.queries.find import codes
from core.queries.market.market import Market
from core.queries.payers import plans
from core.vocabulary.services import FAMILIAR_CODES

BUSIEST_CODES = 15


@page(PlansForm)
def show_plans(query: PageQuery[PlansForm]) -> HttpResponseBase:
    """Show `/plans/`"""
    db, text, batch, payer = query.db, query.values["q"], query.values["batch"], query.values["payer"]
    limit, offset = (ROW_CAP, 0) if query.wants_file else span(query.values["page"])
    total, found = plans.find_plans(db, text, limit, offset, batch=batch, payer=payer)
    if query.wants_file:
        return query.download(found, plans.HealthPlan, "plans")
    source = plans.find_source(db, batch) if batch else None
    paging = Paging(query.values["page"], total)
    contents = plans.list_plan_contents(db, [one.plan_key for one in found])
    naming = {} if batch or payer else plans.find_which_name_plans(db)
    rows = [(one, content, _market_of(content)) for one in found if (content := contents.get(one.plan_key))]
    return query.render(
        "pages/plans.html",
        q=text,
        batch=batch,
        payer=dict(coverage.list_payers(db)).get(payer, payer),
        source=source,
        found=rows,
        paging=paging,
        naming=[name for name, named in naming.items() if named],
        without=[name for name, named in naming.items() if not named],
    )


def _market_of(content: plans.PlanContent) -> Market:
    return Market(content.state, content.year_month, plan=content.plan_key)


@page(PlanForm)
def show_plan(query: PageQuery[PlanForm], plan: str) -> HttpResponseBase:
    """Show `/plan/<plan>/`"""
    db = query.db
    found = plans.find_plan(db, plan)
    if found is None:
        why = f"No loaded file is listed for a plan with the key {plan}. Search for its name or id."
        return sorry(query.request, 404, "Plan not found", [("", why)])
    files = plans.list_plan_files(db, plan)
    if query.wants_file:
        return query.download(files, plans.PlanFile, f"{plan[:80]}_files")
    content = plans.list_plan_contents(db, [plan]).get(plan)
    market = _market_of(content) if content else None
    every = codes.list_market_codes(db, market, ROW_CAP) if market else []
    payers = sorted({(file.reporting_entity_name, file.payer_slug) for file in files})
    of_payer = Market(market.state, market.year_month, payer=payers[0][1]) if market and len(payers) == 1 else None
    levels = find_levels(db, of_payer) if of_payer else None
    familiar = {one.code: one for one in levels.codes} if levels else {}
    rates = sum(one.rates for one in every)
    return query.render(
        "pages/plan.html",
        plan=found,
        files=files,
        networks=sorted({name for file in files for name in file.networks}),
        payers=payers,
        levels=levels,
        familiar=[familiar[code] for code in FAMILIAR_CODES if code in familiar],
        is_whole=of_payer is not None and rates == coverage.count_market_rates(db, of_payer),
        rates=rates,
        codes_in_all=len(every),
        files_of_month=len({file.source for file in files if market and file.year_month == market.year_month}),
        market=market,
        # One more tells whether there are more.
        codes=every[: BUSIEST_CODES + 1],
        max_codes=BUSIEST_CODES,
    )
