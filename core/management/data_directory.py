"""Notice a command that runs without the settings of the service, and would use another data directory."""

import os
import re
from pathlib import Path

from django.conf import settings

from core.runtime.errors import BeaconError

_VARIABLE = "BEACONPOINT_DATA_DIR"
_LINE = re.compile(rf"{_VARIABLE}=(?P<quote>[\"']?)(?P<value>.*)(?P=quote)")


def require_data_directory() -> None:
    """Raise BeaconError if the service's environment file names a data directory and this command would use another.

    One that is named, in the environment or in the program, is meant.
    """
    default = settings.BASE_DIR / "core" / "data"
    if os.environ.get(_VARIABLE) or default != settings.BEACONPOINT_DATA_DIR:
        return
    file = settings.BEACONPOINT_ENVIRONMENT_FILE
    named = _read_data_directory(file)
    if named and Path(named) != default:
        raise BeaconError(
            f"{_VARIABLE} is not set, and the service's settings in {file} say {named}: run the command as "
            f"`beaconpoint …`, which uses these settings, or set {_VARIABLE} to the directory that you mean"
        )


def _read_data_directory(file: Path) -> str | None:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise BeaconError(
            f"{_VARIABLE} is not set, and the service's settings in {file} cannot be read: {reason}; run the command "
            f"as `beaconpoint …`, or set {_VARIABLE} to the directory that you mean"
        ) from None
    found = [match["value"] for line in lines if (match := _LINE.fullmatch(line.strip()))]
    return found[-1] if found else None
