"""Answers about organizations, health systems, and health plans, for RateStore."""

import polars as pl

from core.python_api.arguments import parse_level
from core.python_api.frames import ALL_ROWS, frame_of
from core.queries.parties import providers, roll_ups
from core.queries.payers import plans
from core.store.connection import Snapshot


class RollUpAnswers:
    """What tax IDs roll up to, and which plans use which files."""

    def _snapshot(self) -> Snapshot:
        raise NotImplementedError

    def organization(self, key: str) -> pl.DataFrame:
        """Return an organization with its health system, in one row. `ein_123456789` finds that of a tax ID."""
        found = roll_ups.find_organization(self._snapshot(), key)
        return frame_of(roll_ups.OrganizationProfile, [found] if found else [])

    def tins_of(self, *, organization: str = "", system: str = "") -> pl.DataFrame:
        """Return the tax IDs of an organization or a health system, with the evidence for each edge."""
        level, key = parse_level(organization, system)
        return frame_of(providers.TaxId, roll_ups.list_tins(self._snapshot(), level, key, ALL_ROWS, 0)[1])

    def rates_by_period(self, *, organization: str = "", system: str = "") -> pl.DataFrame:
        """Return the number of rates of an organization or a health system by state, month, and payer."""
        level, key = parse_level(organization, system)
        return frame_of(roll_ups.RatesByPeriod, roll_ups.count_rates_of(self._snapshot(), level, key))

    def plans(self, text: str = "") -> pl.DataFrame:
        """Return the health plans whose name, id, sponsor, or issuer contains each word of a text; all without one."""
        return frame_of(plans.HealthPlan, plans.search_plans(self._snapshot(), text, ALL_ROWS)[1])

    def plan_files(self, plan_key: str) -> pl.DataFrame:
        """Return the loaded files that are listed for a plan, newest month first."""
        return frame_of(plans.PlanFile, plans.list_plan_files(self._snapshot(), plan_key))
