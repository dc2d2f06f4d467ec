"""What payers pay for some codes, beside the amounts of a state's workers' compensation schedule.

Each payer's latest rates are compared with the release that was in effect in their month, as a percent of the schedule
always is; with the release that is looked at if none was, or if a visitor asks for one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from core.fields.places.care_setting import FACILITY_OR_UNSTATED, NON_FACILITY_OR_UNSTATED
from core.queries import coverage
from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.basket_medians import compared_codes
from core.queries.comparison.compared_rates import odd_sql
from core.queries.comparison.overruled_labels import list_overruled_labels
from core.queries.comparison.usual_side import list_codes_inside_alone
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.market.market_filters import NO_MODIFIER, STATE_MEAN
from core.queries.market.market_rates import market_facts
from core.queries.rules.columns import Code, CodeName, Month, PayerName, PayerSlug, ReleaseMonth, State, described
from core.queries.rules.far_from_others import beyond_sql
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.measured_class import class_of_like, like_class
from core.queries.rules.named_rows import read_rows
from core.queries.rules.paid_less import is_paid_less
from core.queries.rules.percentiles import median
from core.queries.rules.rate_kinds import CARE_SETTINGS_OF_SETS, STATED_CARE_SQL, stated_care_sql
from core.queries.yardstick.compensation import (
    ALL_AMOUNTS,
    CompensationAmount,
    CompensationRelease,
    choose_compensation_release,
    list_compensation_amounts,
    list_compensation_releases,
)
from core.store.connection import Snapshot

PROFESSIONAL, OUTPATIENT, SURGICAL_CENTER = "professional", "hospital outpatient", "surgical center"

_FILTERS = {
    PROFESSIONAL: {"billing_class": "professional"},
    OUTPATIENT: {"billing_class": "institutional", "care_setting": "hospital outpatient"},
    SURGICAL_CENTER: {"billing_class": "institutional", "care_setting": "surgical center"},
}
"""The rates that each of the schedule's amounts is for."""


@dataclass(frozen=True)
class ScheduleMedian:
    """The median of a payer's rates for the whole service, beside the schedule's amount for who is paid."""

    state: State
    release: ReleaseMonth
    code: Code
    name: CodeName
    basis: Annotated[
        str,
        described("Who is paid: professional, hospital outpatient, or surgical center.", PROFESSIONAL),
    ]
    care_setting: Annotated[
        str | None,
        described(
            "`non-facility or unstated` or `facility or unstated`, where professionals have rates for facilities alone "
            "and others for other places alone; null otherwise.",
            None,
        ),
    ]
    amount: Annotated[
        float, described("Amount of the schedule in dollars, of its own for facilities if it has one.", 104.0)
    ]
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    year_month: Month
    rates: Annotated[int, described("Number of the payer's rates in dollars without a modifier.", 12)]
    left_out: Annotated[
        int,
        described(
            "Number of the payer's other such rates, which are likely errors: far from Medicare and from the others.", 0
        ),
    ]
    lowest: Annotated[float, described("The lowest of these rates in dollars.", 80.0)]
    p50: Annotated[float, described("Median of these rates in dollars.", 95.0)]
    highest: Annotated[float, described("The highest of these rates in dollars.", 120.0)]
    percent: Annotated[float, described("The median against the schedule's amount: 1.2 is 120%.", 0.91)]


def list_schedule_medians(
    db: Snapshot,
    release: CompensationRelease,
    amounts: Sequence[CompensationAmount],
    codes: Sequence[BasketCode],
    *,
    by_month: bool,
) -> list[ScheduleMedian]:
    """Return what payers pay for each code beside the `amounts` that a release has for it, in the order of the codes.

    The rates are those of the payers' latest files. With `by_month`, each is beside the release in effect in its month.
    """
    names = dict(coverage.list_payers(db))
    by_code = _by_code(amounts)
    in_effect = _InEffect(db, release, codes) if by_month else None
    found = []
    for basis, filters in _FILTERS.items():
        amount_of = {
            at: amount for at, one in enumerate(codes) if (amount := amounts_of(by_code.get(one.code, ())).get(basis))
        }
        priced = [codes[at] for at in amount_of]
        market = with_latest(db, Market(release.state, "", modifier=NO_MODIFIER, **filters))
        if list_overruled_labels(db, market.without("billing_class", "care_setting")):
            # A physician's fee that is labeled institutional is no hospital's bill.
            market = replace(market, billing_class=like_class(filters["billing_class"]))
        medians = _without_outside(db, _list_medians(db, market, priced), priced)
        for one in _without_whole_inside(medians, [by_code[one.code] for one in priced]):
            at = list(amount_of)[one.position]
            month, code = market.month_of(one.payer_slug), codes[at].code
            own, rows = in_effect.find(month, code) if in_effect else (release, [])
            amount = _amount(rows, basis, one.care_setting)
            if amount is None:
                own, amount = release, _amount(by_code[code], basis, one.care_setting) or amount_of[at]
            found.append(
                (
                    at,
                    ScheduleMedian(
                        state=release.state,
                        release=own.release,
                        code=code,
                        name=codes[at].title,
                        basis=basis,
                        care_setting=one.care_setting,
                        amount=amount,
                        reporting_entity_name=names.get(one.payer_slug, one.payer_slug),
                        payer_slug=one.payer_slug,
                        year_month=month,
                        rates=one.rates,
                        left_out=one.left_out,
                        lowest=one.lowest,
                        p50=one.p50,
                        highest=one.highest,
                        percent=one.p50 / amount,
                    ),
                )
            )
    return [row for _, row in sorted(found, key=lambda one: (one[0], list(_FILTERS).index(one[1].basis)))]


@dataclass(frozen=True)
class _CodeMedian:
    position: int
    payer_slug: str
    care_setting: str | None
    rates: int
    lowest: float
    p50: float
    highest: float
    left_out: int
    beyond: int
    """How many of its rates are beyond the others, which is one of the two marks of a likely error."""


def _list_medians(db: Snapshot, market: Market, codes: Sequence[BasketCode]) -> list[_CodeMedian]:
    """Return the medians of the market's rates in dollars for some codes, by code, payer, and side.

    Only a professional's rates have sides, where some are for facilities alone and some for other places alone. Likely
    errors are left out, as on the page of a code in the same class and side. Only codes with a rate that is beyond the
    others are compared with Medicare for it.
    """
    if not codes:
        return []
    facts, of_facts = market_facts(db, market)
    condition, numbers = in_codes(one.code for one in codes)
    not_compared = f"""(SELECT f.*, {_KIND} AS kind, NULL::DOUBLE AS percent, NULL::DOUBLE AS percent_inside,
                               NULL::DOUBLE AS percent_outside
                        FROM ({facts}) f WHERE {condition})"""
    found = _ask_medians(db, market, codes, not_compared, {**of_facts, **numbers})
    far = sorted({one.position for one in found if one.beyond})
    if far:
        some = [codes[at] for at in far]
        compared, of_rates = compared_codes(db, replace(market, area=STATE_MEAN), some)
        again = _ask_medians(db, market, some, f"({compared} SELECT *, {_PERCENTS_OF_SIDES} FROM compared)", of_rates)
        found = [one for one in found if one.position not in far]
        found += [replace(one, position=far[one.position]) for one in again]
    return [one for one in sorted(found, key=lambda one: one.position) if one.rates]


_IS_INSIDE = "contains(basis, ' facility')"

_PERCENTS_OF_SIDES = f"""
    if({_IS_INSIDE} OR other_amount IS NULL, percent, negotiated_rate / other_amount) AS percent_inside,
    if({_IS_INSIDE} AND other_amount IS NOT NULL, negotiated_rate / other_amount, percent) AS percent_outside"""
"""SQL of a rate's percents in facilities and outside, where its places allow both of Medicare's amounts."""

_KIND = "rate_kind(f.negotiated_type, f.negotiation_arrangement)"


def _ask_medians(
    db: Snapshot, market: Market, codes: Sequence[BasketCode], rates: str, parameters: dict[str, Any]
) -> list[_CodeMedian]:
    """Return the medians of `rates`, SQL of rates with their percents of Medicare outside facilities and inside."""
    is_professional = class_of_like(market.billing_class) == PROFESSIONAL
    sides = "sides" if is_professional else "NULL::VARCHAR[]"
    # Whatever their label, these are professionals' rates.
    paid_less = is_paid_less(db, [one.code for one in codes])
    stated = stated_care_sql("'professional'", paid_less) if is_professional else STATED_CARE_SQL
    listed = {
        "positions": list(range(len(codes))),
        "numbers": [one.code for one in codes],
        "systems": [" ".join(one.systems) for one in codes],
    }
    return read_rows(
        db,
        _CodeMedian,
        f"""WITH placed AS MATERIALIZED (
            SELECT position, payer_slug, negotiated_rate, percent, percent_inside, percent_outside, {sides} AS sides
            FROM (SELECT f.* FROM {rates} f WHERE kind = 'dollars') f
            JOIN (SELECT unnest($positions) AS position, unnest($numbers) AS code, unnest($systems) AS systems) a
                ON a.code = f.code AND (a.systems = '' OR list_contains(string_split(a.systems, ' '), f.code_type))
            JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name
            LEFT JOIN ({CARE_SETTINGS_OF_SETS}) c ON c.stated = {stated} AND c.pos_set_id = f.pos_set_id),
            apart AS (
                SELECT position FROM placed GROUP BY position
                HAVING bool_or(sides = ['{NON_FACILITY_OR_UNSTATED}']) AND bool_or(sides = ['{FACILITY_OR_UNSTATED}'])),
            sided AS (
                SELECT *, unnest(CASE WHEN position IN (SELECT position FROM apart) THEN sides ELSE [NULL] END)
                       AS care_setting FROM placed),
            of_line AS (
                SELECT position, care_setting, {median("negotiated_rate")} AS middle FROM sided GROUP BY ALL),
            beside AS (
                SELECT s.* EXCLUDE (percent),
                       CASE s.care_setting WHEN '{FACILITY_OR_UNSTATED}' THEN percent_inside
                           WHEN '{NON_FACILITY_OR_UNSTATED}' THEN percent_outside ELSE s.percent END AS percent,
                       middle
                FROM sided s JOIN of_line o
                    ON o.position = s.position AND o.care_setting IS NOT DISTINCT FROM s.care_setting),
            marked AS (SELECT *, {odd_sql("negotiated_rate", "middle")} AS is_odd FROM beside)
            SELECT position, payer_slug, care_setting, count(*) FILTER (NOT is_odd) AS rates,
                   min(negotiated_rate) FILTER (NOT is_odd) AS lowest, {median("negotiated_rate", "NOT is_odd")} AS p50,
                   max(negotiated_rate) FILTER (NOT is_odd) AS highest, count(*) FILTER (is_odd) AS left_out,
                   count(*) FILTER ({beyond_sql("negotiated_rate", "middle")}) AS beyond
            FROM marked
            GROUP BY position, payer_slug, care_setting
            ORDER BY position, payer_slug, care_setting = '{FACILITY_OR_UNSTATED}'""",
        {**parameters, **listed},
    )


class _InEffect:
    """The amounts of the releases that were in effect in payers' months, each read once."""

    def __init__(self, db: Snapshot, newest: CompensationRelease, codes: Sequence[BasketCode]) -> None:
        self._db, self._newest, self._codes = db, newest, codes
        self._amounts: dict[str, Mapping[str, list[CompensationAmount]]] = {}

    def find(self, month: str, code: str) -> tuple[CompensationRelease, list[CompensationAmount]]:
        """Return the release in effect in a month, and what it says of a code; nothing if it is the one looked at."""
        state = self._newest.state
        own = choose_compensation_release(list_compensation_releases(self._db), state, month) or self._newest
        if own == self._newest:
            return own, []
        if own.release not in self._amounts:
            _, rows = list_compensation_amounts(self._db, own, "", "", ALL_AMOUNTS, 0, self._codes)
            self._amounts[own.release] = _by_code(rows)
        return own, self._amounts[own.release].get(code, [])


def _by_code(amounts: Sequence[CompensationAmount]) -> dict[str, list[CompensationAmount]]:
    found: dict[str, list[CompensationAmount]] = {}
    for row in amounts:
        found.setdefault(row.code, []).append(row)
    return found


def _amount(rows: Sequence[CompensationAmount], basis: str, care_setting: str | None) -> float | None:
    """Return what a release pays for the whole service, to whom and where a median is of."""
    of_side = _facility_amount(rows) if care_setting == FACILITY_OR_UNSTATED else None
    return of_side or amounts_of(rows).get(basis)


def _without_outside(db: Snapshot, medians: Sequence[_CodeMedian], codes: Sequence[BasketCode]) -> list[_CodeMedian]:
    """Return the medians without those outside facilities of codes that Medicare pays for in facilities alone."""
    inside_alone = list_codes_inside_alone(db)
    inside = {(one.position, one.payer_slug) for one in medians if one.care_setting == FACILITY_OR_UNSTATED}
    return [
        one
        for one in medians
        if one.care_setting != NON_FACILITY_OR_UNSTATED
        or codes[one.position].code not in inside_alone
        or (one.position, one.payer_slug) not in inside
    ]


def _without_whole_inside(
    medians: Sequence[_CodeMedian], amounts: Sequence[Sequence[CompensationAmount]]
) -> list[_CodeMedian]:
    """Return the medians without those in facilities of codes with a technical part: there, nobody bills the whole.

    `amounts` are those of each position's code.
    """
    return [
        one
        for one in medians
        if one.care_setting != FACILITY_OR_UNSTATED or not any(row.modifier == "TC" for row in amounts[one.position])
    ]


def _facility_amount(rows: Sequence[CompensationAmount]) -> float | None:
    """Return what the schedule pays a professional in a facility for the whole service, if that is apart."""
    return next((row.facility_amount for row in rows if not row.modifier and row.facility_amount), None)


def amounts_of(rows: Sequence[CompensationAmount]) -> Mapping[str, float]:
    """Return the amounts of a code's rows for the whole service, by who is paid.

    A state may list what hospitals and surgical centers are paid for a scan beside its technical part.
    """
    plain = [row for row in rows if not row.modifier]
    of_facility = [*plain, *(row for row in rows if row.modifier == "TC")]
    found = {
        PROFESSIONAL: next((row.amount for row in plain if row.amount), None),
        OUTPATIENT: next((row.outpatient_amount for row in of_facility if row.outpatient_amount), None),
        SURGICAL_CENTER: next((row.asc_amount for row in of_facility if row.asc_amount), None),
    }
    return {basis: amount for basis, amount in found.items() if amount}
