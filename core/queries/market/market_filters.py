"""The filters of a market: their parameters, what pages call them, and which rates they select."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.fields.places.care_setting import FOUR_SETTINGS, OTHER_PLACE, SIDES
from core.fields.places.place_of_service import EVERY_PLACE
from core.queries.market.distance import miles_sql
from core.queries.rules.evidence import EVIDENCE, likely_condition
from core.queries.rules.measured_class import (
    LIKE_CLASSES,
    MEASURED_CLASS_OF_FACT,
    MEASURED_CLASS_SQL,
    like_sql,
)
from core.queries.rules.paid_less import IS_PAID_LESS
from core.queries.rules.rate_kinds import (
    CARE_SETTINGS_OF_SETS,
    STATED_CARE_OF_FACT,
    STATED_CARE_SQL,
    stated_care_of_fact,
    stated_care_sql,
)
from core.store.market.market_months import in_months
from core.store.schema.tables import GROUP_PROFILE, GROUP_SPECIALTY
from core.store.sql import quote
from core.store.views import NAMED_TIN

NO_MODIFIER = "none"
"""The value of the filter `modifier` that selects rates without a modifier."""

NOT_STATED = "unstated"
"""The value of a filter that selects rates whose file does not state it."""


@dataclass(frozen=True)
class MarketFilter:
    """A filter of a market: its parameter, what pages call it, and which rates it selects.

    A filter by a term of the rate has a `column` of the fact, by which its choices are counted, and a `condition` on
    fact_rate AS f. Without a condition, it compares the column with the parameter, or finds NOT_STATED where the column
    is null. A filter by provider group has a `group_table` instead, and its condition is one on that table.
    """

    name: str
    label: str
    column: str = ""
    condition: str = ""
    group_table: str = ""
    counted_by: str = ""
    """The expression by which choices are counted if that is not the column itself."""
    counted_condition: str = ""
    """The condition on rows of counted_rates AS f, which have a payee and no provider group, if that is another one."""

    @property
    def counted(self) -> str:
        """The expression over fact_rate AS f by which the choices of the filter are counted."""
        if self.counted_by:
            return self.counted_by
        return f"f.{self.column}" if self.condition else f"coalesce(f.{self.column}, '{NOT_STATED}')"

    def restrict(self, month: str) -> str:
        """Return the condition on fact_rate AS f. `month` is what months_sql returns for the months."""
        if not self.group_table:
            return self.condition or f"{self.counted} = ${self.name}"
        # A group belongs to one month, and these tables are sorted by it: without it, all months would be read.
        in_month = f"{in_months('year_month', month)} AND " if month else ""
        # A set of groups rather than a join: a rate that 30 NPIs share stays one rate.
        return f"f.pg_uid IN (SELECT pg_uid FROM {self.group_table} WHERE {in_month}{self.condition})"


_MILES = "regexp_extract($near, '[0-9]+$')::DOUBLE"
_PLACE = "regexp_replace($near, ',[0-9]+$', '')"
_MILES_OF_A_DEGREE = 68.7
"""No degree of latitude is shorter: places farther north or south are ruled out without a cosine."""

ZIPS_NEAR = f"""
    SELECT zip FROM dim_zip JOIN (
        SELECT latitude AS north, longitude AS east FROM dim_zip WHERE zip = {_PLACE}
        UNION ALL
        SELECT latitude, longitude FROM provider_profile WHERE npi = {_PLACE}
        UNION ALL
        SELECT avg(latitude), avg(longitude) FROM provider_profile WHERE city = {_PLACE}) origin
    ON abs(latitude - north) <= {_MILES} / {_MILES_OF_A_DEGREE}
        AND {miles_sql("latitude", "longitude", "north", "east")} <= {_MILES}"""
"""SQL of the ZIP codes that are at most some miles from another, from that of a provider, or from the providers of a
city."""


def _of_roll_up(level: str) -> str:
    """Return a condition on a tax ID: that it rolls up to an organization or a system."""
    return f"(tin_type, tin_value) IN (SELECT (tin_type, tin_value) FROM {NAMED_TIN} WHERE {level}_id = ${level})"


def _in_care_setting(stated: str) -> str:
    return f"""({stated}, f.pos_set_id) IN (
        SELECT stated, pos_set_id FROM ({CARE_SETTINGS_OF_SETS})
        WHERE list_contains(settings || sides, $care_setting))"""


_FILTERS = (
    MarketFilter(
        "care_setting",
        "Setting",
        "pos_set_id",
        _in_care_setting(STATED_CARE_OF_FACT),
        counted_by=f"{STATED_CARE_SQL} || '|' || f.pos_set_id",
        counted_condition=_in_care_setting(STATED_CARE_SQL),
    ),
    MarketFilter(
        "payer",
        "Payer",
        "reporting_entity_name",
        """f.reporting_entity_name IN (
               SELECT reporting_entity_name_raw FROM dim_payer_bridge WHERE payer_slug = $payer)""",
    ),
    MarketFilter(
        "pos",
        "Place of service",
        "pos_set_id",
        f"f.pos_set_id IN (SELECT pos_set_id FROM xref_pos WHERE pos IN ($pos, '{EVERY_PLACE}'))",
    ),
    MarketFilter("billing_class", "Billing class", "billing_class"),
    MarketFilter(
        "modifier",
        "Modifier",
        "billing_code_modifier",
        f"""CASE WHEN $modifier = '{NO_MODIFIER}' THEN f.billing_code_modifier = ''
            ELSE list_contains(string_split(f.billing_code_modifier, ','), $modifier) END""",
    ),
    MarketFilter("setting", "Setting in the file", "setting"),
    MarketFilter("negotiated_type", "Rate type", "negotiated_type"),
    MarketFilter("arrangement", "Arrangement", "negotiation_arrangement"),
    MarketFilter(
        "network", "Network", condition="list_contains(network_names, $network)", group_table="dim_provider_group"
    ),
    MarketFilter("npi", "NPI", condition="npi = $npi", group_table="group_by_npi"),
    MarketFilter("tin", "Tax ID", condition="tin_value = $tin", group_table="group_by_tin"),
    MarketFilter("organization", "Organization", condition=_of_roll_up("organization"), group_table="xref_group_tin"),
    MarketFilter("system", "Health system", condition=_of_roll_up("system"), group_table="xref_group_tin"),
    MarketFilter(
        "plan",
        "Plan",
        condition="batch_id IN (SELECT batch_id FROM plan_file WHERE plan_key = $plan)",
        group_table="dim_provider_group",
    ),
    MarketFilter(
        "city",
        "City",
        condition="(city = $city OR starts_with(city, $city || ', ') OR replace(city, ',', '') = $city)",
        group_table=GROUP_PROFILE.name,
    ),
    MarketFilter("zip", "ZIP code", condition="zip = $zip", group_table=GROUP_PROFILE.name),
    MarketFilter("county", "County", condition="county_fips = $county", group_table=GROUP_PROFILE.name),
    MarketFilter("metro", "Metropolitan area", condition="$metro IN (cbsa, division)", group_table=GROUP_PROFILE.name),
    MarketFilter("near", "Near", condition=f"zip IN ({ZIPS_NEAR})", group_table=GROUP_PROFILE.name),
    MarketFilter("specialty", "Specialty", condition="specialty = $specialty", group_table=GROUP_PROFILE.name),
    MarketFilter(
        "entity", "Individual or organization", condition="entity_type = $entity", group_table=GROUP_PROFILE.name
    ),
    # It depends on the code as well as on the group: `filter_condition` has its condition.
    MarketFilter(EVIDENCE, "Evidence", group_table=GROUP_SPECIALTY.name),
)

FILTERS = {one.name: one for one in _FILTERS}
"""The filters of a market besides state, month and code, by name, in the order of pages, addresses and conditions."""

CODE_PARAMETERS = ("state", "year_month", "code_type", "code")
"""What chooses the facts of one code."""

PROFILE_FILTERS = tuple(name for name, one in FILTERS.items() if one.group_table == GROUP_PROFILE.name)
"""The filters by where a group's providers practice and what they are. One provider of the group meets all of them."""

PLACE_FILTERS = tuple(name for name in PROFILE_FILTERS if name not in {"specialty", "entity"})
"""Those of them by where a group's providers practice."""

PROVIDER_FILTERS = tuple(name for name, one in FILTERS.items() if one.group_table)
"""The filters by provider group."""

BASIS = "basis"
"""The parameter that asks for one schedule for all rates. It selects none: it decides what they are compared with."""

OWN_AREA, STATE_MEAN = "own", "state"
AREAS = (OWN_AREA, STATE_MEAN)
"""What rates may be compared in: the area of their own provider group where it is known, or always the state's mean."""

AREA = "area"
"""The parameter with one of AREAS, the first if it is not set. Like BASIS, it selects no rates."""

CLASSES = "classes"
"""The parameter that asks for rates of all classes together, with the value ALL_CLASSES. It selects no rates either."""

ONE_CLASS, ALL_CLASSES = "one", "all"

CLASS_FILTERS = ("billing_class", "modifier", "care_setting")
"""The filters by which rates of one class are selected, see core/queries/classes/rate_classes.py."""

YARDSTICK = "yardstick"
"""The parameter with one of YARDSTICKS, the first if it is not set. Like BASIS, it selects no rates."""

OF_MEDICARE, OF_COMPENSATION = "medicare", "compensation"
YARDSTICKS = (OF_MEDICARE, OF_COMPENSATION)
"""What rates are measured by: Medicare's amounts, or those of the state's workers' compensation schedule."""

IMPLAUSIBLE = "implausible"
"""The parameter that says whether figures count the likely errors. It selects no rates of a list."""

COUNTED, LEFT_OUT = "in", "out"
"""Its values. Figures leave such rates out unless COUNTED is asked for."""

MARKET_PARAMETERS = (*CODE_PARAMETERS, *FILTERS, BASIS, AREA, CLASSES, YARDSTICK, IMPLAUSIBLE)
"""Everything that chooses a market. Conditions have this order too: the fact is sorted by state and month, and the most
selective come first."""


CARE_SETTING_MEASURED = f"{stated_care_sql(MEASURED_CLASS_SQL)} || '|' || f.pos_set_id"
"""By what the choices of the filter by setting are counted where a label is overruled: a rate of counted_rates AS f."""

CARE_SETTING_IN_FACILITIES = f"{stated_care_sql(MEASURED_CLASS_SQL, IS_PAID_LESS)} || '|' || f.pos_set_id"
"""By what they are counted where a professional's rates in facilities are chosen."""

IN_FACILITIES = "in facilities"
"""Among the filters by measured class: that the setting is a professional's side in facilities.

A rate without a place is not on that side if it is a professional's, and Medicare pays less there.
"""

_BY_MEASURED_CLASS = {
    "billing_class": (
        f"{like_sql(MEASURED_CLASS_OF_FACT)} = $billing_class", f"{like_sql(MEASURED_CLASS_SQL)} = $billing_class"
    ),
    "care_setting": (
        _in_care_setting(stated_care_of_fact(MEASURED_CLASS_OF_FACT)),
        _in_care_setting(stated_care_sql(MEASURED_CLASS_SQL)),
    ),
    IN_FACILITIES: (
        _in_care_setting(stated_care_of_fact(MEASURED_CLASS_OF_FACT, IS_PAID_LESS)),
        _in_care_setting(stated_care_sql(MEASURED_CLASS_SQL, IS_PAID_LESS)),
    ),
}  # fmt: skip
"""The conditions of filters by the class that rates are measured as: on a fact AS f, and on a row of counted_rates."""


def all_of(names: Iterable[str], month: str, *, counted: bool = False, measured: Collection[str] = ()) -> str:
    """Return the condition on fact_rate AS f that all of these filters set. The rest is as in `filter_condition`."""
    names = list(names)
    of_profile = [name for name in names if name in PROFILE_FILTERS]
    conditions = [
        filter_condition(name, month, counted=counted, measured=measured) for name in names if name not in of_profile
    ]
    if of_profile:
        # One set for all of them: a cardiologist of another town and a surgeon of this one are no cardiologist here.
        conditions.append(replace(FILTERS[of_profile[0]], condition=profile_condition(of_profile)).restrict(month))
    return " AND ".join(conditions) or "true"


def profile_condition(names: Iterable[str]) -> str:
    """Return the condition on group_profile that these of PROFILE_FILTERS set, and that a provider of a group meets."""
    return " AND ".join(FILTERS[name].condition for name in names) or "true"


def filter_condition(
    name: str, month: str = "$year_month", *, counted: bool = False, measured: Collection[str] = ()
) -> str:
    """Return the condition of one filter on fact_rate AS f, which binds a parameter of the filter's name.

    `month` is what months_sql returns for the months of the groups. With `counted`, f is a row of counted_rates. The
    filter by evidence needs a code. `measured` are the filters that select by the class that rates are measured as,
    see Market.measured_filters: only for these are the labels that are overruled looked at.
    """
    if name == "care_setting" and IN_FACILITIES in measured:
        name, measured = IN_FACILITIES, {IN_FACILITIES}
    if name in measured:
        of_fact, of_counted = _BY_MEASURED_CLASS[name]
        return of_counted if counted else of_fact
    if name == EVIDENCE:
        return likely_condition(month)
    if name in {BASIS, AREA, YARDSTICK}:
        return f"${name} IS NOT NULL"  # DuckDB refuses a parameter that no condition uses
    if name not in FILTERS:
        return f"f.{name} = ${name}"
    one = FILTERS[name]
    return one.counted_condition if counted and one.counted_condition else one.restrict(month)


_OFTEN = {
    "billing_class": ("professional", "institutional", "both", *LIKE_CLASSES),
    "modifier": (NO_MODIFIER, "26", "TC"),
    "care_setting": (*SIDES, *FOUR_SETTINGS, OTHER_PLACE, NOT_STATED),
}
"""The values of filters that most pages have, as they choose a class of rates."""


def with_often_asked(sql: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return SQL with the values of _OFTEN written out, and the other parameters, which are bound as always.

    A question without parameters is planned once, see market_connection.py. Only a word of this program is written out,
    never a visitor's text.
    """
    others = dict(parameters)
    for name, words in _OFTEN.items():
        if parameters.get(name) in words:
            sql = re.sub(rf"\${name}\b", quote(others.pop(name)), sql)
    return sql, others
