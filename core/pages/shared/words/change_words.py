"""What became of what organizations are paid, in words."""

from core.pages.formats import write_count
from core.queries.over_time.changes import Moved


def count_paid(row: Moved) -> str:
    """Return how many that are in both months are paid more, less, and the same: 74 are paid more, and 59 the same."""
    counted = [
        (row.up, "more"),
        (row.down, "less"),
        (row.same, "the same"),
        (row.unclear, "partly more and partly less"),
    ]
    there = [(number, how) for number, how in counted if number]
    if not there:
        return ""
    (first, how), *others = there
    whole = "all " if first == row.kept and first > 1 else ""
    said = [
        f"{whole}{write_count(first)} {'is' if first == 1 else 'are'} paid {how}",
        *(f"{write_count(n)} {how}" for n, how in others),
    ]
    return " and ".join(said) if len(said) < 3 else f"{', '.join(said[:-1])}, and {said[-1]}"
