"""The rates that a question is about: state, month, code and filters, as a WHERE clause with bound parameters."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field

from core.fields.places.care_setting import FACILITY_OR_UNSTATED, SIDES
from core.queries.market.latest_files import LatestFiles
from core.queries.market.market_filters import (
    CLASSES,
    CODE_PARAMETERS,
    IMPLAUSIBLE,
    IN_FACILITIES,
    MARKET_PARAMETERS,
    PROVIDER_FILTERS,
    all_of,
)
from core.queries.rules.columns import Month, State, described
from core.queries.rules.evidence import EVIDENCE, likely_condition
from core.queries.rules.measured_class import LIKE_CLASSES
from core.store.generations.manifest import BY_GROUP
from core.store.market.market_months import (
    MarketMonth,
    MarketMonths,
    facts_in_months,
    in_months,
    month_parameters,
    months_sql,
)
from core.store.schema.tables import FACT_RATE


@dataclass(frozen=True)
class Market:
    """A selection of rates by state, month, code and filters. A filter that is not set does not narrow it.

    `payer` is a payer_slug; `pos` also matches sets with CSTM-00 (every place); `modifier` is one modifier of the rate,
    or NO_MODIFIER. `billing_class`, `setting`, `negotiated_type` and `arrangement` may be NOT_STATED. An empty
    `year_month` selects the newest month of each payer, if `latest` has them (see core/queries/latest.py), or else
    every month. `basis`, `area`, `classes`, `yardstick`, and `implausible` select no rates, see BASIS, AREA, CLASSES,
    YARDSTICK, and IMPLAUSIBLE.
    """

    state: State
    year_month: Month
    code_type: Annotated[str | None, described("Code system.", "CPT")] = None
    code: Annotated[str | None, described("Billing code.", "99213")] = None
    care_setting: Annotated[
        str | None,
        described(
            "office, hospital outpatient, surgical center, inpatient, other place, or unstated; or, of professionals, "
            "one of `non-facility or unstated` and `facility or unstated`.",
            None,
        ),
    ] = None
    payer: Annotated[str | None, described("Key of the payer, as `payer_slug` has it.", None)] = None
    pos: Annotated[str | None, described("Place of service; also matches rates for every place (CSTM-00).", None)] = (
        None
    )
    billing_class: Annotated[str | None, described("Billing class.", None)] = None
    modifier: Annotated[str | None, described("One modifier, or `none` for rates without one.", None)] = None
    setting: Annotated[str | None, described("Setting as the file states it.", None)] = None
    negotiated_type: Annotated[str | None, described("Type of rate.", None)] = None
    arrangement: Annotated[str | None, described("Arrangement.", None)] = None
    network: Annotated[str | None, described("Name of a network.", None)] = None
    npi: Annotated[str | None, described("NPI.", None)] = None
    tin: Annotated[str | None, described("Tax ID (TIN).", None)] = None
    organization: Annotated[str | None, described("Key of an organization: any of its tax IDs.", None)] = None
    system: Annotated[str | None, described("Key of a health system: any of its organizations.", None)] = None
    plan: Annotated[str | None, described("Key of a health plan: the files that are listed for it.", None)] = None
    city: Annotated[str | None, described("City where a provider of the group practices.", None)] = None
    zip: Annotated[str | None, described("ZIP code where a provider of the group practices.", None)] = None
    county: Annotated[str | None, described("FIPS code of the county where a provider practices.", None)] = None
    metro: Annotated[str | None, described("Code of the metropolitan area or division.", None)] = None
    near: Annotated[str | None, described("A ZIP code or NPI, and miles: 30303,25.", None)] = None
    specialty: Annotated[str | None, described("Specialty of a provider of the group.", None)] = None
    entity: Annotated[str | None, described("individual or organization.", None)] = None
    evidence: Annotated[
        str | None,
        described("`likely` for the rates that are likely performed: all but those with no evidence.", None),
    ] = None
    basis: Annotated[
        str | None,
        described("The Medicare schedule that was asked for; null for the one that each rate belongs to.", None),
    ] = None
    area: Annotated[
        str | None,
        described(
            "Whether rates are compared with Medicare in their providers' own areas (own, the default) or with the "
            "mean of the state (state).",
            None,
        ),
    ] = None
    classes: Annotated[
        str | None,
        described(
            "`all` if rates of all classes were asked for; null if the answer is about the class with most rates.", None
        ),
    ] = None
    yardstick: Annotated[
        str | None,
        described(
            "What rates are measured by: null for Medicare, `compensation` for the state's workers' compensation "
            "schedule.",
            None,
        ),
    ] = None
    implausible: Annotated[
        str | None,
        described(
            "`in` if figures count likely errors; null if they leave them out, as they do by default.",
            None,
        ),
    ] = None
    latest: Annotated[Any, Field(exclude=True)] = None
    """LatestFiles of the state, or None. Any, so that texts by name can be the arguments of a market."""

    @property
    def months(self) -> MarketMonths:
        """The months of the market's rates, newest first, and the payers whose rates of each it has; none for all."""
        if self.year_month:
            return (MarketMonth(self.year_month),)
        if self.latest is None:
            return ()
        latest: LatestFiles = self.latest
        month = latest.month_of(self.payer) if self.payer else ""
        return (MarketMonth(month),) if month else latest.months

    @property
    def one_month(self) -> str:
        """The month of all of the market's rates; empty text if they may be of several."""
        return self.months[0].year_month if len(self.months) == 1 else ""

    @property
    def newest_month(self) -> str:
        """The newest month of the market; empty text for a market of every month."""
        return self.months[0].year_month if self.months else ""

    def month_of(self, payer_slug: str) -> str:
        """Return the month of a payer's rates in the market; empty text for a market of every month."""
        latest: LatestFiles | None = self.latest
        return self.year_month or (latest.month_of(payer_slug) if latest else "")

    @property
    def month_names(self) -> list[str]:
        """The months of the market without their payers, newest first."""
        return [one.year_month for one in self.months]

    @property
    def months_sql(self) -> str:
        """The parameters of the months, for `in_months`."""
        return months_sql(self.months)

    @property
    def parameters(self) -> dict[str, Any]:
        """The values that `where` binds, by name."""
        others = {name: value for name in self._set_parameters if (value := getattr(self, name))}
        return {**({"state": self.state} if self.state else {}), **month_parameters(self.months), **others}

    @property
    def _set_parameters(self) -> list[str]:
        chosen_otherwise = {"state", "year_month", CLASSES, IMPLAUSIBLE}
        return [name for name in MARKET_PARAMETERS if name not in chosen_otherwise and getattr(self, name)]

    @property
    def filter_names(self) -> list[str]:
        """The names of the parameters that are set besides those that choose the facts of a code."""
        return [name for name in self._set_parameters if name not in CODE_PARAMETERS]

    @property
    def where(self) -> str:
        """The condition on fact_rate AS f. Every value is a named parameter."""
        return self._where(facts_in_months(self.months), self.months_sql)

    def where_in(self, month: str) -> str:
        """Return the same condition with another parameter as the month. It has no effect on a market of all months."""
        return self._where(in_months("f.year_month", month), month) if self.months else self.where

    def _where(self, of_months: str, month: str) -> str:
        names = self._set_parameters
        first = " AND ".join(["f.state = $state"] * bool(self.state) + [of_months] * bool(self.months))
        if self.code or self.evidence is None:
            return _and(first, all_of(names, month, measured=self.measured_filters))
        # The evidence depends on each rate's code. It is found for the rates that meet the other conditions.
        names = [name for name in names if name != EVIDENCE]
        others = _and(first, all_of(names, month, measured=self.measured_filters))
        facts = BY_GROUP if self.of_provider else FACT_RATE.name
        asked = f"SELECT DISTINCT f.pg_uid, f.code_type, f.code FROM {facts} f WHERE {others}"
        return f"{others} AND {likely_condition(month, asked)}"

    @property
    def is_measured(self) -> bool:
        """Whether the billing class is one of LIKE_CLASSES: rates are selected by the class they are measured as."""
        return self.billing_class in LIKE_CLASSES

    @property
    def measured_filters(self) -> Collection[str]:
        """The filters that are set and select by the class that rates are measured as.

        Where a rate lists no place, that class decides whose bill it is, see IN_FACILITIES. The other side of
        professionals asks for no class.
        """
        by_class = ["billing_class"] * self.is_measured + [IN_FACILITIES] * (self.care_setting == FACILITY_OR_UNSTATED)
        return by_class + ["care_setting"] * (self.care_setting is not None and self.care_setting not in SIDES)

    @property
    def of_provider(self) -> bool:
        """Whether it is the market of one provider: of an NPI, a tax ID, or all tax IDs of an organization or system.

        Its provider groups are few, so its facts are found by group.
        """
        return bool(self.npi or self.tin or self.organization or self.system)

    @property
    def in_any_month(self) -> "Market":
        """The same market in all months."""
        return replace(self, year_month="", latest=None)

    @property
    def of_code(self) -> "Market":
        """The market of the same state, month and code, without any filter."""
        return Market(self.state, self.year_month, self.code_type, self.code, latest=self.latest)

    @property
    def unfiltered(self) -> "Market":
        """The market of the same state, month, code and provider groups, without the other filters."""
        return replace(self.of_code, **{name: getattr(self, name) for name in PROVIDER_FILTERS})

    def without(self, *names: str) -> "Market":
        """Return the market without some of its filters."""
        return Market(**{**vars(self), **dict.fromkeys(names)})


def _and(*conditions: str) -> str:
    return " AND ".join(one for one in conditions if one not in {"", "true"}) or "true"
