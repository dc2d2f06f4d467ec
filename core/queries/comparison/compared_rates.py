"""The rules that compare a rate with Medicare: one basis and a percent, or one reason why there is none.

The class, the setting, and the places of a rate choose its own schedule; what that schedule says of the code may pass
it on to another (schedules.py). These rules have no other copy. docs/method.md explains them to readers.
"""

from collections.abc import Sequence

from core.queries.comparison.area_amounts import area_steps
from core.queries.comparison.asked_place import ANYWHERE, ASKED_OF_CODES, AskedPlace
from core.queries.comparison.lookup_scope import ANYTHING, LookupScope
from core.queries.comparison.lookups import lookups_sql
from core.queries.comparison.reasons import MOST_HELPFUL_FIRST
from core.queries.comparison.schedules import (
    BASES,
    DRG_LABELS,
    HCPCS,
    MS_DRG,
    NO_OWN_SCHEDULE,
    OWN_SCHEDULES,
    Schedule,
    chain_links,
)
from core.queries.comparison.state_schedule import COMPENSATION_OUTCOME, compensated_sql
from core.queries.market.market_filters import OF_COMPENSATION
from core.queries.rules.far_from_others import beyond_sql
from core.queries.rules.measured_class import places_sql
from core.queries.rules.modifiers import RENTAL_OR_PURCHASE
from core.store.views import RATE_WITH_PAYEE, SURGICAL_CENTER_PAYEE

LEAST_PLAUSIBLE, MOST_PLAUSIBLE = 0.5, 30.0
"""A rate in dollars is plausible from 0.5 to 30 times Medicare, both included: the range that the trade uses."""

PLAUSIBLE_SQL = f"percent BETWEEN {LEAST_PLAUSIBLE} AND {MOST_PLAUSIBLE}"
"""Whether the column `percent` is plausible; null where it is null."""


_IS_WITHIN = f"({PLAUSIBLE_SQL}) IS DISTINCT FROM false"
"""Whether a rate is not implausible: so is one without a percent."""

_IS_LEFT = f"({_IS_WITHIN} AND NOT is_far)"
"""Whether a rate is neither implausible nor far from the others."""

EXTREMES_SQL = f"""count(*) FILTER (NOT {PLAUSIBLE_SQL}) AS implausible,
    count(*) FILTER ({_IS_WITHIN} AND is_far) AS far_from_others,
    min(negotiated_rate) FILTER ({_IS_LEFT}) AS plausible_lowest,
    max(negotiated_rate) FILTER ({_IS_LEFT}) AS plausible_highest"""
"""How many rates are implausible, how many others are far from the others, and the lowest and the highest of the rest:
of rates with the columns `percent` and `is_far`, see far_sql."""

PLAUSIBLE_RATE_SQL = f"(CASE WHEN {_IS_LEFT} THEN negotiated_rate END)"
"""The rate, null if it is implausible or far from the others."""


def odd_sql(rate: str, middle: str) -> str:
    """Return SQL of whether figures leave out a rate with a `percent`, as a likely error. See left_out.py.

    It is implausible, and beyond the others, whose median is `middle`.
    """
    return f"(({PLAUSIBLE_SQL}) IS NOT DISTINCT FROM false AND {beyond_sql(rate, middle)})"


def is_plausible(percent: float) -> bool:
    """Return whether a percent of Medicare (1 is 100%) is plausible: PLAUSIBLE_SQL for a value in Python."""
    return LEAST_PLAUSIBLE <= percent <= MOST_PLAUSIBLE


_TERM_COLUMNS = (
    "state", "year_month", "code_type", "code", "billing_class", "setting", "billing_code_modifier", "pos_set_id",
    "negotiated_type", "negotiation_arrangement", "payee",
)  # fmt: skip
"""The columns of RATE_WITH_PAYEE that decide which amount a rate is compared with, besides its size."""

TERMS = ", ".join(_TERM_COLUMNS)

SAME_TERMS_OF_ANY_SIZE = " AND ".join(f"f.{name} IS NOT DISTINCT FROM c.{name}" for name in _TERM_COLUMNS)
"""Whether a fact AS f, with `payee`, and a row AS c have the same TERMS, whatever the rate's size."""

SAME_TERMS = f"rate_size(f.code, f.negotiated_rate) = c.size AND {SAME_TERMS_OF_ANY_SIZE}"
"""Whether a fact AS f has the terms of a row of `compared` AS c, see compared_terms_sql."""

SAME_TERMS_AND_AREA = f"{SAME_TERMS} AND f.group_area IS NOT DISTINCT FROM c.group_area"
"""Whether a fact AS f, with `group_area`, has the terms and the area of a row of `compared` AS c."""


def count_terms_sql(rates: str, outcomes: str, count: str, *, areas: bool) -> str:
    """Return SQL of the rows of `outcomes`, a table of `compared`, that the `rates` have, each with its `rate_count`.

    The rates are put together first: a join costs by its columns, and outcomes have many.
    """
    area = ", group_area" if areas else ""
    same_area = " AND f.group_area IS NOT DISTINCT FROM c.group_area" if areas else ""
    return f"""
        SELECT c.*, f.rate_count
        FROM (SELECT {TERMS}, rate_size(code, negotiated_rate) AS size{area}, {count} AS rate_count
              FROM {rates} GROUP BY ALL) f
        JOIN {outcomes} c ON f.size = c.size AND {SAME_TERMS_OF_ANY_SIZE}{same_area}"""


_OUTCOME_COLUMNS = (
    "kind", "places", "schedule", "basis", "detail", "rule", "medicare", "other_amount", "area", "mean_error",
    "release", "in_force", "reason", *COMPENSATION_OUTCOME,
)  # fmt: skip

OUTCOME = ", ".join(f"c.{name}" for name in _OUTCOME_COLUMNS)
"""What becomes of rates with the same terms: columns of `compared` AS c.

kind and places of the rate; schedule, basis, detail and rule, what it is compared with and what chose that; medicare
and other_amount (dollars; the other is that of the other setting, where the places allow both); area and mean_error,
see area_steps; release and in_force (the month of the schedule's row); and reason, one of REASONS, where there is no
amount. A schedule, a basis, and a rule are null where there is a reason. The columns of COMPENSATION_OUTCOME say the
same of the state's own schedule.
"""


def compared_sql(
    where: str,
    facts: str = RATE_WITH_PAYEE,
    *,
    place: AskedPlace = ANYWHERE,
    basis: str | None = None,
    scope: LookupScope = ANYTHING,
    areas: bool = False,
    means: bool = False,
    localities: str | None = None,
    yardstick: str | None = None,
) -> str:
    """Return a WITH clause that ends in `compared`: the `facts` (AS f) that meet `where`, each with its outcome.

    Columns besides the fact's: those of OUTCOME, percent (1 is 100%), and plausible. With `means`, there is
    `percent_of_state` as well: the percent of the state's mean, also where the rate is compared in its own area. For
    the other arguments, see compared_terms_sql.
    """
    same = SAME_TERMS_AND_AREA if areas else SAME_TERMS
    mean = "wcfs" if yardstick == OF_COMPENSATION else "medicare_of_state"
    of_state = f"f.negotiated_rate / c.{mean} AS percent_of_state," if means else ""
    return f"""
        WITH asked AS MATERIALIZED (SELECT f.* FROM {facts} f WHERE {where}),
        {_located("asked", "count(*)", place, basis, scope, areas=areas, localities=localities)},
        compared AS (
            SELECT f.*, {OUTCOME}, {of_state} f.negotiated_rate / c.medicare AS percent, {PLAUSIBLE_SQL} AS plausible
            FROM asked f JOIN {measured_sql("located", yardstick)} c ON {same})"""


def compared_terms_sql(
    facts: str,
    count: str = "count(*)",
    *,
    place: AskedPlace = ANYWHERE,
    basis: str | None = None,
    scope: LookupScope = ANYTHING,
    areas: bool = False,
    means: bool = False,
    localities: str | None = None,
    yardstick: str | None = None,
) -> str:
    """Return a WITH clause whose `compared` has one row for all of the `facts` with the same terms.

    `rate_count` says how many rates a row stands for; `count` counts them. Which amount a rate is compared with depends
    on its terms, not on how much it is, except for its size (rate_size): 60 rows are compared rather than 83,000
    (docs/decisions/0031). `place` is the place of service that a visitor asks about. `basis` is the schedule that a
    visitor asks for (BASES).
    `scope` says what need not be looked up, see find_scope. With `areas`, the facts have a column `group_area`,
    rates of groups in different areas are different rows, and each is compared in its own area; with `means`, all terms
    have a row with the state's mean as well, whose area is null and which may stand for no rate. With `localities`
    (see locality_values, which `areas` need), `mean_error` says how far a state's mean is off. `yardstick` is
    one of YARDSTICKS, see measured_sql.
    """
    return f"""
        WITH {_located(facts, count, place, basis, scope, areas=areas, means=means, localities=localities)},
        compared AS (
            SELECT {TERMS}, size, group_area, rate_count, {OUTCOME} FROM {measured_sql("located", yardstick)} c)"""


COMPENSATION_BASIS = "workers’ compensation"
"""What a basis begins with that is of a state's schedule."""


def measured_sql(outcomes: str, yardstick: str | None) -> str:
    """Return SQL of `outcomes`, a table with the columns of OUTCOME, in which those of Medicare are the yardstick's.

    So every question that asks for a percent of `medicare` answers with the percent of the state's schedule if that is
    what a visitor measures by. The columns of COMPENSATION_OUTCOME stay as they are.
    """
    if yardstick != OF_COMPENSATION:
        return outcomes
    return f"""(SELECT * REPLACE (
            wcfs AS medicare, '{COMPENSATION_BASIS}, ' || wcfs_basis AS basis, wcfs_release AS release,
            wcfs_release AS in_force, wcfs_reason AS reason, if(wcfs IS NULL, NULL, 'wcfs') AS schedule,
            if(wcfs IS NULL, NULL, 'visitor') AS rule, NULL::VARCHAR AS detail, NULL::DOUBLE AS other_amount,
            NULL::VARCHAR AS area, NULL::DOUBLE AS mean_error) FROM {outcomes})"""


def _located(
    facts: str,
    count: str,
    place: AskedPlace,
    basis: str | None,
    scope: LookupScope,
    *,
    areas: bool,
    localities: str | None,
    means: bool = False,
) -> str:
    """Return the queries of a WITH clause that end in `located`: what area_steps says, for all terms of the facts."""
    placed = f"SELECT {TERMS}, size, NULL::VARCHAR AS group_area, rate_count FROM outcomes"
    if areas:
        placed = f"""SELECT {TERMS}, rate_size(code, negotiated_rate) AS size, group_area, {count} AS rate_count
                     FROM {facts} GROUP BY ALL"""
    if areas and means:
        of_means = f"SELECT {TERMS}, size, NULL::VARCHAR AS group_area, 0 AS rate_count FROM outcomes"
        placed = f"""SELECT {TERMS}, size, group_area, sum(rate_count)::BIGINT AS rate_count
                     FROM ({placed} UNION ALL {of_means}) GROUP BY ALL"""
    steps = area_steps(
        placed,
        f"f.size = c.size AND {SAME_TERMS_OF_ANY_SIZE}",
        (*_TERM_COLUMNS, "size", "rate_count"),
        kinds={one.kind for one in scope.schedules},
        localities=localities,
        own_areas=areas,
        is_kept=scope.keeps_areas,
    )
    return f"{_outcomes(facts, count, place, basis, scope)}, {steps}"


def _outcomes(facts: str, count: str, place: AskedPlace, basis: str | None, scope: LookupScope) -> str:
    """Return the queries of a WITH clause that end in `outcomes`: the distinct terms of the facts, each with OUTCOME.

    The steps: `picked` finds each rate's kind, places, and own schedule. `periods` finds the release that is in force
    in each state and month, and `listed_code` reads what the schedules say of the codes picked. `candidates` joins each
    rate with its own schedule and with those that follow it. `priced` chooses the facility or the non-facility amount,
    `reasoned` says why a candidate has none, and `chosen` keeps one candidate for each rate: the first with an amount,
    otherwise the one whose reason tells most.
    """
    sets, set_of_rate = _sets(place)
    return f"""
        {sets},
        terms AS (
            SELECT {TERMS}, rate_size(code, negotiated_rate) AS size, {count} AS rate_count
            FROM {facts} GROUP BY ALL),
        -- Materialized, so that a row's number is the same wherever it is used.
        picked AS MATERIALIZED (
            SELECT row_number() OVER () AS term, f.*, rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind,
                   coalesce(p.places, 'unstated') AS places, coalesce(p.mostly_facility, false) AS mostly_facility,
                   coalesce(p.allows_both, false) AS allows_both,
                   CASE f.billing_class
                       WHEN 'professional' THEN 'medicare_prof'
                       WHEN 'institutional'
                           THEN institutional_schedule(coalesce(p.service_places, []), f.setting, f.code_type)
                       ELSE 'class not stated' END AS own_by_class,
                   {_own_and_rule(basis)},
                   priced_modifier(f.billing_code_modifier) AS modifier,
                   CASE WHEN f.code_type IN {HCPCS} THEN '{HCPCS[-1]}' WHEN f.code_type IN {DRG_LABELS}
                       THEN '{MS_DRG}' ELSE f.code_type END AS code_system,
                   -- Three digits, as the loader writes them only where the file says MS-DRG.
                   if(f.code_type IN {DRG_LABELS}, padded_drg(f.code), f.code) AS listed_as
            FROM terms f {set_of_rate}
            LEFT JOIN schedule_fit o ON o.reporting_entity_name = f.payee AND o.state = f.state
                AND o.year_month = f.year_month AND o.billing_class = f.billing_class
                AND o.places = {places_sql("f.pos_set_id")} AND o.chosen AND NOT o.of_label),
        {lookups_sql(scope)},
        chain(own, step, schedule, title, has_settings, passes_unlisted) AS (VALUES
            {", ".join(_chain_rows(scope.schedules))}),
        tried AS (
            SELECT f.term, f.own, f.own_rule, f.modifier, f.size, f.places, f.mostly_facility, f.allows_both, c.step,
                   c.schedule, c.title, c.has_settings, t.release, t.in_force, coalesce(t.loaded, false) AS loaded,
                   s.prices IS NOT NULL AS listed,
                   -- What a hospital is paid by the physician fee schedule is the technical part, where there is one.
                   coalesce(if(f.own = 'opps' AND c.step > 0 AND f.modifier = '', {_price("'TC'")}, NULL),
                            {_price("f.modifier")}) AS price,
                   coalesce((price).detail, s.prices[1].detail) AS says,
                   {_price("''")}.reason AS why_no_plain_price, {_HAS_RENTAL} AS has_rental,
                   CASE c.step WHEN 0 THEN
                       coalesce(t.loaded, false) AND coalesce(s.passes_on, c.passes_unlisted) END AS own_passes_on,
                   CASE c.step WHEN 0 THEN c.title || ' ' || says END AS said_by_own
            FROM picked f JOIN chain c ON c.own = f.own
            LEFT JOIN periods t ON t.state = f.state AND t.year_month = f.year_month AND t.schedule = c.schedule
            LEFT JOIN listed_code s ON s.state = f.state AND s.year_month = f.year_month AND s.schedule = c.schedule
                AND s.code = f.listed_as AND s.code_system = f.code_system
            -- Of the schedules that follow, one that does not list the code has no amount, and its reason tells least.
            WHERE c.step = 0 OR s.prices IS NOT NULL),
        candidates AS (
            -- Apart from the joins: a window keeps all columns that it is made from, and a list of prices is large.
            SELECT * EXCLUDE (own_passes_on, said_by_own),
                   coalesce(bool_or(own_passes_on) OVER (PARTITION BY term), true) AS passed_on,
                   max(said_by_own) OVER (PARTITION BY term) AS own_says
            FROM tried),
        priced AS (
            SELECT *, own = 'medicare_prof' AND mostly_facility AND modifier <> 'TC' AS wants_facility,
                   -- The schedule publishes the other setting's amount where it has none for a setting (NA).
                   if(wants_facility, coalesce(price.inside, price.outside), coalesce(price.outside, price.inside))
                       AS amount,
                   if(wants_facility, price.inside IS NOT NULL AND NOT coalesce(price.inside_na, false),
                       price.outside IS NULL OR coalesce(price.outside_na, false)) AS facility,
                   if(allows_both, nullif(if(wants_facility, price.outside, price.inside), amount), NULL) AS other
            FROM candidates WHERE step = 0 OR passed_on),
        reasoned AS (
            SELECT *, CASE
                WHEN NOT loaded THEN 'benchmark not loaded'
                WHEN NOT listed THEN 'code not found'
                {_conditions(scope.schedules)}
                WHEN price IS NULL THEN coalesce(why_no_plain_price,
                    if(modifier = '' AND has_rental, 'unit not stated', 'modifier not priced'))
                WHEN price.reason IS NOT NULL THEN price.reason
                -- In a facility, the technical part is paid to the facility.
                WHEN modifier = 'TC' AND places = 'facility' AND own = 'medicare_prof' THEN 'not paid in this setting'
                WHEN amount IS NULL THEN 'not priced' END AS why_none
            FROM priced),
        chosen AS (
            SELECT *, price.modifier AS price_modifier,
                   title || if(has_settings, if(facility, ' facility', ' non-facility'), '')
                       || if(price.modifier = '', '', ', modifier ' || price.modifier) AS basis,
                   nullif(concat_ws(', ', says, CASE
                       WHEN has_settings AND facility AND NOT wants_facility
                           THEN 'CMS publishes no separate office amount'
                       WHEN has_settings AND wants_facility AND NOT facility
                           THEN 'CMS publishes no separate facility amount' END,
                       if(step > 0, own_says, NULL)), '') AS detail
            FROM reasoned QUALIFY 1 = row_number() OVER (
                PARTITION BY term
                ORDER BY why_none IS NOT NULL, list_position({list(MOST_HELPFUL_FIRST)}, why_none), step)),
        {compensated_sql(may_be_loaded=scope.has_compensation, is_kept=scope.is_kept)},
        outcomes AS (
            SELECT p.*, CASE
                       WHEN p.kind <> 'dollars' THEN p.kind
                       WHEN p.size = 'zero' THEN 'zero rate'
                       WHEN p.own IN {NO_OWN_SCHEDULE} AND (c.term IS NULL OR c.why_none IS NOT NULL) THEN p.own
                       WHEN p.own NOT IN {NO_OWN_SCHEDULE} AND p.code_system <> '{HCPCS[-1]}' THEN 'other code system'
                       ELSE c.why_none END AS reason,
                   {", ".join(f"if(reason IS NULL, c.{name}, NULL) AS {new}" for name, new in _IF_COMPARED.items())},
                   if(reason IS NULL, if(c.step = 0, p.own_rule, 'code'), NULL) AS rule,
                   {", ".join(f"w.{name}" for name in COMPENSATION_OUTCOME)}
            FROM picked p LEFT JOIN chosen c ON c.term = p.term
            LEFT JOIN compensated w ON w.term = p.term)"""


def _sets(place: AskedPlace) -> tuple[str, str]:
    """Return the query `sets`, what places of service mean where rates are looked at, and the join with a rate AS f."""
    if not place.of_codes:
        return f"sets AS ({_sets_at(place)})", "LEFT JOIN sets p ON p.pos_set_id = f.pos_set_id"
    apart = " UNION ALL ".join(_sets_at(one, at) for at, one in enumerate(place.of_codes, 1))
    return (
        f"asked_of_code AS MATERIALIZED ({ASKED_OF_CODES}), sets AS MATERIALIZED ({apart})",
        """LEFT JOIN asked_of_code k ON k.code = f.code
            LEFT JOIN sets p ON p.pos_set_id = f.pos_set_id AND p.asked = k.asked""",
    )


def _sets_at(place: AskedPlace, asked: int = 0) -> str:
    listed = "service_codes" if place.of_all is None else f"[{place.of_all}::VARCHAR]"
    of_fee = listed if place.of_professionals is None else f"[{place.of_professionals}::VARCHAR]"
    return f"""
            SELECT {asked} AS asked, pos_set_id, {listed} AS service_places, {of_fee} AS fee_places,
                   place_setting(fee_places) AS places, is_mostly_facility(fee_places) AS mostly_facility,
                   allows_both_settings(fee_places) AS allows_both
            FROM dim_pos_set"""


def _own_and_rule(basis: str | None) -> str:
    """Return SQL of a rate's own schedule, and of the rule (RULES) that chose it.

    What a visitor asks for comes first, then who is paid, then how the payer's rates fit, then the label. The middle
    two choose between the schedules of the two classes: an inpatient rate has neither.
    """
    if basis:
        return f"'{BASES[basis]}' AS own, 'visitor' AS own_rule"
    fit = " ".join(f"WHEN '{name}' THEN '{kind}'" for name, kind in BASES.items())
    return f"""CASE WHEN own_by_class NOT IN {OWN_SCHEDULES} THEN 'class'
                   WHEN f.payee = '{SURGICAL_CENTER_PAYEE}' THEN 'provider'
                   WHEN o.schedule IS NOT NULL THEN 'fit' ELSE 'class' END AS own_rule,
               CASE own_rule WHEN 'provider' THEN 'asc' WHEN 'fit' THEN CASE o.schedule {fit} END
                   ELSE own_by_class END AS own"""


_IF_COMPARED = {
    "schedule": "schedule",
    "basis": "basis",
    "detail": "detail",
    "amount": "medicare",
    "other": "other_amount",
    "release": "release",
    "in_force": "in_force",
    "facility": "facility",
    "price_modifier": "price_modifier",
}
"""The columns of a chosen candidate that an outcome has if there is no reason, and what they are called there."""

_HAS_RENTAL = f"""len(list_filter(s.prices, lambda one: list_has_any(
    string_split(one.modifier, ','), {list(RENTAL_OR_PURCHASE)}))) > 0"""


def _price(modifier: str) -> str:
    """Return SQL of a code's price for a modifier."""
    return f"list_filter(s.prices, lambda one: one.modifier = {modifier})[1]"


def _chain_rows(schedules: Sequence[Schedule]) -> list[str]:
    """Return the chains as rows of VALUES."""
    by_kind = {one.kind: one for one in schedules}
    rows = []
    for link in chain_links(schedules):
        schedule = by_kind[link.kind]
        has_settings = any(price.inside != "NULL" for price in schedule.prices)
        rows.append(
            f"('{link.own}', {link.step}, '{link.kind}', '{schedule.title}', {has_settings}, {not schedule.lists_all})"
        )
    return rows


def _conditions(schedules: Sequence[Schedule]) -> str:
    """Return the WHEN clauses of the schedules that take some rates only."""
    return "\n".join(
        f"WHEN schedule = '{one.kind}' AND NOT ({one.takes}) THEN '{one.otherwise}'"
        for one in schedules
        if one.takes != "true"
    )
