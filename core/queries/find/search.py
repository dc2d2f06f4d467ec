"""The search box: a text may name codes, services, payers, places, specialties, and providers, several at once."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from core.fields.providers.tin import is_tin
from core.fields.texts.near_words import find_near_words
from core.queries.code_titles import CodeKey
from core.queries.find.code_index import CodeIndex, FoundCode, code_index, count_rates_of
from core.queries.find.named_things import FoundPayer, NamedThings, named_things, provider_words
from core.queries.find.not_loaded import NotLoaded, find_not_loaded
from core.queries.parties.plans import HealthPlan, search_plans
from core.queries.parties.roll_ups import OrganizationProfile, SystemProfile, search_organizations, search_systems
from core.queries.rules.columns import described
from core.queries.rules.folded_names import contains_words, fold_name, folded_sql
from core.queries.rules.named_rows import read_page, read_rows
from core.store.connection import Snapshot
from core.vocabulary.baskets import NamedBasket, named_baskets
from core.vocabulary.find_names import find_city, find_payers, find_specialty
from core.vocabulary.find_services import is_service_word
from core.vocabulary.search_text import SearchText, read_search
from core.vocabulary.service_words import optional_words, split_words, stem

LIMIT = 12
"""How many codes, providers and payers are named at most."""


_FORMS_OF_ADDRESS = frozenset({"dr", "doctor", "md", "mr", "mrs", "ms"})


@dataclass(frozen=True)
class Provider:
    """An organization by its tax ID, or a person or organization by its NPI."""

    by: Annotated[str, described("npi or tin.", "npi")]
    value: Annotated[str, described("The NPI or the tax ID.", "1234567893")]
    name: Annotated[str | None, described("Name of the provider, if it is known.", "DOE, JANE")]
    other_name: Annotated[
        str | None,
        described("The other name by which the provider was found; null if its name matches.", "JANE ROE"),
    ] = None


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


@dataclass(frozen=True)
class SearchResults:
    """What a search finds. `corrected` is the corrected text, if the given one matches no code."""

    codes: list[FoundCode]
    codes_in_all: int
    code_text: str
    """What to look for in the list of all codes, which knows no places and payers, to find the same."""
    providers: list[Provider]
    payers: list[FoundPayer]
    corrected: str | None
    corrected_name: str | None = None
    """The words by which the providers were found, if no provider's name has those of the text."""
    context: SearchContext = field(default_factory=SearchContext)
    local_providers: list[Provider] = field(default_factory=list)
    """Providers of the place and specialty that are named."""
    local_in_all: int = 0
    organizations: list[OrganizationProfile] = field(default_factory=list)
    """Organizations with several tax IDs."""
    systems: list[SystemProfile] = field(default_factory=list)
    plans: list[HealthPlan] = field(default_factory=list)
    baskets: list[NamedBasket] = field(default_factory=list)
    """The baskets of the specialty that is named."""
    leaves_something: bool = False
    """Whether the text names a code or a payer that is not loaded, or has words beside its codes that mean nothing."""
    not_loaded: NotLoaded = field(default_factory=NotLoaded)
    """What the text names besides, without any loaded rate."""

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was found."""
        people = self.providers or self.local_providers or self.organizations or self.systems
        return not (self.codes or self.payers or self.plans or people)


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

    If nothing is found, what the text names that is not loaded is set aside, and the rest of it is looked for.
    """
    found = _search(db, text, limit)
    if not (found.is_empty or found.leaves_something) or not split_words(text):
        return found
    not_loaded, texts = find_not_loaded(db, read_search(text), code_index(db), named_things(db), limit)
    for instead in texts if found.is_empty else ():
        found = _search(db, instead, limit)
        if not found.is_empty:
            break
    return replace(found, not_loaded=not_loaded)


def _search(db: Snapshot, text: str, limit: int) -> SearchResults:
    index, named = code_index(db), named_things(db)
    meant = _read_meaning(index, named, text)
    keys = _find_codes(index, meant, text)
    providers = _find_by_number(db, meant.said.numbers) or _find_by_name(db, meant.said.words, limit)
    if not providers and meant.name_words != tuple(meant.said.words):
        providers = _find_by_name(db, meant.name_words, limit, meant.context)
    locals_in_all, local_providers = _find_locally(db, meant, limit)
    corrected = corrected_name = None
    # An organization with several tax IDs is more than one of them; others are found by their tax ID.
    organizations = [one for one in search_organizations(db, text, limit) if one.tins > 1]
    systems = search_systems(db, text, limit)
    if not (providers or organizations or systems):
        corrected_name, providers = _find_by_near_name(db, meant, limit)
    plans = search_plans(db, text, limit)[1] if text.strip() else []
    if not (keys or providers or meant.payers or local_providers or organizations or systems or plans):
        corrected = index.correct_spelling(text)
        keys = index.find(read_search(corrected), corrected) if corrected else []
    if meant.said.codes and not any(map(index.has, meant.said.codes)):
        # What is named is said to have no rates, before what its other words may mean.
        not_loaded = index.describe_named(meant.said)
    else:
        not_loaded = []
    found = [*not_loaded, *(index.describe(key, meant.context.state) for key in keys)][:limit]
    if meant.context.payer and found:
        found = count_rates_of(db, found, meant.context.payer.payer_slug)
    payers = [named.payers[slug] for slug in meant.payers[:limit]]
    return SearchResults(
        codes=found,
        codes_in_all=len(keys) + len(not_loaded),
        code_text=corrected or (text if meant.said.says_codes else " ".join(meant.service_words)),
        providers=providers,
        payers=payers,
        corrected=corrected,
        corrected_name=corrected_name,
        context=meant.context,
        local_providers=local_providers,
        local_in_all=locals_in_all,
        organizations=organizations,
        systems=systems,
        plans=plans,
        baskets=[one for one in named_baskets().values() if meant.context.specialty in one.specialties],
        leaves_something=_leaves_something(index, meant),
    )


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
        payer=named.payers[payers.names[0]] if len(payers.names) == 1 else None,
        modifier=said.modifiers[0] if said.modifiers else None,
        state=city.state if city and city.state else said.state,
        city=(f"{city.city}, {city.state}" if city.state else city.city) if city else None,
        zip=zip_code,
        specialty=next(iter(specialty.names), None) if not specialty.rest else None,
    )
    return _Meaning(said, context, payers.names, payers.rest, name_words)


def _leaves_something(index: CodeIndex, meant: _Meaning) -> bool:
    if not meant.payers and len(meant.service_words) < len(meant.name_words):
        return True
    if not meant.said.says_codes:
        return False
    known = all(is_service_word(word) for word in meant.service_words)
    return not (known and all(map(index.has, meant.said.codes)))


def _find_codes(index: CodeIndex, meant: _Meaning, text: str) -> list[CodeKey]:
    if meant.said.numbers and not meant.said.says_codes:
        return []
    if meant.context.specialty and not any(is_service_word(word) for word in meant.service_words):
        return []  # nothing but a specialty is named, and "cardiologist" is not "audiologist" with a typing error
    if meant.said.says_codes or meant.service_words:
        return index.find(meant.said, " ".join(meant.service_words))
    # Nothing but a payer or a place is named, unless the text is blank.
    return [] if split_words(text) else index.find(meant.said, "")


def _find_by_number(db: Snapshot, numbers: Sequence[str]) -> list[Provider]:
    if not any(map(is_tin, numbers)):
        return []
    return read_rows(
        db,
        Provider,
        """SELECT 'npi' AS "by", npi AS value, name, NULL AS other_name FROM dim_npi
           WHERE npi IN (SELECT unnest($numbers))
           UNION ALL SELECT DISTINCT 'tin', tin_value, shown_name, NULL FROM named_tin
           WHERE tin_value IN (SELECT unnest($numbers))""",
        {"numbers": list(numbers)},
    )


def _find_by_name(
    db: Snapshot, names: Sequence[str], limit: int, context: SearchContext | None = None
) -> list[Provider]:
    """Return the providers whose name has each word, those of a place alone if the context names one."""
    words, has_all = contains_words(" ".join(name for name in names if name.lower() not in _FORMS_OF_ADDRESS), "folded")
    if not words:
        return []
    place, parameters = _place_condition(context or SearchContext())
    # A person is found by the middle name and the suffix as well, and a provider by its other names.
    return read_rows(
        db,
        Provider,
        f"""WITH known AS (
                SELECT 'tin' AS "by", tin_value AS value, shown_name AS name,
                       concat_ws(' ', business_name, city) AS known_as, false AS is_other
                FROM named_tin WHERE business_name IS NOT NULL {"AND false" if place else ""}
                UNION ALL SELECT 'npi', npi, name, concat_ws(' ', name, middle_name, suffix, city), false FROM dim_npi
                    WHERE name IS NOT NULL
                UNION ALL SELECT 'npi', npi, name, other_name, true FROM dim_npi WHERE other_name IS NOT NULL
                UNION ALL SELECT 'npi', npi, name, o.other_name, true
                    FROM npi_other_name o JOIN dim_npi USING (npi)),
            found AS (SELECT *, {folded_sql("known_as")} AS folded FROM known WHERE {has_all}
                {f"AND value IN (SELECT npi FROM provider_profile p WHERE {place})" if place else ""}),
            once AS (
                -- An NPI that is a tax ID as well stands for both: the tax ID's page leads to the NPI.
                FROM found QUALIFY row_number() OVER (PARTITION BY value ORDER BY is_other, "by" DESC, known_as) = 1)
            SELECT "by", value, name, CASE WHEN is_other THEN known_as END AS other_name FROM once
            ORDER BY starts_with(folded, $word0) DESC, is_other, "by" DESC, name, value LIMIT $limit""",
        {**words, **parameters, "limit": limit},
    )


def _find_by_near_name(db: Snapshot, meant: _Meaning, limit: int) -> tuple[str | None, list[Provider]]:
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
        return None, []
    found = _find_by_name(db, words, limit, meant.context if meant.context.has_place else None)
    return (" ".join(words), found) if found else (None, [])


def _find_locally(db: Snapshot, meant: _Meaning, limit: int) -> tuple[int, list[Provider]]:
    """Return the providers of the named place or specialty, of both if both are named, and how many there are."""
    context = meant.context
    only_place = not (meant.service_words or meant.said.says_codes)
    if not (context.specialty or (context.has_place and only_place)):
        return 0, []
    place, parameters = _place_condition(context)
    if context.state and not context.has_place:
        place, parameters = "p.state = $state", {"state": context.state}
    specialty = "p.specialty = $specialty" if context.specialty else ""
    return read_page(
        db,
        Provider,
        f"""SELECT count(*) OVER () AS total, 'npi' AS "by", npi AS value, d.name, NULL AS other_name
            FROM provider_profile p JOIN dim_npi d USING (npi) WHERE {" AND ".join(filter(None, (place, specialty)))}
            ORDER BY p.entity_type = 'organization' DESC, d.name, npi LIMIT $limit OFFSET $offset""",
        {**parameters, **({"specialty": context.specialty} if specialty else {}), "limit": limit, "offset": 0},
    )


def _place_condition(context: SearchContext) -> tuple[str, dict[str, str]]:
    """Return the condition on provider_profile AS p that a context's place makes, empty if it names none."""
    conditions, parameters = [], {}
    if context.zip:
        conditions.append("p.zip = $zip")
        parameters["zip"] = context.zip
    if context.city:
        conditions.append("p.city = $city" if ", " in context.city else "starts_with(p.city, $city || ', ')")
        parameters["city"] = context.city
    return " AND ".join(conditions), parameters
