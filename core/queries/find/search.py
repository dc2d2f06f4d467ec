"""The search box: a text may name codes, services, payers, places, specialties, and providers, several at once."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.fields.providers.tin import is_tin
from core.fields.texts.near_words import find_near_words
from core.queries.code_titles import CodeKey
from core.queries.coverage import list_coverage
from core.queries.find.code_index import CodeIndex, FoundCode, code_index, count_rates_of
from core.queries.find.named_like_places import find_named_like_place
from core.queries.find.named_things import FoundPayer, NamedThings, named_things, provider_words
from core.queries.find.names_in_text import find_organizations_in
from core.queries.find.not_loaded import NotLoaded, find_not_loaded
from core.queries.find.organizations import FoundOrganization, FoundProviders, NamedPlace, Provider, find_providers
from core.queries.parties.roll_ups import SystemProfile, search_systems
from core.queries.payers.plans import HealthPlan, list_plans_of_payer, search_plans
from core.queries.rules.folded_names import fold_name
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.vocabulary.baskets import NamedBasket, named_baskets
from core.vocabulary.find_names import explain_payer, find_city, find_payers, find_specialty
from core.vocabulary.find_services import is_service_word
from core.vocabulary.plan_words import asks_for_plans
from core.vocabulary.price_words import set_aside_price
from core.vocabulary.search_text import SearchText, read_search
from core.vocabulary.service_words import optional_words, split_words, stem
from core.vocabulary.services import SPELLINGS
from core.vocabulary.setting_words import set_aside_settings

LIMIT = 12
"""How many codes, providers and payers are named at most."""


_FORMS_OF_ADDRESS = frozenset({"dr", "doctor", "md", "mr", "mrs", "ms"})


@dataclass(frozen=True)
class SearchContext:
    """What a text names besides what it looks for: a payer, a modifier, a place, a specialty. None if it does not."""

    payer: FoundPayer | None = None
    modifier: str | None = None
    state: str | None = None
    city: str | None = None
    """A city and its state, such as DALLAS, TX; or the city alone if several states have one."""
    zip: str | None = None
    specialty: str | None = None

    @property
    def has_place(self) -> bool:
        """Return whether a city or a ZIP code is named."""
        return bool(self.city or self.zip)

    @property
    def filters(self) -> dict[str, str | None]:
        """The filters of a code's rates that the text names."""
        payer = self.payer.payer_slug if self.payer else None
        return {"payer": payer, "modifier": self.modifier, "city": self.city, "zip": self.zip}


@dataclass(frozen=True)
class SearchResults:
    """What a search finds. `corrected` is the corrected text, if the given one matches no code."""

    codes: list[FoundCode]
    codes_in_all: int
    code_text: str
    """What to look for in the list of all codes, which knows no places and payers, to find the same."""
    providers: list[Provider]
    """What a number names, and people by their names."""
    payers: list[FoundPayer]
    corrected: str | None
    corrected_name: str | None = None
    """The words by which the providers were found, if no provider's name has those of the text."""
    context: SearchContext = field(default_factory=SearchContext)
    local_providers: list[Provider] = field(default_factory=list)
    """People of the place and specialty that are named."""
    local_in_all: int = 0
    """How many people those are."""
    organizations: list[FoundOrganization] = field(default_factory=list)
    """Each organization once, whatever number of NPIs and tax IDs it has: by its name, place, or specialty."""
    organizations_in_all: int = 0
    means_organization: bool = False
    """Whether the text rather names organizations than services."""
    of_name: Sequence[FoundOrganization] = ()
    """Where a part of the text names organizations, and the rest a service: these, more than `organizations` has."""
    systems: list[SystemProfile] = field(default_factory=list)
    plans: list[HealthPlan] = field(default_factory=list)
    plans_of: str | None = None
    """The payer, by its slug, whose plans the text asks for and nothing else, if it has any."""
    baskets: list[NamedBasket] = field(default_factory=list)
    """The baskets of the specialty that is named."""
    leaves_something: bool = False
    """Whether the text names a code or a payer that is not loaded, or has words beside its codes that mean nothing."""
    code_is_named: bool = False
    """Whether the text names a code by number."""
    not_loaded: NotLoaded = field(default_factory=NotLoaded)
    """What the text names besides, without any loaded rate."""
    price: str = ""
    """The words of a price that the text names, which was left out: rates are not searched by amount."""
    set_aside: tuple[str, ...] = ()
    """The settings of care that the text names, if what was found is found without them."""

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was found."""
        people = self.providers or self.local_providers or self.organizations or self.systems
        return not (self.codes or self.payers or self.plans or self.baskets or people)

    @property
    def is_organization_or_plan(self) -> bool:
        """Return whether an organization, a health system, a plan, or a payer was found."""
        return bool(self.organizations or self.systems or self.plans or self.payers)


@dataclass(frozen=True)
class _Meaning:
    """What a text means in a generation: what it names, and the words that are left for codes and for providers."""

    said: SearchText
    context: SearchContext
    payers: tuple[str, ...]
    service_words: tuple[str, ...]
    """The words without payer and place."""
    name_words: tuple[str, ...]
    """The words without the place, which may be a provider's town."""


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
    meant = _read_meaning(index, named, text)
    keys = _find_codes(index, meant, text)
    beside = None if keys else _without_specialty(meant, text)
    if beside is not None and (of_service := _find_codes(index, beside, text)):
        meant, keys = beside, of_service
    providers = [] if only_services else _find_by_number(db, meant.said.numbers)
    known = FoundProviders() if providers or only_services else _find_providers(db, meant, limit)
    if known.is_empty and not only_services and (related := _related_specialty(meant.context.specialty)):
        meant = replace(meant, context=replace(meant.context, specialty=related))
        known = _find_providers(db, meant, limit)
    corrected = corrected_name = None
    systems = [] if only_services else search_systems(db, text, limit)
    if not (providers or systems or only_services) and known.is_empty:
        corrected_name, known = _find_by_near_name(db, meant, limit)
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
    payers = [_explained(named.payers[slug], meant.name_words) for slug in meant.payers[:limit]]
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
        means_organization=bool(known.organizations) and _means_organization(meant, keys),
        systems=systems,
        plans=plans,
        plans_of=_payer_of_plans(meant) if plans else None,
        baskets=[one for one in named_baskets().values() if meant.context.specialty in one.called],
        code_is_named=meant.said.says_codes,
        leaves_something=_leaves_something(index, meant),
    )


def _means_organization(meant: _Meaning, keys: Sequence[CodeKey]) -> bool:
    """Return whether a text rather names organizations: by a word for one, or by none of a procedure or visit.

    Pieces of equipment and departments of hospitals are called by the words of organizations' names.
    """
    if meant.said.says_codes:
        return False
    if any(stem(word.lower()) in _WORDS_FOR_ORGANIZATIONS for word in meant.service_words):
        return True
    first = keys[:_FIRST_CODES]
    return all(not (system in SPELLINGS["CPT"] and code[:1].isdigit()) for system, code in first)


_FIRST_CODES = 3
"""A service of which none of so many codes is a procedure is equipment, or a department of a hospital."""

_WORDS_FOR_ORGANIZATIONS = frozenset(map(stem, (
    "clinic", "clinics", "hospital", "hospitals", "center", "centers", "centre", "associates", "group", "practice",
    "practices", "physicians", "partners", "institute", "laboratory", "laboratories", "pharmacy", "llc", "pllc", "pa",
    "pc", "inc", "hospice", "agency", "orthopedics", "orthopaedics",
)))  # fmt: skip


def _explained(payer: FoundPayer, words: Sequence[str]) -> FoundPayer:
    """Return a payer with the reason why these words find it."""
    return replace(payer, why=explain_payer(words, payer.reporting_entity_name))


def _read_meaning(index: CodeIndex, named: NamedThings, text: str) -> _Meaning:
    said = read_search(text)
    zip_code = said.zip_code
    for code in list(said.codes):
        if code.code_type is None and code.code in named.zip_codes and not index.has(code):
            said.codes.remove(code)
            zip_code = code.code
    city = find_city(said.words, said.state, named.cities)
    name_words = city.rest if city else tuple(said.words)
    payers = find_payers(name_words, named.payer_names)
    specialty = find_specialty([word for word in payers.rest if stem(word.lower()) not in optional_words()])
    context = SearchContext(
        payer=_explained(named.payers[payers.names[0]], name_words) if len(payers.names) == 1 else None,
        modifier=said.modifiers[0] if said.modifiers else None,
        state=city.state if city and city.state else said.state,
        city=(f"{city.city}, {city.state}" if city.state else city.city) if city else None,
        zip=zip_code,
        specialty=next(iter(specialty.names), None) if not specialty.rest else None,
    )
    return _Meaning(said, context, payers.names, payers.rest, name_words)


def _leaves_something(index: CodeIndex, meant: _Meaning) -> bool:
    if not (meant.payers or meant.context.specialty) and len(meant.service_words) < len(meant.name_words):
        return True
    if not meant.said.says_codes:
        return False
    known = all(is_service_word(word) for word in meant.service_words)
    return not (known and all(map(index.has, meant.said.codes)))


def _is_service(index: CodeIndex, words: str) -> bool:
    return any(map(is_service_word, words.split())) and index.has_service(words)


def _find_codes(index: CodeIndex, meant: _Meaning, text: str) -> list[CodeKey]:
    if meant.said.numbers and not meant.said.says_codes:
        return []
    words = " ".join(meant.service_words)
    if meant.context.specialty and not meant.said.says_codes and not _is_service(index, words):
        # Nothing but a specialty is named, and "cardiologist" is not "audiologist" with a typing error. Nor are codes
        # meant that have the words of "imaging center" in their descriptions.
        return []
    if _payer_of_plans(meant):
        return []
    if meant.said.says_codes or meant.service_words:
        return index.find(meant.said, words)
    # Nothing but a payer or a place is named, unless the text is blank.
    return [] if split_words(text) else index.find(meant.said, "")


def _related_specialty(specialty: str | None) -> str | None:
    """Return the specialty that bills the same services as one of which nobody is known: imaging centers, radiology."""
    found = (one.specialties for one in named_baskets().values() if specialty in one.also_called)
    return next((name for names in found for name in names), None)


def _without_specialty(meant: _Meaning, text: str) -> _Meaning | None:
    """Return a text's meaning where a part of it names a specialty, and the rest a service; None if it does not.

    Together they may be the name of a service, such as "physical therapy evaluation": that is looked for before. A
    hospital or a surgery center beside a service is the setting of care.
    """
    without_setting = set_aside_settings(text)
    if without_setting and without_setting.settings:
        return None
    specialty = find_specialty([word for word in meant.service_words if stem(word.lower()) not in optional_words()])
    if meant.said.says_codes or not specialty.names or not any(map(is_service_word, specialty.rest)):
        return None
    context = replace(meant.context, specialty=specialty.names[0])
    return replace(meant, context=context, service_words=specialty.rest)


def _find_plans(db: Snapshot, meant: _Meaning, text: str, limit: int) -> list[HealthPlan]:
    """Return the plans with each word of a text; those of a payer if it asks for a payer's plans."""
    payer = _payer_of_plans(meant)
    return list_plans_of_payer(db, payer, limit, 0)[1] if payer else search_plans(db, text, limit)[1]


def _payer_of_plans(meant: _Meaning) -> str | None:
    """Return the payer whose plans a text asks for, by its slug; None if it asks for anything else."""
    payer = meant.context.payer
    return payer.payer_slug if payer and asks_for_plans(meant.service_words) else None


def _find_by_number(db: Snapshot, numbers: Sequence[str]) -> list[Provider]:
    if not any(map(is_tin, numbers)):
        return []
    return read_rows(
        db,
        Provider,
        # An NPI that is billed under is one provider: its page as a tax ID has the rates, and links to that of the NPI.
        """WITH billed AS (
               SELECT tin_value, bool_or(tin_type = 'npi') AS is_npi, min(shown_name) AS shown_name
               FROM named_tin WHERE tin_value IN (SELECT unnest($numbers)) GROUP BY tin_value)
           SELECT 'npi' AS "by", npi AS value, name, NULL AS other_name, p.city
           FROM dim_npi LEFT JOIN provider_profile p USING (npi)
           WHERE npi IN (SELECT unnest($numbers)) AND npi NOT IN (SELECT tin_value FROM billed)
           UNION ALL
           SELECT 'tin', tin_value, coalesce(shown_name, n.name), NULL, p.city FROM billed
           LEFT JOIN provider_profile p ON is_npi AND p.npi = tin_value
           LEFT JOIN dim_npi n ON is_npi AND n.npi = tin_value""",
        {"numbers": list(numbers)},
    )


def _find_providers(db: Snapshot, meant: _Meaning, limit: int) -> FoundProviders:
    """Return the providers whose name and town have each word, or else each word besides the place, of that place.

    Those of the named place or specialty are found as well, of both if both are named.
    """
    context = meant.context
    place = NamedPlace(context.state, context.city, context.zip, context.specialty)
    only_place = context.has_place and not meant.name_words
    at = place if context.specialty or only_place else None
    if only_place:
        # A name with the town in it may be one of another town.
        return find_providers(db, "", limit, at=at, state=context.state)
    found = find_providers(db, _without_address(meant.said.words), limit, at=at, state=context.state)
    if not (found.organizations or found.people) and meant.name_words != tuple(meant.said.words):
        words = _without_address(meant.name_words)
        found = find_providers(db, words, limit, within=_town(context), at=at, state=context.state)
    return found


def _town(context: SearchContext) -> NamedPlace | None:
    return NamedPlace(city=context.city, zip=context.zip) if context.has_place else None


def _without_address(words: Sequence[str]) -> str:
    return " ".join(word for word in words if word.lower() not in _FORMS_OF_ADDRESS)


def _find_by_near_name(db: Snapshot, meant: _Meaning, limit: int) -> tuple[str | None, FoundProviders]:
    """Return the words of providers' names that a text may be with typing errors, and the providers; None and nobody.

    Words that mean something else, a service or a payer, are no errors.
    """
    known = provider_words(db) if len(meant.name_words) > 1 and not meant.payers else ()
    words, wrong = [], 0
    for word in map(fold_name, meant.name_words if known else ()):
        at = bisect_left(known, word)
        is_known = known[at : at + 1] and known[at].startswith(word)
        near = [] if is_known or is_service_word(word) else find_near_words(word, known)
        wrong += bool(near)
        words.append(near[0] if near else word)
    if not wrong:
        return None, FoundProviders()
    context = meant.context
    found = find_providers(db, _without_address(words), limit, within=_town(context), state=context.state)
    return (None if found.is_empty else " ".join(words)), found
