"""What became of what organizations are paid, in words."""

from core.pages.formats import write_change, write_class, write_count, write_dollars, write_fee
from core.queries.over_time.changes import Moved, OfTerms
from core.queries.over_time.common_ratio import CommonRatio, RatiosOfCodes
from core.queries.over_time.prices_moved import PricesMoved

_UNCLEAR = "unclear, as the file has another number of prices, or some are higher and some lower"


def count_paid(row: Moved) -> str:
    """Return how many that are in both months are paid more, less, and the same: 74 are paid more, and 59 the same."""
    counted = [
        (row.up, "paid more", "more"),
        (row.down, "paid less", "less"),
        (row.same, "paid the same", "the same"),
        (row.unclear, _UNCLEAR, _UNCLEAR),
    ]
    there = [(number, at_first, then) for number, at_first, then in counted if number]
    if not there:
        return ""
    (first, how, _), *rest = there
    others = [(number, then) for number, _, then in rest]
    whole = "all " if first == row.kept and first > 1 else ""
    said = [
        f"{whole}{write_count(first)} {'is' if first == 1 else 'are'} {how}",
        *(f"{write_count(n)} {how}" for n, how in others),
    ]
    return " and ".join(said) if len(said) < 3 else f"{', '.join(said[:-1])}, and {said[-1]}"


def tell_median_change(row: Moved) -> str:
    """Return the median change and of what it is: the median change of the other 82 is −2.1%. Empty if there is none.

    The unclear ones have no change. Where most stayed the same, the change of those that did not is said as well.
    """
    if row.middle is None:
        return ""
    of = f" of the other {write_count(row.kept - row.unclear)}" if row.unclear else ""
    said = f"the median change{of} is {write_change(row.middle)}"
    is_other = row.p50 is not None and write_change(row.p50) != write_change(row.middle)
    return f"{said}, and {write_change(row.p50)} among those up or down" if is_other else said


def write_ratio(one: CommonRatio) -> str:
    """Return the ratio in words: 0.962 of the old prices, or 1.013 times the old prices."""
    return f"{one.ratio:.3f} {'of' if one.what == 'down' else 'times'} the old prices"


def count_of_direction(one: CommonRatio | RatiosOfCodes) -> str:
    """Return how many of those that went one way have a common ratio: 53 of the 56 paid less."""
    whole = "all" if one.organizations == one.of else write_count(one.organizations)
    return f"{whole} of the {write_count(one.of)} paid {'more' if one.what == 'up' else 'less'}"


def tell_ratio_of_code(one: CommonRatio) -> str:
    """Return what the common ratio of a code's prices says, and what proves it: no more than the figures do."""
    (lowest, _), (highest, _) = one.pairs[0], one.pairs[-1]
    alike = f"whether the price was {write_dollars(lowest)} or {write_dollars(highest)}"
    if one.percents is None:
        return (
            f"{alike}. Percents of a schedule move like this when a newer one takes its place; separate raises or cuts "
            "would differ. Which schedule it is cannot be told from the Medicare amounts loaded here."
        )
    higher = write_change(1 / one.ratio - 1).lstrip("+−")
    than = "higher" if one.ratio < 1 else "lower"
    return (
        f"{alike}. The new prices are {one.percents.summary}, and the old ones the same percents of amounts {higher} "
        f"{than}: the same percents of a newer Medicare schedule."
    )


def tell_ratio_in_short(one: CommonRatio) -> str:
    """Return the same in a clause."""
    proven = (
        "the same percents of a newer Medicare schedule" if one.percents else "as percents of a newer schedule move"
    )
    return f"{count_of_direction(one)} moved by one ratio, {write_ratio(one)}: {proven}"


def name_place(place: str) -> str:
    """Return where a service is rendered, as pages call it."""
    return "place not stated" if place == "unstated" else place


def name_terms(row: OfTerms, measured_as: str) -> str:
    """Return the terms of some rates: facility fee, outpatient.

    A label that is wrong says nothing of the place, but it is known where the file states none.
    """
    if not row.billing_class:
        words = ["class not stated", name_place(row.place)]
    else:
        is_other = measured_as not in {"", row.billing_class}
        fee = write_fee(row.billing_class, measured_as)
        place = [] if is_other and row.place != "unstated" else [name_place(row.place)]
        words = [*([write_class(measured_as)] if is_other else []), fee, *place]
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
