"""Stores of made-up contracts whose prices are multiples of a made-up fee schedule."""

from typing import Any

import numpy as np

from core.queries.market.market import Market
from core.store.connection import Snapshot
from tests.queries.tables import written

LOCALITIES = ("ATLANTA", "REST OF GEORGIA")
PRICES = 60
MARKET = Market("GA", "2025-08", payer="a")


def make_schedule() -> Any:
    """Return the amounts of each release and locality, made up: codes 99202 to 99231 and 20600 to 20629."""
    random = np.random.default_rng(3)
    base = np.exp(random.normal(5, 0.8, PRICES))
    return {
        (release, place): np.round(base * np.exp(random.normal(0, 0.03, PRICES)), 2)
        for release in ("2024-01", "2025-01")
        for place in LOCALITIES
    }


def store_of_contract(
    root: Any, schedule: Any, of: tuple[str, str], exceptions: int, *, loads_it: bool = True
) -> Snapshot:
    """Write a store of a contract of 125% and 118% of one release in one locality, with so many exceptions."""
    amounts = schedule[of]
    rates = np.round(amounts * np.array([1.25] * (PRICES // 2) + [1.18] * (PRICES // 2)), 2)
    rates[:exceptions] = np.round(rates[:exceptions] * 1.5, 2)
    if not loads_it:
        schedule = {at: values for at, values in schedule.items() if at[0] != of[0]}
    return store_with_rates(root, schedule, rates, factor=32.0)


def store_with_rates(
    root: Any, schedule: Any, rates: Any, national: Any = None, factor: float = 32.3465, *, in_force: str = ""
) -> Snapshot:
    """Write the store. The states of a schedule's places are named by them: "AL MOBILE" is in Alabama."""
    codes = [str(first + n) for first in (99202, 20600) for n in range(PRICES // 2)]
    places = {
        at: ("AL" if at[1].startswith("AL ") else "GA", "10212", at[1][:2], at[1], amounts)
        for at, amounts in schedule.items()
    }
    if national is not None:
        places |= {(release, ""): ("US", "00000", "00", "NATIONAL", national) for release, _ in schedule}
    means = {
        release: (schedule[release, LOCALITIES[0]] + schedule[release, LOCALITIES[1]]) / 2 for release, _ in schedule
    }
    terms = {"state": "GA", "year_month": "2025-08", "reporting_entity_name": "A", "code_type": "CPT"}
    return written(
        root,
        {
            "fact_rate": [
                {
                    **terms, "code": code, "fact_uid": f"{n:032x}", "negotiated_rate": float(rate), "pg_uid": "0" * 32,
                    "billing_class": "professional", "billing_code_modifier": "", "pos_set_id": "office",
                    "negotiated_type": "negotiated", "negotiation_arrangement": "ffs", "batch_id": "b",
                }
                for n, (code, rate) in enumerate(zip(codes, rates, strict=True))
            ],
            "dim_pos_set": [{"pos_set_id": "office", "service_codes": ["11"]}],
            "dim_payer_bridge": [{"reporting_entity_name_raw": "A", "payer_slug": "a"}],
            "dim_benchmark": [
                {"kind": "medicare_prof", "state": "US", "release": release, "files": [], "states": ["GA"]}
                for release in means
            ],
            "bench_medicare_prof": [
                {
                    "state": "GA", "year_month": month, "code_type": "CPT", "code": code, "status": "A",
                    "medicare_prof_rate": float(mean), "release": release, "conversion_factor": factor,
                }
                for release, values in means.items()
                for month in (release, "2025-08")[: 2 if release == (in_force or max(means)) else 1]
                for code, mean in zip(codes, values, strict=True)
            ],
            "bench_medicare_prof_locality": [
                {
                    "release": release, "state": state, "contractor": contractor, "locality": locality,
                    "locality_name": name, "code_type": "CPT", "code": code, "modifier": "",
                    "nonfacility_rate": float(amount),
                }
                for (release, _), (state, contractor, locality, name, values) in places.items()
                for code, amount in zip(codes, values, strict=True)
            ],
        },
    )  # fmt: skip
