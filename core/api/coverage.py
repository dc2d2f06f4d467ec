"""Resources about what is loaded."""

from ninja import Router

from core.api.protocol.resources import AnswerFields, Page, ResourceRequest, resource
from core.pages.forms.query_form import QueryForm
from core.queries import coverage
from core.queries.releases import Release, list_releases

router = Router(tags=["Coverage"])


@resource(router, "/coverage", QueryForm, Page[coverage.Coverage])
def list_coverage(request: ResourceRequest) -> AnswerFields:
    """List what each payer has in each state and month, newest month first.

    These are the values that `state`, `year_month` and `payer` can have.
    """
    return request.page_of(coverage.list_coverage(request.db))


@resource(router, "/coverage/periods", QueryForm, Page[coverage.Period])
def list_periods(request: ResourceRequest) -> AnswerFields:
    """List the states and months that have rates.

    Newest month first, and within it the state with the most rates. The first row is the default if a request omits
    the state and month.
    """
    return request.page_of(coverage.list_periods(request.db))


@resource(router, "/coverage/benchmarks", QueryForm, Page[Release])
def list_benchmarks(request: ResourceRequest) -> AnswerFields:
    """List the releases of fee schedules that are loaded.

    rows_read = rows_priced + the counts of left_out.
    """
    return request.page_of(list_releases(request.db))
