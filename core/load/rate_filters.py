"""Which of a file's rates are wanted: by code, by provider, by the provider's state.

A store's batch may have been loaded with one filter and later with another: it then holds the rates that any of them
wants. A set of filters is therefore a list, and each filter is one bit of a mask.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.fields.billing_code import parse_code, parse_code_system
from core.fields.text import parse_text, parse_upper
from core.fields.tin import possible_tins

MAX_FILTERS = 63
"""So many different filters a batch may be loaded with."""


@dataclass(frozen=True)
class RateFilter:
    """Conditions that all hold; an empty tuple is no condition. Values are normalised, distinct and sorted."""

    codes: tuple[str, ...] = ()
    code_types: tuple[str, ...] = ()
    npis: tuple[str, ...] = ()
    tins: tuple[str, ...] = ()
    in_state: str | None = None
    """Rates of provider groups with an NPI whose practice address is in this state."""
    register: str | None = field(default=None, compare=False)
    """What was known of where providers are when it was applied: the mark of the NPIs in the state."""

    @property
    def of_providers(self) -> bool:
        """Whether it takes a rate's provider group to tell."""
        return bool(self.npis or self.tins or self.in_state)

    def wants_code(self, code_type: str, code: str) -> bool:
        """Whether rates for a code may be wanted."""
        if self.code_types and code_type not in self.code_types:
            return False
        bare = code.lstrip("0")
        padded = bare in self.codes and parse_code(code_type, bare) == code
        return not self.codes or code in self.codes or padded

    def covers(self, other: "RateFilter") -> bool:
        """Whether all that the other wants is wanted by this one too."""
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
        """The conditions there are."""
        return {name: value for name, value in asdict(self).items() if value}


ALL_RATES = RateFilter()


def made_of(
    codes: Iterable[str] = (),
    code_types: Iterable[str] = (),
    npis: Iterable[str] = (),
    tins: Iterable[str] = (),
    in_state: str | None = None,
    register: str | None = None,
) -> RateFilter:
    """A filter of values as a user writes them: any case, `450` for revenue code 0450, TINs with or without a dash
    or their leading zeros.
    """
    return RateFilter(
        codes=_distinct(parse_upper(code) for code in codes),
        code_types=_distinct(parse_code_system(kind) for kind in code_types),
        npis=_distinct(parse_text(npi) for npi in npis),
        tins=_distinct(digits for tin in tins for digits in possible_tins(tin)),
        in_state=in_state,
        register=register,
    )


def from_json(stored: Any) -> list[RateFilter]:
    """The filters of a batch's record."""
    each: list[Any] = stored if isinstance(stored, list) else [stored]
    return [made_of(**fields) for fields in each]


def widened(filters: Sequence[RateFilter], by: RateFilter) -> list[RateFilter]:
    """The filters and one more, without those that another covers."""
    return [*(one for one in filters if not by.covers(one)), by]


def code_mask(filters: Sequence[RateFilter], code_type: str, code: str) -> int:
    """A bit for each filter that may want the rates of a code."""
    return sum(1 << n for n, one in enumerate(filters) if one.wants_code(code_type, code))


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))
