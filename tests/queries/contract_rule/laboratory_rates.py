"""Write a store in which a tax ID has rates for laboratory tests, beside what Medicare's schedule of them pays."""

from collections.abc import Mapping
from pathlib import Path

from core.store.connection import Snapshot
from tests.queries.tables import written

TIN = "581234501"
PLACES = {"state": "GA", "year_month": "2025-08"}


def store_of_labs(root: Path, rates: Mapping[str, float], amounts: Mapping[str, float]) -> Snapshot:
    """Write the store: a rate in dollars of payer A, and an amount, for each code."""
    return written(
        root,
        {
            "fact_rate": [
                {
                    **PLACES, "reporting_entity_name": "A", "code_type": "CPT", "code": code, "negotiated_rate": rate,
                    "fact_uid": f"{at:032x}", "pg_uid": "0" * 32, "billing_class": "professional",
                    "billing_code_modifier": "", "pos_set_id": "office", "negotiated_type": "negotiated",
                    "negotiation_arrangement": "ffs",
                }
                for at, (code, rate) in enumerate(rates.items())
            ],
            "dim_pos_set": [{"pos_set_id": "office", "service_codes": ["11"]}],
            "dim_payer_bridge": [{"reporting_entity_name_raw": "A", "payer_slug": "a"}],
            "xref_group_tin": [
                {"year_month": "2025-08", "payer_slug": "a", "pg_uid": "0" * 32, "tin_type": "ein", "tin_value": TIN}
            ],
            "dim_benchmark": [
                {"kind": kind, "state": "US", "release": "2025-08", "files": [], "states": [state]}
                for kind, state in (("medicare_prof", "GA"), ("clfs", "US"))
            ],
            "bench_medicare_prof": [
                # X: the physician fee schedule leaves it to that of laboratory tests.
                {
                    **PLACES, "code_type": "CPT", "code": code, "status": "X", "reason": "not priced",
                    "release": "2025-08",
                }
                for code in amounts
            ],
            "bench_clfs": [
                {
                    "state": "US", "year_month": "2025-08", "code_type": "CPT", "code": code, "modifier": "",
                    "amount": amount, "indicator": "N", "release": "2025-08",
                }
                for code, amount in amounts.items()
            ],
        },
    )  # fmt: skip
