"""Build small in-network files."""

from typing import Any


def file_of(*items: Any, **root: Any) -> dict[str, Any]:
    return {
        "reporting_entity_name": "Payer",
        "reporting_entity_type": "issuer",
        "last_updated_on": "2025-08-01",
        "version": "2.0.0",
        "in_network": list(items),
        **root,
    }


def item_of(*prices: Any, code: str = "99213", references: Any = (1,), **fields: Any) -> dict[str, Any]:
    return {
        "negotiation_arrangement": "ffs",
        "billing_code_type": "CPT",
        "billing_code": code,
        "negotiated_rates": [
            {
                "provider_references": list(references),
                "negotiated_prices": [
                    p if isinstance(p, dict) else {"negotiated_type": "negotiated", "negotiated_rate": p}
                    for p in prices
                ],
            }
        ],
        **fields,
    }
