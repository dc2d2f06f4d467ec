"""The questions about baskets of codes, and about a clinic against its market."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Unpack

import polars as pl

from core.fields.codes.basket_list import read_basket
from core.python_api.arguments import Filters, parse_market
from core.python_api.frames import frame_of
from core.queries import coverage
from core.queries.baskets.basket_answer import BasketAnswer, BasketQuestion, answer_basket, choose_codes
from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.basket_index import PayerIndex
from core.queries.baskets.basket_medians import BasketMedian
from core.queries.baskets.clinic_position import (
    AskedLine,
    Clinic,
    ClinicPosition,
    choose_clinic_class,
    list_positions,
)
from core.queries.latest import with_latest
from core.queries.rules.market_filters import NO_MODIFIER
from core.runtime.errors import BeaconError
from core.store.connection import Snapshot
from core.vocabulary.baskets import NamedBasket, named_baskets


class BasketQuestions(ABC):
    """Methods of a RateStore."""

    @abstractmethod
    def _snapshot(self) -> Snapshot:
        """Return the newest generation."""

    def basket_indexes(
        self, state: str, year_month: str | None, basket: str | Iterable[str], **filters: Unpack[Filters]
    ) -> pl.DataFrame:
        """Return one figure per payer for a basket: its medians against the market's, and Medicare's.

        `basket` is the name of one ("orthopedics"), or codes, each with or without a volume ("73721*120").
        """
        return frame_of(PayerIndex, self._answer_basket(state, year_month, basket, filters).indexes)

    def basket_medians(
        self, state: str, year_month: str | None, basket: str | Iterable[str], **filters: Unpack[Filters]
    ) -> pl.DataFrame:
        """Return the median of each code of a basket at each payer, of one billing class and component."""
        answer = self._answer_basket(state, year_month, basket, filters)
        payers = dict(coverage.list_payers(self._snapshot()))
        return frame_of(BasketMedian, answer.named_medians(payers))

    def clinic_position(
        self, state: str, year_month: str | None, basket: str | Iterable[str], **filters: Unpack[Filters]
    ) -> pl.DataFrame:
        """Return where the rates of `tin=`, `npi=`, or `organization=` stand among each payer's for a basket.

        The largest shortfall comes first.
        """
        db = self._snapshot()
        asked = with_latest(db, parse_market(state, year_month, None, None, filters))
        clinic = Clinic(asked.organization, asked.tin, (asked.npi,) if asked.npi else ())
        if not clinic.values:
            raise BeaconError("clinic_position: expected tin=, npi=, or organization=")
        market = replace(asked, organization=None, tin=None, npi=None)
        of_class = choose_clinic_class(db, market, clinic).market
        market = replace(of_class, billing_class=of_class.billing_class or "professional", modifier=NO_MODIFIER)
        lines = [AskedLine(code, units=code.volume) for code in _codes_of(db, basket)[1]]
        return frame_of(ClinicPosition, list_positions(db, market, clinic, lines, dict(coverage.list_payers(db))))

    def _answer_basket(
        self, state: str, year_month: str | None, basket: str | Iterable[str], filters: Filters
    ) -> BasketAnswer:
        db = self._snapshot()
        named, codes = _codes_of(db, basket)
        market = with_latest(db, parse_market(state, year_month, None, None, filters))
        return answer_basket(db, BasketQuestion(market, codes, named))


def _codes_of(db: Snapshot, basket: str | Iterable[str]) -> tuple[NamedBasket | None, list[BasketCode]]:
    """Return the named basket, if it is one, and the codes. Raise BeaconError if there are none."""
    named = named_baskets().get(basket) if isinstance(basket, str) else None
    text = basket if isinstance(basket, str) else "\n".join(basket)
    codes = choose_codes(db, named, [] if named else read_basket(text))
    if not codes:
        known = ", ".join(named_baskets())
        raise BeaconError(f"basket: {text[:40]!r} is neither a list of codes nor one of: {known}")
    return named, codes
