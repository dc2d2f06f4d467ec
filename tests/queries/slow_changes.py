"""A month against another, slowly and obviously: rates crossed off one by one."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from core.fields.payer_slug import make_payer_slug
from tests.queries.slow import Row

TERMS = (
    "billing_class", "billing_code_modifier", "pos_set_id", "negotiated_type", "negotiation_arrangement", "setting",
    "severity_of_illness",
)  # fmt: skip


class Change(NamedTuple):
    """One rate of the earlier month, of the later one, or one of each."""

    what: str
    fact: Row
    old: float | None
    new: float | None

    @property
    def percent(self) -> float | None:
        return self.new / self.old - 1 if self.old and self.new is not None else None


def provider(fact: Row) -> Any:
    """Return what identifies a group."""
    return frozenset(fact["tins"] or fact["npis"]) or None


def changes(before: Sequence[Row], after: Sequence[Row]) -> list[Change]:
    """Return what became of every rate."""
    found = []
    months: tuple[dict[Any, list[Row]], dict[Any, list[Row]]] = (defaultdict(list), defaultdict(list))
    for facts, by_key in zip((before, after), months, strict=True):
        for fact in facts:
            if provider(fact) is None:
                one = fact["negotiated_rate"]
                found.append(Change("unmatched", fact, *((one, None) if facts is before else (None, one))))
            else:
                slug = make_payer_slug(fact["reporting_entity_name"])
                key = (slug, fact["code_type"], fact["code"], provider(fact), *(fact[name] for name in TERMS))
                by_key[key].append(fact)
    for key in set(months[0]) | set(months[1]):
        found += of_one_key(months[0][key], months[1][key])
    return found


def of_one_key(before: list[Row], after: list[Row]) -> list[Change]:
    found = []
    olds, news = sorted(f["negotiated_rate"] for f in before), sorted(f["negotiated_rate"] for f in after)
    fact = (before or after)[0]
    for rate in list(olds):
        if rate in news:
            olds.remove(rate)
            news.remove(rate)
            found.append(Change("same", fact, rate, rate))
    while olds and news:
        old, new = olds.pop(0), news.pop(0)
        found.append(Change("up" if new > old else "down", fact, old, new))
    found += [Change("gone", fact, old, None) for old in olds]
    found += [Change("added", fact, None, new) for new in news]
    return found
