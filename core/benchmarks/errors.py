"""What can be wrong with a benchmark file."""

from core.errors import BeaconError


class BenchmarkError(BeaconError):
    """A file that is not the benchmark it was given for, told in one line; nothing has been loaded."""
