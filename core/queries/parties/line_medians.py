"""Lines of a market: all rates of one code, kind, class and modifier, by their median and each amount's position.

A position is the share of the rates that are lower, those that are equal counting half. Where professionals have rates
for facilities alone and others for other places alone, each side is a line of its own (docs/decisions/0087).

Lines are stored (docs/decisions/0066). Where they are not, and the market is large, nobody waits for them: they are
then not known.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.fields.places.care_setting import FACILITY_OR_UNSTATED, NON_FACILITY_OR_UNSTATED
from core.fields.providers.payer_slug import make_payer_slug
from core.queries.coverage import count_market_rates, list_payers
from core.queries.latest import find_latest
from core.queries.market.market import Market
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.paid_less import IS_PAID_LESS, list_codes_paid_less
from core.queries.rules.rate_kinds import CASES
from core.store.connection import Snapshot
from core.store.generations.layout import layout_named, parts
from core.store.lookup_sql import lookup_rows
from core.store.schema import lookups
from core.store.schema.tables import FACT_RATE
from core.store.sql import quote

TERMS = ("code_type", "code", "kind", "billing_class", "modifier")
"""What the rates of a line have in common, of both sides together."""

LINE = (*TERMS, "care_setting")
"""What the rates that may be compared have in common. The setting is one of SIDES, null for rates of both together."""

OUTSIDE, INSIDE, EITHER, NO_PLACE = "outside", "inside", "either", "unstated"
"""What the places of a rate say of its side: one alone, either, or nothing. A facility's bill is for either."""

_Part = tuple[str | None, bool | None]
"""A part of a line: its `care_setting`, null for the whole, and `if_paid_less`, null for always: whether it is a part
where Medicare pays less in facilities. There, rates without a place are outside facilities, and elsewhere on either
side."""


def _list_parts(*parts: _Part) -> str:
    """Return SQL of a list of parts."""
    packed = (
        f"struct_pack(care_setting := {quote(side) if side else 'NULL::VARCHAR'}, "
        f"if_paid_less := {'NULL' if holds is None else holds}::BOOLEAN)"
        for side, holds in parts
    )
    return f"[{', '.join(packed)}]"


_ALWAYS, _IF, _UNLESS = None, True, False
_OUT, _IN = NON_FACILITY_OR_UNSTATED, FACILITY_OR_UNSTATED

_PARTS = f"""
    CASE WHEN NOT has_inside OR NOT (has_outside OR has_no_place) THEN {_list_parts((None, _ALWAYS))}
        WHEN NOT has_outside THEN CASE side
            WHEN '{INSIDE}' THEN {_list_parts((None, _UNLESS), (_IN, _IF))}
            WHEN '{NO_PLACE}' THEN {_list_parts((None, _UNLESS), (_OUT, _IF))}
            ELSE {_list_parts((None, _UNLESS), (_OUT, _IF), (_IN, _IF))} END
        WHEN side = '{OUTSIDE}' THEN {_list_parts((_OUT, _ALWAYS))}
        WHEN side = '{NO_PLACE}' THEN {_list_parts((_OUT, _ALWAYS), (_IN, _UNLESS))}
        WHEN side = '{INSIDE}' AND has_no_place THEN {_list_parts((_IN, _IF), (_IN, _UNLESS))}
        WHEN side = '{INSIDE}' THEN {_list_parts((_IN, _ALWAYS))}
        WHEN has_no_place THEN {_list_parts((_OUT, _ALWAYS), (_IN, _IF), (_IN, _UNLESS))}
        ELSE {_list_parts((_OUT, _ALWAYS), (_IN, _ALWAYS))} END"""
"""SQL of the parts of its line that a rate is in. A line is divided if some rates are in facilities alone, and others
outside alone."""

PLACES_OF_SETS = f"""
    SELECT pos_set_id, service_codes, care_sides('nothing', service_codes) AS sides,
           CASE WHEN len(service_codes) = 0 THEN '{NO_PLACE}' WHEN len(sides) > 1 THEN '{EITHER}'
                WHEN sides[1] = '{FACILITY_OR_UNSTATED}' THEN '{INSIDE}' ELSE '{OUTSIDE}' END AS side
    FROM dim_pos_set"""
"""SQL of what each set of places says of a professional's side."""


def side_of_rate_sql(side: str) -> str:
    """Return SQL of what a rate AS f says of its side. `side` is SQL of what its set of places says."""
    return f"""CASE WHEN f.billing_class IS DISTINCT FROM 'professional' THEN '{EITHER}'
        WHEN f.setting = 'inpatient' OR f.code_type IN {CASES} THEN '{INSIDE}' ELSE coalesce({side}, '{EITHER}') END"""


LEAST_FOR_PERCENTILES = 20
"""With fewer rates in a line, a place says more than a percentile: the 93rd percentile of seven is the highest."""


def lines_of(facts: str) -> str:
    """Return SQL of facts (`facts` is SQL of them) with the columns of their line."""
    return f"""(SELECT *, rate_kind(negotiated_type, negotiation_arrangement) AS kind,
                     billing_code_modifier AS modifier
              FROM {facts})"""


def count_amounts(facts: str, *scope: str) -> str:
    """Return SQL of the distinct rates of each line and `side` of the facts, in each value of the columns `scope`.

    `equal` is how many facts have the rate.
    """
    line = ", ".join((*scope, *TERMS))
    return f"""
        SELECT {line}, {side_of_rate_sql("p.side")} AS side, negotiated_rate, count(*) AS equal
        FROM {lines_of(facts)} f LEFT JOIN ({PLACES_OF_SETS}) p ON p.pos_set_id = f.pos_set_id
        GROUP BY ALL"""


def distributions(counted: str, *scope: str) -> str:
    """Return SQL of the distribution of each part of each line, in each value of the columns `scope`.

    `counted` is SQL with the columns of count_amounts, in which a rate may have several rows. In the answer, `rates` is
    the number of rates of the part, `amounts` the distinct ones in their order, and `positions` the position of each.
    `care_setting` and `if_paid_less` are the part's, see _Part.
    """
    terms = ", ".join((*scope, *TERMS))
    part = f"{terms}, care_setting, if_paid_less"
    same_line = " AND ".join(f"c.{name} IS NOT DISTINCT FROM s.{name}" for name in (*scope, *TERMS))
    # Sorting each list is faster than aggregates in an order, and one joined row per line than a window over its rates.
    return f"""
        WITH counted AS MATERIALIZED ({counted}),
        sides AS (
            SELECT {terms}, bool_or(side = '{INSIDE}') AS has_inside, bool_or(side = '{OUTSIDE}') AS has_outside,
                   bool_or(side = '{NO_PLACE}') AS has_no_place
            FROM counted GROUP BY ALL),
        parts AS (
            SELECT {part}, negotiated_rate, sum(equal) AS equal
            FROM (SELECT c.*, unnest({_PARTS}, recursive := true) FROM counted c JOIN sides s ON {same_line})
            GROUP BY ALL),
        added_up AS (
            SELECT *, sum(equal) OVER (of_part ROWS UNBOUNDED PRECEDING)::BIGINT AS up_to,
                   sum(equal) OVER (of_part ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)::BIGINT AS total
            FROM parts WINDOW of_part AS (PARTITION BY {part} ORDER BY negotiated_rate))
        SELECT {part}, any_value(total) AS rates,
               -- The median lies between the two rates in the middle, as quantile_cont has it.
               min(negotiated_rate) FILTER (2 * up_to >= total) AS lower,
               lower + 0.5 * (min(negotiated_rate) FILTER (2 * up_to > total) - lower) AS median,
               list_sort(list(negotiated_rate)) AS amounts, list_sort(list((up_to - equal / 2) / total)) AS positions
        FROM added_up GROUP BY {part}"""


def _that_hold(parts: str, paid_less: str) -> str:
    """Return SQL of the parts of lines that hold. `paid_less` is SQL of whether Medicare pays less for a line AS f."""
    return f"""
        SELECT {", ".join(LINE)}, rates, median, amounts, positions FROM ({parts}) f
        WHERE if_paid_less IS NULL OR if_paid_less = ({paid_less})"""


_COLUMNS = ", ".join((*LINE, "if_paid_less", "rates", "median", "amounts", "positions"))

_MONTH = ("state", "year_month")

LINE_MEDIAN = replace(lookups.LINE_MEDIAN, query=distributions(count_amounts("{fact_rate}", *_MONTH), *_MONTH))

LINE_AMOUNT = replace(lookups.LINE_AMOUNT, query=count_amounts("{fact_rate}", *_MONTH, "reporting_entity_name"))

_WITH_QUERIES = {lookup.name: lookup for lookup in (LINE_MEDIAN, LINE_AMOUNT)}

STORED_LOOKUPS = tuple(_WITH_QUERIES.get(one.name, one) for one in lookups.LOOKUPS)
"""All lookups with their queries."""


def rows_of(lookup: lookups.Lookup, db: Snapshot) -> str:
    """Return SQL of all rows of a lookup of lines. Those of some codes are found by them, where they are stored."""
    return f"({lookup_rows(lookup, db.root, db.manifest)})"


def knows_lines(db: Snapshot, market: Market) -> bool:
    """Return whether the lines of a market are known: they are stored, or few enough to be made when asked for."""
    return _source_of_lines(db, _whole(db, market)) != _NOT_KNOWN


def market_lines(db: Snapshot, market: Market, codes: str, paid_less: str = IS_PAID_LESS) -> tuple[str, dict[str, Any]]:
    """Return SQL of the lines of a market's state and months without its filters, and its parameters.

    `codes` is SQL of a column with the codes that are needed, at least. There are no lines where they are not known.
    `paid_less` is SQL of what IS_PAID_LESS says.
    """
    whole = _whole(db, market)
    where, parameters = f"{whole.where} AND f.code IN ({codes})", whole.parameters
    source = _source_of_lines(db, whole)
    if source == _NOT_KNOWN:
        return (
            f"""SELECT {", ".join(f"NULL::VARCHAR AS {name}" for name in LINE)}, NULL::BIGINT AS rates,
                          NULL::DOUBLE AS median, NULL::DOUBLE[] AS amounts, NULL::DOUBLE[] AS positions LIMIT 0""",
            {},
        )
    if source == LINE_MEDIAN.name:
        return _that_hold(f"SELECT {_COLUMNS} FROM {rows_of(LINE_MEDIAN, db)} f WHERE {where}", paid_less), parameters
    # Medians of months and payers cannot be put together, but their rates can.
    if source == LINE_AMOUNT.name:
        columns = f"{', '.join(TERMS)}, side, negotiated_rate, equal"
        counted = f"SELECT {columns} FROM {rows_of(LINE_AMOUNT, db)} f WHERE {where}"
    else:
        counted = count_amounts(f"(SELECT f.* FROM {FACT_RATE.name} f WHERE {where})")
    return _that_hold(f"SELECT {_COLUMNS} FROM ({distributions(counted)})", paid_less), parameters


def amounts_of_month(db: Snapshot, market: Market, codes: str) -> tuple[str, dict[str, Any]]:
    """Return SQL of the distinct rates of all payers in a market's state and months, and its parameters.

    It has TERMS, `negotiated_rate`, and `equal`, how many rates are of this amount; a rate may have several rows. As in
    market_lines, `codes` are those that are needed, and there is nothing where lines are not known.
    """
    whole = _whole(db, market)
    where = f"{whole.where} AND f.code IN ({codes})"
    columns = ", ".join((*TERMS, "negotiated_rate"))
    if _is_stored(db, LINE_AMOUNT, whole):
        return f"SELECT {columns}, equal FROM {rows_of(LINE_AMOUNT, db)} f WHERE {where}", whole.parameters
    where += "" if _source_of_lines(db, whole) == FACT_RATE.name else " AND false"
    facts = lines_of(f"(SELECT f.* FROM {FACT_RATE.name} f WHERE {where})")
    return f"SELECT {columns}, count(*) AS equal FROM {facts} GROUP BY ALL", whole.parameters


def list_payers_of_lines(db: Snapshot, market: Market, codes: Sequence[str]) -> dict[tuple[Any, ...], list[str]]:
    """Return the names of the payers whose rates a line's median is of, by the values of LINE, for the lines of codes.

    A label that does not fit leaves a payer alone in its line: its median is then its own, and no market's.
    """
    whole = _whole(db, market)
    if not codes or _source_of_lines(db, whole) == _NOT_KNOWN:
        return {}
    listed, bound = in_codes(codes)
    where = f"{whole.where} AND {listed}"
    if _is_stored(db, LINE_AMOUNT, whole):
        rates = f"(SELECT f.* FROM {rows_of(LINE_AMOUNT, db)} f WHERE {where})"
    else:
        rates = f"({count_amounts(f'(SELECT f.* FROM {FACT_RATE.name} f WHERE {where})', 'reporting_entity_name')})"
    rows = db.rows(
        f"SELECT DISTINCT {', '.join(TERMS)}, side, reporting_entity_name FROM {rates}", {**whole.parameters, **bound}
    )
    names, paid_less = dict(list_payers(db)), list_codes_paid_less(db)
    by_terms: dict[tuple[Any, ...], set[tuple[str, str]]] = {}
    for *terms, side, name in rows:
        by_terms.setdefault(tuple(terms), set()).add((side, names.get(make_payer_slug(name), name)))
    found: dict[tuple[Any, ...], list[str]] = {}
    for line, some in by_terms.items():
        not_inside = {OUTSIDE, NO_PLACE} if line[TERMS.index("code")] in paid_less else {OUTSIDE}
        of_sides: dict[str | None, set[tuple[str, str]]] = {
            NON_FACILITY_OR_UNSTATED: {one for one in some if one[0] != INSIDE},
            FACILITY_OR_UNSTATED: {one for one in some if one[0] not in not_inside},
        }
        is_divided = all(len(of_side) < len(some) for of_side in of_sides.values())
        for side, of_side in (of_sides if is_divided else {None: some}).items():
            found[*line, side] = sorted({name for _, name in of_side})
    return found


_NOT_KNOWN = ""


def _source_of_lines(db: Snapshot, market: Market) -> str:
    """Return the lookup or table that the lines of a market without filters are read from; _NOT_KNOWN for none."""
    if market.one_month and _is_stored(db, LINE_MEDIAN, market):
        return LINE_MEDIAN.name
    if _is_stored(db, LINE_AMOUNT, market):
        return LINE_AMOUNT.name
    return FACT_RATE.name if count_market_rates(db, market) <= db.limits.whole_rates else _NOT_KNOWN


def _is_stored(db: Snapshot, lookup: lookups.Lookup, market: Market) -> bool:
    """Return whether all of a market's rows of a lookup are stored."""
    by = layout_named(db.manifest.layout).by
    asked = {"state": {market.state}, "year_month": set(market.month_names)}
    missing = [part.files for part in db.manifest.lookup_parts(lookup) if part.answer is None]
    shards = [parts(file.shard) for files in missing for file in files if file.rows]
    return not any(all(shard[name] in asked[name] for name in by) for shard in shards)


def _whole(db: Snapshot, market: Market) -> Market:
    """Return the market of the same state and months without filters."""
    if market.one_month:
        return Market(market.state, market.one_month)
    return Market(market.state, "", latest=market.latest or find_latest(db, market.state))
