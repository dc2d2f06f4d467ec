"""What is loaded."""

from ninja import Router

from core.api.protocol.resources import Asked, Found, Page, resource
from core.pages.forms import QueryForm
from core.queries import coverage

router = Router(tags=["Coverage"])


@resource(router, "/coverage", QueryForm, Page[coverage.Coverage])
def by_payer(asked: Asked) -> Found:
    """What each payer has in each state and month.

    Here are the values that `state`, `year_month` and `payer` can have. Newest month first.
    """
    return asked.whole(coverage.list_coverage(asked.db))


@resource(router, "/coverage/periods", QueryForm, Page[coverage.Period])
def periods(asked: Asked) -> Found:
    """The states and months that have rates.

    Newest month first, and within it the state with most rates: the first row is what is meant where state and month
    are left out.
    """
    return asked.whole(coverage.list_periods(asked.db))


@resource(router, "/coverage/benchmarks", QueryForm, Page[coverage.Release])
def benchmarks(asked: Asked) -> Found:
    """The benchmark releases that are loaded.

    rows_read = rows_priced + those of left_out, by reason.
    """
    return asked.whole(coverage.list_releases(asked.db))
