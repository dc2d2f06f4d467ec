"""Filters that say which rates of a file are wanted: by code, by provider, by the provider's state.

A file may be loaded with one filter and later with another. The store then has the rates that any of them wants, so
filters come in lists, and each filter is one bit of a mask.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from core.fields.codes.billing_code import parse_code, parse_code_system
from core.fields.providers.tin import possible_tins
from core.fields.texts.text import parse_text, parse_upper

MAX_FILTERS = 63
"""The number of different filters a file may be loaded with: one bit each of a 64-bit mask."""


@dataclass(frozen=True)
class RateFilter:
    """Conditions that must all hold; an empty tuple sets none. Values are normalized, distinct, and sorted."""

    codes: tuple[str, ...] = ()
    code_types: tuple[str, ...] = ()
    npis: tuple[str, ...] = ()
    tins: tuple[str, ...] = ()
    in_state: str | None = None
    """The state of the practice address of some NPI of the provider group."""
    register: str | None = field(default=None, compare=False)
    """A hash of the NPIs known to be in the state when the filter was applied."""

    @property
    def of_providers(self) -> bool:
        """Return whether the filter depends on a rate's provider group."""
        return bool(self.npis or self.tins or self.in_state)

    def wants_code(self, code_type: str, code: str) -> bool:
        """Return whether rates of a code may be wanted."""
        if self.code_types and code_type not in self.code_types:
            return False
        bare = code.lstrip("0")
        padded = bare in self.codes and parse_code(code_type, bare) == code
        return not self.codes or code in self.codes or padded

    def covers(self, other: "RateFilter") -> bool:
        """Return whether this filter wants everything that the other one wants."""
        return all(
            not ours or (theirs and set(theirs) <= set(ours))
            for ours, theirs in (
                (self.codes, other.codes),
                (self.code_types, other.code_types),
                (self.npis, other.npis),
                (self.tins, other.tins),
                (self.in_state and (self.in_state,), other.in_state and (other.in_state,)),
            )
        )

    def as_json(self) -> dict[str, Any]:
        """Return the conditions that are set."""
        return {name: value for name, value in asdict(self).items() if value}


ALL_RATES = RateFilter()


@dataclass(frozen=True)
class StateLoad:
    """A state that a file is loaded for, and which of the file's rates are its."""

    state: str
    only: RateFilter = ALL_RATES


def route_to_states(states: Sequence[str], only: RateFilter) -> tuple[StateLoad, ...]:
    """Return what to load for each of several states: rates of the groups with a provider who practices there."""
    return tuple(StateLoad(state, replace(only, in_state=state)) for state in states)


@dataclass(frozen=True)
class StateFilters:
    """The filters of each state that a file is read for. A rate is read if any of them wants it.

    The filters of all states together are numbered, and a mask has a bit for each number.
    """

    by_state: dict[str, tuple[RateFilter, ...]]

    @cached_property
    def filters(self) -> tuple[RateFilter, ...]:
        """Return the filters of all states, in the order of their bits."""
        return tuple(one for filters in self.by_state.values() for one in filters)

    @cached_property
    def bits(self) -> dict[str, int]:
        """Return for each state the bits of its filters."""
        found, before = {}, 0
        for state, filters in self.by_state.items():
            found[state] = ((1 << len(filters)) - 1) << before
            before += len(filters)
        return found

    def serve(self, wanted: "StateFilters") -> bool:
        """Return whether a file that was read with these filters has what `wanted` asks for, and nothing else of it."""
        return all(self.by_state.get(state) == filters for state, filters in wanted.by_state.items())


def make_filter(
    codes: Iterable[str] = (),
    code_types: Iterable[str] = (),
    npis: Iterable[str] = (),
    tins: Iterable[str] = (),
    in_state: str | None = None,
    register: str | None = None,
) -> RateFilter:
    """Return a filter of values as users write them.

    Any case will do, `450` stands for revenue code 0450, and TINs come with or without a dash or leading zeros.
    """
    return RateFilter(
        codes=_distinct(parse_upper(code) for code in codes),
        code_types=_distinct(parse_code_system(kind) for kind in code_types),
        npis=_distinct(parse_text(npi) for npi in npis),
        # Of a text that is not a tax ID nothing must be left: a filter without values wants everything.
        tins=_distinct(digits for tin in tins for digits in possible_tins(tin) or {tin}),
        in_state=in_state,
        register=register,
    )


def filters_from_json(stored: Any) -> list[RateFilter]:
    """Return the filters of a batch's record."""
    each: list[Any] = stored if isinstance(stored, list) else [stored]
    return [make_filter(**fields) for fields in each]


def widen(filters: Sequence[RateFilter], by: RateFilter) -> list[RateFilter]:
    """Return the filters and one more, without those that the new one covers."""
    return [*(one for one in filters if not by.covers(one)), by]


def code_mask(filters: Sequence[RateFilter], code_type: str, code: str) -> int:
    """Return a mask: bit n is set if filter n may want the rates of a code."""
    return sum(1 << n for n, one in enumerate(filters) if one.wants_code(code_type, code))


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))
