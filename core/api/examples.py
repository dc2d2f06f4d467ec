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
    "pos_set_id": "3b2f0c9d1e4a4c5f8b7a6d5e4f3c2b1a",
    "rank": 1,
    "difference": 0.1,
    "median": 95.0,
    "CodeRates.market": 95.0,
    "base_p50": 95.0,
    "compared_with": "2025-07",
    "corrected": None,
    "Provider.by": "npi",
    "Provider.value": "1234567893",
    "Provider.name": "DOE, JANE",
    "low": 88.0,
    "high": 89.75,
    "Choice.filter": "billing_class",
    "Choice.value": "professional",
    "Choice.label": "professional",
    "chosen": False,
    "network": "Example PPO",
    "version": "1.0.0",
    "last_updated_on": "2025-08-01",
    "what": "up",
    "old": 100.0,
    "new": 104.5,
    "ChangedRate.difference": 4.5,
    "ChangedRate.percent": 0.045,
    "PayerMoved.p10": 0.01,
    "PayerMoved.p50": 0.045,
    "PayerMoved.p90": 0.12,
    "CodeMoved.p10": 0.01,
    "CodeMoved.p50": 0.045,
    "CodeMoved.p90": 0.12,
    "check_name": "zero_rates",
    "severity": "warning",
    "threshold": 0.01,
    "found": 12,
    "CheckOutcome.total": 1600,
    "CheckOutcome.share": 0.0075,
    "CheckedPlace.total": 1600,
    "CheckedPlace.share": 0.0075,
    "CheckedPlace.example": '{"code": "99213", "negotiated_rate": 0}',
    "CheckRun.state": "",
    "CheckRun.year_month": "",
    "CheckRun.advice": ["12 states and months have many small files: manage.py compact"],
    "data_version": "5b6e47d39c1f",
    "checked_at": "2025-09-02T07:00:00Z",
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
