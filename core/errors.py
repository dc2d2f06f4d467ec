"""The one kind of error a user is meant to read."""


class BeaconError(Exception):
    """Something the user can act on, told in one line: what, where, what was expected, what to do.

    Commands print the text on stderr and exit with status 1; pages show it. Anything that is not a
    BeaconError is a defect of ours and keeps its traceback.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
