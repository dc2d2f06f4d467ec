"""Count what became of a file that was read."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class ReadCounts:
    """What became of one file: rows_read = kept + left_out, by reason."""

    name: str
    kind: str
    kept: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def rows_read(self) -> int:
        """Return the rows below the header that are not blank."""
        return self.kept + self.left_out.total()
