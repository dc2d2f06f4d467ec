"""Examples of answers, made from their schemas: by a field's name where that says enough, otherwise by its type."""

from typing import Any

Schema = dict[str, Any]

NAMED: dict[str, Any] = {
    "fact_uid": "8f1d2c0a5b6e47d39c1f0e2a7b4d6c88",
    "kind": "dollars",
    "state": "GA",
    "year_month": "2025-08",
    "reporting_entity_name": "Example Peach Health Plan",
    "payer_slug": "example_peach_health_plan",
    "code_type": "CPT",
    "code": "99213",
    "code_desc": "Clinic visit, known patient, 20 minutes",
    "name": "Clinic visit, known patient",
    "negotiated_rate": 104.5,
    "negotiated_type": "negotiated",
    "negotiation_arrangement": "ffs",
    "billing_class": "professional",
    "setting": None,
    "modifier": "",
    "severity_of_illness": None,
    "service_codes": ["11"],
    "expiration_date": "2026-12-31",
    "pg_uid": "0d9b1c7e2f3a4b5c6d7e8f9a0b1c2d3e",
    "provider_group_id_raw": "690.6447",
    "tin_type": "ein",
    "tin_value": "123456789",
    "one_tin": "123456789",
    "one_name": "Example Family Practice",
    "business_name": "Example Family Practice",
    "networks": ["Example PPO"],
    "additional_information": None,
    "source": "2025-08_example_in-network.json.gz",
    "npi": "1234567893",
    "entity_type": "individual",
    "credential": "MD",
    "taxonomy_code": "207Q00000X",
    "taxonomy": "Family Medicine",
    "address": "1 EXAMPLE ST",
    "city": "ATLANTA",
    "postal_code": "303031234",
    "deactivated_on": None,
    "share": 0.125,
    "lowest": 88.0,
    "p10": 92.25,
    "p25": 98.5,
    "p50": 104.5,
    "p75": 117.0,
    "p90": 131.75,
    "highest": 140.0,
    "mean": 107.2,
    "places": "non-facility",
    "basis": "MPFS non-facility",
    "detail": "status A",
    "medicare": 86.4,
    "percent": 1.2095,
    "plausible": True,
    "wcfs": None,
    "reason": None,
    "release": "2025-01",
    "loaded_at": "2025-09-02T06:30:00Z",
    "files": 1,
    "Release.kind": "medicare_prof",
    "Release.files": ["PPRRVU2025_Oct.csv", "GPCI2025.csv"],
    "Release.notes": ["work GPCI with the 1.0 floor"],
    "reasons": {"not paid in this setting": 10},
    "left_out": {"not covered": 12},
    "next": "WyI1ZDQxNDAyYWJjNGIiLCI3ZDc5MzAzN2EwNzYiLDcwLFsxMDQuNSwiOGYxZDJjMGEiXV0",
    "generation": 7,
    "total": 70,
}

_OF_MARKET = ("state", "year_month", "code_type", "code")
_BY_TYPE: dict[str, Any] = {"integer": 12, "number": 104.5, "string": "text", "boolean": True, "null": None}


def example(schema: Schema, components: dict[str, Schema], name: str = "") -> Any:
    """An instance of a JSON schema; `components` are what its references lead to."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in schema or "allOf" in schema:
        return example((schema.get("anyOf") or schema["allOf"])[0], components, name)
    if "properties" in schema:
        title = schema.get("title", "")
        return {
            name: None
            if title == "Market" and name not in _OF_MARKET
            else example(property_, components, f"{title}.{name}" if f"{title}.{name}" in NAMED else name)
            for name, property_ in schema["properties"].items()
        }
    kind = schema.get("type")
    if name in NAMED and _is_a(NAMED[name], kind):
        return NAMED[name]
    if kind == "array":
        return [example(schema["items"], components)]
    if kind == "object":
        return {"text": example(schema.get("additionalProperties", {}), components)}
    return {"date": "2025-08-01", "date-time": "2025-08-01T12:00:00Z"}.get(schema.get("format", "")) or (
        schema["enum"][0] if "enum" in schema else _BY_TYPE.get(kind or "null")
    )


def _is_a(value: Any, kind: str | None) -> bool:
    kinds = {"array": list, "object": dict, "integer": int, "number": float, "string": str, "boolean": bool}
    return value is None or (kind in kinds and isinstance(value, kinds[kind]))
