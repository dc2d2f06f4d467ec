"""The search box: a text may name codes, services, payers, places, specialties, and providers, several at once."""

from dataclasses import replace

from core.queries.coverage import list_coverage
from core.queries.find.code_index import code_index, count_rates_of
from core.queries.find.named_like_places import find_named_like_place
from core.queries.find.named_things import named_things
from core.queries.find.names_in_text import find_organizations_in
from core.queries.find.not_loaded import find_not_loaded
from core.queries.find.organizations import FoundProviders
from core.queries.find.search_meaning import (
    Meaning,
    explain_found_payer,
    find_codes,
    leaves_something,
    means_organization,
    payer_of_plans,
    read_meaning,
    related_specialty,
    without_specialty,
)
from core.queries.find.search_providers import find_by_near_name, find_by_number, find_meant_providers
from core.queries.find.search_results import SearchResults
from core.queries.parties.roll_ups import search_systems
from core.queries.payers.plans import HealthPlan, list_plans_of_payer, search_plans
from core.store.connection import Snapshot
from core.vocabulary.baskets import named_baskets
from core.vocabulary.price_words import set_aside_price
from core.vocabulary.search_text import read_search
from core.vocabulary.service_words import split_words
from core.vocabulary.setting_words import set_aside_settings

LIMIT = 12
"""How many codes, providers and payers are named at most."""


def search_everything(db: Snapshot, text: str, limit: int = LIMIT) -> SearchResults:
    """Return what the text may be: codes by number or words (typing errors forgiven), payers, places, and providers.

    If nothing is found, what only says where or how much is set aside, and then what the text names that is not loaded.
    """
    without_price, price = set_aside_price(text)
    if price and without_price:
        return replace(search_everything(db, without_price, limit), price=price)
    of_clinic = _search_service_of_organization(db, text, limit)
    if of_clinic is not None:
        return of_clinic
    found = _search_with_or_without_setting(db, text, limit)
    if not (found.is_empty or found.leaves_something) or not split_words(text):
        return _with_named_like_place(db, found, text, limit)
    not_loaded, texts = find_not_loaded(db, read_search(text), code_index(db), named_things(db), limit)
    for instead in texts if found.is_empty else ():
        found = _search_with_or_without_setting(db, instead, limit)
        if not found.is_empty:
            break
    found = _with_named_like_place(db, replace(found, not_loaded=not_loaded), text, limit)
    return replace(found, not_loaded=replace(found.not_loaded, words=_not_in_names(not_loaded.words, found)))


def _search_service_of_organization(db: Snapshot, text: str, limit: int) -> SearchResults | None:
    """Return the organizations whose name a text begins or ends with, and the codes that the rest of it means.

    None where it names no organization, or nothing besides.
    """
    named = find_organizations_in(db, text, code_index(db), named_things(db))
    if named is None:
        return None
    services = _search_with_or_without_setting(db, named.rest, limit, only_services=True)
    if not services.codes or services.corrected:
        return None
    found = replace(
        services,
        organizations=list(named.organizations[:limit]),
        organizations_in_all=named.in_all,
        of_name=named.organizations,
        means_organization=True,
        context=replace(services.context, city=None, zip=None),
    )
    if not services.leaves_something:
        return found
    not_loaded, _ = find_not_loaded(db, read_search(named.rest), code_index(db), named_things(db), limit)
    return replace(found, not_loaded=replace(not_loaded, words=_not_in_names(not_loaded.words, found)))


def _with_named_like_place(db: Snapshot, found: SearchResults, text: str, limit: int) -> SearchResults:
    """Return what was found, with the organizations whose names begin with what was taken for a town."""
    place = found.context.city or found.not_loaded.place
    if not place or found.organizations or found.systems:
        return found
    named = find_named_like_place(db, text, place, limit)
    if named is None:
        return found
    services = _search_with_or_without_setting(db, named.rest, limit) if named.rest else found
    if not services.codes or not _are_departments(found):
        services = found
    return replace(
        found,
        codes=services.codes,
        codes_in_all=services.codes_in_all,
        code_text=services.code_text,
        organizations=named.providers.organizations,
        organizations_in_all=named.providers.organizations_in_all,
        means_organization=named.is_more,
        not_loaded=replace(found.not_loaded, place=None) if named.is_more else found.not_loaded,
    )


def _not_in_names(words: str, found: SearchResults) -> str:
    """Return the words that the names of what was found do not have either."""
    names = [
        *(one.organization_name for one in found.organizations),
        *(one.other_name for one in found.organizations),
        *(one.system_name for one in found.systems),
        *(one.name for one in (*found.providers, *found.local_providers)),
        *(one.plan_name for one in found.plans),
    ]
    named = {part for name in names if name for part in split_words(name)}
    return " ".join(word for word in words.split() if not named.issuperset(split_words(word)))


def _search_with_or_without_setting(
    db: Snapshot, text: str, limit: int, *, only_services: bool = False
) -> SearchResults:
    """Return what a text finds; what it finds without its setting if it finds nothing, or hospital departments alone.

    "MRI at a hospital" names the department that a hospital bills MRIs in, and asks for an MRI.
    """
    found = _search(db, text, limit, only_services)
    departments = _are_departments(found)
    if not (found.is_empty or departments) or (rest := set_aside_settings(text)) is None:
        return found
    instead = _search(db, rest.text, limit, only_services)
    # A hospital that is looked for by its name is no setting.
    if instead.is_empty or (rest.settings and not instead.codes) or (departments and _are_departments(instead)):
        return found
    return replace(instead, set_aside=rest.settings)


def _are_departments(found: SearchResults) -> bool:
    """Return whether codes are all that was found, and all of them are revenue codes."""
    nothing_else = not (found.organizations or found.providers or found.local_providers or found.systems)
    return nothing_else and bool(found.codes) and all(one.code_type in _REVENUE for one in found.codes)


_REVENUE = frozenset({"REV", "RC"})
"""The code systems of hospitals' departments."""


def _search(db: Snapshot, text: str, limit: int, only_services: bool = False) -> SearchResults:
    index, named = code_index(db), named_things(db)
    meant = read_meaning(index, named, text)
    keys = find_codes(index, meant, text)
    beside = None if keys else without_specialty(meant, text)
    if beside is not None and (of_service := find_codes(index, beside, text)):
        meant, keys = beside, of_service
    providers = [] if only_services else find_by_number(db, meant.said.numbers)
    known = FoundProviders() if providers or only_services else find_meant_providers(db, meant, limit)
    if known.is_empty and not only_services and (related := related_specialty(meant.context.specialty)):
        meant = replace(meant, context=replace(meant.context, specialty=related))
        known = find_meant_providers(db, meant, limit)
    corrected = corrected_name = None
    systems = [] if only_services else search_systems(db, text, limit)
    if not (providers or systems or only_services) and known.is_empty:
        corrected_name, known = find_by_near_name(db, meant, limit)
    plans = _find_plans(db, meant, text, limit) if text.strip() and not only_services else []
    if known.is_empty and not (keys or providers or meant.payers or systems or plans):
        corrected = index.correct_spelling(text)
        keys = index.find(read_search(corrected), corrected) if corrected else []
    if meant.said.codes and not any(map(index.has, meant.said.codes)):
        # What is named is said to have no rates, before what its other words may mean.
        not_loaded = index.describe_named(meant.said)
    else:
        not_loaded = []
    payer = meant.context.payer
    states = {row.state for row in list_coverage(db) if row.payer_slug == payer.payer_slug} if payer else None
    found = [*not_loaded, *(index.describe(key, meant.context.state, states) for key in keys)][:limit]
    if not meant.said.says_codes:
        # A search in a state answers for it: of the codes that fit best, those that have rates there come first.
        found.sort(key=lambda one: bool(meant.context.state and not one.rates))
    if meant.context.payer and found:
        found = count_rates_of(db, found, meant.context.payer.payer_slug)
    payers = [explain_found_payer(named.payers[slug], meant.name_words) for slug in meant.payers[:limit]]
    return SearchResults(
        codes=found,
        codes_in_all=len(keys) + len(not_loaded),
        code_text=corrected or (text if meant.said.says_codes else " ".join(meant.service_words)),
        providers=providers or known.people,
        payers=payers,
        corrected=corrected,
        corrected_name=corrected_name,
        context=meant.context,
        local_providers=known.local_people,
        local_in_all=known.local_people_in_all,
        organizations=known.organizations,
        organizations_in_all=known.organizations_in_all,
        means_organization=bool(known.organizations) and means_organization(meant, keys),
        systems=systems,
        plans=plans,
        plans_of=payer_of_plans(meant) if plans else None,
        baskets=[one for one in named_baskets().values() if meant.context.specialty in one.called],
        code_is_named=meant.said.says_codes,
        leaves_something=leaves_something(index, meant),
    )


def _find_plans(db: Snapshot, meant: Meaning, text: str, limit: int) -> list[HealthPlan]:
    """Return the plans with each word of a text; those of a payer if it asks for a payer's plans."""
    payer = payer_of_plans(meant)
    return list_plans_of_payer(db, payer, limit, 0)[1] if payer else search_plans(db, text, limit)[1]
