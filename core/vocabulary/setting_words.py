"""Words of a question that only say where a service is rendered or how much it costs: "in an office", "cost of"."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.fields.places.care_setting import HOSPITAL_OUTPATIENT, INPATIENT, OFFICE, SURGICAL_CENTER
from core.vocabulary.search_text import read_search
from core.vocabulary.service_words import optional_words, split_words, stem, telling_words

_SETTINGS = {
    OFFICE: ("office", "offices", "doctor office", "doctors office", "physician office", "physicians office"),
    HOSPITAL_OUTPATIENT: ("hospital", "hospitals", "hospital outpatient", "outpatient hospital", "outpatient"),
    SURGICAL_CENTER: ("surgery center", "surgical center", "surgery centers", "surgical centers", "surgicenter", "asc"),
    INPATIENT: ("inpatient", "hospital inpatient", "inpatient hospital"),
}
_CALLED = {tuple(phrase.split()): setting for setting, phrases in _SETTINGS.items() for phrase in phrases}
_LONGEST = max(map(len, _CALLED))
_BETWEEN = frozenset({"or", "vs", "versus", "and", "inside", "within", "setting"})


@dataclass(frozen=True)
class WithoutSetting:
    """A text without the words that only say where or how much, and the settings of care that they named."""

    text: str
    settings: tuple[str, ...]


def set_aside_settings(text: str) -> WithoutSetting | None:
    """Return the rest of a text; None if nothing is left of it, nothing is set aside, or codes are named by number.

    This is not done at first: an office visit is a service, and a hospital may be looked for by its name.
    """
    said = read_search(text)
    if said.says_codes or said.numbers:
        return None
    kept: list[str] = []
    settings: list[str] = []
    for words, setting in _pieces(said.words):
        if setting:
            settings.append(setting)
        elif not _says_nothing(words[0]):
            kept.extend(words)
    if not kept or len(kept) == len(said.words):
        return None
    place = [part for part in (said.state, said.zip_code) if part]
    return WithoutSetting(", ".join([" ".join(kept), *place]), tuple(dict.fromkeys(settings)))


def _pieces(words: Sequence[str]) -> Iterator[tuple[Sequence[str], str | None]]:
    """Yield the words one by one, but those that name a setting together, with the setting."""
    position = 0
    while position < len(words):
        for length in range(min(_LONGEST, len(words) - position), 0, -1):
            some = words[position : position + length]
            if setting := _CALLED.get(tuple(split_words(" ".join(some)))):
                yield some, setting
                position += length
                break
        else:
            yield words[position : position + 1], None
            position += 1


def _says_nothing(word: str) -> bool:
    parts = split_words(word)
    nothing = optional_words() - telling_words()
    return bool(parts) and all(part in _BETWEEN or stem(part) in nothing for part in parts)
