"""The payers whose rates are not compared with the schedule of the class that their file states, and the evidence."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Annotated

from core.queries.market.market import Market
from core.queries.market.market_rates import counted_rates
from core.queries.rules.columns import BillingClass, PayerName, PayerSlug, described, stored
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.measured_class import SURGICAL_CENTER, UNSTATED, places_sql
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.market.market_months import is_in_months
from core.store.schema.fit_tables import SCHEDULE_FIT

SCHEDULE_NAMES = {"mpfs": "the physician fee schedule", "opps": "OPPS", "asc": "ASC"}
"""The schedules as a sentence names them."""

_WHICH_RATES = {
    SURGICAL_CENTER: "its rates for surgical centers (place of service 24 alone)",
    UNSTATED: "its rates without a place of service",
}


@dataclass(frozen=True)
class OverruledLabel:
    """A payer's rates of one class that fit the schedule of the other class so well that they are compared with it."""

    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    billing_class: BillingClass
    places: Annotated[str, stored(SCHEDULE_FIT, "places", "unstated")]
    schedule: Annotated[str, described("The schedule that the rates are compared with: mpfs, opps or asc.", "mpfs")]
    median: Annotated[float, described("Median of rate / amount of that schedule: 1 is 100%.", 1.28)]
    spread: Annotated[
        float, described("Standard deviation of ln(rate / amount): the smaller, the better the fit.", 0.66)
    ]
    label_schedule: Annotated[str, described("The schedule of the class that the file states.", "opps")]
    label_median: Annotated[float, described("Median of rate / amount of the stated schedule: 1 is 100%.", 0.54)]
    label_spread: Annotated[float, described("Standard deviation of ln(rate / amount) for that schedule.", 1.09)]
    codes: Annotated[int, stored(SCHEDULE_FIT, "codes", 2400)]
    rates: Annotated[int, stored(SCHEDULE_FIT, "rates", 14600)]

    @property
    def short(self) -> str:
        """Return what was found in a few words; `sentence` has the evidence."""
        fees = ("facility", "professional")
        label, measured = fees if self.billing_class == "institutional" else reversed(fees)
        which = _WHICH_RATES.get(self.places, "its rates with places of service")
        return f"{self.reporting_entity_name} labels {which} as {label} fees; they count as {measured} fees here."

    @property
    def sentence(self) -> str:
        """Return what was found, in a sentence for visitors."""
        which = _WHICH_RATES.get(self.places, "its rates with places of service")
        chosen, label = SCHEDULE_NAMES[self.schedule], SCHEDULE_NAMES[self.label_schedule]
        return (
            f"{self.reporting_entity_name} labels {which} {self.billing_class}. They fit {chosen} "
            f"({self.median:.0%} in the middle) far better, code by code, than {label} ({self.label_median:.0%}), so "
            f"they are compared with {chosen}."
        )


def find_surgical_centers(db: Snapshot, pg_uids: Collection[str]) -> set[str]:
    """Return which of these provider groups are surgical centers."""
    sql = "SELECT pg_uid FROM surgical_center_group WHERE list_contains($pg_uids, pg_uid)"
    return {pg_uid for (pg_uid,) in db.rows(sql, {"pg_uids": list(pg_uids)})}


def list_overruled_labels(db: Snapshot, market: Market) -> list[OverruledLabel]:
    """Return the overruled labels of the market's state and month, and of its payer if it has one."""
    names = [field.name for field in fields(OverruledLabel)]
    return [
        OverruledLabel(**{name: getattr(one, name) for name in names})
        for one in db.ask_once(_every_overruled_label)
        if one.state == market.state
        and is_in_months(market.months, one.year_month, one.reporting_entity_name)
        and market.payer in {None, one.payer_slug}
    ]


@dataclass(frozen=True)
class _LabelOfMonth(OverruledLabel):
    state: str
    year_month: str


def _every_overruled_label(db: Snapshot) -> list[_LabelOfMonth]:
    """Return the overruled labels of all states and months: a few."""
    return read_rows(
        db,
        _LabelOfMonth,
        """SELECT c.state, c.year_month, c.reporting_entity_name, payer_slug(c.reporting_entity_name) AS payer_slug,
                  c.billing_class, c.places, c.schedule, c.median, c.spread, l.schedule AS label_schedule,
                  l.median AS label_median, l.spread AS label_spread, c.codes, c.rates
           FROM schedule_fit c
           JOIN schedule_fit l USING (state, year_month, reporting_entity_name, billing_class, places)
           WHERE c.chosen AND NOT c.of_label AND l.of_label
           ORDER BY c.reporting_entity_name, c.billing_class, c.places""",
    )


def list_labels_of_rates(db: Snapshot, market: Market, codes: Collection[str] = ()) -> list[OverruledLabel]:
    """Return the overruled labels that any of the market's rates have, of these codes if there are some.

    Hardly any payer's label is overruled, so the rates are seldom looked at. `db` may be a cache of the market.
    """
    found = list_overruled_labels(db, market)
    if not found:
        return []
    rates, parameters = counted_rates(db, market)
    listed, bound = in_codes(codes) if codes else ("true", {})
    rows = db.rows(
        f"""SELECT DISTINCT f.reporting_entity_name, f.billing_class, {places_sql("f.pos_set_id")}
            FROM {rates} f WHERE {listed}""",
        parameters | bound,
    )
    return [one for one in found if (one.reporting_entity_name, one.billing_class, one.places) in rows]
