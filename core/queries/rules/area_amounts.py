"""Medicare's amounts in an area: the payment locality or the wage area in which a provider group practices.

Which schedule a rate is compared with does not depend on where its group is, only how much that schedule pays. So
comparison.py finds the basis of all rates of the same terms, with the state's mean, and this module puts the amount of
the group's own area in its place, where both are known.
"""

from dataclasses import dataclass

AREAS = ("own", "state")
"""What rates may be compared in: the area of their own provider group where it is known, or always the state's mean."""

STATE_MEAN = "state mean"


@dataclass(frozen=True)
class AreaSchedule:
    """How a schedule's amounts differ by area.

    `place` is SQL of the place in an `area` of dim_group_area by which the schedule pays; empty text is none. `amounts`
    is SQL of the rows (release, code, modifier, place, place_name, states, outside, inside) for the codes of `wanted`.
    """

    kind: str
    place: str
    amounts: str


_WAGE_AREA = "split_part(area, '/', 3)"


def _by_wage_area(kind: str, rate: str) -> AreaSchedule:
    # Decimals: a rate has three digits behind the point, its labor part four, an index four. The product is exact, and
    # the only rounding is the one to cents, half a cent up, as for the state's mean.
    return AreaSchedule(
        kind=kind,
        place=_WAGE_AREA,
        amounts=f"""
            SELECT n.release, n.code, '' AS modifier, w.wage_area AS place, w.name AS place_name, w.states,
                   round({rate}::DECIMAL(12, 4) + labor_amount::DECIMAL(12, 4) * (wage_index::DECIMAL(10, 6) - 1), 2)
                       ::DOUBLE AS outside,
                   NULL::DOUBLE AS inside
            FROM (SELECT DISTINCT b.release, b.code, b.{rate}, b.labor_amount
                  FROM bench_{kind} b JOIN wanted t
                      ON t.schedule = '{kind}' AND b.state = t.state AND b.year_month = t.in_force AND b.code = t.code
                  WHERE b.labor_amount > 0 AND b.code_type IN ('CPT', 'HCPCS')
                  QUALIFY 1 = row_number() OVER (PARTITION BY b.release, b.code ORDER BY b.code_type)) n
            JOIN bench_wage_index w ON w.release = n.release AND w.kind = '{kind}' AND w.wage_index IS NOT NULL""",
    )


AREA_SCHEDULES = (
    AreaSchedule(
        kind="medicare_prof",
        place="if(split_part(area, '/', 2) = '', '', split_part(area, '/', 1) || '-' || split_part(area, '/', 2))",
        amounts="""
            SELECT l.release, l.code, l.modifier, l.contractor || '-' || l.locality AS place,
                   l.locality_name AS place_name, [l.state] AS states, l.nonfacility_rate AS outside,
                   l.facility_rate AS inside
            FROM bench_medicare_prof_locality l
            WHERE l.release IN (SELECT release FROM wanted WHERE schedule = 'medicare_prof')
                AND l.code IN (SELECT code FROM wanted WHERE schedule = 'medicare_prof')
                AND l.code_type IN ('CPT', 'HCPCS')
            QUALIFY 1 = row_number() OVER (
                PARTITION BY l.release, l.contractor, l.locality, l.code, l.modifier ORDER BY l.code_type)""",
    ),
    _by_wage_area("opps", "opps_rate"),
    _by_wage_area("asc", "asc_rate"),
)
