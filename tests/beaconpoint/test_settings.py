"""What the environment changes in the settings."""

import runpy
from typing import Any

import pytest

from tests.paths import ROOT


def settings_with(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    for name, value in variables.items():
        monkeypatch.setenv(f"BEACONPOINT_{name}", value)
    return runpy.run_path(str(ROOT / "beaconpoint" / "settings.py"))


@pytest.mark.parametrize(
    ("variables", "seconds", "preload"),
    [
        ({}, 0, False),
        ({"HTTPS": "true"}, 31_536_000, False),
        ({"HTTPS": "true", "HSTS_PRELOAD": "true"}, 31_536_000, True),
        ({"HSTS_PRELOAD": "true"}, 0, False),
    ],
)
def test_browsers_preload_the_host_only_if_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], seconds: int, preload: bool
) -> None:
    found = settings_with(monkeypatch, **variables)
    assert (found["SECURE_HSTS_SECONDS"], found["SECURE_HSTS_PRELOAD"]) == (seconds, preload)
