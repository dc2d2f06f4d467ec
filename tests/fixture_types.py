"""The types of what shared fixtures return."""

import subprocess
from collections.abc import Callable

from core.load.outcome import LoadOutcome
from core.load.remote.fetch_groups import GroupFetcher

Load = Callable[..., LoadOutcome]
Fetching = Callable[[], GroupFetcher]
Manage = Callable[..., "subprocess.CompletedProcess[str]"]
