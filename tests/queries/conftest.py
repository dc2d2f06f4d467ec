"""Stores that questions are asked of: the demo's, and one of odd rates."""

import json
from pathlib import Path

import pytest

from core.demo.physician_fees import write_physician_fees
from core.load.load_file import load_file
from core.reference.medicare.professional import physician
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.built_once import BuiltOnce
from tests.queries.slow import Everything
from tests.stores import open_snapshot


@pytest.fixture(scope="session")
def everything(demo_root: Path) -> Everything:
    return Everything(open_snapshot(Store(demo_root)))


def odd_file(month: str) -> bytes:
    """Kinds, modifiers, places and groups that the demo has few of."""
    members = [
        {"npi": ["1912951245", 1003027533], "tin": {"type": "ein", "value": "1"}},
        {"npi": [0], "tin": {"value": "2"}},
    ]
    items = [
        {
            "negotiation_arrangement": arrangement,
            "billing_code_type": system,
            "billing_code": code,
            "negotiated_rates": [
                {
                    "provider_references": references,
                    "negotiated_prices": [
                        {
                            "negotiated_type": stated,
                            "negotiated_rate": 10 + number,
                            "billing_class": ["professional", "institutional", None][(number // 6) % 3],
                            "service_code": [["21", "22"], ["11", "22"], [], ["CSTM-00"], ["11"]][number % 5],
                            "billing_code_modifier": [[], ["26"], ["TC"], ["26", "RT"], ["53"]][(number // 3) % 5],
                        }
                        for number, stated in enumerate(
                            ["negotiated", "percentage", "per diem", "derived", None, "odd"] * 8
                        )
                    ],
                }
            ],
        }
        for arrangement, system, code, references in [
            ("ffs", "CPT", "99213", [1, 2]),
            ("ffs", "HCPCS", "99213", [2]),
            ("ffs", "CPT", "70450", [1, 3]),
            ("bundle", "CPT", "70450", [1]),
            ("capitation", "CPT", "99213", [2]),
            (None, "CPT", "45378", [1]),
            ("ffs", "LOCAL", "99213", [1]),
            ("ffs", "CPT", "00000", [1]),
        ]
    ]
    references = [
        {"provider_group_id": 1, "provider_groups": members},
        {"provider_group_id": 2, "provider_groups": members[:1]},
    ]
    root = {"reporting_entity_name": "Example Peach Health Plan", "last_updated_on": f"{month}-01", "version": "1"}
    return json.dumps({**root, "provider_references": references, "in_network": items}).encode()


def _build_odd(directory: Path) -> None:
    store = Store(directory / "data")
    for month in ("2025-08", "2026-08"):
        (directory / f"{month}.json").write_bytes(odd_file(month))
        load_file(store, open_documents(directory / f"{month}.json")[0], "GA")
    physician.load(store, write_physician_fees(directory))


@pytest.fixture(scope="session")
def odd(built_once: BuiltOnce) -> Snapshot:
    return open_snapshot(Store(built_once.get("odd", _build_odd) / "data"))


@pytest.fixture(scope="session")
def odd_everything(odd: Snapshot) -> Everything:
    return Everything(odd)
