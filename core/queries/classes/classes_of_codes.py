"""The class of rates that the page of each code opens with, for tables of many codes: all of a market, or a list.

A figure of a code is of one class, see rate_classes.py. In a list of all codes it is the same one as on the code's own
page. Of 20,000 codes, hardly any has terms and numbers of rates of its own: the choice is made once for all that are
alike.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.fields.places.care_setting import FACILITY_OR_UNSTATED, NON_FACILITY_OR_UNSTATED
from core.queries.classes.class_counts import (
    CLASS_TERMS,
    ClassCount,
    CodeClassCount,
    add_counts,
    class_terms,
    count_classes_of_codes,
    counts_by_code,
    counts_of_systems,
)
from core.queries.classes.rate_classes import ClassChoice, choose_among, unless_alone
from core.queries.comparison.usual_side import OUTSIDE, UsualSide, list_usual_sides
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS
from core.queries.market.market_rates import market_facts
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.sql import used_parameters

_USUAL, _ALIKE, _CHOSEN = "usual_side_of_code", "code_alike", "chosen_terms"
"""The tables in memory of where codes are usually rendered, of which codes are chosen for alike, and of the terms that
are chosen for these."""


def choose_own_classes(db: MarketSnapshot, market: Market, *, any_modifier: bool = False) -> list[str | None]:
    """Choose the class of each of a market's codes as choose_class does, and return their settings and sides.

    What is chosen is in tables in memory, for rates_of_own_classes. Filters that the market has stay as they are. With
    `any_modifier`, the rates of a class are those of each component.
    """
    anything = market.without(*CLASS_FILTERS)
    facts, parameters = market_facts(db, anything)
    usual = sorted((code, *_texts_of(side)) for code, side in list_usual_sides(db).items())
    db.show_texts(_USUAL, ("code", *_OF_SIDE), usual)
    of_counts = (*CLASS_TERMS, "dollars", "rates")
    terms = ", ".join(f"{sql} AS {name}" for name, sql in class_terms(db, anything).items())
    counted = f"""
        SELECT f.code_type, f.code, {terms}, count(*) AS rates,
               count(*) FILTER (rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars') AS dollars
        FROM ({facts}) f GROUP BY ALL"""
    packed, of_side = ", ".join(f"'{one}': {one}" for one in of_counts), ", ".join(_OF_SIDE)
    db.show_table(
        _ALIKE,
        f"""SELECT code_type, code, counts, {of_side},
                   dense_rank() OVER (ORDER BY counts, {of_side})::VARCHAR AS alike
            FROM (SELECT code_type, code, list({{{packed}}} ORDER BY {", ".join(of_counts)}) AS counts
                  FROM ({counted}) GROUP BY code_type, code) LEFT JOIN {_USUAL} USING (code)""",
        parameters,
    )
    rows = [row for codes in _list_alike(db) for row in codes.choose_terms(market, any_modifier=any_modifier)]
    db.show_texts(_CHOSEN, ("alike", "chosen_setting", *CLASS_TERMS), rows)
    return sorted({setting or None for _, setting, *_ in rows}, key=str)


def rates_of_own_classes(db: MarketSnapshot, market: Market, setting: str | None) -> tuple[str, dict[str, Any]]:
    """Return SQL of the market's rates of the classes that choose_own_classes has chosen, and its parameters.

    They are those of the codes whose class has this setting or side. The columns are those of market_facts.
    """
    facts, parameters = market_facts(db, market)
    terms = class_terms(db, market.without(*CLASS_FILTERS))
    same = " AND ".join(f"c.{name} = {sql}" for name, sql in terms.items())
    chosen = f"""(SELECT a.code_type, a.code, t.* FROM {_ALIKE} a JOIN {_CHOSEN} t USING (alike)
                  WHERE t.chosen_setting = $chosen_setting)"""
    sql = f"""SELECT f.* FROM ({facts}) f SEMI JOIN {chosen} c
                  ON c.code_type = f.code_type AND c.code = f.code AND {same}"""
    return sql, used_parameters(sql, {**parameters, "chosen_setting": setting or ""})


@dataclass(frozen=True)
class ClassesOfList:
    """The class of each code of a list, in its order, and the classes of all of them together."""

    of_codes: Sequence[ClassChoice]
    together: ClassChoice
    terms: Sequence[Sequence[str]]
    """The terms of the rates of each code, by its position: see rates_of_list."""
    aside: Sequence[Sequence[str]] = ()
    """The terms of the rates of each code in facilities that stand aside: they state no place, see is_placeless."""
    elsewhere: Sequence[int] = ()
    """The positions of the codes that are usually rendered in facilities and, without being asked, not looked at
    there: there are too few rates."""

    def group_alike(self) -> dict[Market, list[int]]:
        """Return the positions of the codes by their market: most codes share it with others."""
        found: dict[Market, list[int]] = {}
        for position, choice in enumerate(self.of_codes):
            found.setdefault(choice.market, []).append(position)
        return found


def choose_classes_of_list(db: Snapshot, market: Market, wanted: Sequence[tuple[str, Sequence[str]]]) -> ClassesOfList:
    """Choose the class of each code of a list as its own page does. The market's own code is ignored.

    A code comes with the systems that are meant, or none for any. Filters that the market has are those of every code.
    """
    market = market.without("code_type", "code")
    counts = count_classes_of_codes(db, market, (code for code, _ in wanted))
    by_code = counts_by_code(counts)
    usual, chosen = list_usual_sides(db), dict[Any, ClassChoice]()
    found, terms, aside, elsewhere = list[ClassChoice](), list[list[str]](), list[list[str]](), list[int]()
    for position, (code, systems) in enumerate(wanted):
        of_code = counts_of_systems(by_code.get(code, ()), systems)
        alike, side = add_counts(of_code), usual.get(code, OUTSIDE)
        # Of a list, hardly any code has terms and numbers of rates of its own.
        key = side, frozenset((*one.terms, one.dollars, one.rates) for one in alike)
        if key not in chosen:
            choice = unless_alone(market, choose_among(market, alike, usual=side))
            chosen[key] = replace(choice, usually_inside=side.in_facilities)
        found.append(chosen[key])
        terms.append(write_terms(position, of_code, chosen[key].market))
        aside.append(write_terms_aside(position, of_code, chosen[key].market))
        if chosen[key].opens_elsewhere:
            elsewhere.append(position)
    return ClassesOfList(found, choose_among(market, add_counts(counts)), terms, aside, elsewhere)


def write_terms(position: int, counts: Iterable[CodeClassCount], market: Market) -> list[str]:
    """Return the terms of those rates of a code that are of the market's class, each with the code's position."""
    filters = {name: getattr(market, name) for name in CLASS_FILTERS}
    return write_all_terms(position, (one for one in counts if all(map(one.has, filters, filters.values()))))


def write_all_terms(position: int, counts: Iterable[CodeClassCount]) -> list[str]:
    """Return the terms of all rates of some counts, each with the code's position."""
    return ["\t".join((str(position), one.code_type, one.code, *one.in_words)) for one in counts]


def write_terms_aside(position: int, counts: Iterable[CodeClassCount], market: Market) -> list[str]:
    """Return the terms of those rates of a code that would be of the market's class in facilities if they said where.

    They state no place, and are outside facilities because Medicare pays less in them.
    """
    if market.care_setting != FACILITY_OR_UNSTATED:
        return []
    outside = replace(market, care_setting=NON_FACILITY_OR_UNSTATED)
    return write_terms(position, (one for one in counts if one.is_placeless), outside)


def rates_of_list(
    db: Snapshot, market: Market, terms_of_codes: Iterable[str], *, areas: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return SQL of the rates of a list's codes, each of its class, with the `position` of the code, and parameters.

    The terms are what write_terms returns. The columns are those of market_facts.
    """
    anything = market.without("code_type", "code", *CLASS_FILTERS)
    facts, parameters = market_facts(db, anything, areas=areas)
    lines = list(terms_of_codes)
    terms = class_terms(db, anything, {line.split("\t")[2] for line in lines})
    names = ("code_type", "code", *CLASS_TERMS)
    parts = ", ".join(f"split_part(line, chr(9), {at}) AS {name}" for at, name in enumerate(names, 2))
    same = " AND ".join(f"c.{name} = {sql}" for name, sql in terms.items())
    # One parameter: DuckDB takes 0.1 ms for each value of a list that is bound.
    sql = f"""SELECT f.*, c.position FROM ({facts}) f
              JOIN (SELECT split_part(line, chr(9), 1)::INTEGER AS position, {parts}
                    FROM (SELECT unnest(string_split($chosen_terms::VARCHAR, chr(10))) AS line) WHERE line <> '') c
                  ON c.code_type = f.code_type AND c.code = f.code AND {same}"""
    return sql, {**parameters, "chosen_terms": "\n".join(lines)}


_Terms = tuple[str, ...]


@dataclass(frozen=True)
class _AlikeCodes:
    """Codes with as many rates of the same terms: how many these are, by the terms."""

    name: str
    usual: UsualSide
    counts: dict[_Terms, ClassCount]

    def choose_terms(self, market: Market, *, any_modifier: bool) -> Iterator[_Terms]:
        """Yield the terms of the rates of the class that is chosen, each with the codes' name and the setting."""
        chosen = unless_alone(market, choose_among(market, list(self.counts.values()), usual=self.usual)).market
        if any_modifier:
            chosen = replace(chosen, modifier=None)
        filters = {name: getattr(chosen, name) for name in CLASS_FILTERS}
        for terms, count in self.counts.items():
            if all(count.has(name, value) for name, value in filters.items()):
                yield (self.name, chosen.care_setting or "", *terms)


_OF_SIDE = ("in_facilities", "has_parts")
"""The columns of _USUAL beside the code: each `yes` or empty text."""


def _texts_of(side: UsualSide) -> tuple[str, ...]:
    return tuple("yes" if getattr(side, name) else "" for name in _OF_SIDE)


def _list_alike(db: MarketSnapshot) -> list[_AlikeCodes]:
    found: dict[str, _AlikeCodes] = {}
    of_side = ", ".join(_OF_SIDE)
    for name, in_facilities, has_parts, dollars, rates, settings, sides, *terms in db.rows(
        f"""SELECT alike, {of_side}, one.dollars, one.rates,
                   care_settings(one.stated, places, place_settings(places)) AS settings,
                   care_sides(one.stated, places) AS sides, {", ".join(f"one.{name}" for name in CLASS_TERMS)}
            FROM (SELECT alike, {of_side}, one, coalesce(service_codes, []) AS places
                  FROM (SELECT alike, {", ".join(f"any_value({one}) AS {one}" for one in _OF_SIDE)},
                               unnest(any_value(counts)) AS one FROM {_ALIKE} GROUP BY alike)
                  LEFT JOIN dim_pos_set p ON p.pos_set_id = one.pos_set_id)"""
    ):
        billing_class, measured, modifiers, *_ = terms
        usual = UsualSide(bool(in_facilities), bool(has_parts))
        codes = found.setdefault(name, _AlikeCodes(name, usual, {}))
        codes.counts[tuple(terms)] = ClassCount(
            billing_class, measured, modifiers, settings, sides, [""], dollars, rates
        )
    return list(found.values())
