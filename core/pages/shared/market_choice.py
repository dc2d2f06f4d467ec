"""The market that a question means when it leaves out the state, the month, or the code system.

A choice is a value. It does not change the form, which is shown with it by form_with_market().
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from core.fields.codes.code_list import read_codes
from core.fields.places.states import STATES
from core.pages.formats import write_month
from core.pages.forms.market_forms import ANY, LATEST_FILES, MarketForm, not_earlier
from core.queries import coverage
from core.queries.baskets.basket_codes import with_ranges_filled
from core.queries.classes.rate_classes import ClassChoice, RateClass, choose_class, choose_class_of_codes
from core.queries.coverage import Coverage
from core.queries.find.codes import CodeTitle, find_possible_codes
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS
from core.queries.over_time.classes_in_both import list_classes_in_both
from core.queries.over_time.comparable_months import ComparableMonths, keep_months_of_code, list_comparable_months
from core.queries.parties import providers
from core.queries.yardstick.compensation import list_compensation_releases
from core.store.connection import Snapshot

M = TypeVar("M", bound=MarketForm)

_LIKE_CPT = frozenset({"CPT", "HCPCS"})
"""Systems that payers label one code with. A code that is loaded under the other one is meant there: G0439 is HCPCS."""


class InvalidChoice(ValueError):
    """A value that no market can be chosen with: the name of the parameter (empty text for the path) and a sentence."""

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(reason)
        self.problems = [(parameter, reason)]


@dataclass(frozen=True)
class MarketChoice:
    """The market that a question means.

    `meanings` are the codes that the number may stand for if there are several: the visitor has to say which.
    `earlier_month` is the month to compare with, for questions about changes; empty text if none is loaded. `periods`
    are the states and months in which a provider has rates, for questions about a provider. `classes` are the classes
    of a code's rates, and `filled` are the filters that choose one of them and were not asked for. `asked_months` are
    the months as the visitor gave them, by the names of the form's fields, where months were filled in.
    `has_facilities` is whether a facility's own bill may be among the code's rates of any class. `has_parts` is whether
    the code has a technical part. `usually_inside` is whether it is usually rendered in facilities, and
    `opens_elsewhere` whether it is not looked at there although nobody asked. `of_own_classes` is whether each code of
    a list is of the class of its own page; None where that cannot be asked for.
    """

    market: Market
    meanings: Sequence[CodeTitle] = ()
    earlier_month: str = ""
    periods: Sequence[providers.LoadedPeriod] = ()
    classes: Sequence[RateClass] = ()
    filled: frozenset[str] = frozenset()
    asked_months: Mapping[str, str] = field(default_factory=dict)
    has_facilities: bool = True
    has_parts: bool = False
    opens_elsewhere: bool = False
    usually_inside: bool = False
    of_own_classes: bool | None = None
    changed_classes: Sequence[RateClass] = ()
    """The classes that both months have rates of, for a question about changes of a code with several classes."""
    opens_with: RateClass | None = None
    """The class that the code's other pages open with, where a question about changes does not, as nobody asked."""

    @property
    def measured_as(self) -> str:
        """The class that all of a code's rates that are shown are measured as; empty text if they are of several."""
        shown = {one.measured_as for one in self.classes if one.chosen}
        if len(shown) == 1:
            return shown.pop()
        return "" if self.has_facilities else "professional"

    @property
    def linked_market(self) -> Market:
        """The market of links to other pages: in a month only if the visitor has chosen it.

        Another page means the latest file of each payer then, and does not lose the payers of other months.
        """
        return replace(self.market, year_month=self.asked_months.get("year_month", self.market.year_month))

    @property
    def values(self) -> dict[str, str | None]:
        """The choice by the names of the form's fields."""
        # A class that was filled in is no part of the form: another code or state may have another one.
        named = ((name, value) for name, value in vars(self.market).items() if name != "latest")
        of_market = {name: None if name in self.filled else value for name, value in named}
        return {**of_market, "from": self.earlier_month} if self.earlier_month else of_market


def choose_market(asked: Market, db: Snapshot) -> MarketChoice:
    """Return the market that is meant; `asked` may have empty text for the state and the month.

    A missing state is the one with the most rates in the newest month, of the payer if one is asked for. A missing
    month is the newest one of each payer. A missing code system is the one that has the code; CPT and HCPCS count as
    one system, because payers label the same code either way. Rates of a code are those of one class, see choose_class.
    """
    choice = _choose_code(asked, db)
    return choice if choice.meanings or not choice.market.code else with_class(choice, choose_class(db, choice.market))


def choose_from_form(form: MarketForm, db: Snapshot) -> MarketChoice:
    """Return the market that a form means, filled in from what is loaded."""
    return choose_market(form.market(), db)


def form_with_market(form: M, choice: MarketChoice, db: Snapshot) -> M:
    """Return the form as the page shows it: with the market that was chosen, and with what can be chosen instead."""
    # Months that were filled in are no part of the form: they are those of one payer, and another may have others.
    shown = form.with_values(**{**choice.values, **choice.asked_months})
    loaded = coverage.list_periods(db)
    months = sorted({period.year_month for period in loaded}, reverse=True)
    shown.offer(
        state=[(state, f"{state} {STATES[state]}") for state in sorted({period.state for period in loaded})],
        year_month=[LATEST_FILES, *((one, write_month(one)) for one in months)],
        payer=[ANY, *coverage.list_payers(db)],
        code_type=[("", "Any that has the code"), *((system, system) for system in coverage.list_code_systems(db))],
    )
    shown.offers_compensation = any(one.state == choice.market.state for one in list_compensation_releases(db))
    shown.offer_fixed_options()
    return shown


def choose_compared_market(asked: Market, codes: str, db: Snapshot) -> MarketChoice:
    """Return the market in which payers are compared for a code, or for a list of codes.

    One code is compared in one class. Of several, each has rows of its own for each class.
    """
    if asked.payer and not (codes or asked.code):
        # A payer has one page, whichever state links to it.
        states = {row.state for row in coverage.list_coverage(db) if row.payer_slug == asked.payer}
        asked = asked if asked.state in {"", *states} or not states else replace(asked, state="", year_month="")
    choice = choose_market(asked, db)
    wanted = with_ranges_filled(db, read_codes(codes)) if codes else []
    if choice.market.code or len(wanted) != 1:
        return choice
    return with_class(choice, choose_class_of_codes(db, choice.market, (code for _, code in wanted[0].meanings)))


def with_class(choice: MarketChoice, of_class: ClassChoice) -> MarketChoice:
    """Return the choice with the class of rates that was chosen."""
    return replace(
        choice,
        market=of_class.market,
        classes=of_class.classes,
        filled=of_class.filled,
        has_facilities=of_class.has_facilities,
        has_parts=of_class.has_parts,
        opens_elsewhere=of_class.opens_elsewhere,
        usually_inside=of_class.usually_inside,
    )


def _choose_code(asked: Market, db: Snapshot) -> MarketChoice:
    """Return the market with its state, months, code, and code system filled in."""
    periods = coverage.list_periods(db) if asked.state else _list_own_periods(db, asked.payer)
    newest = next((one for one in periods if _fits(asked, one.state, one.year_month)), next(iter(periods), None))
    market = with_latest(db, replace(asked, state=asked.state or newest.state)) if newest else asked
    if not market.code:
        return MarketChoice(market)
    meanings = find_possible_codes(db, market.code)
    if market.code_type in _LIKE_CPT:
        known = {code.code_type for code in meanings if code.code == market.code} & _LIKE_CPT
        other = known - {market.code_type}
        return MarketChoice(replace(market, code_type=other.pop()) if other == known and known else market)
    if market.code_type:
        return MarketChoice(market)
    if len(meanings) == 1:
        return MarketChoice(replace(market, code_type=meanings[0].code_type, code=meanings[0].code))
    if {code.code_type for code in meanings} <= _LIKE_CPT:
        return MarketChoice(market)
    return MarketChoice(market, meanings)


def _list_own_periods(db: Snapshot, payer: str | None) -> Sequence[coverage.Period]:
    """Return the states and months in which a payer has rates; all that are loaded if it is no payer of theirs."""
    every = coverage.list_periods(db)
    own = {(row.state, row.year_month) for row in coverage.list_coverage(db) if row.payer_slug == payer}
    return [one for one in every if (one.state, one.year_month) in own] or every


def choose_provider_market(asked: Market, db: Snapshot, periods: Sequence[providers.LoadedPeriod]) -> MarketChoice:
    """Return the provider's market in the state and month asked for.

    Without a month it is the newest one of each payer, or the provider's newest if it has no rates in these.
    """
    fitting = [one for one in periods if _fits(asked, one.state, one.year_month)] or list(periods)
    if not fitting:
        return MarketChoice(asked)
    market = with_latest(db, replace(asked, state=asked.state or fitting[0].state))
    of_state = [one.year_month for one in fitting if one.state == market.state]
    if of_state and not set(of_state).intersection(market.month_names):
        market = replace(market, year_month=of_state[0], latest=None)
    return MarketChoice(market, periods=periods)


def choose_months(asked: Market, earlier: str, db: Snapshot, loaded: Sequence[Coverage]) -> MarketChoice:
    """Return the market of the later month, and the earlier month, as far as they are not asked for.

    They are the newest two in which one payer has rates, of the code if there are such: payers are compared with
    themselves. Where nobody has two, the earlier month is the last one before the newest. If a payer is asked for, the
    months are its own. Raise InvalidChoice if the earlier month is not before the later.
    """
    wanted, given = asked, earlier
    rows = [row for row in loaded if asked.payer in {None, row.payer_slug} and asked.state in {"", row.state}]
    if pair := _find_comparable_months(asked, earlier, db, rows):
        wanted = replace(asked, state=pair.state, year_month=pair.later)
        earlier = pair.earlier
    elif asked.payer:
        newest = next((r for r in rows if asked.year_month in {"", r.year_month} and earlier < r.year_month), None)
        if newest:
            wanted = replace(asked, state=newest.state, year_month=newest.year_month)
        earlier = earlier or _month_before(rows, wanted.state, wanted.year_month)
    choice = choose_market(_newest(wanted, coverage.list_periods(db)), db)
    market = choice.market
    if earlier and earlier >= market.year_month:
        raise InvalidChoice("from", not_earlier(earlier, market.year_month))
    earlier = earlier or _month_before(loaded, market.state, market.year_month)
    choice = replace(choice, earlier_month=earlier, asked_months={"year_month": asked.year_month, "from": given})
    return _in_class_of_newest(choice, asked, db) if market.code and earlier and not choice.meanings else choice


def _in_class_of_newest(choice: MarketChoice, asked: Market, db: Snapshot) -> MarketChoice:
    """Return the choice with the classes of the code's other pages, and that class of them which is looked at.

    The other pages have the newest files of all payers, and months may have fewer classes. Where no class is asked for,
    it is the one that these pages open with, or else the nearest one that both months have rates of.
    """
    market = choice.market
    newest = with_latest(
        db, replace(asked, state=market.state, code_type=market.code_type, code=market.code, year_month="")
    )
    usual = choose_class(db, newest)
    opens = next((one for one in usual.classes if one.chosen), None)
    if opens is None or len(usual.classes) < 2 or market.classes:
        return choice
    in_both = list_classes_in_both(db, market, choice.earlier_month, usual.classes)
    asks = any(getattr(asked, name) for name in CLASS_FILTERS)
    nearest = sorted(
        in_both,
        key=lambda one: (one != opens, one.billing_class != opens.billing_class, one.modifier != opens.modifier),
    )
    shown = opens if asks or not nearest else nearest[0]
    filters: dict[str, Any] = {name: getattr(asked, name) or value for name, value in shown.filters.items()}
    return replace(
        choice,
        market=replace(market, **filters),
        classes=[replace(one, chosen=one == shown) for one in usual.classes],
        filled=frozenset(name for name, value in filters.items() if value and not getattr(asked, name)),
        has_facilities=usual.has_facilities,
        has_parts=usual.has_parts,
        opens_elsewhere=False,
        usually_inside=False,
        changed_classes=in_both,
        opens_with=None if shown == opens else opens,
    )


def _find_comparable_months(
    asked: Market, earlier: str, db: Snapshot, rows: Sequence[Coverage]
) -> ComparableMonths | None:
    """Return the newest months, of those asked for, in which a payer has rates of the code, or else any rates."""
    comparable = list_comparable_months(rows, asked.year_month, earlier)
    if asked.code and len({(one.state, one.later, one.earlier) for one in comparable}) > 1:
        # Which payers have the code in which months is asked only where it can make a difference.
        rows = keep_months_of_code(db, replace(asked, code_type=_choose_code(asked, db).market.code_type), rows)
        comparable = list_comparable_months(rows, asked.year_month, earlier) or comparable
    return next(iter(comparable), None)


def _newest(asked: Market, loaded: Sequence[coverage.Period]) -> Market:
    """Return the market with its state and month filled in from what is loaded, newest month first."""
    if not loaded:
        return asked
    period = next((one for one in loaded if _fits(asked, one.state, one.year_month)), loaded[0])
    return replace(asked, state=asked.state or period.state, year_month=asked.year_month or period.year_month)


def _fits(asked: Market, state: str, year_month: str) -> bool:
    return asked.state in {"", state} and asked.year_month in {"", year_month}


def _month_before(rows: Sequence[Coverage], state: str, year_month: str) -> str:
    """Return the newest month of a state before another; empty text if there is none."""
    return max((row.year_month for row in rows if row.state == state and row.year_month < year_month), default="")
