"""Lines at amounts to compare with, such as Medicare's: each label in a row of its own, so that none covers another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from core.pages.formats import write_basis, write_dollars
from core.queries.comparison.compared_rates import COMPENSATION_BASIS
from core.queries.yardstick.medicare_amounts import AmountLine

LABEL_ROW = 15
"""Height of a label in pixels."""

MAX_LINES = 8
"""More lines would hide what they are compared with. The chart then says how many are left out."""

_NARROWEST = 320
"""Width in pixels of a chart on a small phone."""

_LETTER = 6.6
"""Width in pixels of a letter, on average and rounded up."""


def amounts_to_draw(amounts: Sequence[AmountLine]) -> list[AmountLine]:
    """Return the amounts that get a line."""
    return [amount for amount in amounts if amount.amount > 0][:MAX_LINES]


def label_height(amounts: Sequence[AmountLine]) -> int:
    """Return the height of the labels above a chart."""
    left_out = len(amounts) > len(amounts_to_draw(amounts))
    return LABEL_ROW * (len(amounts_to_draw(amounts)) + left_out) + 4


def draw_amount_lines(amounts: Sequence[AmountLine], at: Callable[[float], float], base: int) -> SafeString:
    """Return the lines from their labels down to `base`. `at` maps dollars to a percentage of the width."""
    placed = _order_labels([_LabeledLine(one, at(one.amount)) for one in amounts_to_draw(amounts)])
    left_out = len(amounts) - len(placed)
    # A label is on top of a line that crosses it.
    drawn = format_html_join("", "{}", ((one.draw_line(n, base),) for n, one in enumerate(placed)))
    drawn += format_html_join("", "{}", ((one.draw_label(n),) for n, one in enumerate(placed)))
    if not left_out:
        return drawn
    more = f"and {left_out} more in the table of amounts"
    return drawn + format_html('<text class="amount start" x="0" y="{}">{}</text>', 12 + LABEL_ROW * len(placed), more)


def describe_amounts(amounts: Sequence[AmountLine]) -> str:
    """Return the amounts in words, all of them."""
    return " ".join(f"{name_basis(one.basis)}: {write_dollars(one.amount)}." for one in amounts)


def name_basis(basis: str) -> str:
    """Return whose amount a basis is, and which: an amount of a state's schedule says so itself."""
    return capfirst(basis) if basis.startswith(COMPENSATION_BASIS) else f"Medicare, {write_basis(basis)}"


@dataclass(frozen=True)
class _LabeledLine:
    """An amount and where its line is, as a percentage of the width."""

    amount: AmountLine
    place: float

    @property
    def label(self) -> str:
        return f"{self._basis} {write_dollars(self.amount.amount)}"

    @property
    def _basis(self) -> str:
        basis = self.amount.basis
        if basis.startswith(COMPENSATION_BASIS):
            return basis
        # "Physician" would not fit beside the line on a phone. Schedules of others have names of their own.
        return f"Medicare’s {write_basis(basis).replace('physician fee', 'fee')}"

    @property
    def anchor(self) -> str:
        return _place_label(self.place, len(self.label))[0]

    def draw_line(self, row: int, base: int) -> SafeString:
        """Return the line from the label's row down."""
        place = f"{self.place:.2f}"
        top = 4 + LABEL_ROW * row
        return format_html('<line class="even" x1="{}%" x2="{}%" y1="{}" y2="{}"/>', place, place, top, base)

    def draw_label(self, row: int) -> SafeString:
        """Return the label in its row."""
        anchor, position = _place_label(self.place, len(self.label))
        return format_html(
            '<text class="amount {}" x="{}%" y="{}">{}</text>',
            anchor, f"{position:.2f}", 12 + LABEL_ROW * row, self.label,
        )  # fmt: skip


def _order_labels(lines: Sequence[_LabeledLine]) -> list[_LabeledLine]:
    """Return the lines by the row of their label, from the top.

    A line goes down from its label, so it crosses the labels below. Labels to the right of their line are followed by
    those of lines further right, and labels to the left of theirs by those of lines further left.
    """
    ordered = sorted(lines, key=lambda one: one.place)
    right = [one for one in ordered if one.anchor == "start"]
    return [*right, *(one for one in reversed(ordered) if one.anchor == "end")]


def _place_label(place: float, letters: int) -> tuple[str, float]:
    """Return how a label is anchored, and where: beside its line if it fits there on a phone, else at an edge."""
    needed = 100 * _LETTER * letters / _NARROWEST
    if place + 0.6 + needed <= 100:
        return "start", place + 0.6
    if place - 0.6 >= needed:
        return "end", place - 0.6
    return ("start", 0.0) if place < 50 else ("end", 100.0)
