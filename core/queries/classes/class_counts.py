"""How many rates have the same billing class, modifiers, and settings of care: what classes are chosen from."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.fields.places.care_setting import FACILITY_OR_UNSTATED
from core.queries.comparison.overruled_labels import list_overruled_labels
from core.queries.comparison.usual_side import READING, TECHNICAL_PART
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS, NO_MODIFIER, NOT_STATED
from core.queries.market.market_rates import market_facts
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.measured_class import LIKE_CLASSES, MEASURED_CLASS_SQL, like_class
from core.queries.rules.named_rows import read_rows
from core.queries.rules.paid_less import IS_PAID_LESS, is_paid_less, with_codes_paid_less
from core.queries.rules.rate_kinds import stated_care_sql
from core.store.connection import Snapshot

COMPONENTS = (READING, TECHNICAL_PART)
"""The modifiers that make a rate one for a part of the service: the professional part, and the technical part."""


@dataclass(frozen=True)
class ClassCount:
    """How many rates have the same billing class, modifiers, and settings of care."""

    billing_class: str
    measured: str
    """The class that the rates are measured as: that of the file, except where the label is overruled."""
    modifiers: str
    settings: list[str]
    sides: list[str]
    codes: list[str]
    dollars: int
    rates: int

    def has(self, name: str, value: str | None) -> bool:
        """Return whether the rates meet one of CLASS_FILTERS."""
        if value is None:
            return True
        if name == "billing_class":
            return value == (like_class(self.measured) if value in LIKE_CLASSES else self.billing_class)
        if name == "care_setting":
            return value in self.settings or value in self.sides
        return not self.modifiers if value == NO_MODIFIER else value in self.modifiers.split(",")

    @property
    def terms(self) -> tuple[Any, ...]:
        """What makes the class of these rates."""
        return self.billing_class, self.measured, self.modifiers, tuple(self.settings), tuple(self.sides)

    @property
    def is_placeless(self) -> bool:
        """Whether the rates state no place, and are outside facilities alone because Medicare pays less in them."""
        return NOT_STATED in self.settings and FACILITY_OR_UNSTATED not in self.sides

    @property
    def component(self) -> frozenset[str]:
        """The part of the service that the rates are for; empty for the whole."""
        return frozenset(self.modifiers.split(",")).intersection(COMPONENTS)


CLASS_TERMS = ("billing_class", "measured", "modifiers", "stated", "pos_set_id")
"""What makes the class of a rate, in the order of class_terms."""


def class_terms(db: Snapshot, market: Market, codes: Iterable[str] | None = None) -> dict[str, str]:
    """Return SQL of each of CLASS_TERMS, for a rate of the market AS f that has a `payee`.

    With `codes`, the rate is of one of these.
    """
    paid_less = with_codes_paid_less(db, market.code, IS_PAID_LESS) if codes is None else is_paid_less(db, codes)
    # Hardly any market has a label that is overruled. The others have no such question to answer.
    measured = MEASURED_CLASS_SQL if list_overruled_labels(db, market) else "f.billing_class"
    of_terms = (
        f"coalesce(f.billing_class, '{NOT_STATED}')",
        f"coalesce({measured}, '{NOT_STATED}')",
        "f.billing_code_modifier",
        stated_care_sql(measured, paid_less),
        "f.pos_set_id",
    )
    return dict(zip(CLASS_TERMS, of_terms, strict=True))


def count_classes(db: Snapshot, market: Market, rates: str, parameters: dict[str, Any]) -> list[ClassCount]:
    """Count rates of a market by what makes a class. `rates` is SQL of rows that stand for `rate_count` rates each."""
    return read_rows(db, ClassCount, _counts_sql(db, market, rates), parameters)


@dataclass(frozen=True)
class CodeClassCount(ClassCount):
    """How many rates of one code have the same billing class, modifiers, and settings of care."""

    code_type: str
    code: str
    stated: str
    pos_set_id: str

    @property
    def in_words(self) -> tuple[str, ...]:
        """The values of the columns of CLASS_TERMS."""
        return self.billing_class, self.measured, self.modifiers, self.stated, self.pos_set_id


def count_classes_of_codes(
    db: Snapshot,
    market: Market,
    numbers: Iterable[str],
    condition: str = "true",
    values: Mapping[str, Any] | None = None,
) -> list[CodeClassCount]:
    """Count the rates of some codes by what makes a class, each code and set of places apart.

    With a condition on the rates (AS f), whose parameters are `values`, only those that meet it count.
    """
    numbers = list(numbers)
    listed, bound = in_codes(numbers)
    if not bound:
        return []
    anything = market.without("code_type", "code", *CLASS_FILTERS)
    facts, parameters = market_facts(db, anything)
    rates = f"(SELECT f.*, 1 AS rate_count FROM ({facts}) f WHERE {listed} AND {condition})"
    sql = _counts_sql(db, anything, rates, numbers)
    return read_rows(db, CodeClassCount, sql, {**parameters, **bound, **(values or {})})


def counts_by_code(counts: Iterable[CodeClassCount]) -> dict[str, list[CodeClassCount]]:
    """Return the counts of each code."""
    found: dict[str, list[CodeClassCount]] = {}
    for one in counts:
        found.setdefault(one.code, []).append(one)
    return found


def counts_of_systems(counts: Iterable[CodeClassCount], systems: Collection[str]) -> list[CodeClassCount]:
    """Return the counts of a code in the systems that are meant; none of these mean any."""
    return [one for one in counts if not systems or one.code_type in systems]


def add_counts(counts: Iterable[CodeClassCount]) -> list[ClassCount]:
    """Return the counts of several codes together, those that are alike as one."""
    alike: dict[Any, list[CodeClassCount]] = {}
    for one in counts:
        alike.setdefault(one.terms, []).append(one)
    return [
        ClassCount(
            some[0].billing_class,
            some[0].measured,
            some[0].modifiers,
            some[0].settings,
            some[0].sides,
            sorted({one.code for one in some}),
            sum(one.dollars for one in some),
            sum(one.rates for one in some),
        )
        for some in alike.values()
    ]


def _counts_sql(db: Snapshot, market: Market, rates: str, codes: Sequence[str] | None = None) -> str:
    """Return SQL of the counts of rates; with `codes`, of each of these apart."""
    terms = ", ".join(f"{sql} AS {name}" for name, sql in class_terms(db, market, codes).items())
    also, columns = ("", "") if codes is None else ("f.code_type, f.code, ", "code_type, code, stated, pos_set_id, ")
    return f"""WITH c AS (
                SELECT {also}{terms}, list(DISTINCT f.code) AS codes,
                       coalesce(sum(rate_count) FILTER (
                           rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'), 0)::BIGINT AS dollars,
                       sum(rate_count)::BIGINT AS rates
                FROM {rates} f GROUP BY ALL),
            placed AS (
                SELECT c.*, coalesce(p.service_codes, []) AS service_codes,
                       place_settings(coalesce(p.service_codes, [])) AS of_places
                FROM c LEFT JOIN dim_pos_set p ON p.pos_set_id = c.pos_set_id)
            SELECT {columns}billing_class, measured, modifiers, codes, dollars, rates,
                   care_settings(stated, service_codes, of_places) AS settings,
                   care_sides(stated, service_codes) AS sides
            FROM placed"""
