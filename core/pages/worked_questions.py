"""Questions that the first page answers at once, to show what can be asked: each with its figures and its page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from core.fields.codes.code_list import WantedCode
from core.pages.formats import write_dollars, write_own_date, write_percent
from core.pages.shared import urls
from core.pages.shared.words.answer_words import begin_in_lower_case, describe_bill, list_amounts
from core.pages.shared.words.elsewhere_words import say_elsewhere
from core.pages.shared.words.labels import title_of
from core.queries.classes.rate_classes import ClassChoice, choose_class
from core.queries.code_answer import AnswerSpread, CodeAnswer, answer_code, spread_by_terms
from core.queries.code_titles import CodeKey, code_titles
from core.queries.comparison.overruled_labels import OverruledLabel, list_overruled_labels
from core.queries.find.codes import CodeCount, count_codes, list_busiest_codes
from core.queries.in_state import ProvidersInState, find_in_state
from core.queries.latest import list_payer_months
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache, uses_own_areas
from core.queries.middle_organization import MiddleOrganization, find_notable_middle
from core.queries.rules.alike import are_alike
from core.queries.side_by_side.payer_comparison import compare_payers
from core.queries.side_by_side.payer_spread import PricedSpread
from core.store.connection import Snapshot

FAMILIAR_CODES = ("73721", "99213", "45378", "70450", "27447", "97110", "93306", "80053", "71046", "99214")
"""Codes of services that everybody knows, the first ones first. Those with rates are the examples."""

QUESTIONS = 3

MOST_LOOKED_AT = 6
"""Among so many codes, those whose providers practice in the state are looked for. Each costs a tenth of a second."""


@dataclass(frozen=True)
class WorkedQuestion:
    """A question, its answer in a sentence, and the address of the page that has it all."""

    question: str
    answer: str
    address: str
    elsewhere: str
    """A sentence if most rates, of all or of some payers, are of other states; empty text otherwise."""


@dataclass(frozen=True)
class _AskedCode:
    """A code that a question is about: its rates, its name, and whose bill they are."""

    answer: CodeAnswer
    name: str
    said_of: str
    market: Market
    middle: MiddleOrganization | None
    """The organization in the middle, if it is paid notably more or less than the middle rate."""
    in_state: Sequence[ProvidersInState]

    @property
    def elsewhere(self) -> str:
        """A sentence if most rates, of all or of some payers, are of other states; empty text otherwise."""
        return say_elsewhere(self.in_state, self.market.state)

    @property
    def how_far_away(self) -> int:
        """How much of the code is of other states: nothing, a payer's rates, or most rates of all payers."""
        far = [one for one in self.in_state if one.is_elsewhere]
        return 2 if any(one.reporting_entity_name is None for one in far) else 1 if far else 0


_Ask = Callable[[_AskedCode], Iterator[WorkedQuestion]]


def work_questions(db: Snapshot, market: Market) -> list[WorkedQuestion]:
    """Return at most QUESTIONS questions about a market of all codes, of codes with rates in dollars."""
    counted = {row.code: row for row in count_codes(db, market, FAMILIAR_CODES)}
    codes = [counted[code] for code in FAMILIAR_CODES if code in counted]
    if len(codes) < QUESTIONS:
        codes += [row for row in list_busiest_codes(db, market, QUESTIONS) if row.code not in counted]
    dates = {one.payer_slug: write_own_date(one.year_month, one.file_month) for one in list_payer_months(db, market)}
    asked: tuple[_Ask, ...] = (_about_spread, partial(_about_payers, db=db, dates=dates), _about_medicare)
    titles, labels = code_titles(db), list_overruled_labels(db, market)
    answered = (one for code in codes if (one := _answer(db, market, code, titles, labels, dates)))
    return [one for ask, of_code in zip(asked, _prefer_in_state(answered), strict=False) for one in ask(of_code)]


def _prefer_in_state(answered: Iterator[_AskedCode]) -> list[_AskedCode]:
    """Return QUESTIONS codes: in their order, but those whose providers practice in the state first.

    More than these are looked at only where a file has providers of other states.
    """
    found: list[_AskedCode] = []
    for one in islice(answered, MOST_LOOKED_AT):
        found.append(one)
        if sum(not code.how_far_away for code in found) == QUESTIONS:
            break
    return sorted(found, key=lambda one: one.how_far_away)[:QUESTIONS]


def _answer(
    db: Snapshot,
    market: Market,
    code: CodeCount,
    titles: Mapping[CodeKey, str],
    labels: Sequence[OverruledLabel],
    dates: Mapping[str, str],
) -> _AskedCode | None:
    choice = choose_class(db, replace(market, code=code.code))
    of_code = choice.market
    with market_cache(db, of_code, areas=uses_own_areas(db, of_code)) as cached:
        spreads = spread_by_terms(cached, of_code)
        answer, middle = answer_code(spreads), find_notable_middle(cached, of_code, spreads)
        in_state = find_in_state(cached, of_code)
    if answer is None:
        return None
    title = begin_in_lower_case(title_of(code, titles)) or code.code
    name = f"{title} ({code.code})" if title != code.code else title
    return _AskedCode(answer, name, _said_of(answer, choice, labels, dates), of_code, middle, in_state)


def _said_of(
    answer: CodeAnswer, choice: ClassChoice, labels: Sequence[OverruledLabel], dates: Mapping[str, str]
) -> str:
    """Return whose bill an answer is about and for what, and whose rates of which date if they are one payer's."""
    settings = [setting for one in choice.classes if one.chosen for setting in one.settings]
    bill = describe_bill(answer, labels, {one.modifier for one in choice.classes}, settings)
    if len(answer.payers) != 1:
        return bill
    payer = answer.payers[0]
    return ", ".join(filter(None, (bill, payer.reporting_entity_name, dates.get(payer.payer_slug or "", ""))))


def _about_spread(asked: _AskedCode) -> Iterator[WorkedQuestion]:
    row, both = asked.answer.everybody, ""
    if asked.middle and asked.middle.price is not None:
        one, every = asked.middle.one_contract, asked.middle.organizations
        why = f": {one:,} of {every:,} organizations are under one contract" if asked.middle.is_one_contract else ""
        both = f" (the middle organization is paid {write_dollars(asked.middle.price)}{why})"
    said = _say_few(row) or (
        f"{write_dollars(row.p50)} in the middle{both}; half of the rates are between {write_dollars(row.p25)} and "
        f"{write_dollars(row.p75)}"
    )
    address = urls.to("rates", asked.market)
    said = f"{said} ({asked.said_of})."
    yield WorkedQuestion(f"What is paid for {asked.name}?", said, address, asked.elsewhere)


def _say_few(row: AnswerSpread) -> str:
    """Return what the rates are if they are few enough to be listed; empty text otherwise."""
    if not row.few_amounts:
        return ""
    return f"{row.rates} rate{'' if row.rates == 1 else 's'}: {list_amounts(row.few_amounts)}"


def _about_payers(asked: _AskedCode, *, db: Snapshot, dates: Mapping[str, str]) -> Iterator[WorkedQuestion]:
    name, said_of, market = asked.name, asked.said_of, asked.market
    wanted = WantedCode(market.code_type, market.code or "")
    # The page that it leads to ranks payers by the same prices.
    spreads = compare_payers(db, market, [wanted], None)[0] if len(asked.answer.payers) > 1 else []
    lines = {row.line for row in spreads}
    ranked = sorted((row for row in spreads if row.payer_slug and row.is_ranked), key=lambda row: -row.price)
    if len(lines) == 1 and len(ranked) > 1 and not are_alike([row.price for row in ranked]):
        high, low = (_say_price(row, dates) for row in (ranked[0], ranked[-1]))
        said = f"{high}; {low} ({said_of})."
        yield WorkedQuestion(f"Which payer pays more for {name}?", said, urls.to("payers", market), asked.elsewhere)
        return
    row = asked.answer.everybody
    if are_alike([row.p10, row.p90]):
        yield from _about_spread(asked)
        return
    said = _say_few(row) or (
        f"One in ten rates is {write_dollars(row.p10)} or less, and one in ten {write_dollars(row.p90)} or more"
    )
    address = urls.to("rates", market)
    said = f"{said} ({said_of})."
    yield WorkedQuestion(f"How much do the rates for {name} differ?", said, address, asked.elsewhere)


def _say_price(row: PricedSpread, dates: Mapping[str, str]) -> str:
    """Return what a payer is ranked by, in the words of the page that compares payers."""
    whose = (
        f"to the middle one of its {row.organizations:,} organizations"
        if row.by_organizations
        else f"in the middle of its {row.rates:,} rates"
    )
    return f"{row.reporting_entity_name} ({dates.get(row.payer_slug or '', '')}): {write_dollars(row.price)} {whose}"


def _about_medicare(asked: _AskedCode) -> Iterator[WorkedQuestion]:
    row = asked.answer.everybody
    if row.percent_p50 is None:
        yield from _about_spread(asked)
        return
    said = f"{write_percent(row.percent_p50)} of what Medicare pays, in the middle ({asked.said_of})."
    address = urls.to("rates", asked.market)
    yield WorkedQuestion(f"How does {asked.name} compare with Medicare?", said, address, asked.elsewhere)
