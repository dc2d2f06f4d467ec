"""What a code is paid where a search asks for it: in facilities, and outside of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.queries import coverage
from core.queries.baskets.basket_answer import BasketQuestion, answer_basket
from core.queries.baskets.basket_codes import BasketCode
from core.queries.find.code_index import FoundCode
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.market.market_filters import NO_MODIFIER
from core.store.connection import Snapshot


@dataclass(frozen=True)
class PayerMiddle:
    """The median of one payer's rates."""

    reporting_entity_name: str
    rates: int
    p50: float


@dataclass(frozen=True)
class SettingPrice:
    """What a code is paid in a setting: the median of all payers, or where these cannot be compared, of each."""

    setting: str
    billing_class: str
    modifier: str
    together: PayerMiddle | None
    """All payers' rates; None where nothing says that they are paid in the same place."""
    payers: Sequence[PayerMiddle]
    """Without `together`: those whose rates are for the setting."""
    placeless: Sequence[str]
    """Without `together`: the names of those that state no place."""


def find_setting_prices(
    db: Snapshot, found: FoundCode, settings: Iterable[str], filters: Mapping[str, str | None]
) -> list[SettingPrice]:
    """Return what a code is paid in each of some settings, in the state that it is shown for.

    `filters` are those of the links to the code. Without any, an answer is kept as long as its generation.
    """
    given = tuple((name, value) for name, value in filters.items() if value)
    if not found.state:
        return []
    asked = [_PriceOf(found.state, *found.key, setting, given) for setting in settings]
    rows = [one(db) if given else db.ask_once(one) for one in asked]
    return [row for row in rows if row]


@dataclass(frozen=True)
class _PriceOf:
    """The question of a price: equal for equal codes, so that it is asked once."""

    state: str
    code_type: str
    code: str
    setting: str
    filters: tuple[tuple[str, str], ...]

    def __call__(self, db: Snapshot) -> SettingPrice | None:
        market = with_latest(db, Market(self.state, "", care_setting=self.setting, **dict(self.filters)))
        answer = answer_basket(db, BasketQuestion(market, [BasketCode(self.code, (self.code_type,))]))
        everybody, of_class = answer.everybody.get(0), answer.class_of(0)
        if everybody is None or of_class is None:
            return None
        names = dict(coverage.list_payers(db))
        of_payers = [(names.get(one.payer_slug, ""), one) for one in answer.medians if one.payer_slug is not None]
        doubtful = [name for name, one in of_payers if one.is_aside]
        together = None if doubtful or everybody.is_aside else PayerMiddle("", everybody.rates, everybody.p50)
        payers = [PayerMiddle(name, one.rates, one.p50) for name, one in of_payers if not one.is_aside]
        if together is None and not payers:
            return None
        return SettingPrice(
            self.setting,
            of_class.measured_as or of_class.billing_class or "",
            "" if of_class.modifier == NO_MODIFIER else of_class.modifier,
            together,
            [] if together else payers,
            [] if together else doubtful,
        )
