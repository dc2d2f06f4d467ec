"""Stores whose provider groups practice in known areas, and what Medicare pays there, said slowly and obviously."""

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from core.queries.yardstick.medicare import Comparison
from core.store.connection import Snapshot
from core.store.schema.ids import pos_set_id
from tests.queries.tables import written

Row = dict[str, Any]

ATLANTA = {"contractor": "10212", "locality": "01", "wage_area": "12054", "dmepos_rural": False}
REST_OF_GEORGIA = {"contractor": "10212", "locality": "99", "wage_area": "GA", "dmepos_rural": True}
ALABAMA = {"contractor": "10112", "locality": "00", "wage_area": "13820", "dmepos_rural": None}
RENO = {"contractor": None, "locality": None, "wage_area": "39900", "dmepos_rural": None}
"""Reno has several indices in some years' files, and so none."""
MANY_PLACES: Row = {"contractor": None, "locality": None, "wage_area": None, "dmepos_rural": True}
AREAS = (ATLANTA, REST_OF_GEORGIA, ALABAMA, RENO, MANY_PLACES, None)

WAGES: list[Row] = [
    {"wage_area": "12054", "name": "Atlanta, GA", "states": ["GA"], "wage_index": 0.9990},
    {"wage_area": "13820", "name": "Birmingham, AL", "states": ["AL"], "wage_index": 0.7},
    {"wage_area": "39900", "name": "Reno, NV", "states": ["NV"], "wage_index": None},
    {"wage_area": "GA", "name": "GEORGIA", "states": ["GA"], "wage_index": 0.7364},
]
LOCALITIES = (
    ("GA", "10212", "01", "ATLANTA"),
    ("GA", "10212", "99", "REST OF GEORGIA"),
    ("AL", "10112", "00", "ALABAMA"),
)


TIN = "123456789"
"""The tax ID of every group."""

QUERY = "state=GA&year_month=2025-06&code_type=CPT&code=99213"
VISIT: Row = {
    "code": "99213", "billing_class": "professional", "billing_code_modifier": "", "places": ["11"],
    "negotiated_rate": 100.0,
}  # fmt: skip
SCHEDULES: dict[str, list[Row]] = {
    "bench_medicare_prof": [
        {"state": "GA", "year_month": "2025-06", "code_type": "CPT", "code": "99213", "release": "2025-01",
         "status": "A", "medicare_prof_rate": 80.0, "facility_rate": 60.0},
    ],
    "bench_medicare_prof_locality": [
        {"release": "2025-01", "state": state, "contractor": contractor, "locality": locality, "locality_name": name,
         "code_type": "CPT", "code": "99213", "modifier": "", "nonfacility_rate": outside, "facility_rate": 60.0}
        for (state, contractor, locality, name), outside in zip(LOCALITIES, (90.0, 70.0, 65.0), strict=True)
    ],
}  # fmt: skip
"""What Medicare pays for a visit in Georgia, and in its localities."""


def area_text(area: Row) -> str:
    """Return an area as dim_group_area writes it."""
    side = {True: "rural", False: "urban", None: ""}[area["dmepos_rural"]]
    return "/".join((area["contractor"] or "", area["locality"] or "", area["wage_area"] or "", side))


def store_of_areas(root: Path, rates: list[Row], schedules: dict[str, list[Row]]) -> Snapshot:
    """Write a store of rates of June 2025 in Georgia; `group` is a rate's group, whose area is that of its number.

    `schedules` are rows of the bench tables by name, with their releases.
    """
    facts = [
        {
            "fact_uid": f"{number:04}", "state": "GA", "year_month": "2025-06", "reporting_entity_name": "P",
            "code_type": "CPT", "negotiated_type": "negotiated", "negotiation_arrangement": "ffs", **rate,
            "pg_uid": f"g{rate['group']}", "pos_set_id": pos_set_id(rate["places"]),
        }
        for number, rate in enumerate(rates)
    ]  # fmt: skip
    sets = {tuple(rate["places"]) for rate in rates}
    every_group = [{"year_month": "2025-06", "payer_slug": "p", "pg_uid": f"g{number}"} for number in range(len(AREAS))]
    groups = [
        {**every_group[number], **area, "area": area_text(area)}
        for number, area in enumerate(AREAS)
        if area is not None
    ]
    kinds = {name.removeprefix("bench_"): rows for name, rows in schedules.items()}
    of_releases = ("medicare_prof", "opps", "asc", "anesthesia", "ipps", "dmepos")
    releases = {(kind, row["release"]) for kind in of_releases for row in kinds.get(kind, [])}
    return written(
        root,
        {
            "fact_rate": facts,
            "dim_pos_set": [{"pos_set_id": pos_set_id(list(one)), "service_codes": list(one)} for one in sets],
            "dim_group_area": groups,
            "xref_group_tin": [
                {
                    "year_month": "2025-06",
                    "payer_slug": "p",
                    "pg_uid": f"g{number}",
                    "tin_type": "ein",
                    "tin_value": TIN,
                }
                for number in range(len(AREAS))
            ],
            "dim_benchmark": [
                {
                    "kind": kind,
                    "state": "US",
                    "release": release,
                    "states": ["GA", "AL"],
                    "left_out": "{}",
                    "files": [],
                    "notes": [],
                    "rows_read": 1,
                    "rows_priced": 1,
                }
                for kind, release in sorted(releases)
            ],
            **schedules,
        },
    )


def expected_amount(row: Comparison, area: Row | None, schedules: dict[str, list[Row]]) -> tuple[float | None, bool]:
    """Return what a rate is compared with in an area, and whether that is the area's own amount.

    `row` is the rate compared with the state's mean.
    """
    if row.basis is None or area is None:
        return row.medicare, False
    if row.basis.startswith("MPFS"):
        modifier = row.basis.partition("modifier ")[2]
        for one in schedules["bench_medicare_prof_locality"]:
            key = (one["release"], one["contractor"], one["locality"], one["code"], one["modifier"])
            if key == (row.release, area["contractor"], area["locality"], row.code, modifier):
                inside, outside = one["facility_rate"], one["nonfacility_rate"]
                first, second = (outside, inside) if "non-facility" in row.basis else (inside, outside)
                amount = first if first is not None else second
                return (row.medicare, False) if amount is None else (amount, True)
        return row.medicare, False
    kind = row.basis.lower()
    indices = {
        one["wage_area"]: one["wage_index"]
        for one in schedules["bench_wage_index"]
        if (one["kind"], one["release"]) == (kind, row.release)
    }
    index = indices.get(area["wage_area"])
    (of_code,) = {
        (one[f"{kind}_rate"], one["labor_amount"])
        for one in schedules[f"bench_{kind}"]
        if (one["release"], one["code"]) == (row.release, row.code)
    }
    rate, labor = of_code
    if index is None or labor is None:
        return row.medicare, False
    exact = Decimal(str(rate)) + Decimal(str(labor)) * (Decimal(str(index)) - 1)
    return float(exact.quantize(Decimal("0.01"), ROUND_HALF_UP)), True
