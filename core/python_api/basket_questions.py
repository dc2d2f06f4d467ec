"""The questions about baskets of codes, and about a clinic against its market."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Unpack

import polars as pl

from core.fields.codes.basket_list import read_basket
from core.fields.codes.clinic_lines import read_clinic_lines
from core.python_api.arguments import Filters, check_npi, parse_market
from core.python_api.frames import frame_of
from core.queries import coverage
from core.queries.baskets.basket_answer import BasketAnswer, BasketQuestion, answer_basket, choose_codes
from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.basket_index import PayerIndex
from core.queries.baskets.basket_medians import BasketMedian
from core.queries.baskets.clinic_answer import ClinicQuestion, answer_clinic
from core.queries.baskets.clinic_rows import Clinic, ClinicPosition
from core.queries.latest import with_latest
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
        """Return the median of each code of a basket at each payer.

        Each code is in its usual setting, the class of rates that its own answers are about, within the filters given.
        """
        answer = self._answer_basket(state, year_month, basket, filters)
        payers = dict(coverage.list_payers(self._snapshot()))
        return frame_of(BasketMedian, answer.named_medians(payers))

    def clinic_position(
        self,
        state: str,
        year_month: str | None,
        basket: str | Iterable[str] = (),
        *,
        lines: str | pl.DataFrame = "",
        npis: Iterable[str] = (),
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return where the rates of `tin=`, `npis=`, `npi=`, or `organization=` stand among each payer's.

        The codes are those of a basket, or of `lines` with columns code, modifier, setting, units, rate, and payer (a
        CSV or a frame; all but the code may be left out), or else the clinic's own. A rate that is given is looked at
        instead of the published one. The largest shortfall comes first.
        """
        db = self._snapshot()
        read, bad = read_clinic_lines(lines if isinstance(lines, str) else lines.write_csv())
        if bad:
            raise BeaconError(f"clinic_position: row {bad[0].row} of lines: {bad[0].reason}")
        asked = with_latest(db, parse_market(state, year_month, None, None, filters))
        numbers = [*map(check_npi, npis), *([asked.npi] if asked.npi else [])]
        clinic = Clinic(asked.organization, asked.tin, tuple(numbers))
        if not clinic.values and not any(line.rate is not None for line in read):
            raise BeaconError("clinic_position: expected tin=, npis=, npi=, or organization=, or lines with rates")
        basket = basket if isinstance(basket, str) else list(basket)
        codes = codes_of(db, basket)[1] if basket else []
        market = replace(asked, organization=None, tin=None, npi=None)
        answer = answer_clinic(db, ClinicQuestion(market, clinic, read, codes))
        if answer.bad:
            raise BeaconError(f"clinic_position: row {answer.bad[0].row} of lines: {answer.bad[0].reason}")
        return frame_of(ClinicPosition, answer.positions)

    def _answer_basket(
        self, state: str, year_month: str | None, basket: str | Iterable[str], filters: Filters
    ) -> BasketAnswer:
        db = self._snapshot()
        named, codes = codes_of(db, basket)
        market = with_latest(db, parse_market(state, year_month, None, None, filters))
        return answer_basket(db, BasketQuestion(market, codes, named))


def codes_of(db: Snapshot, basket: str | Iterable[str]) -> tuple[NamedBasket | None, list[BasketCode]]:
    """Return the named basket, if it is one, and the codes. Raise BeaconError if there are none."""
    basket = basket if isinstance(basket, str) else list(basket)
    named = named_baskets().get(basket) if isinstance(basket, str) else None
    text = basket if isinstance(basket, str) else "\n".join(basket)
    codes = choose_codes(db, named, [] if named else read_basket(text))
    if not codes:
        known = ", ".join(named_baskets())
        raise BeaconError(f"basket: {text[:40]!r} is neither a list of codes nor one of: {known}")
    return named, codes
