"""Which rows of a table a page shows."""

import pytest

from core.pages.shared.paging import PAGE_ROWS, Paging, span


@pytest.mark.parametrize(
    ("total", "pages"), [(0, 1), (1, 1), (PAGE_ROWS, 1), (PAGE_ROWS + 1, 2), (2 * PAGE_ROWS, 2), (2 * PAGE_ROWS + 1, 3)]
)
def test_every_page_but_the_last_is_full(total: int, pages: int) -> None:
    assert Paging(1, total).pages == pages


def test_the_first_page_has_no_previous_one() -> None:
    page = Paging(1, 100)
    assert (page.first, page.last, page.before, page.after, page.beyond) == (1, 50, None, 2, False)


def test_the_last_page_is_not_beyond_the_end() -> None:
    page = Paging(2, 100)
    assert (page.first, page.last, page.before, page.after, page.beyond) == (51, 100, 1, None, False)


def test_beyond_the_end_there_is_no_previous_and_no_next_page() -> None:
    page = Paging(3, 100)
    assert (page.before, page.after, page.beyond) == (None, None, True)


def test_an_empty_table_has_one_empty_page() -> None:
    page = Paging(1, 0)
    assert (page.first, page.last, page.before, page.after, page.beyond) == (0, 0, None, None, False)


def test_the_rows_before_a_page() -> None:
    assert [span(number) for number in (1, 2, 3)] == [(50, 0), (50, 50), (50, 100)]
