"""The pages of the site, each with its address, its view, and what the navigation calls it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpResponseBase

from core.pages import dictionary, home, method, places, quality, search_results
from core.pages.code_pages import changes, codes, feed, medicare, rates, report, trend
from core.pages.desk import baskets, below_schedule, clinic, compensation, contract_rule
from core.pages.parties import groups, organizations, payers, plans, providers, roll_ups


@dataclass(frozen=True)
class SitePage:
    """A page. Those with a label are in the navigation, in the order of PAGES.

    With `keeps_market`, that link leads to the market of the page it is on. With `in_more`, it is in the menu behind
    the others: the navigation fits one line of a small screen.
    """

    path: str
    view: Callable[..., HttpResponseBase]
    name: str
    label: str = ""
    keeps_market: bool = True
    in_more: bool = False


PAGES = (
    SitePage("", home.show_home, "home"),
    SitePage("suggest/", search_results.suggest, "suggest"),
    SitePage("codes/", codes.show_codes, "codes", "Codes"),
    SitePage("rates/", rates.show_rates, "rates", "Rates"),
    SitePage("npi/<str:npi>/", providers.show_npi, "npi"),
    SitePage("tin/<str:tin>/", providers.show_tin, "tin"),
    SitePage("organization/<str:organization>/", roll_ups.show_organization, "organization"),
    SitePage("system/<str:system>/", roll_ups.show_system, "system"),
    SitePage("groups/<str:group>/", groups.show_group, "group"),
    SitePage("plan/<str:plan>/", plans.show_plan, "plan"),
    SitePage("payers/", payers.show_payers, "payers", "Payers"),
    SitePage("plans/", plans.show_plans, "plans", "Plans", keeps_market=False, in_more=True),
    SitePage("organizations/", organizations.show_organizations, "organizations", "Organizations"),
    SitePage("baskets/", baskets.show_baskets, "baskets", "Baskets"),
    SitePage("clinic/", clinic.show_clinic, "clinic", "My clinic", in_more=True, keeps_market=False),
    SitePage("places/", places.show_places, "places", "Places", in_more=True),
    SitePage("specialties/", places.show_specialties, "specialties", "Specialties", in_more=True),
    SitePage("medicare/", medicare.show_medicare, "medicare", "Medicare"),
    SitePage("compensation/", compensation.show_compensation, "compensation", "Workers’ comp", in_more=True),
    SitePage("compensation/below/", below_schedule.show_below_schedule, "below_schedule"),
    SitePage("rule/", contract_rule.show_rule, "rule", "Contract rules", in_more=True),
    SitePage("changes/", changes.show_changes, "changes", "Changes"),
    SitePage("trend/", trend.show_trend, "trend"),
    SitePage("report/", report.show_report, "report"),
    SitePage("feed/", feed.show_feed, "feed"),
    SitePage("quality/", quality.show_quality, "quality", "Data quality", keeps_market=False, in_more=True),
    SitePage("quality/<str:check>/", quality.show_failing_rows, "quality_rows"),
    SitePage("dictionary/", dictionary.show_dictionary, "dictionary"),
    SitePage("method/", method.show_document, "method"),
    SitePage("method/<path:name>/", method.show_document, "method_page"),
)
