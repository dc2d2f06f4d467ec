"""What a text of the search box stands for: organizations, codes with their middle rates, payers, and people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.http import HttpResponseBase
from django.shortcuts import redirect, render

from core.fields.codes.code_list import WantedCode
from core.fields.places.care_setting import FACILITY_OR_UNSTATED, NON_FACILITY_OR_UNSTATED, OFFICE, SIDES
from core.pages.forms.query_form import CodesForm, HomeForm
from core.pages.shared import urls
from core.pages.shared.page import PageQuery, page
from core.pages.shared.words.answer_words import describe_setting, describe_terms
from core.queries.classes.class_counts import COMPONENTS
from core.queries.code_titles import CodeKey
from core.queries.find.asked_settings import SettingPrice, find_setting_prices
from core.queries.find.code_index import FoundCode, code_index
from core.queries.find.middle_rates import MiddleRate, count_middles, find_middle_rates
from core.queries.find.named_things import count_known_providers, named_things
from core.queries.find.own_rates import OwnRate, find_own_rates
from core.queries.find.search import LIMIT, search_everything
from core.queries.find.search_results import SearchResults
from core.queries.rules.measured_class import class_of_like
from core.store.connection import Snapshot
from core.vocabulary.find_names import find_payers
from core.vocabulary.page_words import NamedPage, find_named_page
from core.vocabulary.price_words import set_aside_price
from core.vocabulary.search_text import read_search
from core.vocabulary.services import SPELLINGS

MAX_SUGGESTIONS = 7
_LIKE_CPT = frozenset(SPELLINGS["CPT"])
"""Systems that payers label one code with. Without the system, the page shows the one that has rates."""


OrganizationOf = tuple[str | None, str | None]
"""The key of an organization that was found, and the first of its tax IDs."""


@dataclass(frozen=True)
class StateLink:
    """A state that has rates of a code, how many, and their page."""

    state: str
    rates: int
    address: str


@dataclass(frozen=True)
class NamedPageLink:
    """A page that the words name, and the code that its link is about; no code if they name none."""

    page: str
    code: str
    address: str


@dataclass(frozen=True)
class CodeRow:
    """A code that was found, with what its page opens with if that was looked for and it has rates in dollars."""

    code: FoundCode
    asked: bool
    middle: MiddleRate | None
    terms: str
    """Whose fee the middle rate is, and where."""
    elsewhere: Sequence[StateLink] = ()
    """The states that have rates of the code, where the one that was asked for has none."""


@page(CodesForm)
def suggest(query: PageQuery[CodesForm]) -> HttpResponseBase:
    """Answer `/suggest/?q=…`: the first things that a text may stand for, as options of a list under the search box."""
    found = search_everything(query.db, query.values["q"], MAX_SUGGESTIONS)
    return render(query.request, "partials/suggestions.html", {"found": found, "context": found.context})


def show_results(query: PageQuery[HomeForm], text: str) -> HttpResponseBase:
    """Return what a text may stand for, or go to the page that it names, or to the one thing that a number means."""
    named = _find_page(query.db, text)
    if named and (address := _only_page(named)):
        return redirect(address)
    found = search_everything(query.db, text)
    if named and named.rest and (found.not_loaded.says_something or not found.is_organization_or_plan):
        # The words name a page of the site, and nothing that is loaded.
        found = search_everything(query.db, named.rest)
    if found.plans_of:
        return redirect(urls.to("plans", None, payer=found.plans_of))
    address = None if named else _only_meaning(found, set_aside_price(text)[0])
    if address:
        return redirect(address)
    context = found.context
    middles, asked = find_middle_rates(query.db, found.codes, context.filters), count_middles(context.filters)
    looked_at = {one.key for one in found.codes[:asked]}
    found = _without_dollars_last(found, middles, asked)
    own = _find_own_rates(query.db, found)
    found = _with_rate_first(found, own)
    first = middles.get(found.codes[0].key) if found.codes else None
    links = _link_settings(found, first) if first else []
    others = [one for one, _ in links if first and one in SIDES and one not in first.settings]
    prices = find_setting_prices(query.db, found.codes[0], others, context.filters) if others else []
    codes = [_describe(code, code.key in looked_at, middles.get(code.key)) for code in found.codes]
    if context.state and not context.payer:
        codes = [replace(one, elsewhere=_link_elsewhere(query.db, one.code)) for one in codes]
    return query.render(
        "pages/search.html",
        q=query.values["q"],
        state=query.values["state"],
        found=found,
        own=own,
        asked_rate=next((rate for rates in own.values() for rate in rates), None),
        paid_of_name=len(own) if found.of_name else 0,
        codes=codes,
        elsewhere=_list_states(codes),
        there=sum(1 for one in codes if one.code.rates),
        priced_there=sum(1 for one in codes if one.code.rates and not (one.asked and one.middle is None)),
        named_page=named and _link_page(named, found),
        settings=[(describe_setting(one), address) for one, address in links],
        prices=[_describe_price(one, dict(links)[one.setting]) for one in prices],
        # Of a scan, the two prices name the reading and the whole.
        are_unlike=any(class_of_like(one.billing_class) == "professional" and not one.modifier for one in prices),
        context=context,
        known=count_known_providers(query.db),
    )


def _without_dollars_last(found: SearchResults, middles: Mapping[CodeKey, MiddleRate], asked: int) -> SearchResults:
    """Return what was found, with the codes last whose rates are none in dollars: they have no price to compare."""
    lacking = {one.key for one in found.codes[:asked] if one.rates and one.key not in middles}
    return replace(found, codes=sorted(found.codes, key=lambda one: one.key in lacking))


def _find_own_rates(db: Snapshot, found: SearchResults) -> Mapping[OrganizationOf, Sequence[OwnRate]]:
    """Return what the organizations that are named beside a service are paid for it, by the organization."""
    if not found.codes or not (found.of_name or found.code_is_named):
        return {}
    own: dict[OrganizationOf, list[OwnRate]] = {}
    for one in find_own_rates(db, found.of_name or found.organizations, found.codes, found.context.filters):
        own.setdefault((one.organization_id, one.tin), []).append(one)
    return own


def _with_rate_first(found: SearchResults, own: Mapping[OrganizationOf, object]) -> SearchResults:
    """Return what was found, with the organizations first that have a rate for the code that is asked for.

    Of those that a name finds, the others are left out: none of them answers the question.
    """
    if not own:
        return found
    paid = [one for one in found.of_name or found.organizations if (one.organization_id, one.tin) in own]
    others = [] if found.of_name else [one for one in found.organizations if one not in paid]
    return replace(found, organizations=[*paid, *others][:LIMIT])


def _find_page(db: Snapshot, text: str) -> NamedPage | None:
    """Return the page of the site that a text names, unless a payer that is loaded is called so."""
    named = find_named_page(text)
    if named and find_payers(named.phrase.split(), named_things(db).payer_names).names:
        return None
    return named


def _only_page(named: NamedPage) -> str | None:
    """Return the address of a page that a text names with no more than a code and a state; None if it says more."""
    said = named.only_code
    if said is None:
        return None
    return _address_of(named, said.state, said.codes[0] if said.codes else None)


def _link_page(named: NamedPage, found: SearchResults) -> NamedPageLink:
    """Return the link to a page that a text names: about the first code that the rest of the text means."""
    code = found.codes[0] if found.codes else None
    state = found.context.state or (code.state if code else None)
    return NamedPageLink(named.page, code.code if code else "", _address_of(named, state, code))


def _address_of(named: NamedPage, state: str | None, code: WantedCode | FoundCode | None) -> str:
    return urls.to(named.page, None, state=state, code_type=code and code.code_type, code=code.code if code else None)


def _link_elsewhere(db: Snapshot, code: FoundCode) -> Sequence[StateLink]:
    """Return the states that have rates of a code that has none in the state that was asked for, most rates first."""
    if code.rates:
        return []
    by_state = code_index(db).rates.get(code.key, {})
    return [
        StateLink(state, rates, urls.to("rates", None, state=state, code_type=code.code_type, code=code.code))
        for state, (_, rates) in sorted(by_state.items(), key=lambda one: (-one[1][1], one[0]))
    ]


def _list_states(codes: Sequence[CodeRow]) -> list[StateLink]:
    """Return each state that has rates of the codes, with its link to the first of them that it has.

    None if most of the codes have rates in the state that was asked for.
    """
    if 2 * sum(1 for one in codes if one.code.rates) > len(codes):
        return []
    first: dict[str, StateLink] = {}
    for link in (one for code in codes for one in code.elsewhere):
        first.setdefault(link.state, link)
    return list(first.values())


def _describe(code: FoundCode, asked: bool, middle: MiddleRate | None) -> CodeRow:
    if middle is None:
        return CodeRow(code, asked, None, "")
    billing_class = middle.measured_as or class_of_like(middle.billing_class)
    parts = COMPONENTS if middle.has_parts else ()
    return CodeRow(code, asked, middle, describe_terms(billing_class, middle.modifier, parts, middle.settings))


@dataclass(frozen=True)
class PriceRow:
    """What the first code is paid in a setting that the words name, with the page that shows these rates."""

    price: SettingPrice
    terms: str
    address: str


def _describe_price(price: SettingPrice, address: str) -> PriceRow:
    billing_class = class_of_like(price.billing_class)
    return PriceRow(price, describe_terms(billing_class, price.modifier, (), [price.setting]), address)


def _link_settings(found: SearchResults, middle: MiddleRate) -> list[tuple[str, str]]:
    """Return the settings that were set aside in which the first code's rates hold, and the addresses of these."""
    sides = [NON_FACILITY_OR_UNSTATED if one == OFFICE else FACILITY_OR_UNSTATED for one in found.set_aside]
    settings = [one for one in dict.fromkeys((*sides, *found.set_aside)) if one in middle.divided_by]
    of_code = {"state": middle.state, "code_type": middle.code_type, "code": middle.code, **found.context.filters}
    return [(one, urls.to("rates", None, **of_code, care_setting=one)) for one in settings]


def _only_meaning(found: SearchResults, text: str) -> str | None:
    """Return the address of the one thing that a number stands for; None if there are several or none."""
    said = read_search(text)
    if len(found.providers) == 1 and said.numbers and not found.codes:
        provider = found.providers[0]
        return urls.to(provider.by, None, state=found.context.state, **{provider.by: provider.value})
    codes = {code.code for code in found.codes}
    if found.not_loaded.says_something or (said.words and (found.organizations or found.systems)):
        return None  # a page says it first
    if len(codes) != 1 or found.codes_in_all != len(found.codes) or not (said.says_codes or text.strip().isdigit()):
        return None
    code = found.codes[0]
    system = code.code_type if code.code_type not in _LIKE_CPT else None
    return urls.to("rates", None, state=found.context.state, code_type=system, code=code.code, **found.context.filters)
