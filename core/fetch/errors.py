"""What can go wrong on the way to a file on the web."""

from core.errors import BeaconError


class FetchError(BeaconError):
    """Something on the web could not be had, told in one line that names no query string and no credentials.

    `temporary` says that it may work when tried again, `after` how many seconds later the server asks for it, and
    `host_failed` that the host gave no proper answer at all, so that its other files will fare no better.
    """

    def __init__(
        self, message: str, *, temporary: bool = False, after: float | None = None, host_failed: bool = False
    ) -> None:
        super().__init__(message)
        self.temporary = temporary
        self.after = after
        self.host_failed = host_failed

    def with_more(self, words: str) -> "FetchError":
        """The same error, with words behind it."""
        return FetchError(f"{self} {words}", temporary=self.temporary, after=self.after, host_failed=self.host_failed)
