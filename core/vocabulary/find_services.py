"""Find the services that a text in plain words means, and the codes that bill them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from core.fields.texts.near_words import find_near_words
from core.vocabulary.asked_codes import ASKED_CODES
from core.vocabulary.service_index import IndexedService, ServiceIndex, Stems, service_index
from core.vocabulary.service_words import optional_words, service_words, split_words, stem, telling_words
from core.vocabulary.services import ServiceCode

_MIN_COVERED = 0.6
"""What part of a text, by what its words say, a service has to cover."""
_MAX_BEHIND = 0.2
"""How much less of the text a service may cover than the best one."""
_MIN_PREFIX = 3
_PREFIX_COUNTS = 0.9
"""What a word counts that is only the beginning of one of the vocabulary."""
_ASKED_SCORE = 0.9
"""That of the code that is asked for most of a kind, of which each code would have about 0.8."""
_PER_POSITION = 0.004
"""What each code counts less than the one before it in its service: the commonest are first."""


@dataclass(frozen=True)
class ServiceMatch:
    """A code that bills what a text means. A higher score is a better match; 1 is about the best."""

    service: str
    code: ServiceCode
    score: float
    covered: float
    """What part of the text the service covers, from 0 to 1."""


@dataclass(frozen=True)
class _WordMeaning:
    """What a word of the text may be in the vocabulary, and how much each counts."""

    stems: dict[str, float]
    weight: float
    is_optional: bool
    is_telling: bool


@lru_cache(maxsize=1024)
def find_services(text: str) -> tuple[ServiceMatch, ...]:
    """Return the codes of the services that a text means, best first: "knee mri", "mri of the kne w/o contrast"."""
    index = service_index()
    words = correct_words(split_words(text))
    meanings = list(_meanings(index, service_words(words)))
    total = sum(one.weight for one in meanings if not one.is_optional)
    if not total:
        return ()
    candidates = {
        id(service): service
        for one in meanings
        if not one.is_optional
        for found in one.stems
        for service in index.by_stem.get(found, ())
    }
    matches: dict[tuple[str, str], ServiceMatch] = {}
    for service in candidates.values():
        # Most services share one word with the text and are left out here, quickly.
        if _covered(meanings, service.stems) < _MIN_COVERED * total:
            continue
        for match in _score_codes(index, service, meanings, total):
            key = (match.code.code_type, match.code.code)
            if key not in matches or matches[key].score < match.score:
                matches[key] = match
    _prefer_asked(matches, words)
    best = max((match.covered for match in matches.values()), default=0.0)
    least = max(_MIN_COVERED, best - _MAX_BEHIND)
    kept = [match for match in matches.values() if match.covered >= least]
    return tuple(sorted(kept, key=lambda match: (-match.score, match.code.code_type, match.code.code)))


def _prefer_asked(matches: dict[tuple[str, str], ServiceMatch], words: list[str]) -> None:
    """Put the codes first that people mean if they only say a kind: all of its scans match a text of one word alike."""
    asked = _asked_codes().get(_telling_stems(words), ())
    best = max((match.score for match in matches.values()), default=0.0)
    first = max(_ASKED_SCORE, best + _PER_POSITION * len(asked))
    covered = max((match.covered for match in matches.values()), default=0.0)
    for key, match in matches.items():
        if match.code.code in asked:
            position = asked.index(match.code.code)
            matches[key] = replace(match, score=first - _PER_POSITION * position, covered=covered)


@cache
def _asked_codes() -> dict[Stems, tuple[str, ...]]:
    """Return the codes that are asked for most, by the stems of the words that say no more than their kind."""
    return {_telling_stems(split_words(kind)): codes for kind, codes in ASKED_CODES.items()}


def _telling_stems(words: list[str]) -> Stems:
    return frozenset(service_words(words)) - optional_words()


def correct_words(words: list[str]) -> list[str]:
    """Return words with typing errors mended: the nearest word of the vocabulary, or two that were written as one.

    A word that is none of the vocabulary and near none stays as it is.
    """
    index = service_index()
    found: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        joined = word + words[position + 1] if position + 1 < len(words) else ""
        if not _is_known(index, word) and joined in index.spellings:
            found.append(joined)
            position += 2
            continue
        found.extend(_corrected(index, word))
        position += 1
    return found


def is_service_word(word: str) -> bool:
    """Return whether a word is one of the vocabulary, in any form and case."""
    return _is_known(service_index(), word.lower())


def _is_known(index: ServiceIndex, word: str) -> bool:
    return word.isdigit() or word in index.spellings or stem(word) in index.weights


def _corrected(index: ServiceIndex, word: str) -> list[str]:
    if _is_known(index, word) or _is_beginning(index, word):
        return [word]
    near = find_near_words(word, index.spellings)
    if near:
        return near[:1]
    for cut in range(_MIN_PREFIX - 1, len(word) - 1):
        if word[:cut] in index.spellings and word[cut:] in index.spellings:
            return [word[:cut], word[cut:]]
    return [word]


def _is_beginning(index: ServiceIndex, word: str) -> bool:
    return len(word) >= _MIN_PREFIX and any(spelled.startswith(word) for spelled in index.spellings)


def _meanings(index: ServiceIndex, stems: list[str]) -> Iterator[_WordMeaning]:
    optional, telling = optional_words(), telling_words()
    for one in stems:
        meant = {one: 1.0} if one in index.weights else {}
        # A word may not be written to its end yet.
        if not meant and len(one) >= _MIN_PREFIX:
            meant = {known: _PREFIX_COUNTS for known in index.weights if known.startswith(one)}
        weight = max((index.weights[known] for known in meant), default=index.unknown_weight)
        yield _WordMeaning(meant, weight, one in optional, one in telling)


def _score_codes(
    index: ServiceIndex, service: IndexedService, meanings: list[_WordMeaning], total: float
) -> Iterator[ServiceMatch]:
    everything = service.stems
    phrases = [phrase for phrase in service.phrases if any(phrase & one.stems.keys() for one in meanings)]
    for position, (code, name) in enumerate(zip(service.service.codes, service.names, strict=True)):
        named = _covered(meanings, name) / total
        covered = 0.9 * _covered(meanings, everything) / total
        score = 0.7 * covered
        for phrase in phrases:
            by_phrase = _covered(meanings, phrase | name) / total
            said = frozenset().union(*(phrase & one.stems.keys() for one in meanings))
            exactness = index.weight(said) / index.weight(phrase)
            covered = max(covered, by_phrase)
            score = max(score, by_phrase * (0.65 + 0.25 * exactness))
        # A code without a phrase of its own is found by its plain name.
        covered = max(covered, named)
        score = max(score, named * (0.6 + 0.25 * index.weight(name & _stems(meanings)) / index.weight(name)))
        hints = sum(bool(name & one.stems.keys()) for one in meanings if one.is_telling)
        score += 0.04 * min(named, 1) + 0.02 * hints - _PER_POSITION * position
        yield ServiceMatch(service.service.name, code, score, min(covered, 1.0))


def _covered(meanings: list[_WordMeaning], stems: Stems) -> float:
    """Return how much of the text's words that say something is among the stems."""
    return sum(
        one.weight * max((counts for found, counts in one.stems.items() if found in stems), default=0.0)
        for one in meanings
        if not one.is_optional
    )


def _stems(meanings: list[_WordMeaning]) -> Stems:
    return frozenset(found for one in meanings for found in one.stems)
