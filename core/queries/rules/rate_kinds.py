"""What kind of figure a rate is, and where the service is rendered: DuckDB macros that several queries share."""

from dataclasses import dataclass

from core.fields.codes.billing_code import CODE_WIDTHS
from core.fields.places.care_setting import (
    FACILITY_OR_UNSTATED,
    FOUR_SETTINGS,
    HOSPITAL_OUTPATIENT,
    INPATIENT,
    NON_FACILITY_OR_UNSTATED,
    OTHER_PLACE,
    PLACES_OF,
    SIDES,
    SURGICAL_CENTER,
)
from core.fields.places.place_of_service import EVERY_PLACE
from core.queries.rules import modifiers
from core.store.schema.fit_tables import SURGICAL_CENTER_GROUP
from core.store.schema.ids import pos_set_id
from core.store.views import SURGICAL_CENTER_PAYEE

FACILITY_PLACES = (
    "02", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61",
)  # fmt: skip
"""Places of service where Medicare pays the facility amount. Source: CMS, Medicare Claims Processing Manual, ch. 26."""

NON_FACILITY_PLACES = (
    "01", "03", "04", "09", "11", "12", "13", "14", "15", "16", "17", "20", "25", "27", "32", "33", "49", "50", "54",
    "55", "57", "58", "60", "62", "65", "71", "72", "81", "99",
)  # fmt: skip
"""Places where Medicare pays the non-facility amount, except 10 (telehealth at home), which says nothing in a list.

Payers add 10, and places that are on neither of CMS's lists (05 to 08), to lists of facilities (docs/decisions/0055).
Alone, they are not a facility.
"""

OFFICE = "11"

INPATIENT_PLACES = ("21", "51", "61")
OUTPATIENT_PLACES = ("19", "22", "23", EVERY_PLACE)
SURGICAL_CENTER_PLACE = "24"
CASES = ("MS-DRG", "R-DRG", "S-DRG", "APS-DRG", "AP-DRG", "APR-DRG", "DRG")
"""Code systems of inpatient cases."""

_DRG_WIDTH = CODE_WIDTHS["MS-DRG"]

ANESTHESIA_CODES = ("00100", "01999")
"""The first and the last CPT code of anesthesia."""

ANESTHESIA_FACTORS = (15.0, 100.0)
"""The least and the most dollars that are plausible for one unit of anesthesia. Medicare pays about 20.

Of a real payer's 6,562 rates in dollars, 3,752 are one of a few figures from $19.22 to $80 that each stand at 50 codes
or more, whatever their base units: prices of a unit. No figure above $100 does; those are prices of cases.
"""


def rate_size(code: str, negotiated_rate: float) -> str:
    """Return what the macro of this name returns, for a value in Python."""
    if negotiated_rate == 0:
        return "zero"
    (first, last), (least, most) = ANESTHESIA_CODES, ANESTHESIA_FACTORS
    is_anesthesia = len(code) == len(first) and first <= code <= last
    return "factor" if is_anesthesia and least <= negotiated_rate <= most else "amount"


@dataclass(frozen=True)
class Kind:
    """A kind of figure. A mean or percentile has figures of one kind only."""

    name: str
    title: str
    unit: str
    meaning: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("dollars", "Dollars", "$", "One service, paid in dollars: negotiated, derived, or by fee schedule."),
        Kind("percentage", "Percentages", "%", "A share of the billed charge. 40.5 means 40.5%."),
        Kind("per diem", "Per diems", "$ per day", "Dollars for each day of a stay."),
        Kind("bundle", "Bundles", "$ per bundle", "Dollars for several services together."),
        Kind("capitation", "Capitation", "$ per member", "Dollars per member, whatever services are used."),
        Kind("other", "Not stated", "?", "The file does not say what the figure is."),
    )
}

_LISTED_SETTINGS = ", ".join(
    f"if(list_has_any(service_codes, {list(places)}), '{setting}', NULL)" for setting, places in PLACES_OF.items()
)
"""SQL of each of the four settings, null if none of its places is listed."""


NO_PLACES = pos_set_id([])
"""The id of the empty set of places."""


def stated_care_sql(billing_class: str, paid_less: str = "false") -> str:
    """Return SQL of what a rate AS f says of its setting beside its places, and who is paid. It has a `payee`.

    `billing_class` is SQL of the class that decides whose bill it is: the one that the rate is measured as. See
    payee_sql. `paid_less` is SQL of whether Medicare pays less for the code in facilities, for sides.
    """
    return _stated_care(billing_class, f"f.payee = '{SURGICAL_CENTER_PAYEE}'", paid_less)


def stated_care_of_fact(billing_class: str, paid_less: str = "false") -> str:
    """Return the same SQL for a fact AS f, which has a provider group instead of a payee."""
    # As in payee_sql: a rate labeled professional is a center's at place 24 alone, which says the same.
    at_center = f"f.billing_class <> 'professional' AND f.pg_uid IN (SELECT pg_uid FROM {SURGICAL_CENTER_GROUP.name})"
    return _stated_care(billing_class, at_center, paid_less)


def _stated_care(billing_class: str, at_center: str, paid_less: str) -> str:
    placeless = "false" if paid_less == "false" else f"f.pos_set_id = '{NO_PLACES}' AND {paid_less}"
    return f"stated_care(f.code_type, f.setting, {billing_class}, {at_center}, {placeless})"


STATED_CARE_SQL = stated_care_sql("f.billing_class")
"""What stated_care_sql returns where the label decides: for sides, which no class changes, and where none is wrong."""

STATED_CARE_OF_FACT = stated_care_of_fact("f.billing_class")
"""The same SQL for a fact AS f."""

STATED_CARE = (
    "inpatient", "at surgical center", "facility outpatient", "facility both", "facility",
    "outside facilities", "outpatient", "nothing",
)  # fmt: skip
"""What stated_care may return.

A professional's rate without a place is `outside facilities` where Medicare pays less in them: it would be set against
the lower amount although nothing says that it is meant for a facility.
"""

CARE_SETTINGS_OF_SETS = f"""
    SELECT stated, pos_set_id, care_settings(stated, service_codes, of_places) AS settings,
           care_sides(stated, service_codes) AS sides
    FROM (SELECT *, place_settings(service_codes) AS of_places FROM dim_pos_set),
         (SELECT unnest({list(STATED_CARE)}) AS stated)"""
"""SQL of the settings of care of rates and of their sides, by what they state and their set of places."""

MACROS = (
    # A figure counts as dollars for one service only if the file says so.
    """CREATE MACRO rate_kind(negotiated_type, negotiation_arrangement) AS CASE
           WHEN negotiated_type = 'percentage' THEN 'percentage'
           WHEN negotiated_type = 'per diem' THEN 'per diem'
           WHEN negotiation_arrangement IN ('bundle', 'capitation') THEN negotiation_arrangement
           WHEN negotiation_arrangement = 'ffs' AND negotiated_type IN ('negotiated', 'derived', 'fee schedule')
               THEN 'dollars'
           ELSE 'other' END""",
    f"""CREATE MACRO place_setting(service_codes) AS CASE
            WHEN len(service_codes) = 0 THEN 'unstated'
            WHEN list_contains(service_codes, '{EVERY_PLACE}') THEN 'mixed'
            WHEN NOT list_has_any(service_codes, {list(FACILITY_PLACES)}) THEN 'non-facility'
            WHEN list_contains(service_codes, '{OFFICE}') THEN 'non-facility'
            WHEN NOT list_has_any(service_codes, {list(NON_FACILITY_PLACES)}) THEN 'facility'
            ELSE 'mixed' END""",
    # Of every place, most are not facilities. A list that is as much one as the other is not a facility's.
    f"""CREATE MACRO is_mostly_facility(service_codes) AS CASE place_setting(service_codes)
            WHEN 'facility' THEN true
            WHEN 'mixed' THEN NOT list_contains(service_codes, '{EVERY_PLACE}')
                AND len(list_filter(service_codes, lambda c: c IN {FACILITY_PLACES}))
                    > len(list_filter(service_codes, lambda c: c IN {NON_FACILITY_PLACES}))
            ELSE false END""",
    f"""CREATE MACRO allows_both_settings(service_codes) AS list_contains(service_codes, '{EVERY_PLACE}')
            OR (list_has_any(service_codes, {list(FACILITY_PLACES)})
                AND list_has_any(service_codes, {list(NON_FACILITY_PLACES)}))""",
    # Payers publish anesthesia as dollars per unit, or per case, which costs more.
    f"""CREATE MACRO rate_size(code, negotiated_rate) AS CASE
            WHEN negotiated_rate = 0 THEN 'zero'
            WHEN code BETWEEN '{ANESTHESIA_CODES[0]}' AND '{ANESTHESIA_CODES[1]}' AND len(code) = 5
                AND negotiated_rate BETWEEN {ANESTHESIA_FACTORS[0]} AND {ANESTHESIA_FACTORS[1]} THEN 'factor'
            ELSE 'amount' END""",
    f"""CREATE MACRO padded_drg(code) AS if(regexp_full_match(code, '[0-9]+'),
            right(repeat('0', {_DRG_WIDTH}) || code, greatest({_DRG_WIDTH}, len(code))), code)""",
    f"""CREATE MACRO institutional_schedule(service_codes, setting, code_type) AS CASE
            WHEN setting = 'inpatient' OR code_type IN {CASES} THEN 'inpatient'
            WHEN len(service_codes) = 0 THEN 'opps'
            WHEN setting IS DISTINCT FROM 'outpatient'
                AND len(list_filter(service_codes, lambda c: c NOT IN {INPATIENT_PLACES})) = 0 THEN 'inpatient'
            WHEN list_has_any(service_codes, {list(OUTPATIENT_PLACES)}) THEN 'opps'
            WHEN list_contains(service_codes, '{SURGICAL_CENTER_PLACE}') THEN 'asc'
            WHEN setting = 'outpatient' AND list_has_any(service_codes, {list(INPATIENT_PLACES)}) THEN 'opps'
            ELSE 'other place' END""",
    # Where no place is listed, whose bill it is decides: hospitals need not list places, professionals must. A
    # surgical center is no hospital, whichever places its payer lists for all facilities.
    f"""CREATE MACRO stated_care(code_type, setting, billing_class, at_center, placeless) AS CASE
            WHEN setting = 'inpatient' OR code_type IN {CASES} THEN 'inpatient'
            WHEN billing_class IN ('institutional', 'both')
                THEN CASE WHEN at_center THEN 'at surgical center'
                    WHEN setting = 'outpatient' THEN 'facility outpatient'
                    WHEN setting = 'both' THEN 'facility both' ELSE 'facility' END
            WHEN placeless THEN 'outside facilities'
            WHEN setting = 'outpatient' THEN 'outpatient'
            ELSE 'nothing' END""",
    f"""CREATE MACRO place_settings(service_codes) AS CASE
            WHEN list_contains(service_codes, '{EVERY_PLACE}') THEN {list(FOUR_SETTINGS)}
            ELSE list_filter([{_LISTED_SETTINGS}], lambda s: s IS NOT NULL) END""",
    # The settings of the places are a parameter: a macro that used them four times would be planned four times.
    f"""CREATE MACRO care_settings(stated, service_codes, of_places) AS CASE
            WHEN stated = 'inpatient' THEN ['{INPATIENT}']
            WHEN stated = 'at surgical center' THEN ['{SURGICAL_CENTER}']
            WHEN len(service_codes) = 0 THEN CASE
                WHEN stated = 'facility both' THEN ['{HOSPITAL_OUTPATIENT}', '{INPATIENT}']
                WHEN starts_with(stated, 'facility') THEN ['{HOSPITAL_OUTPATIENT}']
                ELSE ['unstated'] END
            WHEN len(of_places) = 0 THEN ['{OTHER_PLACE}']
            WHEN NOT ends_with(stated, 'outpatient') THEN of_places
            WHEN of_places = ['{INPATIENT}'] THEN ['{HOSPITAL_OUTPATIENT}']
            ELSE list_filter(of_places, lambda s: s <> '{INPATIENT}') END""",
    f"""CREATE MACRO care_sides(stated, service_codes) AS CASE
            WHEN stated = 'inpatient' THEN ['{FACILITY_OR_UNSTATED}']
            WHEN stated = 'outside facilities' THEN ['{NON_FACILITY_OR_UNSTATED}']
            WHEN list_contains(service_codes, '{EVERY_PLACE}')
                OR list_has_any(service_codes, {list(FACILITY_PLACES)})
                    = list_has_any(service_codes, {list(NON_FACILITY_PLACES)}) THEN {list(SIDES)}
            WHEN list_has_any(service_codes, {list(FACILITY_PLACES)}) THEN ['{FACILITY_OR_UNSTATED}']
            ELSE ['{NON_FACILITY_OR_UNSTATED}'] END""",
    *modifiers.MACROS,
)
"""rate_kind: one of KINDS. place_setting: the setting that a set of places points to: facility, non-facility, mixed, or
unstated for an empty set. is_mostly_facility: whether that means the facility amount of the physician fee schedule.
allows_both_settings: whether the other amount is possible as well. rate_size: zero, factor (a price that may be one
unit of anesthesia), or amount. padded_drg: an MS-DRG in three digits. institutional_schedule: which schedule prices
an institutional rate, opps or asc, or the reason there is none. Hospitals need not list places, so a rate without
any is outpatient unless stated otherwise. stated_care: what a rate says of its setting beside its places.
place_settings: the settings of a set of places, `of_places` of care_settings: the settings that a rate belongs to, at
least one. care_sides: those of SIDES that it belongs to, at least one; places on neither of CMS's lists say nothing,
and so do no places, unless Medicare pays less in facilities.
"""
