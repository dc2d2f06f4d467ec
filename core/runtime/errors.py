"""The errors a user is meant to read, in one hierarchy."""

CUT_SHORT = "the file was cut short: download it again"
"""What to say of a file that ends too early."""


def zip_problem(name: str, problem: Exception) -> str:
    """Return the error text for a zip file that cannot be unpacked."""
    return f"{name}: the zip file is damaged or cut short ({problem}); download it again"


class BeaconError(Exception):
    """Tell the user in one line what is wrong, where, what was expected, and what to do.

    Commands print the text on stderr and exit with status 1; pages show it. Any other exception is a defect of the
    program and keeps its traceback.
    """

    setting = ""
    """The setting of an operator that makes room for what was refused, if there is one."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))

    @property
    def for_operator(self) -> str:
        """Return the text for a command or a log: it names the setting, which a visitor of the site cannot change."""
        return f"{self}; raise {self.setting}" if self.setting else str(self)


class PayerFileError(BeaconError):
    """Refuse a payer's file that cannot be loaded; nothing from it has been kept."""


class NotJsonError(PayerFileError):
    """Refuse text that is not the JSON expected. Where a cut was guessed, the guess may be what is wrong."""


class ReferenceFileError(BeaconError):
    """Refuse a benchmark, register, or code set file that is not what it was given for; nothing has been loaded."""


class FetchError(BeaconError):
    """Report a file on the web that could not be fetched, without naming a query string or credentials.

    `temporary` means a retry may succeed, `after` is how many seconds the server asks to wait first, and
    `host_failed` means the host gave no proper answer at all, so its other files will fail as well.
    """

    def __init__(
        self, message: str, *, temporary: bool = False, after: float | None = None, host_failed: bool = False
    ) -> None:
        super().__init__(message)
        self.temporary = temporary
        self.after = after
        self.host_failed = host_failed

    def with_more(self, words: str) -> "FetchError":
        """Return the same error with more words at the end."""
        return FetchError(f"{self} {words}", temporary=self.temporary, after=self.after, host_failed=self.host_failed)
