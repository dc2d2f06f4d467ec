"""Payers compared for a basket of codes by one figure."""

from ninja import Router
from pydantic import Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import AnswerFields, MarketPage, ResourceRequest, resource
from core.fields.codes.basket_list import read_basket
from core.pages.forms.basket_forms import BasketForm
from core.queries import coverage
from core.queries.baskets.basket_answer import BasketAnswer, BasketQuestion, answer_basket, choose_codes
from core.queries.baskets.basket_index import PayerIndex
from core.queries.baskets.basket_medians import BasketMedian
from core.vocabulary.baskets import named_baskets

router = Router(tags=["Payers"])

_NOT_TAKEN = ["code", "code_type", "sort"]


class BasketIndexes(MarketPage[PayerIndex]):
    """One figure per payer for a basket."""

    weights: str = Field(
        description="What each code weighs: volumes, medicare (services to Medicare patients), or equal.",
        examples=["medicare"],
    )


@resource(router, "/baskets/indexes", BasketForm, BasketIndexes, without=_NOT_TAKEN)
def list_basket_indexes(request: ResourceRequest) -> AnswerFields:
    """Compare payers for a basket of codes by one figure each: their medians against the market's, and Medicare's.

    The basket is a named one (`basket`), or a list of codes with or without volumes (`codes`). Each code is in its
    usual setting, as in `/baskets/medians`.
    """
    answer = _answer(request)
    return {**request.page_of(answer.indexes), "weights": answer.weights}


@resource(router, "/baskets/medians", BasketForm, MarketPage[BasketMedian], without=_NOT_TAKEN)
def list_basket_medians(request: ResourceRequest) -> AnswerFields:
    """List the median of each code of a basket at each payer.

    Each code is in its usual setting, the class of rates that its own answers are about, within the filters given.
    """
    return request.page_of(_answer(request).named_medians(dict(coverage.list_payers(request.db))))


def _answer(request: ResourceRequest) -> BasketAnswer:
    values = request.values
    items = read_basket(values["codes"])
    named = None if items else named_baskets().get(values["basket"])
    codes = choose_codes(request.db, named, items)
    if not codes:
        raise Problem("wrong-parameter", errors=[("basket", "choose a basket, or list codes")])
    return answer_basket(request.db, BasketQuestion(request.market, codes, named, values["weights"] or None))
