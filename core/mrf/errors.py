"""What can be wrong with a payer's file."""

from core.errors import BeaconError


class MrfError(BeaconError):
    """A file that cannot be loaded, told in one line; nothing of it has been kept."""
