"""A store of a contract that a surgeon and a therapist share: who is likely to perform an operation, and who is not."""

from pathlib import Path
from typing import Any

from core.store.connection import Snapshot
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written

NPIS = ["1912951245", "1003027533", "1234567893", "1245319599"]


def store_of_surgeons(root: Path) -> Snapshot:
    """Return a store in which a surgeon and a therapist share a contract, and a therapist with a higher rate has one.

    The lawful order by rate is the therapist's first.
    """
    groups: list[Any] = [
        ({NPIS[0], NPIS[1]}, {("ein", "100000001"), ("ein", "100000002")}),
        ({NPIS[2]}, {("ein", "100000003")}),
    ]
    of_code = {**A_RATE, "code": "27447"}
    db = store_of(root, {"2025-08": (groups, [of_code, {**of_code, "group": 1, "negotiated_rate": 50.0}])})
    key = {"year_month": "2025-08", "payer_slug": "payer_a"}
    what = {NPIS[0]: "Physical therapy", NPIS[1]: "Orthopedic surgery", NPIS[2]: "Physical therapy"}
    under = {"100000001": NPIS[0], "100000002": NPIS[1], "100000003": NPIS[2]}
    of_group = {NPIS[0]: 0, NPIS[1]: 0, NPIS[2]: 1}
    return written(
        db.root,
        {
            "provider_profile": [
                {"npi": npi, "specialty": specialty, "entity_type": "organization"} for npi, specialty in what.items()
            ],
            "group_profile": [
                {**key, "pg_uid": f"payer_a 2025-08 {of_group[npi]}", "zip": "", "city": "", "specialty": specialty,
                 "entity_type": "organization", "npis": 1}
                for npi, specialty in what.items()
            ],
            "xref_tin_npi": [{**key, "tin_type": "ein", "tin_value": tin, "npi": npi} for tin, npi in under.items()],
            "dim_tin": [
                {"tin_type": "ein", "tin_value": "100000001", "business_name": "PEACH THERAPY"},
                {"tin_type": "ein", "tin_value": "100000002", "business_name": "PEACH ORTHOPEDICS"},
                {"tin_type": "ein", "tin_value": "100000003", "business_name": "O'BRIEN THERAPY"},
            ],
        },
    )  # fmt: skip
