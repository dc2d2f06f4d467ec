"""The API conforms to its own document, whatever a client sends (schemathesis, all checks)."""

import copy
import os
import random
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import events, from_schema

from beaconpoint.wsgi import application
from core.api.openapi import document
from core.store.connection import Snapshot
from tests.site import serving

PATHS = len(document()["paths"]) // 6

EXAMPLES = min(int(os.environ.get("HYPOTHESIS_EXAMPLES", "1")), 5)


FEW = {"state": ["GA", "TX"], "specialty": ["Cardiology", "Clinic"], "check": ["zero_rates", "expired_rates"]}
"""Schemathesis tries every value of an enum: a few of each are enough."""
MONTHS = {"year_month": "2025-08", "from": "2025-07"}
"""OpenAPI cannot express that one month must be before the other."""


FILTERS = {
    "code_type", "care_setting", "payer", "pos", "billing_class", "modifier", "setting", "negotiated_type",
    "arrangement", "network", "npi", "tin", "organization", "system", "plan", "city", "zip", "county", "metro", "near",
    "specialty", "entity", "evidence", "classes", "yardstick", "basis", "area", "limit", "cursor", "generation",
}  # fmt: skip
"""Tried at `rates` only: elsewhere they are the same fields of the same form."""

MARKET = {"state", "year_month", "code", "codes", "from", "weights", "run"}
"""Tried at the first resource of each kind only, such as `medicare`, and not at `medicare/payers` again."""


def document_of(db: Snapshot) -> dict[str, Any]:
    """Return the document with a provider of the store as the example, and with fewer values to try."""
    ((npi, tin),) = db.rows("SELECT (SELECT min(npi) FROM dim_npi), (SELECT min(tin_value) FROM dim_tin)")
    found = copy.deepcopy(document())
    kinds: set[str] = set()
    # Each run tries a sixth of the resources, others by each seed: all take minutes. Only rates have every filter.
    tried = {"/api/v1/rates", *random.sample(sorted(found["paths"]), k=PATHS)}
    found["paths"] = {path: methods for path, methods in found["paths"].items() if path in tried}
    for path, parameters in (
        (path, operation["parameters"]) for path, methods in found["paths"].items() for operation in methods.values()
    ):
        if path != "/api/v1/rates":
            of_clinic = {"tin"} if path.startswith("/api/v1/clinic") else set()
            kind = path.split("/")[3]
            left_out = FILTERS - of_clinic | (MARKET if kind in kinds else set())
            if any(one["name"] == "state" for one in parameters):
                kinds.add(kind)
            parameters[:] = [one for one in parameters if one["required"] or one["name"] not in left_out]
        for parameter in parameters:
            if parameter["name"] in {"npi", "tin"}:
                parameter["examples"] = parameter["schema"]["examples"] = [{"npi": npi, "tin": tin}[parameter["name"]]]
            if parameter["name"] in FEW:
                parameter["schema"]["enum"] = FEW[parameter["name"]]
            if path.startswith(("/api/v1/baskets", "/api/v1/compensation/medians")) and parameter["name"] == "basket":
                parameter["required"] = True  # OpenAPI cannot express that one of two is required
            if path.startswith("/api/v1/clinic") and parameter["name"] == "tin":
                parameter["required"] = True
            if path.startswith("/api/v1/changes") and parameter["name"] in MONTHS:
                parameter["schema"] = {"type": "string", "enum": [MONTHS[parameter["name"]]]}
    return found


@pytest.mark.in_turns(2, of="long walks")
def test_the_api_conforms_to_its_document(demo_root: Path, demo: Snapshot, settings: Any) -> None:
    settings.BEACONPOINT_QUERY_SECONDS = 60
    config = schemathesis.Config()
    project = config.projects.default
    project.generation.max_examples = EXAMPLES
    project.headers = {"Accept-Encoding": "identity"}
    project.phases.coverage.generate_duplicate_query_parameters = True
    project.phases.stateful.enabled = False
    complaints: set[str] = set()
    statuses: list[int] = []
    with serving(demo_root):
        schema = schemathesis.openapi.from_dict(document_of(demo), config=config)
        schema.app = application
        for event in from_schema(schema).execute():
            if isinstance(event, events.FatalError):
                raise event.exception
            if isinstance(event, events.NonFatalError):
                complaints.add(f"{event.label}: {event.value}")
            if isinstance(event, events.ScenarioFinished):
                recorder = event.recorder
                statuses += [one.response.status_code for one in recorder.interactions.values() if one.response]
                for check in [check for checks in recorder.checks.values() for check in checks]:
                    if check.failure_info:
                        complaints.add(f"{event.label}: {check.failure_info.failure}\n{check.failure_info.code_sample}")
    assert not complaints, "\n\n".join(sorted(complaints))
    assert {200, 400, 405, 409} <= set(statuses)
