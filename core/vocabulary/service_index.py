"""The vocabulary's words, weighted by how much they say, and where each of them is."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from core.vocabulary.service_words import known_spellings, optional_words, service_words, split_words
from core.vocabulary.services import Service, list_services

Stems = frozenset[str]


@dataclass(frozen=True)
class IndexedService:
    """A service with the stems of its phrases and of its codes' plain names."""

    service: Service
    phrases: tuple[Stems, ...]
    names: tuple[Stems, ...]
    stems: Stems
    """The stems of everything that is said of the service."""


@dataclass(frozen=True)
class ServiceIndex:
    """The services by the stems of their words."""

    by_stem: dict[str, tuple[IndexedService, ...]]
    weights: dict[str, float]
    """How much each stem says: little if it is in many services."""
    spellings: frozenset[str]
    """Every word of the vocabulary as it is written."""

    def weight(self, stems: Iterable[str]) -> float:
        """Return how much stems say together. One that the vocabulary does not have says as much as a rare one."""
        return sum(self.weights.get(one, self.unknown_weight) for one in stems)

    @property
    def unknown_weight(self) -> float:
        """How much a word says that is in no service."""
        return math.log(1 + len(list_services()))


@cache
def service_index() -> ServiceIndex:
    """Return the index of the whole vocabulary. It is made once."""
    services = [_indexed(service) for service in list_services()]
    by_stem: defaultdict[str, list[IndexedService]] = defaultdict(list)
    in_services: Counter[str] = Counter()
    for one in services:
        for stem in one.stems:
            by_stem[stem].append(one)
        in_services.update(frozenset().union(*one.phrases))
    weights = {stem: math.log(1 + len(services) / max(1, in_services[stem])) for stem in by_stem}
    spellings = known_spellings().union(*(_spelled(one.service) for one in services))
    return ServiceIndex({stem: tuple(found) for stem, found in by_stem.items()}, weights, spellings)


def stems_of(text: str) -> Stems:
    """Return the stems of a phrase of the vocabulary, without the words that say nothing."""
    found = frozenset(service_words(split_words(text)))
    return found - optional_words() or found


def _indexed(service: Service) -> IndexedService:
    phrases = tuple(stems_of(phrase) for phrase in (service.name, *service.phrases) if phrase)
    # Words such as "left", "both", and "one" tell the codes of a service from each other.
    names = tuple(frozenset(service_words(split_words(code.plain_name))) for code in service.codes)
    return IndexedService(service, phrases, names, frozenset().union(*phrases, *names))


def _spelled(service: Service) -> Iterator[str]:
    for text in (service.name, *service.phrases, *(code.plain_name for code in service.codes)):
        yield from (word for word in split_words(text) if not word.isdigit())
