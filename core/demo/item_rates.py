"""A made-up payer's second file: labs, drugs, and equipment, which Medicare pays by schedules of their own."""

import gzip
import json
from pathlib import Path
from typing import Any

from core.demo.payer_files import MONTHS, PAYERS, practices

# Code system, code, modifiers, place, a description written for this demo, dollars.
_RATES: tuple[tuple[str, str, list[str], str, str, float], ...] = (
    ("CPT", "36415", [], "11", "Drawing of blood", 9.5),
    ("CPT", "80053", [], "81", "Blood chemistry, fourteen tests", 14.25),
    ("CPT", "80053", ["QW"], "11", "Blood chemistry, fourteen tests", 13.2),
    ("CPT", "80061", [], "81", "Cholesterol and other fats", 18.0),
    ("CPT", "83036", ["QW"], "11", "Blood sugar over three months", 12.4),
    ("CPT", "85025", [], "81", "Blood count", 10.1),
    ("CPT", "87880", ["QW"], "11", "Rapid test for strep throat", 19.8),
    ("HCPCS", "J1100", [], "11", "Dexamethasone, 1 mg", 0.14),
    ("HCPCS", "J1885", [], "11", "Ketorolac, 15 mg", 0.9),
    ("HCPCS", "J3301", ["JZ"], "11", "Triamcinolone, 10 mg", 1.05),
    ("HCPCS", "B4150", [], "12", "Nutrition by tube, 100 calories", 0.55),
    ("HCPCS", "E0143", ["NU"], "12", "Folding walker with wheels", 64.0),
    ("HCPCS", "E0143", ["RR"], "12", "Folding walker with wheels", 6.5),
    ("HCPCS", "E0143", [], "12", "Folding walker with wheels", 40.0),
    ("HCPCS", "E0601", ["KX", "RR"], "12", "Breathing device for the night", 58.0),
    ("HCPCS", "L1833", ["LT"], "12", "Knee brace", 610.0),
)


def write_item_rates(directory: Path, month: str = MONTHS[-1]) -> Path:
    """Write the file of the first of PAYERS for a month, and return its path."""
    payer = PAYERS[0]
    items: dict[tuple[str, str], dict[str, Any]] = {}
    for system, code, modifiers, place, words, amount in _RATES:
        item = items.setdefault(
            (system, code),
            {
                "negotiation_arrangement": "ffs",
                "name": words,
                "billing_code_type": system,
                "billing_code_type_version": "2025",
                "billing_code": code,
                "description": words,
                "negotiated_rates": [],
            },
        )
        price = {
            "negotiated_type": "negotiated",
            "negotiated_rate": amount,
            "expiration_date": "9999-12-31",
            "billing_class": "professional",
            "service_code": [place],
            "billing_code_modifier": modifiers,
        }
        item["negotiated_rates"].append({"provider_references": [1], "negotiated_prices": [price]})
    one = practices()[0]
    members = {"npi": [int(npi) for npi in one.npis], "tin": {"type": "ein", "value": one.tin}}
    content = {
        "reporting_entity_name": payer.name,
        "reporting_entity_type": payer.kind,
        "last_updated_on": f"{month}-01",
        "version": "1.3.1",
        "provider_references": [{"provider_group_id": 1, "provider_groups": [members]}],
        "in_network": list(items.values()),
    }
    path = directory / f"{month}-01_{payer.name.split()[1].lower()}_items_in-network-rates.json.gz"
    path.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
    return path
