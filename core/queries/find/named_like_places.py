"""Providers whose names begin with what may be a town: "Mesquite radiology" may be a clinic, wherever it is."""

from dataclasses import dataclass, replace

from core.queries.find.organizations import FoundProviders, find_providers
from core.queries.rules.folded_names import fold_name
from core.store.connection import Snapshot
from core.vocabulary.find_names import find_specialty
from core.vocabulary.find_services import is_service_word
from core.vocabulary.search_text import read_search

_MOST_WORDS = 4


@dataclass(frozen=True)
class NamedLikePlace:
    """The organizations whose names begin with the first words of a text, and the text without these words."""

    providers: FoundProviders
    rest: str
    is_more: bool
    """Whether their names have more of the text's words than those of the place: it is then meant by them."""


def find_named_like_place(db: Snapshot, text: str, place: str, limit: int) -> NamedLikePlace | None:
    """Return the organizations that the first words of a text name, which may be `place`; None if there are none.

    Of the words, as many as a name has. What follows a town is looked for there, and may be part of a name as well: a
    specialty is no longer looked for among services then.
    """
    said = read_search(text)
    town = place.partition(",")[0].split()
    if not town or fold_name(" ".join(said.words[: len(town)])) != fold_name(" ".join(town)):
        return None
    for number in range(min(len(said.words), _MOST_WORDS), len(town) - 1, -1):
        name = " ".join(said.words[:number])
        found = find_providers(db, name, limit, state=said.state)
        named = [one for one in found.organizations if fold_name(one.organization_name).startswith(fold_name(name))]
        if not named:
            continue
        in_all = found.organizations_in_all if len(named) == len(found.organizations) else len(named)
        following = find_specialty(said.words[number:]).rest
        rest = following if any(map(is_service_word, following)) else said.words[number:]
        where = f", {said.state}" if said.state else ""
        return NamedLikePlace(
            replace(FoundProviders(), organizations=named, organizations_in_all=in_all),
            f"{' '.join(rest)}{where}" if rest else "",
            is_more=number > len(town),
        )
    return None
