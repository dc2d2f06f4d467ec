"""A question to a page about a market: its rates in memory, its yardstick, and what the page says of its files."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

from django.http import HttpResponseBase

from core.fields.places.states import STATES
from core.pages.formats import (
    write_asked,
    write_emptied,
    write_file_dates,
    write_filter,
    write_months,
    write_narrowing,
    write_place,
)
from core.pages.forms.market_forms import MarketForm
from core.pages.shared import urls
from core.pages.shared.market_choice import MarketChoice
from core.pages.shared.page_query import MONTH, PageQuery
from core.pages.shared.words.labels import filter_label
from core.pages.yardstick_words import YardstickWords, describe_yardstick
from core.queries import coverage
from core.queries.classes.rate_classes import RateClass
from core.queries.code_titles import official_codes
from core.queries.comparison.left_out import count_left_out, counts_everything
from core.queries.comparison.lookup_scope import list_medicare_years
from core.queries.comparison.overruled_labels import OverruledLabel, list_labels_of_rates
from core.queries.expired_contracts import ExpiredContracts, list_expired_contracts, list_expired_payers
from core.queries.latest import PayerFileMonth, are_far_apart, list_payer_months, list_payers_with_rates
from core.queries.loaded_files import SharedFile, list_shared_files, list_sources
from core.queries.market.file_dates import old_month
from core.queries.market.market import Market
from core.queries.market.market_filters import (
    AREA,
    BASIS,
    CLASS_FILTERS,
    FILTERS,
    IMPLAUSIBLE,
    OF_COMPENSATION,
    YARDSTICK,
)
from core.queries.market.market_rates import market_cache, percent_cache, uses_own_areas
from core.queries.market.which_filter_emptied import RatesWithoutFilter, count_without_each_filter
from core.queries.market.without_place import PayerWithoutPlace, count_without_place, side_of
from core.queries.parties.filter_names import name_of_value
from core.queries.profiles import name_places
from core.queries.yardstick.compensation import (
    CompensationRelease,
    choose_compensation_release,
    choose_nearest_release,
    list_compensation_releases,
)
from core.queries.yardstick.facility_bills import pays_facilities
from core.store.connection import Snapshot
from core.workbook import About, LeadSheet, SourceFile

M = TypeVar("M", bound=MarketForm)


@dataclass(frozen=True)
class MarketQuery(PageQuery[M]):
    """A question about a market. The form contains the market that was chosen, not only what was asked for."""

    choice: MarketChoice
    _resources: ExitStack = field(repr=False)
    always_of_schedule: bool = False
    """Whether the percents of a file are of the state's schedule whatever the market is measured by."""

    @property
    def market(self) -> Market:
        """The market that the question is about."""
        return self.choice.market

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of links to the same page: they name the class of rates that was chosen."""
        return {**super().parameters, **{name: getattr(self.market, name) for name in sorted(self.choice.filled)}}

    @cached_property
    def cached(self) -> Snapshot:
        """The snapshot with the market's rates in memory: the same answers, sooner. Made when it is first needed."""
        return self._resources.enter_context(market_cache(self.db, self.market))

    @cached_property
    def cached_by_area(self) -> Snapshot:
        """The snapshot with the market's rates in memory, counted by area if they are compared in their own areas."""
        if not uses_own_areas(self.db, self.market):
            return self.cached
        return self._resources.enter_context(market_cache(self.db, self.market, areas=True))

    @cached_property
    def compared(self) -> Snapshot:
        """The snapshot for several questions about percents of the market: its rates are compared once."""
        return self._resources.enter_context(percent_cache(self.db, self.market))

    def find_labels(self, codes: Collection[str] = ()) -> Sequence[OverruledLabel]:
        """Return the overruled labels of the rates that the page is about, of these codes if there are some.

        There are none where a visitor has asked for one schedule, or measures by another yardstick than Medicare.
        """
        if self.market.basis or not self.measured.is_medicare:
            return []
        return list_labels_of_rates(self.cached_by_area, self.market, codes)

    @cached_property
    def not_meant(self) -> int:
        """How many of the code's rates the figures leave out, or count because they were asked in; 0 without a code."""
        return count_left_out(self.cached, self.market) if self.market.code else 0

    @cached_property
    def compensation_release(self) -> CompensationRelease | None:
        """The release of the state's workers' compensation schedule that is in effect in the market's month."""
        return choose_compensation_release(self._compensation_releases, self.market.state, self.market.newest_month)

    @cached_property
    def nearest_compensation_release(self) -> CompensationRelease | None:
        """The release that is in effect in the market's month, or else the first that came after it."""
        return choose_nearest_release(self._compensation_releases, self.market.state, self.market.newest_month)

    @cached_property
    def _compensation_releases(self) -> Sequence[CompensationRelease]:
        return [one for one in list_compensation_releases(self.db) if one.state == self.market.state]

    @cached_property
    def measured(self) -> YardstickWords:
        """What the market's yardstick is called."""
        return describe_yardstick(self.market, self.compensation_release)

    @property
    def _measured_in_files(self) -> YardstickWords:
        """What the yardstick of the rows of a file is called."""
        if not self.always_of_schedule:
            return self.measured
        return describe_yardstick(replace(self.market, yardstick=OF_COMPENSATION), self.compensation_release)

    def download(
        self, rows: Iterable[Any], row_type: type[Any], name: str, lead: LeadSheet | None = None
    ) -> HttpResponseBase:
        """Return the rows as a file whose name says of which state and month they are."""
        named = f"{name}_{self.market.state}_{self.market.one_month or 'latest'}"
        return super().download(rows, row_type, named, lead)

    def download_of_schedule(self, rows: Iterable[Any], row_type: type[Any], name: str) -> HttpResponseBase:
        """Return the rows as a file whose percents are of the state's schedule, whatever the market is measured by."""
        return replace(self, always_of_schedule=True).download(rows, row_type, name)

    def _about(self, name: str) -> About:
        # A code's rates that are shown are measured as one class. Of a provider, pages ask which labels are none.
        labels = self.find_labels() if self.market.of_provider else []
        overruled = frozenset((one.payer_slug, one.billing_class) for one in labels)
        return replace(super()._about(name), measured_as=self.choice.measured_as, overruled=overruled)

    def _yardstick_heading(self) -> str:
        return self._measured_in_files.heading

    def _constants(self) -> dict[str, str | None]:
        market = self.market
        names = ("state", "code_type", "code", "billing_class", "modifier")
        of_market = {name: getattr(market, name) for name in names}
        # A percent that has left its page behind does not say whether it is of Medicare or of the schedule.
        is_measured = self.always_of_schedule or YARDSTICK in self.form.fields
        measured = {YARDSTICK: self._measured_in_files.key} if is_measured else {}
        before = {"compared_with": self.choice.earlier_month} if "from" in self.form.fields else {}
        return {"year_month": market.one_month or None, **before, **of_market, "payer_slug": market.payer, **measured}

    def _data_months(self) -> str:
        if self.market.year_month:
            return write_months(self.market)
        return write_file_dates(self.market, map(_dates_of, self._payer_months))

    def _feed(self) -> str:
        return urls.to("feed", self.market.in_any_month)

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What was chosen, in a visitor's words."""
        market = self.market
        code = [("Code", f"{market.code_type} {market.code}")] if market.code else []
        filters = [(label, write_filter(value, name)) for label, name, value in self._applied(self.parameters)]
        if not self.measured.is_medicare:
            filters.append((filter_label(YARDSTICK), self.measured.dated))
        months = self._data_months()
        own = [("Classes of rates", "each code in its usual setting")] if self.choice.of_own_classes else []
        return [("State", STATES[market.state]), (MONTH, months), *code, *filters, *own]

    def _sources(self) -> list[SourceFile]:
        market = self.market
        # Of two months, a payer that has no rates in the later one has rows as well.
        payers = None if "from" in self.form.fields else {one.payer_slug for one in self._payer_months}
        return [
            SourceFile(**vars(one), file_month=old_month(one.year_month, one.last_updated_on))
            for one in list_sources(self.db, market.state, market.months, market.payer, payers)
        ]

    def list_freed(self, codes: Sequence[str] = ()) -> list[tuple[RatesWithoutFilter, str]]:
        """Return how many rates there would be without a filter of the market, and the filter's value in words.

        Listed are the filters whose removal leaves rates, the most rates first; or all filters if no single removal
        does.
        """
        market = self.market
        words = {name: value for _, name, value in self._applied({name: getattr(market, name) for name in FILTERS})}
        found = sorted(count_without_each_filter(self.db, market, codes), key=lambda one: -one.rates)
        return [(one, words[one.filter]) for one in [one for one in found if one.rates] or found]

    def list_without_place(self, codes: Sequence[str] = ()) -> Sequence[PayerWithoutPlace]:
        """Return the payers whose rates a setting that the visitor has chosen leaves out: they list no place.

        The class that was filled in is that of the setting's own rates, and says nothing of the others.
        """
        choice = self.choice
        if "care_setting" in choice.filled:
            return []
        return count_without_place(self.db, self.market.without(*choice.filled), codes)

    def list_expired(self) -> Sequence[ExpiredContracts]:
        """Return the payers all of whose rates of the code have expired; none without a code."""
        if not self.market.code:
            return []
        return list_expired_contracts(self.cached, self.market, datetime.now(UTC).date())

    def list_expired_payers(self) -> Sequence[ExpiredContracts]:
        """Return the payers all of whose rates in the state have expired, whatever the code."""
        return list_expired_payers(self.db, self.market, datetime.now(UTC).date())

    def lacks_facility_rates(self) -> bool:
        """Return whether no payer prices what a facility bills for the code, although Medicare pays it apart."""
        market = self.market
        if self.choice.has_facilities or not market.code:
            return False
        if any(getattr(market, name) for name in FILTERS if name not in CLASS_FILTERS):
            return False
        return pays_facilities(self.db, market.state, market.code)

    def _has_earlier_month(self) -> bool:
        """Return whether a payer of these rates has a file of another month: only then there are changes to show."""
        state, payer = self.market.state, self.market.payer
        found = coverage.has_earlier_month(self.db, state, payer)
        if not found or not self.market.code or self.choice.meanings:
            return found
        payers = list_payers_with_rates(self.cached, self.market)
        return any(coverage.has_earlier_month(self.db, state, one) for one in payers)

    def _applied(self, parameters: dict[str, Any]) -> list[tuple[str, str, str]]:
        """Return the label, the name, and the value in words of each filter that is set."""
        names = {("payer", slug): name for slug, name in coverage.list_payers(self.db)}
        names |= {(name, str(parameters.get(name))): label for name, label in name_places(self.db, self.market).items()}
        applied = [
            (one.label, name, names.get((name, value)) or name_of_value(self.db, name, value) or value)
            for name, one in FILTERS.items()
            if (value := parameters.get(name))
        ]
        if parameters.get(BASIS):
            applied.append((filter_label(BASIS), BASIS, parameters[BASIS].upper()))
        if parameters.get(AREA):
            applied.append((filter_label(AREA), AREA, parameters[AREA]))
        if parameters.get(IMPLAUSIBLE):
            applied.append((filter_label(IMPLAUSIBLE), IMPLAUSIBLE, "counted"))
        return applied

    @cached_property
    def _payer_months(self) -> Sequence[PayerFileMonth]:
        """The month of each payer that the page may have rates of.

        Of one code they are the payers that have it, in whichever of the classes of the tabs.
        """
        months = list_payer_months(self.db, self.market)
        if not self.market.code or self.choice.meanings:
            return months
        there = list_payers_with_rates(self.cached, self.market.without(*self.choice.filled))
        return [one for one in months if one.payer_slug in there]

    def files_of(self, payers: Collection[str]) -> dict[str, Any]:
        """Return what a page says of the files of its rates, where only some payers have any of them."""
        context = self._context()
        months = [one for one in context["payer_months"] if one.payer_slug in payers]
        return {
            "payer_months": months,
            "file_dates": write_file_dates(self.market, map(_dates_of, months)),
            "months_are_far_apart": are_far_apart([own or month for month, own in map(_dates_of, months)]),
            "shared_files": [one for one in context["shared_files"] if one.payer_slug in payers],
        }

    def _list_shared_files(self) -> Sequence[SharedFile]:
        """Return the files of these payers that were loaded whole for other states too."""
        state = self.market.state
        shared = [one for one in list_shared_files(self.db) if state in one.states]
        months = {(one.payer_slug, one.year_month) for one in self._payer_months} if shared else set()
        return [one for one in shared if (one.payer_slug, one.year_month) in months]

    @property
    def _whole_in_facilities(self) -> RateClass | None:
        """The class that is shown, if it is that of a scan's whole in facilities, which nobody bills."""
        if not self.choice.has_parts or self.market.classes:
            return None
        return next((one for one in self.choice.classes if one.chosen and one.is_whole_in_facilities), None)

    @property
    def names_in_tabs(self) -> set[str]:
        """The filters that the tabs of the classes show."""
        chosen = [one for one in self.choice.classes if one.chosen] if len(self.choice.classes) > 1 else []
        return {name for one in chosen for name, value in one.filters.items() if value}

    def _context(self) -> dict[str, Any]:
        context = super()._context()
        not_in_tabs = {k: v for k, v in context["parameters"].items() if k not in self.names_in_tabs}
        applied, release = self._applied(not_in_tabs), self.compensation_release
        medicare_years = list_medicare_years(self.db, self.market)
        # A month says enough if it is that of all payers and none of their files is older than it says.
        says_more = any(one.file_month for one in list_payer_months(self.db, self.market))
        months = self._payer_months if says_more or not self.market.one_month else []
        return {
            **context,
            "own_areas": uses_own_areas(self.db, self.market),
            "payer_months": months,
            "file_dates": self._data_months(),
            "file_months": {(one.payer_slug, one.year_month): one.file_month for one in months},
            "shared_files": self._list_shared_files(),
            "months_are_far_apart": are_far_apart([own or month for month, own in map(_dates_of, months)]),
            "market": self.market,
            "classes": self.choice.classes,
            "of_own_classes": self.choice.of_own_classes,
            "has_parts": self.choice.has_parts,
            "whole_in_facilities": self._whole_in_facilities,
            "opens_elsewhere": self.choice.opens_elsewhere,
            "usually_inside": self.choice.usually_inside,
            "measured_as": self.choice.measured_as,
            "applied": applied,
            "where": write_place(self.market.state, applied),
            "narrowed": write_narrowing(one for one in applied if one[1] in FILTERS),
            "emptied": write_emptied(self.market.state, self._applied(context["parameters"])),
            "asked_of": write_asked(self.market.state, [one for one in applied if one[1] in FILTERS]),
            "compensation_release": release,
            "compensation_begins": min((one.release for one in self._compensation_releases), default=None),
            "measured": self.measured,
            # Only pages with figures of a code ask for it.
            "not_meant": lambda: self.not_meant,
            "counts_everything": counts_everything(self.market),
            "medicare_year": _only_year(medicare_years),
            "has_medicare": any(medicare_years),
            "older_files": [one for one in months if one.file_month and one.file_month[:4] != one.year_month[:4]],
            # Only pages with percents ask for it.
            "labels": self.find_labels,
            # Only pages of a code or of several ask for it.
            "without_place": self.list_without_place,
            "expired": self.list_expired,
            # Only pages of several codes ask for it.
            "expired_payers": self.list_expired_payers,
            "lacks_facility_rates": self.lacks_facility_rates,
            "has_official_name": (self.market.code_type, self.market.code) in official_codes(self.db),
            "side": side_of(self.market.care_setting or ""),
            "has_earlier_month": self._has_earlier_month(),
        }


def _dates_of(one: PayerFileMonth) -> tuple[str, str | None]:
    """Return the month that a payer's file is listed for, and that of its own date if it is much older."""
    return one.year_month, one.file_month


def _only_year(years_of_months: Sequence[Collection[str]]) -> str:
    """Return the year of Medicare's amounts that all months are compared with; empty text if there is no such year."""
    years = {year for of_month in years_of_months for year in of_month}
    return years.pop() if len(years) == 1 and all(years_of_months) else ""
