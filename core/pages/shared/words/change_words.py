"""What became of what organizations are paid, in words."""

from core.pages.formats import write_change, write_class, write_count, write_fee
from core.queries.over_time.changes import Moved, OfTerms
from core.queries.over_time.prices_moved import PricesMoved


def count_paid(row: Moved) -> str:
    """Return how many that are in both months are paid more, less, and the same: 74 are paid more, and 59 the same."""
    counted = [
        (row.up, "more"),
        (row.down, "less"),
        (row.same, "the same"),
        (row.unclear, "partly more and partly less (unclear)"),
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


def name_terms(row: OfTerms, measured_as: str) -> str:
    """Return the terms of some rates: facility fee, outpatient. A label says nothing of the place where it is wrong."""
    if not row.billing_class:
        words = [f"class not stated, {row.place}"]
    else:
        is_other = measured_as not in {"", row.billing_class}
        fee = write_fee(row.billing_class, measured_as)
        words = [write_class(measured_as), fee] if is_other else [fee, row.place]
    return ", ".join([*words, *([f"modifier {row.modifier}"] if row.modifier else [])])


def tell_prices(moved: PricesMoved) -> str:
    """Return what became of some prices in a line: 7 prices: 3 up (+2.0% to +9.0%), 4 down (−3.8%)."""
    if not moved.before or not moved.after:
        return _prices(moved.before or moved.after) + (", new" if moved.after else ", gone")
    if not moved.is_paired:
        counts = f"{_prices(moved.before)} before, {write_count(moved.after)} now"
        if moved.ends is None:
            return counts
        return f"{counts}: lowest {write_change(moved.ends[0])}, highest {write_change(moved.ends[1])}"
    said = [f"{write_count(len(some))} {way} ({_span(some)})" for some, way in _ways(moved) if some]
    if moved.same:
        said.append(f"{write_count(moved.same)} the same")
    return f"{_prices(moved.before)}: {', '.join(said)}"


def _ways(moved: PricesMoved) -> list[tuple[tuple[float, ...], str]]:
    return [(moved.ups, "up"), (moved.downs, "down")]


def _prices(number: int) -> str:
    return f"{write_count(number)} price{'' if number == 1 else 's'}"


def _span(changes: tuple[float, ...]) -> str:
    """Return the smallest and the largest change, or the one that both are."""
    words = [write_change(one) if one != float("inf") else "from zero" for one in (changes[0], changes[-1])]
    return " to ".join(dict.fromkeys(words))
