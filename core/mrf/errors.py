"""What can be wrong with a payer's file."""

from core.errors import BeaconError


class MrfError(BeaconError):
    """A file that cannot be loaded, told in one line; nothing of it has been kept."""


class NotJson(MrfError):
    """A file whose text is not what it should be. Where it was cut quickly, it may be the cut that was wrong."""
