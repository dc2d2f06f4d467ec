"""The API against its own document: whatever a client sends, valid or not, it keeps to it (schemathesis, all checks)."""

import os
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.engine import events, from_schema

from beaconpoint.wsgi import application
from core.store.connection import Snapshot
from tests.conftest import serving

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "20"))


def test_the_api_keeps_to_its_document(demo_root: Path, demo: Snapshot, settings: Any) -> None:
    settings.BEACONPOINT_QUERY_SECONDS = 60
    config = schemathesis.Config(seed=1)
    config.projects.default.generation.max_examples = EXAMPLES
    config.projects.default.headers = {"Accept-Encoding": "identity"}
    config.projects.default.phases.stateful.enabled = False
    complaints: list[str] = []
    cases = 0
    with serving(demo_root):
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, config=config)
        for event in from_schema(schema).execute():
            if isinstance(event, events.FatalError):
                raise event.exception
            if isinstance(event, events.NonFatalError):
                complaints.append(f"{event.label}: {event.value}")
            if isinstance(event, events.ScenarioFinished):
                print(event.phase, event.label, event.status, len(event.recorder.cases), event.elapsed_time)
                cases += len(event.recorder.cases)
                for nodes in event.recorder.checks.values():
                    complaints += [f"{event.label}: {n.failure_info.failure}\n{n.failure_info.code_sample}" for n in nodes if n.failure_info]
    print('\n\n'.join(sorted(set(complaints))))
    assert complaints == []
    assert cases > 0
    assert 0
