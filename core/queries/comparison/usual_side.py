"""Where a service is usually rendered: the side that a professional's rates are compared on unless one is asked for.

No knee is replaced in an office, and few colonoscopies are done in one. The first of these that is loaded decides:

1. A code with a technical part is priced outside facilities. In facilities nobody bills the whole: the physician bills
   the reading, and the facility its own fee. How often it is billed says nothing, as most of it are readings. If the
   list of surgical centers has it as surgery, it is in facilities, and its fee there is the physician's part: no heart
   catheter is a scan.
2. Medicare's services by place, of the country: in facilities, if more than half of them are.
3. The physician fee schedule: in facilities, if it has an amount for the code there alone, and outside if it has none.
4. The list of surgical centers: in facilities, if the code is a surgical procedure that CMS does not call office based,
   and that is none of OFFICE_PROCEDURES.
5. Outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.fields.places.care_setting import FACILITY_OR_UNSTATED, NON_FACILITY_OR_UNSTATED
from core.store.connection import Snapshot
from core.store.schema.tables import BENCH_ASC, BENCH_MEDICARE_PROF
from core.store.schema.utilization_tables import UTILIZATION_AREA
from core.vocabulary.office_procedures import OFFICE_PROCEDURES

READING, TECHNICAL_PART = "26", "TC"

_NOT_OFFICE_BASED = ("A2", "G2", "J8")
"""The payment indicators of surgical procedures that CMS has not found to be mostly done in offices, by Addendum DD1.

A2 are those that were listed in 2007 already, which CMS has not sorted since. Its office-based ones are P2, P3, and R2;
radiology (Z2, Z3), drugs, and what is packaged are no surgery. Dental procedures (D2) are listed for the few patients
who need a facility: teeth are pulled in offices.
"""


@dataclass(frozen=True)
class UsualSide:
    """Where a code is usually rendered."""

    in_facilities: bool = False
    has_parts: bool = False
    """Whether the schedule divides it into a reading and a technical part, so that facilities bill no whole."""

    def side_of(self, modifier: str | None) -> str:
        """Return which of SIDES is the usual one: the reading alone is billed where a facility bills the rest."""
        in_facilities = modifier == READING if self.has_parts else self.in_facilities
        return FACILITY_OR_UNSTATED if in_facilities else NON_FACILITY_OR_UNSTATED


OUTSIDE = UsualSide()
"""That of codes of which nothing is known, and of most."""


def find_usual_side(db: Snapshot, code: str | None) -> UsualSide:
    """Return where a code is usually rendered."""
    return list_usual_sides(db).get(code or "", OUTSIDE)


def list_usual_sides(db: Snapshot) -> Mapping[str, UsualSide]:
    """Return where each code is usually rendered, of those that are not simply rendered outside facilities."""
    return db.ask_once(_usual_sides)


def list_codes_inside_alone(db: Snapshot) -> frozenset[str]:
    """Return the codes that the physician fee schedule has an amount for in facilities alone: no knee replacement is
    paid for in an office, whatever places a payer lists."""
    return db.ask_once(_codes_inside_alone)


def _codes_inside_alone(db: Snapshot) -> frozenset[str]:
    return frozenset(code for code, paid in _schedule(db).items() if paid.inside_alone)


def _usual_sides(db: Snapshot) -> dict[str, UsualSide]:
    of_schedule, by_use, listed = _schedule(db), _use(db), _surgery(db)
    found = {}
    for code in of_schedule.keys() | by_use.keys() | listed:
        paid = of_schedule.get(code, _Schedule())
        if paid.has_parts:
            in_facilities = code in listed
        else:
            listed_there = code in listed and not paid.outside_alone and code not in OFFICE_PROCEDURES
            in_facilities = by_use.get(code, paid.inside_alone or listed_there)
        if in_facilities or paid.has_parts:
            found[code] = UsualSide(in_facilities, paid.has_parts)
    return found


@dataclass(frozen=True)
class _Schedule:
    """What the physician fee schedule says of a code."""

    inside_alone: bool = False
    outside_alone: bool = False
    has_parts: bool = False


def _schedule(db: Snapshot) -> dict[str, _Schedule]:
    """Return what it says of codes. CMS marks a setting NA for the whole country: one state is enough."""
    if not db.manifest.rows(BENCH_MEDICARE_PROF.name):
        return {}
    inside, outside = ("coalesce(nonfacility_na, false)", "coalesce(facility_na, false)")
    rows = db.rows(f"""
        SELECT code, bool_and({inside} AND NOT {outside}), bool_and({outside} AND NOT {inside}),
               bool_or(nonfacility_rate_26 IS NOT NULL AND nonfacility_rate_tc IS NOT NULL)
        FROM {BENCH_MEDICARE_PROF.name} WHERE state = (SELECT min(state) FROM {BENCH_MEDICARE_PROF.name})
        GROUP BY code""")
    return {str(code): _Schedule(*flags) for code, *flags in rows if any(flags)}


def _use(db: Snapshot) -> dict[str, bool]:
    """Return whether more than half of the country's services of a code are rendered in facilities."""
    if not db.manifest.rows(UTILIZATION_AREA.name):
        return {}
    rows = db.rows(f"""
        SELECT code, 2 * coalesce(sum(services) FILTER (place = 'facility'), 0) > sum(services)
        FROM {UTILIZATION_AREA.name} WHERE state = 'US' GROUP BY code HAVING sum(services) > 0""")
    return {str(code): bool(in_facilities) for code, in_facilities in rows}


def _surgery(db: Snapshot) -> frozenset[str]:
    """Return the codes that the newest list of surgical centers has as surgery that is not office based."""
    if not db.manifest.rows(BENCH_ASC.name):
        return frozenset()
    rows = db.rows(
        f"""SELECT code FROM {BENCH_ASC.name} WHERE state = (SELECT min(state) FROM {BENCH_ASC.name})
            GROUP BY code HAVING list_contains($indicators, arg_max(asc_pi, year_month))""",
        {"indicators": list(_NOT_OFFICE_BASED)},
    )
    return frozenset(str(code) for (code,) in rows)
