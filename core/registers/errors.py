"""What can be wrong with a register's or a code set's file."""

from core.errors import BeaconError


class RegisterError(BeaconError):
    """A file that is not what it was given for, told in one line; nothing has been loaded."""
