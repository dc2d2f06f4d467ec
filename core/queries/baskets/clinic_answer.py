"""The whole answer to how a clinic's rates stand in its market, for the page, the API, and Python."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.fields.codes.basket_list import read_basket
from core.fields.codes.clinic_lines import BadLine, ClinicLine
from core.fields.codes.code_list import WantedCode
from core.queries import coverage
from core.queries.baskets.basket_answer import is_of_own_classes
from core.queries.baskets.basket_codes import BasketCode, basket_codes
from core.queries.baskets.clinic_class import choose_classes_of_lines, choose_clinic_class, count_own_classes
from core.queries.baskets.clinic_position import (
    MOST_OWN_CODES,
    Positions,
    find_positions,
    list_own_codes,
    list_services,
)
from core.queries.baskets.clinic_rows import AskedLine, Clinic, ClinicPosition
from core.queries.baskets.line_payers import find_payers
from core.queries.classes.rate_classes import ClassChoice
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASSES, NO_MODIFIER, PROFILE_FILTERS
from core.store.connection import Snapshot
from core.vocabulary.services import plain_names


@dataclass(frozen=True)
class ClinicQuestion:
    """What is asked: the market, whose rates, and either lines of the clinic's own or codes; its own codes if neither.

    The clinic is not part of the market.
    """

    market: Market
    clinic: Clinic
    lines: Sequence[ClinicLine] = ()
    codes: Sequence[BasketCode] = ()
    has_keys: bool = False
    """Whether the payers of lines are keys, as programs write them: one that is not loaded has no rates."""


@dataclass(frozen=True)
class ClinicAnswer:
    """Where each line stands at each payer. `of_class` has the market as it was asked for, and the classes together.

    Each line is in the class and on the side of its code's page, unless all are in the one that is asked for.
    """

    of_class: ClassChoice
    asked: Sequence[AskedLine]
    of_own: bool
    """Whether the lines are the clinic's own codes: nothing else was given."""
    found: Positions
    bad: Sequence[BadLine] = ()
    """The lines that are left out because their payer is not known."""
    elsewhere: Sequence[str] = ()
    """The codes that are usually rendered in facilities, and compared outside: the clinic's rates are there alone."""

    @property
    def positions(self) -> Sequence[ClinicPosition]:
        """The positions alone."""
        return self.found.rows


def split_clinic(market: Market, npis: tuple[str, ...]) -> tuple[Market, Clinic]:
    """Return a market without its provider and code, and the clinic that this provider is, or these NPIs if any."""
    clinic = Clinic(market.organization, market.tin, npis or ((market.npi,) if market.npi else ()))
    return market.without("organization", "tin", "npi", "code", "code_type"), clinic


def answer_clinic(db: Snapshot, question: ClinicQuestion) -> ClinicAnswer:
    """Return the position of each line at each payer, the largest shortfall first."""
    payers = dict(coverage.list_payers(db))
    with_keys = [(line, line.payer) for line in question.lines]
    lines, bad = (with_keys, []) if question.has_keys else find_payers(question.lines, payers)
    asked = _asked_lines(db, lines, question.codes)
    if bad and not asked:
        return ClinicAnswer(ClassChoice(question.market), (), False, Positions(), bad)
    of_own, market = not asked, question.market.without("modifier", CLASSES)
    # What a clinic is paid for, and in which class, does not depend on whom it is compared with.
    anywhere = market.without(*PROFILE_FILTERS)
    together = None
    if of_own:
        together = choose_clinic_class(market, count_own_classes(db, anywhere, question.clinic))
        billing_class = together.market.billing_class or "professional"
        asked = _own_lines(db, replace(anywhere, billing_class=billing_class), question.clinic)
        of_lines = replace(anywhere, billing_class=billing_class)
    else:
        of_lines = anywhere
    classes = choose_classes_of_lines(db, of_lines, question.clinic, asked)
    found = find_positions(db, market, question.clinic, asked, classes, payers)
    shown = (together or classes.together).classes
    if is_of_own_classes(market):
        shown = [replace(one, chosen=False) for one in shown]
    priced = {one.code for one in found.rows if one.rate is not None}
    numbers = dict.fromkeys(asked[at].code.code for at in classes.elsewhere)
    elsewhere = [code for code in numbers if code in priced]
    return ClinicAnswer(ClassChoice(market, shown), asked, of_own and bool(asked), found, bad, elsewhere)


def _asked_lines(db: Snapshot, lines: Sequence[tuple[ClinicLine, str]], codes: Sequence[BasketCode]) -> list[AskedLine]:
    """Return the lines that are given, with their payers, or else a line for each code; none if neither is."""
    if lines:
        by_code = {one.wanted: _code_of(db, one.wanted) for one, _ in lines}
        return [
            AskedLine(by_code[one.wanted], one.modifier, one.setting, one.units, one.rate, payer)
            for one, payer in lines
        ]
    return [AskedLine(code, units=code.volume) for code in codes]


def _own_lines(db: Snapshot, market: Market, clinic: Clinic) -> list[AskedLine]:
    """Return a line for each of the clinic's own codes, the commonest first."""
    if not clinic.values:
        return []
    own, common = list_own_codes(db, replace(market, modifier=NO_MODIFIER), clinic), plain_names()
    # The services that people have a name for come first: of 17,000 codes, few are ever negotiated one by one.
    # Those that its NPIs bill to Medicare come before them all.
    billed = list_services(db, clinic)
    own.sort(key=lambda one: (-billed.get(one[1], 0), one not in common, one[1]))
    numbers = dict.fromkeys(code for _, code in own)
    return [AskedLine(_code_of(db, WantedCode(None, code))) for code in list(numbers)[:MOST_OWN_CODES]]


def _code_of(db: Snapshot, wanted: WantedCode) -> BasketCode:
    found = basket_codes(db, read_basket(str(wanted)))
    return found[0] if found else BasketCode(wanted.code, ())
