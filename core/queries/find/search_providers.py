"""The providers that a text of the search box names: by number, by name and town, or by a name with typing errors."""

from bisect import bisect_left
from collections.abc import Sequence

from core.fields.providers.tin import is_tin
from core.fields.texts.near_words import find_near_words
from core.queries.find.named_things import provider_words
from core.queries.find.organizations import FoundProviders, NamedPlace, Provider, find_providers
from core.queries.find.search_meaning import Meaning, SearchContext
from core.queries.rules.folded_names import fold_name
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.vocabulary.find_services import is_service_word

_FORMS_OF_ADDRESS = frozenset({"dr", "doctor", "md", "mr", "mrs", "ms"})


def find_by_number(db: Snapshot, numbers: Sequence[str]) -> list[Provider]:
    """Return the providers whose NPI or tax ID is among the numbers."""
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


def find_meant_providers(db: Snapshot, meant: Meaning, limit: int) -> FoundProviders:
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


def find_by_near_name(db: Snapshot, meant: Meaning, limit: int) -> tuple[str | None, FoundProviders]:
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


def _town(context: SearchContext) -> NamedPlace | None:
    return NamedPlace(city=context.city, zip=context.zip) if context.has_place else None


def _without_address(words: Sequence[str]) -> str:
    return " ".join(word for word in words if word.lower() not in _FORMS_OF_ADDRESS)
