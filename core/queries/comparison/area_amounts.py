"""Medicare's amounts in an area: the payment locality or the wage area in which a provider group practices.

Which schedule a rate is compared with does not depend on where its group is, only how much that schedule pays. So
compared_rates.py finds the basis of all rates with the same terms and the state's mean, and the queries here put the
amount of the group's own area in its place, where both are known.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from core.queries.comparison.schedules import ANESTHESIA_SHARES, HCPCS
from core.queries.comparison.state_schedule import kept_name
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.schema.tables import TABLES
from core.store.sql import quote
from core.store.views import COUNTED_RATE

MEAN_OF_STATE, NOT_RURAL = "state mean", "state, not rural"
WHOLE_STATE = (MEAN_OF_STATE, NOT_RURAL)
"""What the area of an amount is called that is not of the provider's own area: a mean over the state's areas, or the
state's amount outside of rural areas."""

NOTABLE_ERROR = 0.05
"""The error of a state's mean that pages show: an amount that is off by more misleads."""


@dataclass(frozen=True)
class _AmountRows:
    """The rows of the schedules: all of them, or those of one code in memory (`is_kept`), see keep_localities."""

    is_kept: bool

    def table(self, name: str) -> str:
        """Return the table that has the rows of a schedule's table."""
        return kept_name(name) if self.is_kept else name

    def wanted(self, condition: str) -> str:
        """Return the condition on rows that are wanted. Of one code there are so few that it would only cost time."""
        return "true" if self.is_kept else condition


@dataclass(frozen=True)
class AreaSchedule:
    """How a schedule's amounts differ by area.

    `place` is SQL of the place by which the schedule pays, from the column `group_area`; empty text where it is not
    known. `amounts` returns SQL of a row per release, code, modifier and place, for what is `wanted`, with the columns
    label (what the place is called), states (those that it is in), outside and inside (facilities). `otherwise` is what
    the amount is called where the place is not known. `in_each_state`: places of the same name are in each state.
    """

    kind: str
    place: str
    amounts: Callable[[_AmountRows], str]
    otherwise: str = MEAN_OF_STATE
    in_each_state: bool = False


_LOCALITY = """if(split_part(group_area, '/', 2) = '', '',
    split_part(group_area, '/', 1) || '-' || split_part(group_area, '/', 2))"""
_WAGE_AREA = "split_part(group_area, '/', 3)"
_NEAR = """(list_has_any(w.states, (SELECT list(state) FROM wanted_state))
                     OR w.wage_area IN (SELECT place FROM wanted_place))"""


def _by_wage_area(kind: str, rate: str) -> AreaSchedule:
    # A rate has three decimals, its labor part five, an index four: in decimals the product is exact, and the only
    # rounding is the one to cents, half a cent up, as for the state's mean.
    amount = f"{rate}::DECIMAL(12, 5) + labor_amount::DECIMAL(12, 5) * (wage_index::DECIMAL(10, 6) - 1)"
    return AreaSchedule(
        kind=kind,
        place=_WAGE_AREA,
        amounts=lambda rows: (
            f"""
            SELECT n.release, n.code, '' AS modifier, w.wage_area AS place,
                   concat(w.name, ' (', w.wage_area, ')') AS label, w.states,
                   round({amount}, 2)::DOUBLE AS outside, NULL::DOUBLE AS inside
            FROM (SELECT b.release, b.code, b.{rate}, b.labor_amount
                  FROM {rows.table(f"bench_{kind}")} b
                  JOIN wanted t ON t.schedule = '{kind}' AND b.state = t.state AND b.year_month = t.in_force
                      AND b.code = t.code
                  WHERE b.labor_amount IS NOT NULL AND b.code_type IN {HCPCS}
                  -- The national rate is the same in every row of a release.
                  QUALIFY 1 = row_number() OVER (PARTITION BY b.release, b.code ORDER BY b.code_type)) n
            JOIN bench_wage_index w ON w.release = n.release AND w.kind = '{kind}' AND w.wage_index IS NOT NULL
                AND {rows.wanted(_NEAR)}"""
        ),
    )


LOCALITIES = "bench_medicare_prof_locality"
"""The table of what physicians are paid in each payment locality."""

NATION = "US"
"""The state of the national amounts there, which are adjusted to no place. Contracts name them most often."""

# The table is sorted by state: without the last condition, it is read for all localities of the country.
_IN_WANTED_LOCALITIES = """l.release IN (SELECT release FROM wanted WHERE schedule = 'medicare_prof')
                AND l.code IN (SELECT code FROM wanted WHERE schedule = 'medicare_prof')
                AND l.state IN (SELECT state FROM wanted_state UNION
                                SELECT state FROM locality_state JOIN wanted_place USING (place))"""

AREA_SCHEDULES = (
    AreaSchedule(
        kind="medicare_prof",
        place=_LOCALITY,
        amounts=lambda rows: (
            f"""
            SELECT l.release, l.code, l.modifier, l.contractor || '-' || l.locality AS place,
                   concat(l.locality_name, ' (', place, ')') AS label, [l.state] AS states,
                   l.nonfacility_rate AS outside,
                   l.facility_rate AS inside
            FROM {rows.table(LOCALITIES)} l
            WHERE l.code_type IN {HCPCS} AND {rows.wanted(_IN_WANTED_LOCALITIES)}
            QUALIFY 1 = row_number() OVER (
                PARTITION BY l.release, l.contractor, l.locality, l.code, l.modifier ORDER BY l.code_type)"""
        ),
    ),
    _by_wage_area("opps", "opps_rate"),
    _by_wage_area("asc", "asc_rate"),
    AreaSchedule(
        kind="anesthesia",
        place=_LOCALITY,
        amounts=lambda _rows: (
            f"""
            SELECT l.release, n.code, s.modifier, l.contractor || '-' || l.locality AS place,
                   concat(l.locality_name, ' (', place, ')') AS label, [l.state] AS states,
                   l.factor * s.share AS outside,
                   NULL::DOUBLE AS inside
            FROM bench_anesthesia_locality l
            JOIN (SELECT DISTINCT release, code FROM wanted WHERE schedule = 'anesthesia') n ON n.release = l.release
            CROSS JOIN (VALUES {", ".join(map(str, ANESTHESIA_SHARES.items()))}) s(modifier, share)"""
        ),
    ),
    AreaSchedule(
        kind="ipps",
        place=_WAGE_AREA,
        amounts=lambda rows: (
            f"""
            SELECT n.release, n.code, '' AS modifier, w.wage_area AS place,
                   concat(w.name, ' (', w.wage_area, ')') AS label, w.states,
                   round(n.weight * (if(w.wage_index > 1, n.labor_above_one * w.wage_index + n.rest_above_one,
                                        n.labor_amount * w.wage_index + n.rest_amount)
                                     + n.capital_rate * w.wage_index ** 0.6848), 2) AS outside,
                   NULL::DOUBLE AS inside
            FROM (SELECT b.* EXCLUDE (code), t.code
                  FROM {rows.table("bench_ipps")} b
                  JOIN wanted t ON t.schedule = 'ipps' AND b.state = t.state AND b.year_month = t.in_force
                      AND b.code = padded_drg(t.code)
                  WHERE b.weight IS NOT NULL
                  -- Weight and standardized amounts are the same in every row of a release.
                  QUALIFY 1 = row_number() OVER (PARTITION BY b.release, t.code)) n
            JOIN bench_wage_index w ON w.release = n.release AND w.kind = 'ipps' AND w.wage_index IS NOT NULL
                AND {rows.wanted(_NEAR)}"""
        ),
    ),
    AreaSchedule(
        kind="dmepos",
        place="split_part(group_area, '/', 4)",
        amounts=lambda rows: (
            f"""
            SELECT b.release, b.code, b.modifier, p.place, if(p.place = 'rural', 'rural areas', 'not rural') AS label,
                   [b.state] AS states, if(p.place = 'rural', b.rural_amount, b.amount) AS outside,
                   NULL::DOUBLE AS inside
            FROM {rows.table("bench_dmepos")} b
            JOIN (SELECT DISTINCT state, in_force, code FROM wanted WHERE schedule = 'dmepos') t
                ON b.state = t.state AND b.year_month = t.in_force AND b.code = t.code
            CROSS JOIN (VALUES ('rural'), ('urban')) p(place)
            WHERE b.code_type IN ('CPT', 'HCPCS')
            QUALIFY 1 = row_number() OVER (
                PARTITION BY b.release, b.state, b.code, b.modifier, p.place ORDER BY b.code_type)"""
        ),
        otherwise=NOT_RURAL,
        in_each_state=True,
    ),
)
"""The schedules whose amounts differ by area."""


_ONE_STATE, _ANY_STATE = "states[1]", "''"


def locality_values(db: Snapshot) -> str:
    """Return the payment localities, each with the state whose schedule has it, as rows of VALUES."""
    rows = db.ask_once(_locality_states).items()
    return ", ".join(f"({quote(place)}, {quote(state)})" for place, state in rows) or "('', '')"


def _locality_states(db: Snapshot) -> Mapping[str, str]:
    """Return the state of each payment locality. The national amounts, whose state is US, are those of no place."""
    return dict(
        db.rows(
            f"""SELECT DISTINCT contractor || '-' || locality AS place, state FROM {LOCALITIES}
                WHERE state <> '{NATION}' ORDER BY ALL"""
        )
    )


def keep_localities(db: MarketSnapshot, state: str, codes: Collection[str]) -> None:
    """Show what physicians are paid for a code: in the localities of the state, and in those of the market's groups.

    So the comparison reads no file: its plan is kept, and it takes a third of the time.
    """
    of_places, states = db.ask_once(_locality_states), {state}
    if db.counts_areas:
        found = db.rows(f"SELECT DISTINCT {_LOCALITY} FROM {COUNTED_RATE} WHERE group_area IS NOT NULL")
        states |= {of_places[place] for (place,) in found if place in of_places}
    kept, table = kept_name(LOCALITIES), TABLES[LOCALITIES]
    if states == {state}:
        db.show_parts(kept, table, "code", codes, [({"state": state}, ())], ())
        return
    # Of many states, all rows would not fit in memory.
    db.keep_table(
        kept,
        f"""SELECT code, {", ".join(name for name in table.names if name != "code")} FROM {LOCALITIES}
            WHERE state IN (SELECT unnest($states::VARCHAR[])) AND code IN (SELECT unnest($codes::VARCHAR[]))""",
        {"states": sorted(states), "codes": sorted(codes)},
    )


def area_steps(
    placed: str,
    same_terms: str,
    of_terms: Iterable[str],
    *,
    kinds: Collection[str],
    localities: str | None,
    own_areas: bool,
    is_kept: bool = False,
) -> str:
    """Return the queries of a WITH clause that end in `located`: `placed` (AS f) with the outcomes of its terms (AS c).

    `placed` is SQL of rates' terms with `group_area`, and `of_terms` are the columns that both have. The columns
    besides its own are those of `outcomes`, with the amounts of the group's own area where they are known and
    `own_areas` are asked for, and:

    area: the locality or the wage area of the amount, or one of WHOLE_STATE; null where the schedule has no areas.
    medicare_of_state: the state's mean, also where `medicare` is the own area's amount.
    mean_error: how far the state's mean is from the own area's amount (0.1 is 10% above). Of a state's mean it is how
    far the state's area with the most different amount is from it, above or below.

    `kinds` are the schedules that are asked. `localities` are those of locality_values. Without them, all amounts are
    means of the state, with no mean_error. With `is_kept`, the rows of the code are in memory, see keep_localities.
    """
    schedules = [one for one in AREA_SCHEDULES if one.kind in kinds]
    shared = ", ".join(of_terms)
    whole_state = " ".join(f"WHEN '{one.kind}' THEN '{one.otherwise}'" for one in schedules)
    otherwise = f"CASE schedule {whole_state} END"
    if localities is None:
        # Most questions do not show how far a mean is off, and need not read what it is made of.
        return f"""
            located AS (
                SELECT *, NULL::VARCHAR AS group_area, medicare AS medicare_of_state, NULL::DOUBLE AS mean_error,
                       if(medicare IS NULL, NULL, {otherwise}) AS area
                FROM outcomes)"""
    rows = _AmountRows(is_kept)
    # Of most schedules, a place has the same amount in each state that it is in.
    prices = " UNION ALL ".join(
        f"SELECT '{one.kind}' AS schedule, {_ONE_STATE if one.in_each_state else _ANY_STATE} AS only_in, * "
        f"FROM ({one.amounts(rows)})"
        for one in schedules
    )
    place = " ".join(f"WHEN '{one.kind}' THEN {one.place}" for one in schedules)
    of_state = " ".join(f"WHEN '{one.kind}' THEN c.state" for one in schedules if one.in_each_state)
    only_in = f"CASE c.schedule {of_state} ELSE {_ANY_STATE} END" if of_state else _ANY_STATE
    places = " UNION ".join(f"SELECT {one.place} FROM group_areas" for one in schedules)
    inside_first, outside_first = "coalesce(p.inside, p.outside)", "coalesce(p.outside, p.inside)"
    return f"""
        placed AS MATERIALIZED ({placed}),
        wanted AS MATERIALIZED (
            SELECT DISTINCT schedule, release, state, in_force, code, price_modifier FROM outcomes
            WHERE schedule IN ({", ".join(f"'{one.kind}'" for one in schedules)})),
        locality_state(place, state) AS (VALUES {localities}),
        wanted_state AS MATERIALIZED (SELECT DISTINCT state FROM wanted),
        group_areas AS (SELECT DISTINCT group_area FROM placed WHERE group_area IS NOT NULL),
        wanted_place(place) AS MATERIALIZED ({places}),
        area_price AS MATERIALIZED ({prices}),
        state_range AS (
            SELECT t.schedule, t.release, t.state, t.code, p.modifier,
                   min({outside_first}) AS outside_low, max({outside_first}) AS outside_high,
                   min({inside_first}) AS inside_low, max({inside_first}) AS inside_high
            FROM wanted t JOIN area_price p ON p.schedule = t.schedule AND p.release = t.release AND p.code = t.code
                AND p.modifier = t.price_modifier AND list_contains(p.states, t.state)
            GROUP BY t.schedule, t.release, t.state, t.code, p.modifier),
        located AS (
            SELECT f.*, c.* EXCLUDE (medicare, other_amount, {shared}), c.medicare AS medicare_of_state,
                   if(c.facility, {inside_first}, {outside_first}) AS own_amount,
                   coalesce(own_amount, c.medicare) AS medicare,
                   CASE WHEN own_amount IS NULL OR c.other_amount IS NULL THEN c.other_amount
                       ELSE nullif(if(c.facility, p.outside, p.inside), own_amount) END AS other_amount,
                   CASE WHEN own_amount IS NOT NULL THEN p.label
                       WHEN c.medicare IS NOT NULL THEN CASE c.schedule {whole_state} END END AS area,
                   if(own_amount IS NULL,
                       greatest(if(c.facility, r.inside_high, r.outside_high) / c.medicare - 1,
                                1 - if(c.facility, r.inside_low, r.outside_low) / c.medicare),
                       c.medicare / own_amount - 1) AS mean_error
            FROM placed f JOIN outcomes c ON {same_terms}
            LEFT JOIN area_price p ON {own_areas} AND p.schedule = c.schedule AND p.release = c.release
                AND p.code = c.code
                AND p.modifier = c.price_modifier AND p.place = CASE c.schedule {place} END
                -- Only comparisons: with any other condition, DuckDB compares each row with each price.
                AND p.only_in = {only_in}
            LEFT JOIN state_range r ON r.schedule = c.schedule AND r.release = c.release AND r.state = c.state
                AND r.code = c.code AND r.modifier = c.price_modifier)"""
