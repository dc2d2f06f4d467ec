"""Where the settings of an installed server are."""

from pathlib import Path

ENVIRONMENT_FILE = Path("/etc/beaconpoint/environment")
"""NAME=VALUE lines that the site, the timers, and the command `beaconpoint` share. deploy/install.sh writes it."""
