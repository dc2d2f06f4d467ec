"""The tools: one for each task that an agent is given, over the questions of `core.python_api`.

The docstring of a tool and the descriptions of its arguments are what an agent reads to choose between them.
"""

from collections.abc import Callable
from typing import Annotated

import polars as pl
from pydantic import Field

from core.agents.answers import MEDICARE_METHOD, AgentAnswer, has_rates, make_answer
from core.python_api.arguments import LATEST, Filters, check_state
from core.python_api.rate_store import RateStore
from core.queries.market.market_filters import ALL_CLASSES, ONE_CLASS
from core.runtime.errors import BeaconError

StateArgument = Annotated[str, Field(description="Two letters of a US state.", examples=["TX"])]
CodeArgument = Annotated[str, Field(description="Billing code, such as 73721 or 470.", examples=["73721"])]
CodeTypeArgument = Annotated[
    str | None, Field(description="Code system: CPT, HCPCS, MS-DRG, RC (revenue code) ...; needed if two share a code.")
]
MonthArgument = Annotated[str | None, Field(description="YYYY-MM. Without it, the newest month of each payer.")]
PayerArgument = Annotated[str | None, Field(description="Name of a payer, or its payer_slug.")]
BillingClassArgument = Annotated[
    str | None, Field(description="professional (the professional fee) or institutional (the facility fee).")
]
PlaceArgument = Annotated[
    str | None, Field(description="Place of service, two digits: 11 office, 22 hospital outpatient.")
]
SettingArgument = Annotated[
    str | None,
    Field(
        description="Where, in a word: office, hospital outpatient, surgical center, or inpatient; of professionals "
        "also `non-facility or unstated`, the default where rates differ in it, and `facility or unstated`."
    ),
]
AllClassesArgument = Annotated[
    bool,
    Field(
        description="Without it, the answer is about the class with most rates: one billing class, one component (the "
        "whole, 26, or TC), one kind of facility, or of professionals, one side: outside facilities or in them. "
        "`rate_classes` lists the others."
    ),
]
RowsArgument = Annotated[int, Field(description="Rows to return at most.", ge=1, le=200)]


class AgentTools:
    """Answer an agent's tasks from one store. Each public method is a tool."""

    def __init__(self, store: RateStore) -> None:
        self._store = store

    def all(self) -> list[Callable[..., AgentAnswer]]:
        """Return the tools, in the order in which an agent would use them."""
        return [
            self.what_is_loaded,
            self.find_code,
            self.rates_in_market,
            self.list_rates,
            self.compare_payers,
            self.percent_of_medicare,
            self.rule_behind_rates,
            self.what_changed,
            self.trend_of_code,
            self.who_is_npi,
            self.who_is_tax_id,
            self.rates_of_provider,
        ]

    def what_is_loaded(self) -> AgentAnswer:
        """List the states, months, and payers that have rates, with files and numbers of rates. Ask this first."""
        return make_answer("What is loaded?", self._store.coverage())

    def find_code(
        self,
        words: Annotated[str, Field(description="The beginning of a code, or words of its title.", examples=["knee"])],
        limit: RowsArgument = 20,
    ) -> AgentAnswer:
        """Find billing codes by number or by words."""
        return make_answer(f"Which codes are found by {words!r}?", self._store.codes(words), limit=limit)

    def rates_in_market(
        self,
        state: StateArgument,
        code: CodeArgument,
        code_type: CodeTypeArgument = None,
        year_month: MonthArgument = None,
        payer: PayerArgument = None,
        billing_class: BillingClassArgument = None,
        place_of_service: PlaceArgument = None,
        setting: SettingArgument = None,
        all_classes: AllClassesArgument = False,
    ) -> AgentAnswer:
        """Summarize what a service is paid in a state: percentiles by payer, kind of rate, billing class, and modifier.

        Never average the medians of different rows: a row with modifier 26 or TC is a part of the whole fee.
        """
        month = self._month(state, year_month)
        filters = _filters(payer, billing_class, place_of_service, setting, all_classes=all_classes)
        found = self._store.rate_summary(state, month, code, code_type, **filters)
        return make_answer(
            f"What is {code} paid in {state.upper()} in {_words(month)}?",
            found,
            self._sources(state, month, found),
            rate_classes=self._store.rate_classes(state, month, code, code_type, **filters),
        )

    def list_rates(
        self,
        state: StateArgument,
        code: CodeArgument,
        code_type: CodeTypeArgument = None,
        year_month: MonthArgument = None,
        payer: PayerArgument = None,
        billing_class: BillingClassArgument = None,
        place_of_service: PlaceArgument = None,
        setting: SettingArgument = None,
        all_classes: AllClassesArgument = False,
        limit: RowsArgument = 20,
    ) -> AgentAnswer:
        """List negotiated rates of a code one by one, lowest first, with their provider groups and terms."""
        month = self._month(state, year_month)
        filters = _filters(payer, billing_class, place_of_service, setting, all_classes=all_classes)
        # The rows are cut by the query itself: a common code has more than a million of them.
        found = self._store.rates(state, month, code, code_type, limit=limit, **filters)
        in_all = int(self._store.rate_summary(state, month, code, code_type, **filters)["rates"].sum())
        return make_answer(
            f"Which rates does {code} have in {state.upper()} in {_words(month)}?",
            found,
            self._sources(state, month, found),
            rows_in_all=in_all,
            rate_classes=self._store.rate_classes(state, month, code, code_type, **filters),
        )

    def compare_payers(
        self,
        state: StateArgument,
        codes: Annotated[list[str], Field(description="Codes, each with or without its system: 99213, MS-DRG:470.")],
        year_month: MonthArgument = None,
        base: Annotated[str | None, Field(description="Payer to compare the others with; default: all.")] = None,
    ) -> AgentAnswer:
        """Put payers side by side: medians and percentiles in dollars by code, billing class, modifier, and payer."""
        month = self._month(state, year_month)
        found = self._store.compare_payers(state, month, codes, base=base)
        return make_answer(
            f"How do payers in {state.upper()} compare in {_words(month)} for {', '.join(codes)}?",
            found,
            self._sources(state, month, found),
        )

    def percent_of_medicare(
        self,
        state: StateArgument,
        code: CodeArgument,
        code_type: CodeTypeArgument = None,
        year_month: MonthArgument = None,
        payer: PayerArgument = None,
        billing_class: BillingClassArgument = None,
        place_of_service: PlaceArgument = None,
        setting: SettingArgument = None,
        all_classes: AllClassesArgument = False,
    ) -> AgentAnswer:
        """Compare a code's rates with what Medicare pays: percentiles of the percents by payer; 1 is 100%."""
        month = self._month(state, year_month)
        filters = _filters(payer, billing_class, place_of_service, setting, all_classes=all_classes)
        found = self._store.medicare_summary(state, month, code, code_type, **filters)
        return make_answer(
            f"What percent of Medicare is {code} paid in {state.upper()} in {_words(month)}?",
            found,
            self._sources(state, month, found),
            method=MEDICARE_METHOD,
            rate_classes=self._store.rate_classes(state, month, code, code_type, **filters),
        )

    def rule_behind_rates(
        self,
        state: StateArgument,
        payer: Annotated[str, Field(description="Name of a payer, or its payer_slug.")],
        tax_id: Annotated[str | None, Field(description="Tax ID of one organization; without it, the payer's.")] = None,
        year_month: MonthArgument = None,
    ) -> AgentAnswer:
        """Find the rule behind a payer's professional rates: a percent of a Medicare year and locality, or none."""
        month = self._month(state, year_month)
        found = self._store.contract_rule(state, month, payer, tin=tax_id)
        return make_answer(
            f"What rule is behind the rates of {payer} in {state.upper()} in {month}?",
            found,
            self._store.sources(state, month, payer).to_dicts(),
            method=MEDICARE_METHOD,
        )

    def what_changed(
        self,
        state: StateArgument,
        code: Annotated[str | None, Field(description="Billing code; or give payer.")] = None,
        payer: PayerArgument = None,
    ) -> AgentAnswer:
        """List the months that were loaded, and the medians of a code or payer that changed by more than 5%."""
        filters: Filters = {"payer": payer} if payer else {}
        found = self._store.news(state, code, **filters)
        what = " ".join(filter(None, (code, payer and f"of {payer}"))) or "all rates"
        return make_answer(f"What is new about {what} in {state.upper()}?", found)

    def trend_of_code(
        self,
        state: StateArgument,
        code: CodeArgument,
        payer: PayerArgument = None,
    ) -> AgentAnswer:
        """List what a code is paid in each loaded month: medians and quartiles by payer, beside Medicare."""
        filters: Filters = {"payer": payer} if payer else {}
        found = self._store.trend(state, code, **filters)
        return make_answer(f"How has {code} been paid over time in {state.upper()}?", found, method=MEDICARE_METHOD)

    def who_is_npi(self, npi: Annotated[str, Field(description="Ten digits.")]) -> AgentAnswer:
        """Say who an NPI is: name, specialty, and address. No row if no rate's provider group has it."""
        return make_answer(f"Who is NPI {npi}?", self._store.npi(npi))

    def who_is_tax_id(self, tax_id: Annotated[str, Field(description="EIN of nine digits, or an NPI.")]) -> AgentAnswer:
        """Say whose a tax ID (TIN) is, and how many NPIs bill under it."""
        return make_answer(f"Whose tax ID is {tax_id}?", self._store.tin(tax_id))

    def rates_of_provider(
        self,
        state: StateArgument,
        npi: Annotated[str | None, Field(description="NPI of the provider; or give tax_id.")] = None,
        tax_id: Annotated[str | None, Field(description="Tax ID of the provider; or give npi.")] = None,
        year_month: MonthArgument = None,
        limit: RowsArgument = 50,
    ) -> AgentAnswer:
        """List what a provider is paid by code and payer, beside Medicare and the median of the market."""
        month = self._month(state, year_month)
        if (npi is None) == (tax_id is None):
            raise BeaconError("rates_of_provider: expected either npi or tax_id")
        who: Filters = {"npi": npi} if npi else {"tin": tax_id or ""}
        found = self._store.provider_rates(state, month, **who)
        return make_answer(
            f"What is {'NPI' if npi else 'tax ID'} {npi or tax_id} paid in {state.upper()} in {_words(month)}?",
            found,
            self._sources(state, month, found),
            limit=limit,
            method=MEDICARE_METHOD,
        )

    def _month(self, state: str, year_month: str | None) -> str:
        if not year_month and not has_rates(self._store, check_state(state)):
            states = sorted(self._store.coverage()["state"].unique())
            raise BeaconError(f"state: no rates of {state.upper()} are loaded; there are rates of {', '.join(states)}")
        return year_month or LATEST

    def _sources(self, state: str, month: str, found: pl.DataFrame) -> list[dict[str, object]]:
        """Return the files behind the rows, those of the payers in them where the rows name payers."""
        if found.is_empty():
            return []
        files = self._store.sources(state, month)
        if "reporting_entity_name" in found.columns and found["reporting_entity_name"].drop_nulls().len():
            files = files.filter(pl.col("payer").is_in(found["reporting_entity_name"].implode()))
        return files.to_dicts()


def _words(month: str) -> str:
    return "the latest file of each payer" if month == LATEST else month


def _filters(
    payer: str | None, billing_class: str | None, place: str | None, setting: str | None, *, all_classes: bool
) -> Filters:
    filters: Filters = {"classes": ALL_CLASSES if all_classes else ONE_CLASS}
    if setting:
        filters["care_setting"] = setting
    if payer:
        filters["payer"] = payer
    if billing_class:
        filters["billing_class"] = billing_class
    if place:
        filters["pos"] = place
    return filters
