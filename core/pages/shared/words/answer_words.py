"""The sentence that the page of a code begins with, and its chart."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from core.fields.places.care_setting import HOSPITAL_OUTPATIENT, INPATIENT, OFFICE, OTHER_PLACE, SURGICAL_CENTER
from core.pages.charts import spread_chart
from core.pages.formats import write_class, write_dollars, write_percent, write_setting
from core.queries.classes.rate_classes import RateClass
from core.queries.code_answer import AnswerSpread, CodeAnswer, answer_code
from core.queries.comparison.overruled_labels import OverruledLabel
from core.queries.comparison.prices_of_place import PricesOfPlace, find_prices_of_place
from core.queries.facets import Choice
from core.queries.market.market import Market
from core.queries.market.market_filters import NOT_STATED
from core.queries.rules.measured_class import LIKE_CLASSES, OTHER_CLASS, class_of_like
from core.queries.yardstick.medicare_amounts import Amount, AmountLine, ScheduleTerms, count_amount_lines
from core.store.connection import Snapshot

MAX_PAYERS = 12
"""The payers that the chart shows, those with most rates first. The table has all."""

_ALL = "All payers"

PROFESSIONAL_PART, TECHNICAL_PART = "26", "TC"


@dataclass(frozen=True)
class AnswerOnTop:
    """The answer for the class and modifier with most rates: its figures, what they are for, and a bar per payer."""

    spread: AnswerSpread
    terms: str
    chart: SafeString
    amounts: Sequence[AmountLine]
    payers: int
    charted: int
    others: int
    """The rates in dollars that have another class or modifier."""
    labels: Sequence[OverruledLabel]
    """The payers of these rates whose label does not fit them."""

    @property
    def whose(self) -> str:
        """Whose fee it is."""
        return "facility fee" if self.terms.startswith("the facility fee") else "professional fee"

    @property
    def differs(self) -> bool:
        """Whether the median over the one amount is another percent than the median of the rates' percents."""
        percent = self.spread.percent_p50
        if len(self.amounts) != 1 or percent is None or not self.amounts[0].amount:
            return False
        return write_percent(self.spread.p50 / self.amounts[0].amount) != write_percent(percent)


def mixes_classes(market: Market, classes: Sequence[RateClass], spreads: Sequence[AnswerSpread]) -> bool:
    """Return whether rates of several classes were asked for together: they have no price in common to begin with.

    The class with most rates may be that of one payer alone.
    """
    terms = {row.terms for row in spreads if row.reporting_entity_name is None}
    return bool(market.classes) and (len(terms) > 1 or len(classes) > 1)


def describe_answer(
    spreads: Sequence[AnswerSpread],
    modifiers: Sequence[Choice],
    amounts: Mapping[ScheduleTerms, Amount],
    settings: Sequence[str] = (),
    labels: Sequence[OverruledLabel] = (),
    *,
    most_payers: int = MAX_PAYERS,
    most_amounts: int | None = None,
) -> AnswerOnTop | None:
    """Return the answer that `spreads` give, with Medicare's amounts for its terms; None if there are no rates.

    `modifiers` are the choices of modifiers, which say whether the code is also priced in parts. `settings` are those
    of the rates, if others have other ones. `labels` are those of payers that do not fit their rates. The chart has
    `most_payers` and `most_amounts` at most.
    """
    found = answer_code(spreads)
    if found is None:
        return None
    everybody = found.everybody
    of_terms = {
        terms: amount
        for terms, amount in amounts.items()
        if (terms.billing_class == everybody.billing_class or everybody.billing_class in LIKE_CLASSES)
        and terms.modifier == everybody.modifier
    }
    lines = count_amount_lines(of_terms)
    terms = describe_bill(found, labels, {choice.value for choice in modifiers}, settings)
    bars = [spread_chart.Bar(_ALL, everybody.percentiles)]
    bars += [spread_chart.Bar(_name_with_label(found, row), row.percentiles) for row in found.payers[:most_payers]]
    return AnswerOnTop(
        spread=everybody,
        terms=terms,
        chart=spread_chart.draw_spreads(
            bars, spread_chart.dollars(None), "Rates in dollars by payer", 3, lines[:most_amounts]
        ),
        amounts=lines,
        payers=len(found.payers),
        charted=min(len(found.payers), most_payers),
        labels=_labels_of(found, labels),
        others=sum(row.rates for row in spreads if row.reporting_entity_name is None) - everybody.rates,
    )


def find_of_place(db: Snapshot, market: Market, answer: AnswerOnTop | None) -> PricesOfPlace | None:
    """Return which of an answer's rates hold in the place asked for; None if all do, or nobody knows.

    Prices of areas are known of the physician fee schedule alone.
    """
    if answer is None or not answer.amounts or any(not one.basis.startswith("MPFS") for one in answer.amounts):
        return None
    return find_prices_of_place(db, market, answer.spread.billing_class, answer.spread.modifier)


def _name_with_label(answer: CodeAnswer, payer: AnswerSpread) -> str:
    name, label = payer.reporting_entity_name or "", answer.label_of(payer)
    return f"{name} (labeled {write_class(label)})" if label else name


def _labels_of(answer: CodeAnswer, labels: Sequence[OverruledLabel]) -> list[OverruledLabel]:
    """Return the labels of the payers and the class that an answer is about."""
    stated = {(row.payer_slug, row.billing_class) for row in answer.payers}
    return [one for one in labels if (one.payer_slug, one.billing_class) in stated]


def describe_bill(
    answer: CodeAnswer,
    labels: Sequence[OverruledLabel],
    modifiers: Collection[str] = frozenset(),
    settings: Sequence[str] = (),
) -> str:
    """Return what describe_terms does of an answer: whose fees its rates are as they are measured.

    A stated class is another one than that only where no payer's rates are what their label says.
    """
    wrong = _labels_of(answer, labels)
    everybody = answer.everybody
    billing_class = class_of_like(everybody.billing_class)
    stated = {(row.payer_slug, row.billing_class) for row in answer.payers}
    if everybody.billing_class not in LIKE_CLASSES and {(one.payer_slug, one.billing_class) for one in wrong} == stated:
        billing_class = OTHER_CLASS.get(billing_class or "", billing_class)
    return describe_terms(billing_class, everybody.modifier, modifiers, settings)


def describe_terms(
    billing_class: str | None, modifier: str, modifiers: Collection[str], settings: Sequence[str] = ()
) -> str:
    """Return whose fee it is, where, and for which part of the service. `modifiers` are those of the code's rates."""
    part = ""
    if modifier == PROFESSIONAL_PART:
        part = "the reading alone (modifier 26)"
    elif modifier == TECHNICAL_PART:
        part = "the technical part alone (modifier TC)"
    elif modifier:
        part = f"with modifier {modifier.replace(',', ' and ')}"
    elif billing_class == "professional" and {PROFESSIONAL_PART, TECHNICAL_PART} & set(modifiers):
        part = "the reading and the technical part together"
    whose = f"the {write_class(billing_class)}" if billing_class else "billing class not stated"
    where = " or ".join(map(describe_setting, settings))
    return ", ".join(filter(None, (f"{whose} {where}".strip(), part)))


def describe_setting(setting: str) -> str:
    """Return where rates of a setting, or of one side, are paid, as it stands within a sentence."""
    articles = {OFFICE: "in an office", HOSPITAL_OUTPATIENT: "as a hospital outpatient", INPATIENT: "as an inpatient",
                SURGICAL_CENTER: "in a surgical center", OTHER_PLACE: "in another place"}  # fmt: skip
    if setting == NOT_STATED:
        return "(setting not stated)"
    return articles.get(setting) or write_setting(setting)


def begin_in_lower_case(title: str) -> str:
    """Return a title as it stands within a sentence: its first letter in lower case, unless the word is in capitals."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def list_amounts(amounts: Sequence[float]) -> str:
    """Return a few amounts in words, equal ones once: $90.00, $100.00 (twice), and $120.00."""
    times = {2: " (twice)", 3: " (three times)"}
    counts: dict[str, int] = {}
    for amount in map(write_dollars, amounts):
        counts[amount] = counts.get(amount, 0) + 1
    if len(counts) == 1 < len(amounts):
        return f"all of {next(iter(counts))}"
    said = [f"{amount}{times.get(count, '')}" for amount, count in counts.items()]
    return " and ".join(said) if len(said) < 3 else f"{', '.join(said[:-1])}, and {said[-1]}"
