"""Resources that compare negotiated rates with Medicare."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import AnswerFields, MarketAnswer, MarketPage, ResourceRequest, resource
from core.pages.forms.market_forms import MarketForm, MedicareForm
from core.queries import rates
from core.queries.comparison import overruled_labels
from core.queries.market.market_filters import MARKET_PARAMETERS
from core.queries.market.market_rates import percent_cache
from core.queries.yardstick import medicare

router = Router(tags=["Medicare"])

_NOT_OF_LABELS = [name for name in (*MARKET_PARAMETERS, "sort") if name not in {"state", "year_month", "payer"}]


class ComparisonOutcomes(MarketAnswer):
    """How many rates are compared with Medicare: total = compared + the counts of all reasons."""

    total: int = Field(description="Number of rates, without likely errors of one code.", examples=[70])
    compared: int = Field(description="Number of these rates that have a percent of Medicare.", examples=[60])
    bases: list[medicare.Basis] = Field(description="What the rates are compared with.")
    reasons: dict[str, int] = Field(
        description="Number of rates without a percent of Medicare, by reason.",
        examples=[{"not paid in this setting": 10}],
    )


@resource(router, "/medicare", MedicareForm, MarketPage[medicare.Comparison])
def list_comparisons(request: ResourceRequest) -> AnswerFields:
    """List each rate with its percent of Medicare.

    A row has either a basis and a percent, or the reason why there is none. A `percent` of 1 is 100%.
    """
    request.refuse_if_too_broad()
    with percent_cache(request.db, request.market) as cache:
        return request.page_after_key(
            medicare.Comparison,
            medicare.ORDERS[request.sort],
            lambda: rates.count_rates(request.db, request.market),
            lambda limit, last: medicare.list_comparisons(cache, request.market, request.sort, limit, 0, last),
        )


@resource(router, "/medicare/payers", MedicareForm, MarketPage[medicare.PercentSpread])
def summarize_by_payer(request: ResourceRequest) -> AnswerFields:
    """Summarize the percents of Medicare by payer, each rate counted once.

    `implausible` counts rates below 50% or above 3,000%; the percentiles include them. Of a code, those that are far
    from all payers' rates as well are left out of both, unless `implausible=in` asks for them. A figure of 1 is 100%.
    """
    request.refuse_if_too_broad()
    with percent_cache(request.db, request.market) as cache:
        return request.page_of(medicare.summarize_percents(cache, request.market))


@resource(router, "/medicare/outcomes", MedicareForm, ComparisonOutcomes)
def count_outcomes(request: ResourceRequest) -> AnswerFields:
    """Count the rates that are compared with Medicare, and the others by reason.

    Of a code, likely errors are not counted, unless `implausible=in` asks for them.
    """
    request.refuse_if_too_broad()
    with percent_cache(request.db, request.market) as cache:
        outcomes = medicare.count_outcomes(cache, request.market)
    return {
        "total": outcomes.total,
        "compared": outcomes.compared,
        "bases": outcomes.bases,
        "reasons": outcomes.reasons,
    }


@resource(router, "/medicare/labels", MarketForm, MarketPage[overruled_labels.OverruledLabel], without=_NOT_OF_LABELS)
def list_overruled_labels(request: ResourceRequest) -> AnswerFields:
    """List the payers whose rates fit the schedule of the other billing class far better, with the evidence.

    These rates are compared with that schedule, unless `basis` asks for another. A figure of 1 is 100%.
    """
    return request.page_of(overruled_labels.list_overruled_labels(request.db, request.market))
