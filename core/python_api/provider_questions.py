"""The questions about the rates of a provider, and about a provider group."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Unpack

import polars as pl

from core.fields.codes.code_family import list_families
from core.python_api.arguments import Filters, check_one_of, parse_market
from core.python_api.frames import ALL_ROWS, frame_of
from core.queries.baskets.provider_positions import place_rows
from core.queries.codes_within import choose_within
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.parties import groups, provider_rates, provider_summary
from core.runtime.errors import BeaconError
from core.store.connection import Snapshot


class ProviderQuestions(ABC):
    """Methods of a RateStore."""

    @abstractmethod
    def _snapshot(self) -> Snapshot:
        """Return the newest generation."""

    def provider_rates(
        self,
        state: str,
        year_month: str | None,
        *,
        sort: str = "usual",
        text: str = "",
        family: str = "",
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return the rates of a provider by code and payer, beside Medicare and the market.

        The provider is `npi=`, `tin=`, or all tax IDs of `organization=` or `system=`, as in the methods below.

        `text` keeps the codes that it means, as the search of codes finds them; `family` those of one family.
        """
        db, market = self._provider_market("provider_rates", state, year_month, filters)
        order = check_one_of("sort", sort, provider_rates.ORDERS)
        within = choose_within(db, text, check_one_of("family", family, ("", *list_families())))
        total, found = provider_rates.list_code_rates(db, db, market, limit or ALL_ROWS, 0, order, within)
        return frame_of(provider_rates.CodeRates, place_rows(db, market, total, found))

    def provider_summary(self, state: str, year_month: str | None, **filters: Unpack[Filters]) -> pl.DataFrame:
        """Return all rates of a provider in one row: percent of Medicare, position in the market."""
        db, market = self._provider_market("provider_summary", state, year_month, filters)
        return frame_of(provider_summary.ProviderSummary, [provider_summary.summarize_provider(db, db, market)])

    def provider_families(self, state: str, year_month: str | None, **filters: Unpack[Filters]) -> pl.DataFrame:
        """Return the same figures of a provider by family of codes, most rates first."""
        db, market = self._provider_market("provider_families", state, year_month, filters)
        return frame_of(provider_summary.FamilyRates, provider_summary.list_family_rates(db, db, market))

    def provider_payers(self, state: str, year_month: str | None, **filters: Unpack[Filters]) -> pl.DataFrame:
        """Return the same figures of a provider by payer, most rates first."""
        db, market = self._provider_market("provider_payers", state, year_month, filters)
        return frame_of(provider_summary.ProviderPayer, provider_summary.list_provider_payers(db, db, market))

    def provider_group(self, pg_uid: str) -> pl.DataFrame:
        """Return a provider group in one row, by `pg_uid` of a rate. No row if no loaded rate uses it."""
        found = groups.find_group(self._snapshot(), pg_uid)
        return frame_of(groups.ProviderGroup, [found] if found else [])

    def group_members(self, pg_uid: str) -> pl.DataFrame:
        """Return everything that a provider group has: its tax IDs, NPIs, networks, plans, and file, a row for each."""
        db = self._snapshot()
        found = groups.find_group(db, pg_uid)
        return frame_of(groups.GroupEntry, groups.list_entries(db, found, ALL_ROWS) if found else [])

    def _provider_market(
        self, question: str, state: str, year_month: str | None, filters: Mapping[str, Any]
    ) -> tuple[Snapshot, Market]:
        market = parse_market(state, year_month, None, None, filters)
        if not market.of_provider:
            raise BeaconError(f"{question}: expected npi=, tin=, organization=, or system=")
        db = self._snapshot()
        return db, with_latest(db, market)
