"""Pages of a long table."""

PAGE_ROWS = 50
"""Rows of a table on one page."""


def span(number: int) -> tuple[int, int]:
    """Return the number of rows on a page, at most, and the number of rows before it."""
    return PAGE_ROWS, (number - 1) * PAGE_ROWS


class Paging:
    """Which rows of a table of `total` rows a page shows."""

    def __init__(self, number: int, total: int) -> None:
        self.total = total
        self.pages = max(-(-total // PAGE_ROWS), 1)
        self.number = number
        self.limit, self.offset = span(number)

    @property
    def beyond(self) -> bool:
        """Whether the page is after the last one."""
        return self.number > self.pages

    @property
    def first(self) -> int:
        """The number of the page's first row, from 1."""
        return min(self.offset + 1, self.total)

    @property
    def last(self) -> int:
        """The number of the page's last row."""
        return min(self.offset + self.limit, self.total)

    @property
    def before(self) -> int | None:
        """The number of the previous page; None on the first one and beyond the last."""
        return self.number - 1 if 1 < self.number <= self.pages else None

    @property
    def after(self) -> int | None:
        """The number of the next page; None on the last one."""
        return self.number + 1 if self.number < self.pages else None
