"""The questions about the rule behind a payer's rates."""

from abc import ABC, abstractmethod

import polars as pl

from core.python_api.arguments import Filters, parse_market
from core.python_api.frames import frame_of
from core.queries.contract_rule.find_rule import FoundRule, find_contract_rule
from core.queries.contract_rule.rule_rows import ContractRule, FamilyRule, RulePrice
from core.store.connection import Snapshot


class RuleQuestions(ABC):
    """Methods of a RateStore."""

    @abstractmethod
    def _snapshot(self) -> Snapshot:
        """Return the newest generation."""

    def contract_rule(self, state: str, year_month: str, payer: str, *, tin: str | None = None) -> pl.DataFrame:
        """Return the multiple of a Medicare schedule behind the rates of a payer, or of one tax ID, in one row.

        `verdict` is rule, levels, none, too few, or not loaded; `sentence` says it in words.
        """
        return frame_of(ContractRule, [self._find_rule(state, year_month, payer, tin).rule])

    def contract_rule_families(
        self, state: str, year_month: str, payer: str, *, tin: str | None = None
    ) -> pl.DataFrame:
        """Return the multiple of each family of services."""
        return frame_of(FamilyRule, self._find_rule(state, year_month, payer, tin).families)

    def contract_rule_prices(self, state: str, year_month: str, payer: str, *, tin: str | None = None) -> pl.DataFrame:
        """Return each price beside what the rule says; where `explained` is false, it is an exception."""
        return frame_of(RulePrice, self._find_rule(state, year_month, payer, tin).prices)

    def _find_rule(self, state: str, year_month: str, payer: str, tin: str | None) -> FoundRule:
        filters: Filters = {"payer": payer, "tin": tin} if tin else {"payer": payer}
        return find_contract_rule(self._snapshot(), parse_market(state, year_month, None, None, filters))
