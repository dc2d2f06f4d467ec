"""The medians of a basket's codes by payer, each code of its class, with their percent of Medicare."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Annotated, Any

from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.others_of_state import find_middles_of_state
from core.queries.classes.class_counts import CodeClassCount, counts_by_code, counts_of_systems
from core.queries.classes.classes_of_codes import ClassesOfList, rates_of_list, write_terms, write_terms_aside
from core.queries.classes.rate_classes import RateClass
from core.queries.comparison.area_amounts import locality_values
from core.queries.comparison.asked_place import ASKED_PLACES, asked_place, number_places
from core.queries.comparison.compared_rates import compared_sql
from core.queries.comparison.lookup_scope import bind_codes, find_scope
from core.queries.market.market import Market
from core.queries.market.market_filters import NO_MODIFIER
from core.queries.market.market_rates import market_facts, uses_own_areas
from core.queries.parties.middle_by_payer import (
    choose_market_price,
    compare_with,
    dollars_of_compared,
    is_by_organizations,
    is_ranked,
    list_others_prices,
    middles_sql,
)
from core.queries.rules.columns import (
    AgainstOthers,
    BillingClass,
    Code,
    CodeName,
    Modifier,
    Month,
    OneContract,
    OthersPrice,
    PayerName,
    PayerSlug,
    RateCount,
    RateP50,
    State,
    described,
)
from core.queries.rules.largest_contract import is_mostly_one
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.named_rows import read_rows
from core.queries.rules.percentiles import median
from core.store.connection import Snapshot
from core.store.sql import used_parameters


@dataclass(frozen=True)
class BasketMedian:
    """The median of one payer's rates in dollars for one code, class and modifier, each rate counted once."""

    state: State
    year_month: Month
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    code: Code
    name: CodeName
    billing_class: BillingClass
    modifier: Modifier
    care_setting: Annotated[
        str | None,
        described(
            "Value of the filter `care_setting` for these rates; null where the code's rates are not divided.", None
        ),
    ]
    rates: RateCount
    p50: RateP50
    organizations: Annotated[int, described("Number of tax IDs (TINs) with such rates, as far as they are known.", 12)]
    one_contract: OneContract
    price: Annotated[
        float,
        described(
            "What is compared: what the payer's middle organization is paid, or, if `by_organizations` is false, p50.",
            96.5,
        ),
    ]
    by_organizations: Annotated[
        bool,
        described("Whether it is compared by its middle organization: at least 5 tax IDs have such rates.", True),
    ]
    percent: Annotated[
        float | None,
        described("Percent of Medicare, or of the yardstick asked for, of what is compared: 1 is 100%.", 1.2095),
    ]
    medicare: Annotated[
        float | None,
        described(
            "Amount in dollars that `percent` is of: `price` divided by it. Where organizations, or rates, of several "
            "areas are in the middle, it lies between the amounts of these areas.",
            86.4,
        ),
    ]
    market: Annotated[
        float,
        described("The market: the middle of the `price` of all payers for the code, each payer counted once.", 95.0),
    ]
    market_rates: Annotated[int, described("Number of all payers' rates of the same code, class, and modifier.", 70)]
    difference: Annotated[
        float | None, described("price against the market: 0.1 is 10% above; null if the market is zero.", 0.1)
    ]
    others: OthersPrice
    against_others: AgainstOthers

    @property
    def is_ranked(self) -> bool:
        """Whether the payer may be named as paying the most or the least."""
        return is_ranked(by_organizations=self.by_organizations, rates=self.rates)

    @property
    def is_one_contract(self) -> bool:
        """Whether the price is that of one contract, which more than half of the organizations are under."""
        return self.by_organizations and is_mostly_one(self.one_contract, self.organizations)


@dataclass(frozen=True)
class CodeMedian:
    """The median of one payer's rates for a code, or of all payers' if there is no payer."""

    position: int
    payer_slug: str | None
    rates: int
    p50: float
    percent_of_rates: float | None
    medicare: float | None
    """The median of the amounts that the rates are compared with."""
    is_aside: bool = False
    """Whether the rates are not compared: they state no place, the class is that in facilities, and there Medicare
    pays less. No such rate is among those of all payers."""
    organizations: int = 0
    """How many tax IDs have these rates, as far as they are known."""
    middle: float | None = None
    """The price of the payer's organization in the middle. Of all payers: the market, see choose_market_price."""
    middle_percent: float | None = None
    """The percent of Medicare in the middle of the organizations'. Of all payers: that in the middle of the payers'."""
    one_contract: int = 0
    """How many of the organizations are under the contract with most of them."""
    errors: int = 0
    """How many of these rates are likely errors: they are left out, unless they are asked in."""

    @property
    def by_organizations(self) -> bool:
        """Whether the payer is compared by its organization in the middle, and not by its rate in the middle."""
        return self.middle is not None and (self.payer_slug is None or is_by_organizations(self.organizations))

    @property
    def is_one_contract(self) -> bool:
        """Whether the price is that of one contract, which more than half of the organizations are under."""
        return self.by_organizations and is_mostly_one(self.one_contract, self.organizations)

    @property
    def price(self) -> float:
        """What is compared: what the organization in the middle is paid, or else the rate in the middle."""
        return self.middle if self.middle is not None and self.by_organizations else self.p50

    @property
    def percent(self) -> float | None:
        """The percent of Medicare, or of the yardstick asked for, of what is compared."""
        return self.middle_percent if self.by_organizations else self.percent_of_rates

    @property
    def amount(self) -> float | None:
        """The amount that the percent is of. The median of the rates' amounts is another one where organizations are
        compared, or where a middle lies between rates of two areas."""
        return self.price / self.percent if self.percent else None


def list_own_medians(
    db: Snapshot, market: Market, classes: ClassesOfList, codes: Sequence[BasketCode]
) -> tuple[list[CodeMedian], int]:
    """Return the medians of codes, each of its own class, by payer and of all payers together, in code order.

    The number beside them is how many of these rates are likely errors, whether or not the market counts them. A payer
    all of whose rates for a code stand aside has their median.
    """
    if not codes:
        return [], 0
    markets = {code.code: choice.market for code, choice in zip(codes, classes.of_codes, strict=True)}
    # What stands aside is asked for with the others, behind them.
    aside = [f"{at + len(codes)}{line.removeprefix(str(at))}" for at, some in enumerate(classes.aside) for line in some]
    of_list = [*chain.from_iterable(classes.terms), *aside]
    compared, parameters = compared_list(db, market, of_list, markets, means=True)
    measured = {at for at, choice in enumerate(classes.of_codes) if choice.market.is_measured}
    measured |= {at + len(codes) for at in measured}
    others = find_middles_of_state(db, market, list(markets), partial(write_terms_of_codes, codes, classes), measured)
    medians = f"""{compared}, f AS MATERIALIZED ({dollars_of_compared("compared", measured)}),
        {middles_sql(db, market, "f", others)},
        medians AS ({_MEDIANS})
        SELECT m.*, coalesce(organizations, 0) AS organizations, middle, middle_percent,
               coalesce(one_contract, 0) AS one_contract
        FROM medians m LEFT JOIN middle o ON o.position = m.position AND o.payer_slug = m.payer_slug"""
    every = read_rows(db, CodeMedian, medians, parameters | used_parameters(medians, market.parameters))
    errors = sum(one.errors for one in every if one.position < len(codes) and one.payer_slug is None)
    rows = [one for one in every if one.rates]
    found = {(one.position, one.payer_slug): one for one in rows if one.position < len(codes)}
    for one in rows:
        key = one.position - len(codes), one.payer_slug
        if key[0] >= 0 and one.payer_slug is not None and key not in found:
            found[key] = replace(
                one, position=key[0], percent_of_rates=None, middle_percent=None, medicare=None, is_aside=True
            )
    medians_in_order = sorted(
        _with_market(found.values()), key=lambda one: (one.position, one.payer_slug is not None, one.payer_slug)
    )
    return medians_in_order, errors


def write_terms_of_codes(
    codes: Sequence[BasketCode], classes: ClassesOfList, counts: Sequence[CodeClassCount]
) -> Iterator[str]:
    """Yield the terms of the rates of each code's class, and behind them of those that stand aside."""
    by_code = counts_by_code(counts)
    for at, (code, choice) in enumerate(zip(codes, classes.of_codes, strict=True)):
        of_code = counts_of_systems(by_code.get(code.code, ()), code.systems)
        yield from write_terms(at, of_code, choice.market)
        yield from write_terms_aside(at + len(codes), of_code, choice.market)


def _with_market(medians: Iterable[CodeMedian]) -> Iterator[CodeMedian]:
    """Yield the medians, those of all payers with the market of the code: the payers' prices, each payer once."""
    rows = list(medians)
    of_payers: dict[int, list[CodeMedian]] = {}
    for one in rows:
        if one.payer_slug is not None and not one.is_aside:
            of_payers.setdefault(one.position, []).append(one)
    for one in rows:
        if one.payer_slug is None:
            payers = of_payers[one.position]
            percents = (payer.percent for payer in payers if payer.percent is not None)
            yield replace(
                one,
                middle=choose_market_price(payer.price for payer in payers),
                middle_percent=choose_market_price(percents),
            )
        else:
            yield one


def compared_list(
    db: Snapshot, market: Market, terms: Iterable[str], markets: Mapping[str, Market], *, means: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return a WITH clause whose `compared` has the rates of codes, each of its class, with their percent of Medicare.

    The terms are those of write_terms. `markets` are those of the codes: each is compared where it is looked at, as on
    its own page. For `means`, see compared_sql.
    """
    areas = uses_own_areas(db, market)
    facts, of_facts = rates_of_list(db, market, terms, areas=areas)
    numbers = sorted(markets)
    listed, bound = in_codes(numbers)
    place, places = number_places(markets)
    sql = compared_sql(
        listed,
        f"({facts})",
        place=place,
        basis=market.basis,
        yardstick=market.yardstick,
        scope=find_scope(db, market, numbers),
        areas=areas,
        means=means,
        localities=locality_values(db) if areas else None,
    )
    values = {**market.parameters, **of_facts, **bound, "codes": bind_codes(numbers), ASKED_PLACES: places}
    return sql, used_parameters(sql, values)


_MEDIANS = f"""
    SELECT position, payer_slug, count(*) FILTER (NOT is_odd) AS rates,
           {median("negotiated_rate", "NOT is_odd")} AS p50,
           {median("own_percent", "NOT is_odd")} AS percent_of_rates, {median("medicare", "NOT is_odd")} AS medicare,
           false AS is_aside, count(*) FILTER (is_error) AS errors
    FROM marked GROUP BY GROUPING SETS ((position, payer_slug), (position))"""


def compared_codes(db: Snapshot, market: Market, codes: Sequence[BasketCode]) -> tuple[str, dict[str, Any]]:
    """Return a WITH clause whose `compared` has the rates of some codes with their percent of Medicare."""
    areas = uses_own_areas(db, market)
    facts, of_facts = market_facts(db, market, areas=areas)
    numbers = sorted({one.code for one in codes})
    listed, bound = in_codes(numbers)
    sql = compared_sql(
        listed,
        f"({facts})",
        place=asked_place(market),
        basis=market.basis,
        yardstick=market.yardstick,
        scope=find_scope(db, market, numbers),
        areas=areas,
        localities=locality_values(db) if areas else None,
    )
    values = {**market.parameters, **of_facts, **bound, "codes": bind_codes(numbers)}
    return sql, used_parameters(sql, values)


def name_medians(
    market: Market,
    codes: Sequence[BasketCode],
    classes: Sequence[RateClass | None],
    medians: Sequence[CodeMedian],
    payers: dict[str, str],
) -> list[BasketMedian]:
    """Return the payers' medians as rows that say what they are, each beside the market's. Each code has its class."""
    everybody = {one.position: one for one in medians if one.payer_slug is None}
    of_code = {at: one for at, one in enumerate(classes) if one}
    others = list_others_prices(
        {
            (one.position, one.payer_slug): one.price
            for one in medians
            if one.payer_slug is not None and not one.is_aside
        }
    )
    return [
        BasketMedian(
            state=market.state,
            year_month=market.month_of(one.payer_slug),
            reporting_entity_name=payers.get(one.payer_slug, one.payer_slug),
            payer_slug=one.payer_slug,
            code=codes[one.position].code,
            name=codes[one.position].title,
            billing_class=of_code[one.position].billing_class,
            modifier=_stated(of_code[one.position].modifier),
            care_setting=of_code[one.position].care_setting,
            rates=one.rates,
            p50=one.p50,
            organizations=one.organizations,
            one_contract=one.one_contract,
            price=one.price,
            by_organizations=one.by_organizations,
            percent=one.percent,
            medicare=one.amount,
            market=everybody[one.position].price,
            market_rates=everybody[one.position].rates,
            difference=compare_with(one.price, everybody[one.position].price),
            others=others.get((one.position, one.payer_slug)),
            against_others=compare_with(one.price, others.get((one.position, one.payer_slug))),
        )
        for one in medians
        if one.payer_slug is not None and not one.is_aside
    ]


def _stated(modifier: str) -> str:
    return "" if modifier == NO_MODIFIER else modifier
