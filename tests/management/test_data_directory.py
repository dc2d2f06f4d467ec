"""A command that runs without the service's settings is told, and writes into no other directory."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from core.management.data_directory import require_data_directory
from core.runtime.errors import BeaconError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the service's environment file, which is not there yet, for a command that uses the default directory."""
    path = tmp_path / "environment"
    monkeypatch.delenv("BEACONPOINT_DATA_DIR", raising=False)
    monkeypatch.setattr(settings, "BEACONPOINT_DATA_DIR", settings.BASE_DIR / "core" / "data")
    monkeypatch.setattr(settings, "BEACONPOINT_ENVIRONMENT_FILE", path)
    return path


def test_without_a_service_nothing_is_said(file: Path) -> None:
    require_data_directory()
    file.write_text("# BEACONPOINT_DATA_DIR=/srv/old\nBEACONPOINT_HTTPS=true\n", encoding="utf-8")
    require_data_directory()
    file.write_text(f"BEACONPOINT_DATA_DIR={settings.BASE_DIR / 'core' / 'data'}\n", encoding="utf-8")
    require_data_directory()


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_another_directory_is_told(file: Path, quote: str) -> None:
    file.write_text(
        f"BEACONPOINT_HTTPS=true\nBEACONPOINT_DATA_DIR={quote}/srv/beaconpoint/data{quote}\n", encoding="utf-8"
    )
    for command in (["ingest_mrf", "--state", "GA", "none.json"], ["dq_check"], ["store", "generations"], ["compact"]):
        with pytest.raises(CommandError) as refused:
            call_command(*command, stdout=StringIO(), stderr=StringIO())
        assert str(refused.value) == (
            f"BEACONPOINT_DATA_DIR is not set, and the service's settings in {file} say /srv/beaconpoint/data: run the "
            "command as `beaconpoint …`, which uses these settings, or set BEACONPOINT_DATA_DIR to the directory that "
            "you mean"
        )


def test_whoever_names_a_directory_means_it(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("BEACONPOINT_DATA_DIR=/srv/beaconpoint/data\n", encoding="utf-8")
    with monkeypatch.context() as changed:
        changed.setenv("BEACONPOINT_DATA_DIR", str(tmp_path))
        require_data_directory()
    monkeypatch.setattr(settings, "BEACONPOINT_DATA_DIR", tmp_path)
    require_data_directory()


def test_settings_that_cannot_be_read_are_told(file: Path) -> None:
    file.mkdir()
    with pytest.raises(BeaconError, match=r"the service's settings in .* cannot be read: Is a directory; run the"):
        require_data_directory()
