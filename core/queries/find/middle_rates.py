"""The figure that a code's page opens with, for the codes that a search shows first: the median of its usual class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from core.queries.classes.class_counts import COMPONENTS
from core.queries.classes.rate_classes import choose_class
from core.queries.code_answer import list_few_amounts, list_middles
from core.queries.code_titles import CodeKey
from core.queries.comparison.prices_of_place import find_prices_of_place
from core.queries.find.code_index import FoundCode
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.middle_organization import find_notable_middle
from core.queries.rules.columns import Code, CodeType, Modifier, State, described
from core.store.connection import Snapshot

MAX_MIDDLES = 3
"""Of so many codes the median is found: each costs some 20 ms when it is asked for first."""

_PLACES = ("city", "zip")


def count_middles(filters: Mapping[str, str | None]) -> int:
    """Return of how many codes the median is found: of one at a place, where its rates are found more slowly."""
    return 1 if any(filters.get(name) for name in _PLACES) else MAX_MIDDLES


@dataclass(frozen=True)
class MiddleRate:
    """What a code's page opens with: the rates in dollars of one class, and their median."""

    code_type: CodeType
    code: Code
    state: State
    billing_class: Annotated[
        str | None, described("The class of these rates, as a value of the filter `billing_class`.", "professional")
    ]
    modifier: Modifier
    settings: Annotated[list[str], described("Where they hold, if others hold elsewhere; empty otherwise.", [])]
    measured_as: Annotated[
        str, described("Whose fees they are, whatever their label; empty if of several.", "professional")
    ]
    has_parts: Annotated[
        bool, described("Whether the code has rates of its professional or technical part alone as well.", False)
    ]
    rates: Annotated[int, described("Number of these rates; at a place, of those that hold in its area.", 12)]
    elsewhere: Annotated[
        int, described("Number of the other rates of providers of the place: contracts' prices for other areas.", 0)
    ]
    p50: Annotated[float, described("Their median.", 100.0)]
    few_amounts: Annotated[list[float], described("The rates themselves, if they are four at most.", [])]
    divided_by: Annotated[
        list[str], described("The values of the filter `care_setting` that divide the code's rates.", [])
    ]
    middle_organization: Annotated[
        float | None,
        described(
            "What the organization in the middle is paid, if that is more than 10% from the median of the rates; null "
            "otherwise.",
            None,
        ),
    ]


def find_middle_rates(
    db: Snapshot, found: Sequence[FoundCode], filters: Mapping[str, str | None] | None = None
) -> dict[CodeKey, MiddleRate]:
    """Return the middle rates of the first codes, each in the state that it is shown for: of those that have dollars.

    `filters` are those of the links to the codes. Without any, an answer is kept as long as its generation.
    """
    given = {name: value for name, value in (filters or {}).items() if value}
    rows: dict[CodeKey, MiddleRate] = {}
    for one in found[: count_middles(given)]:
        if one.state and one.rates:
            question = _MiddleRateOf(one.state, *one.key)
            row = question.ask(db, given) if given else db.ask_once(question)
            rows |= {one.key: row} if row else {}
    return rows


@dataclass(frozen=True)
class _MiddleRateOf:
    """The question of a code's middle rate: equal for equal codes, so that it is asked once."""

    state: str
    code_type: str
    code: str

    def __call__(self, db: Snapshot) -> MiddleRate | None:
        return self.ask(db, {})

    def ask(self, db: Snapshot, filters: Mapping[str, str]) -> MiddleRate | None:
        """Return the answer as the code's page chooses its rates."""
        market = Market(self.state, "", self.code_type, self.code, **filters)
        choice = choose_class(db, with_latest(db, market))
        chosen = next((one for one in choice.classes if one.chosen), None)
        with market_cache(db, choice.market) as cached:
            middles = list_middles(cached, choice.market)
            organization = find_notable_middle(cached, choice.market, middles)
            if not middles:
                return None
            middle = middles[0]
            # As on the code's page: other schedules than the physicians' have other areas.
            is_of_physicians = chosen is None or chosen.measured_as == "professional"
            terms = middle.billing_class, middle.modifier
            here = find_prices_of_place(cached, choice.market, *terms) if is_of_physicians else None
        return MiddleRate(
            code_type=self.code_type,
            code=self.code,
            state=self.state,
            billing_class=middle.billing_class,
            modifier=middle.modifier,
            settings=chosen.settings if chosen else [],
            measured_as=chosen.measured_as if chosen else "",
            has_parts=any(one.modifier in COMPONENTS for one in choice.classes),
            rates=here.rates if here else middle.rates,
            elsewhere=here.elsewhere if here else 0,
            p50=here.p50 if here else middle.p50,
            few_amounts=[] if here else list(list_few_amounts(middle)),
            divided_by=sorted({setting for one in choice.classes for setting in one.settings}),
            middle_organization=organization.price if organization else None,
        )
