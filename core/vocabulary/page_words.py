"""Phrases of a search that name a page of the site: "workers comp" and "medicare"."""

from dataclasses import dataclass

from core.vocabulary.search_text import SearchText, read_search
from core.vocabulary.service_words import optional_words, split_words, stem

_COMPENSATION = tuple(
    (worker, short)
    for worker in ("workers", "worker", "workman", "workmans", "workmen", "workmens", "work")
    for short in ("compensation", "comp")
)
_CALLED: dict[tuple[str, ...], str] = {("medicare",): "medicare"}
_CALLED.update(dict.fromkeys(_COMPENSATION, "compensation"))
_LONGEST = max(map(len, _CALLED))
_OTHER_NAMES = frozenset({"advantage", "supplement"})
"""What follows Medicare where a kind of plan is named."""

_ABOUT_SCHEDULES = frozenset({"schedule", "schedules", "fee", "fees", "percent", "allowed", "amount", "amounts"})


@dataclass(frozen=True)
class NamedPage:
    """A page that a text names, by its name in addresses, and the text without the words that name it."""

    page: str
    phrase: str
    rest: str

    @property
    def only_code(self) -> SearchText | None:
        """What is left of the text if that is no more than a code and a state; None if it says anything else."""
        said = read_search(self.rest)
        words = [word for word in said.words if word.lower() not in _ABOUT_SCHEDULES]
        says_more = said.numbers or said.ranges or said.modifiers or said.zip_code or len(said.codes) > 1
        return None if says_more or any(stem(word.lower()) not in optional_words() for word in words) else said


def find_named_page(text: str) -> NamedPage | None:
    """Return the page that a text names; None if it names none."""
    pieces = text.split()
    for first in range(len(pieces)):
        for last in range(min(len(pieces), first + _LONGEST), first, -1):
            phrase, after = " ".join(pieces[first:last]), split_words(" ".join(pieces[last : last + 1]))
            page = _CALLED.get(tuple(split_words(phrase)))
            if page and not _OTHER_NAMES.intersection(after):
                return NamedPage(page, phrase, " ".join([*pieces[:first], *pieces[last:]]))
    return None
