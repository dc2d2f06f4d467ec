"""What a text of the search box means: the payer, place, specialty, and codes it names, and the words that are left."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.queries.code_titles import CodeKey
from core.queries.find.code_index import CodeIndex
from core.queries.find.named_things import FoundPayer, NamedThings
from core.vocabulary.baskets import named_baskets
from core.vocabulary.find_names import explain_payer, find_city, find_payers, find_specialty
from core.vocabulary.find_services import is_service_word
from core.vocabulary.plan_words import asks_for_plans
from core.vocabulary.search_text import SearchText, read_search
from core.vocabulary.service_words import optional_words, split_words, stem
from core.vocabulary.services import SPELLINGS
from core.vocabulary.setting_words import set_aside_settings


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
class Meaning:
    """What a text means in a generation: what it names, and the words that are left for codes and for providers."""

    said: SearchText
    context: SearchContext
    payers: tuple[str, ...]
    service_words: tuple[str, ...]
    """The words without payer and place."""
    name_words: tuple[str, ...]
    """The words without the place, which may be a provider's town."""


def read_meaning(index: CodeIndex, named: NamedThings, text: str) -> Meaning:
    """Return what a text names in a generation. A number that is no loaded code, or not the one of its words, may be a
    ZIP code."""
    said = read_search(text)
    zip_code = said.zip_code
    for code in list(said.codes):
        is_zip = code.code_type is None and code.code in named.zip_codes
        if is_zip and not (index.has(code) and _is_meant_as_code(index, said, code.code)):
            said.codes.remove(code)
            zip_code = code.code
    city = find_city(said.words, said.state, named.cities)
    name_words = city.rest if city else tuple(said.words)
    payers = find_payers(name_words, named.payer_names)
    specialty = find_specialty([word for word in payers.rest if stem(word.lower()) not in optional_words()])
    context = SearchContext(
        payer=explain_found_payer(named.payers[payers.names[0]], name_words) if len(payers.names) == 1 else None,
        modifier=said.modifiers[0] if said.modifiers else None,
        state=city.state if city and city.state else said.state,
        city=(f"{city.city}, {city.state}" if city.state else city.city) if city else None,
        zip=zip_code,
        specialty=next(iter(specialty.names), None) if not specialty.rest else None,
    )
    return Meaning(said, context, payers.names, payers.rest, name_words)


def _is_meant_as_code(index: CodeIndex, said: SearchText, number: str) -> bool:
    """Return whether a number that is a ZIP code as well is meant as a code: no service is named beside it, or its own.

    "Office visit 31201" looks for a visit in Macon, and not for an operation on the nose.
    """
    words = " ".join(said.words)
    if not any(map(is_service_word, said.words)):
        return True
    return any(code == number for _, code in index.find(read_search(words), words))


def explain_found_payer(payer: FoundPayer, words: Sequence[str]) -> FoundPayer:
    """Return a payer with the reason why these words find it."""
    return replace(payer, why=explain_payer(words, payer.reporting_entity_name))


def find_codes(index: CodeIndex, meant: Meaning, text: str) -> list[CodeKey]:
    """Return the codes that a text means, the best first; none where it means something else."""
    if meant.said.numbers and not meant.said.says_codes:
        return []
    words = " ".join(meant.service_words)
    if meant.context.specialty and not meant.said.says_codes and not _is_service(index, words):
        # Nothing but a specialty is named, and "cardiologist" is not "audiologist" with a typing error. Nor are codes
        # meant that have the words of "imaging center" in their descriptions.
        return []
    if payer_of_plans(meant):
        return []
    if meant.said.says_codes or meant.service_words:
        return index.find(meant.said, words)
    # Nothing but a payer or a place is named, unless the text is blank.
    return [] if split_words(text) else index.find(meant.said, "")


def _is_service(index: CodeIndex, words: str) -> bool:
    return any(map(is_service_word, words.split())) and index.has_service(words)


def leaves_something(index: CodeIndex, meant: Meaning) -> bool:
    """Return whether a text names a code or payer that is not loaded, or has words beside its codes without meaning."""
    if not (meant.payers or meant.context.specialty) and len(meant.service_words) < len(meant.name_words):
        return True
    if not meant.said.says_codes:
        return False
    known = all(is_service_word(word) for word in meant.service_words)
    return not (known and all(map(index.has, meant.said.codes)))


def related_specialty(specialty: str | None) -> str | None:
    """Return the specialty that bills the same services as one of which nobody is known: imaging centers, radiology."""
    found = (one.specialties for one in named_baskets().values() if specialty in one.also_called)
    return next((name for names in found for name in names), None)


def without_specialty(meant: Meaning, text: str) -> Meaning | None:
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


def payer_of_plans(meant: Meaning) -> str | None:
    """Return the payer whose plans a text asks for, by its slug; None if it asks for anything else."""
    payer = meant.context.payer
    return payer.payer_slug if payer and asks_for_plans(meant.service_words) else None


def means_organization(meant: Meaning, keys: Sequence[CodeKey]) -> bool:
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
