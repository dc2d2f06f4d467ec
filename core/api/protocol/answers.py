"""The envelopes of answers: what stands around the rows of a table."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from core.queries.classes.rate_classes import RateClass
from core.queries.latest import PayerFileMonth
from core.queries.market.market import Market

Row = TypeVar("Row")

AnswerFields = dict[str, Any]
"""The fields of an answer, without its generation and market."""

_CURSOR = "WyI1ZDQxNDAyYWJjNGIiLCI3ZDc5MzAzN2EwNzYiLDcwLFsxMDQuNSwiOGYxZDJjMGEiXV0"


class Answer(BaseModel):
    """An answer."""

    generation: int = Field(description="Generation of the data. Each load adds 1.", examples=[7])


class Page(Answer, Generic[Row]):
    """One page of a table."""

    rows: list[Row] = Field(description="Rows of this page.")
    next: str | None = Field(description="Cursor of the next page; null on the last page.", examples=[_CURSOR])
    total: int = Field(description="Number of rows on all pages.", examples=[70])


class MarketAnswer(Answer):
    """An answer about a market."""

    market: Market = Field(
        description="The market of the answer, with the state, month and code system that were chosen. Its year_month "
        "is empty text if payers have different months."
    )
    rate_classes: list[RateClass] = Field(
        description="The classes of rates of a code, most rates first. `chosen` are those that the answer is about: by "
        "default the class with most rates; `classes=all` asks for all of them. Empty if the question is not about one "
        "code."
    )
    months: list[PayerFileMonth] = Field(description="The month of each payer's rates in the market.")


class MarketPage(Page[Row], MarketAnswer, Generic[Row]):
    """One page of a table about a market."""
