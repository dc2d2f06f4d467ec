"""What organizations are paid in two months, slowly and obviously: one set of amounts for each tax ID and terms."""

import statistics
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from core.fields.providers.payer_slug import make_payer_slug
from tests.queries.comparison.slow_comparison import institutional_schedule, setting_of
from tests.queries.slow import Row

PLACES = {"opps": "outpatient", "asc": "surgical center", "inpatient": "inpatient"}


class Paid(NamedTuple):
    """Who is paid by whom for what, and on which terms."""

    payer: str
    system: str
    code: str
    payee: tuple[str, str] | None
    billing_class: str | None
    modifier: str
    setting: str | None
    place: str
    severity: str | None
    kind: str


class Rates(NamedTuple):
    """The rates of one tax ID and terms in a month: an amount that is not always an error is no error."""

    counted: list[float]
    left_out: list[float]
    are_errors: bool = False
    """Whether all of them are likely errors, which then count."""


NO_RATES = Rates([], [])


def leave_out(rates: Sequence[tuple[float, bool]]) -> Rates:
    """Return what counts of some rates, each with whether it is a likely error."""
    meant = {rate for rate, is_odd in rates if not is_odd}
    if not meant:
        return Rates([rate for rate, _ in rates], [], are_errors=True)
    return Rates([rate for rate, _ in rates if rate in meant], [rate for rate, _ in rates if rate not in meant])


class Change(NamedTuple):
    """What became of what one tax ID is paid on the same terms: its rates in both months that count, and the others."""

    what: str
    paid: Paid
    olds: list[float]
    news: list[float]
    old_errors: list[float]
    new_errors: list[float]

    @property
    def old(self) -> float | None:
        return statistics.median_low(set(self.olds)) if self.olds else None

    @property
    def new(self) -> float | None:
        return statistics.median_low(set(self.news)) if self.news else None

    @property
    def percent(self) -> float | None:
        return self.new / self.old - 1 if self.old and self.new is not None else None


def payees(fact: Row) -> Sequence[tuple[str, str] | None]:
    """Return the tax IDs of a fact's group, or its NPIs if none is known."""
    return sorted(fact["tins"]) or sorted(("npi", npi) for npi in fact["npis"]) or [None]


def place(fact: Row) -> str:
    if fact["billing_class"] == "institutional":
        where = PLACES.get(institutional_schedule(fact, fact["places"]), "other place")
        return "unstated" if where == "outpatient" and not fact["places"] and fact["setting"] is None else where
    return setting_of(fact["places"])


def paid_in(facts: Sequence[Row], tin: str | None = None, odd: Collection[str] = ()) -> dict[Paid, Rates]:
    """Return the rates of each tax ID and terms, those of one tax ID if it is given. `odd` has the uids of errors."""
    found: dict[Paid, list[tuple[float, bool]]] = defaultdict(list)
    for fact in facts:
        for payee in payees(fact):
            if tin is None or (payee is not None and payee[1] == tin):
                system = "CPT" if fact["code_type"] == "HCPCS" else fact["code_type"]
                key = Paid(
                    make_payer_slug(fact["reporting_entity_name"]), system, fact["code"], payee, fact["billing_class"],
                    fact["billing_code_modifier"], fact["setting"], place(fact), fact["severity_of_illness"],
                    fact["kind"],
                )  # fmt: skip
                found[key].append((fact["negotiated_rate"], fact["fact_uid"] in odd))
    return {key: leave_out(rates) for key, rates in found.items()}


def changes(
    before: Sequence[Row],
    after: Sequence[Row],
    tin: str | None = None,
    both: set[str] | None = None,
    odd: Collection[str] = (),
) -> list[Change]:
    """Return what became of what each tax ID is paid, of the payers `both` that have rates in both months.

    The facts are all that is loaded of the code or payer: no filters by terms. `odd` has the uids of likely errors.
    """
    olds, news = paid_in(before, tin, odd), paid_in(after, tin, odd)
    if both is None:
        both = {key.payer for key in olds} & {key.payer for key in news}
    return [
        Change(outcome(key, olds, news), key, old.counted, new.counted, old.left_out, new.left_out)
        for key in {*olds, *news}
        for old, new in [(olds.get(key, NO_RATES), news.get(key, NO_RATES))]
        if key.payer in both
    ]


def outcome(key: Paid, olds: dict[Paid, Rates], news: dict[Paid, Rates]) -> str:
    if key.payee is None:
        return "unmatched"
    if key in olds and key in news:
        before, after = sorted(set(olds[key].counted)), sorted(set(news[key].counted))
        if before == after:
            return "same"
        if len(before) != len(after) or olds[key].are_errors or news[key].are_errors:
            return "unclear"
        moved = {new > old for old, new in zip(before, after, strict=True) if new != old}
        return "unclear" if len(moved) == 2 else "up" if True in moved else "down"
    other = news if key in olds else olds
    if any(one[:4] == key[:4] for one in other):
        return "terms"
    return "gone" if key in olds else "added"
