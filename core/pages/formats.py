"""How pages write figures, dates, and names: US formats, one way for each thing."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from core.fields.places.care_setting import FACILITY_OR_UNSTATED, NON_FACILITY_OR_UNSTATED
from core.fields.places.place_of_service import EVERY_PLACE, PLACES
from core.fields.places.practice_place import split_near
from core.fields.places.states import STATES
from core.fields.providers.npi import is_npi
from core.fields.rounding import round_half_up
from core.queries.comparison.area_amounts import MEAN_OF_STATE, NOT_RURAL
from core.queries.market.market import Market
from core.queries.market.market_filters import NOT_STATED
from core.queries.rules.evidence import EVIDENCE, LIKELY
from core.queries.rules.measured_class import OTHER_CLASS, class_of_like
from core.vocabulary.title_words import write_out

NONE = "–"
"""What stands in a table where there is no value."""

_SMALLEST_DIFFERENCE = 0.0005
"""A smaller difference would be written as 0.0%, which reads as none."""

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def write_count(value: int | None) -> str:
    """Write 1234567 as 1,234,567."""
    return NONE if value is None else f"{value:,}"


def write_dollars(value: float | None) -> str:
    """Write 1234.5 as $1,234.50."""
    return NONE if value is None else _dollars(value)


def _dollars(value: float) -> str:
    """Write cents as money is rounded, and the sign before the currency."""
    cents = round_half_up(value, 2)
    return f"−${-cents:,.2f}" if cents < 0 else f"${cents:,.2f}"


WHOLE_FROM = 10_000
"""Sums from this many dollars on are written without cents: nobody reads them, and on a phone they do not fit."""


def write_sum(value: float | None) -> str:
    """Write a sum of many services, 656877.8 as $656,878 and 1234.5 as $1,234.50."""
    if value is None or abs(value) < WHOLE_FROM:
        return write_dollars(value)
    return _dollars(round_half_up(value, 0)).partition(".")[0]


def write_gap(value: float | None) -> str:
    """Write -1080.5 as −$1,080.50 and 20 as +$20.00."""
    if value is None:
        return NONE
    return f"{'−' if value < 0 else '+'}{write_dollars(abs(value))}"


def write_percentile(value: float | None) -> str:
    """Write 0.25 as 25th: the percentile at which a rate is."""
    return NONE if value is None else write_ordinal(round(100 * value))


def write_rank(above: int, number: int, what: str = "") -> str:
    """Write which of some rates one is: highest of 7, or 3rd of 7 from the top. `above` is how many are higher.

    `what` they are may be said: highest of 7 prices.
    """
    counted = f"{number:,} {what}".strip()
    if not above:
        return f"highest of {counted}"
    if above == number:
        return f"lower than all {counted}"
    # Never "lowest": the middle of two prices may have the lower one of them alone below it.
    return f"{write_ordinal(above + 1)} of {counted} from the top"


def write_ordinal(number: int) -> str:
    """Write 21 as 21st."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def write_percent(value: float | None) -> str:
    """Write 1.234 as 123%; below 10% with one decimal."""
    if value is None:
        return NONE
    return f"{value:,.1%}" if value < 0.1 else f"{value:,.0%}"


def write_share(value: float) -> str:
    """Write 0.0004 as 0.04%. A share above zero is never written as zero: one bad rate in ten thousand counts."""
    return "under 0.01%" if 0 < value < 0.0001 else f"{value:.2%}"


def write_limit(value: float) -> str:
    """Write a limit as it was chosen: 0.1 as 10%, 0.0001 as 0.01%."""
    return f"{100 * value:.6g}%"


def write_figure(value: float | None, kind: str) -> str:
    """Write a rate in the unit of its kind: $104.00, 62.5%, $1,950.00 per day."""
    if value is None:
        return NONE
    if kind == "percentage":
        return f"{value:,.4f}".rstrip("0").rstrip(".") + "%"
    if kind == "other":
        return f"{round_half_up(value, 2):,.2f}"
    return _dollars(value) + (" per day" if kind == "per diem" else "")


def write_month(value: str | None) -> str:
    """Write 2025-08 as August 2025."""
    if not value:
        return ""
    year, number = value.split("-")
    return f"{_MONTHS[int(number) - 1]} {year}"


def write_file_date(file_month: str | None) -> str:
    """Return what follows a month whose files are much older by their own date; empty text if they are not."""
    return f"file dated {write_month(file_month)}" if file_month else ""


def write_months(market: Market) -> str:
    """Write the month of a market, or the range of its months: each payer has the newest of its own."""
    if market.one_month or not market.months:
        return write_month(market.one_month) or "all months"
    if not market.newest_month:
        return "no month loaded"
    oldest, newest = (write_month(month) for month in (market.month_names[-1], market.newest_month))
    return f"latest file of each payer, {oldest} to {newest}"


def write_own_date(month: str, file_month: str | None) -> str:
    """Write when a payer's file is of: its month, or the month of its own date if that is much older."""
    return f"file of {write_month(file_month)}" if file_month else write_month(month)


def write_file_dates(market: Market, files: Iterable[tuple[str, str | None]]) -> str:
    """Write when the files of a market are of, where each payer has its newest one: by their own dates if these differ.

    A file is its month, and the month of its own date if that is much older. A month that was asked for stays as it is.
    """
    dates = sorted({own or month for month, own in files})
    if market.year_month or not dates:
        return write_months(market)
    oldest, newest = write_month(dates[0]), write_month(dates[-1])
    if oldest != newest:
        return f"files of {oldest} to {newest}"
    return newest if newest == write_month(market.newest_month) else f"files of {newest}"


def write_day(value: date | str | None) -> str:
    """Write 2025-08-01 as Aug 1, 2025. Text that is not a date stays as it is: files contain anything."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value[: len("YYYY-MM-DD")])
        except ValueError:
            return str(value)
    return NONE if value is None else f"{_MONTHS[value.month - 1][:3]} {value.day}, {value.year}"


def write_age(month: str, today: date) -> str:
    """Write how long ago a month was: 14 months ago, or 3 years and 9 months ago."""
    year, of_year = map(int, month.split("-"))
    years, months = divmod(max(12 * (today.year - year) + today.month - of_year, 0), 12)
    if years < 2:
        months, years = months + 12 * years, 0
    said = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in ((years, "year"), (months, "month")) if n]
    return f"{' and '.join(said)} ago" if said else "this month"


def write_state(value: str | None) -> str:
    """Write GA as Georgia."""
    return STATES.get(value or "", value or "")


def write_tin(value: str, kind: str = "ein") -> str:
    """Write 123456789 as 12-3456789 if it is an EIN."""
    return f"{value[:2]}-{value[2:]}" if kind == "ein" and len(value) == 9 else value


def name_tin(value: str, kind: str = "") -> str:
    """Return what a number is called that providers bill under, with it: a payer may give an NPI in place of an EIN.

    Without its kind, it is told by its form: an EIN has nine digits.
    """
    return f"billing NPI {value}" if (kind or "npi") == "npi" and is_npi(value) else f"tax ID {write_tin(value)}"


def write_postal_code(value: str) -> str:
    """Write 303031234 as 30303-1234."""
    return f"{value[:5]}-{value[5:]}" if len(value) == 9 and value.isdecimal() else value


_PLACES = ("zip", "city", "county", "metro", "near")


def write_place(state: str, filters: Iterable[tuple[str, str, str]]) -> str:
    """Return where rates are, as a sentence says it: the places that filters name, otherwise the state.

    A filter is its label, its name, and its value in words.
    """
    before = {"zip": "ZIP code ", "near": "the area within "}
    places = [f"{before.get(name, '')}{write_filter(value, name)}" for _, name, value in filters if name in _PLACES]
    return " and ".join(places) or write_state(state)


_IN_TERMS = ("billing_class", "modifier")


def write_narrowing(filters: Iterable[tuple[str, str, str]]) -> str:
    """Return what else a market is narrowed to, as a sentence says it: payer Evry Health; tax ID 12-3456789.

    Left out are places, see write_place, and the class and modifier, which the terms of an answer name.
    """
    return _write_others(filters, (*_PLACES, *_IN_TERMS))


def write_emptied(state: str, filters: Sequence[tuple[str, str, str]]) -> str:
    """Return the place and every other filter of a question without rates: Dallas (network PPO; modifier 26)."""
    others = _write_others(filters, _PLACES)
    return write_place(state, filters) + (f" ({others})" if others else "")


def _write_others(filters: Iterable[tuple[str, str, str]], left_out: Collection[str]) -> str:
    said = []
    for label, name, value in filters:
        if name not in left_out:
            written = write_tin(value) if name == "tin" else write_filter(value, name)
            said.append(f"{label[:1].lower() + label[1:] if label[1:2].islower() else label} {written}")
    return "; ".join(said)


def write_asked(state: str, filters: Iterable[tuple[str, str, str]]) -> str:
    """Return the place and the filters that a market is narrowed to; empty text if it is the state's.

    The payer is left out: the sentence that this is for names it.
    """
    others = [one for one in filters if one[1] != "payer"]
    place, narrowed = write_place(state, others), write_narrowing(others)
    if place == write_state(state) and not narrowed:
        return ""
    return f"{place} ({narrowed})" if narrowed else place


def write_filter(value: str, name: str) -> str:
    """Write the value of a filter as a reader knows it: 11 as 11 Office, 2025-08 as August 2025."""
    if name == "pos":
        return "Every place" if value == EVERY_PLACE else f"{value} {PLACES.get(value, '')}".strip()
    if name == "year_month":
        return write_month(value)
    if name in {"city", "near"}:
        return _write_near(value) if name == "near" else write_city(value)
    if name == EVIDENCE:
        return "likely performed" if value == LIKELY else "all rates"
    if name == "care_setting":
        return write_setting(value)
    return write_class(value) if value == NOT_STATED or name == "billing_class" else value


def _write_near(value: str) -> str:
    place, miles = split_near(value)
    return f"{miles} miles of {write_city(place)}"


def write_code_name(name: str | None) -> str:
    """Write the name of a code in one style: LAT RETINACULAR RELEASE OPEN as Lateral retinacular release open."""
    return write_out(name) if name and name.isupper() else name or ""


def end_sentence(text: str) -> str:
    """Return a text as the end of a sentence: a name such as Example, Inc. has its period."""
    return text if text.endswith(".") else f"{text}."


_CLASSES = {
    "professional": "professional fee",
    "institutional": "facility fee",
    "both": "professional and facility fee",
}

_SIDES = {NON_FACILITY_OR_UNSTATED: "outside facilities", FACILITY_OR_UNSTATED: "in facilities"}


def write_class(billing_class: str | None) -> str:
    """Write whose bill a rate is for: professional is a professional fee, and institutional a facility fee.

    One of LIKE_CLASSES is the same fee. Only where both stand side by side does a page say which is as labeled.
    """
    words = class_of_like(billing_class)
    return "not stated" if not words or words == NOT_STATED else _CLASSES.get(words, words)


def write_fee(billing_class: str | None, measured_as: str = "") -> str:
    """Write whose bill a rate is for, where all rates that are shown are measured as one class: see `measured_as`.

    A label that says otherwise is one: no page calls a professional's fee a facility's.
    """
    is_other = measured_as and billing_class in OTHER_CLASS and billing_class != measured_as
    return f"labeled {write_class(billing_class)}" if is_other else write_class(billing_class)


def write_setting(setting: str) -> str:
    """Write where a rate is paid: a setting of care, or one of SIDES, which are outside facilities or in them."""
    return "setting not stated" if setting == NOT_STATED else _SIDES.get(setting, setting)


def write_basis(basis: str) -> str:
    """Write which amount of a fee schedule a rate is compared with: MPFS non-facility is for outside facilities."""
    schedule, _, side = basis.partition(" ")
    if schedule != "MPFS":
        return basis
    sides = {"non-facility": "outside facilities", "facility": "in facilities"}
    where, comma, part = side.partition(", ")
    return f"physician fee {sides.get(where, where)}".strip() + comma + part


_AREAS = {MEAN_OF_STATE: "the mean of {state}", NOT_RURAL: "{state} outside rural areas"}


def write_amount_area(area: str | None, state: str) -> str:
    """Write of what an amount of a schedule is, if it is of a whole state: the mean of Texas."""
    return _AREAS.get(area or "", "").format(state=write_state(state))


def write_city(value: str) -> str:
    """Write MACON, GA as Macon, GA."""
    city, comma, state = value.partition(", ")
    return f"{city.title()}{comma}{state}"


def write_difference(difference: float | None) -> str:
    """Write a difference in words: 0.123 as 12% above, -0.031 as 3.1% below, 0 as same."""
    if difference is None:
        return NONE
    if difference == 0:
        return "same"
    size = "under 0.1%" if abs(difference) < _SMALLEST_DIFFERENCE else write_percent(abs(difference))
    return f"{size} {'above' if difference > 0 else 'below'}"


def write_points(value: float) -> str:
    """Write 10.0 as +10.0 points: how far apart two percentages of a charge are."""
    rounded = round_half_up(abs(value), 1)
    if not rounded:
        return "same"
    return f"{'−' if value < 0 else '+'}{rounded:,.1f} point{'' if rounded == 1 else 's'}"


def write_change(share: float | None) -> str:
    """Write a change with its sign: 0.02 as +2.0%, -0.5 as −50%."""
    if share is None:
        return NONE
    return write_percent(0.0) if share == 0 else f"{'+' if share > 0 else '−'}{write_percent(abs(share))}"


def write_outcome(what: str) -> str:
    """Write an outcome of OUTCOMES as pages call it."""
    return "other terms" if what == "terms" else what


def write_moved_by(value: float | None, kind: str) -> str:
    """Write a difference of two rates in the unit of their kind, with its sign: +$2.00, −1.5%."""
    if value is None:
        return NONE
    return write_figure(0.0, kind) if value == 0 else f"{'+' if value > 0 else '−'}{write_figure(abs(value), kind)}"
