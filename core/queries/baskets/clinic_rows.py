"""What a clinic's report is asked for, and its rows: whose rates, which lines, and the position of each line."""

from dataclasses import dataclass
from typing import Annotated, Any

from core.queries.baskets.basket_codes import BasketCode
from core.queries.market.market_filters import FILTERS
from core.queries.parties.billed_services import MEMBERS
from core.queries.parties.line_medians import LEAST_FOR_PERCENTILES
from core.queries.rules.columns import BillingClass, Code, CodeName, Modifier, PayerName, PayerSlug, described
from core.queries.rules.percentiles import FEW_RATES


@dataclass(frozen=True)
class Clinic:
    """Whose rates are looked at: an organization's, a tax ID's, or those of some NPIs; nobody's if none is given."""

    organization: str | None = None
    tin: str | None = None
    npis: tuple[str, ...] = ()

    @property
    def condition(self) -> str:
        """The condition on a fact AS f that it is the clinic's."""
        if self.npis:
            return "f.pg_uid IN (SELECT pg_uid FROM group_by_npi WHERE list_contains($clinic_npis, npi))"
        for name in ("tin", "organization"):
            if getattr(self, name):
                return FILTERS[name].restrict("")
        return "false"

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of the condition."""
        if self.npis:
            return {"clinic_npis": list(self.npis)}
        return {"tin": self.tin} if self.tin else {"organization": self.organization} if self.organization else {}

    @property
    def members(self) -> str:
        """SQL of the clinic's NPIs, with the parameters of `values`; empty text for nobody's."""
        if self.npis:
            return "SELECT unnest($clinic_npis::VARCHAR[])"
        return MEMBERS["tin"] if self.tin else MEMBERS["organization"] if self.organization else ""


@dataclass(frozen=True)
class AskedLine:
    """A line whose position is asked for. Without a rate of its own, the clinic's published rate is looked at."""

    code: BasketCode
    modifier: str = ""
    setting: str = ""
    units: float | None = None
    rate: float | None = None
    payer: str = ""
    """The key of the only payer that the line is compared with; empty for every payer."""

    def is_of(self, payer: str) -> bool:
        """Return whether the line is compared with a payer's rates."""
        return self.payer in {"", payer}


@dataclass(frozen=True)
class ClinicPosition:
    """One line of a clinic at one payer: its rate, its place among the payer's rates, and what the gap comes to."""

    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    code: Code
    name: CodeName
    billing_class: BillingClass
    modifier: Modifier
    care_setting: Annotated[
        str | None,
        described("Value of the filter `care_setting` for the line's rates; null where they are not divided.", None),
    ]
    setting: Annotated[
        str,
        described(
            "The setting of the line in words; empty if none is given. For a professional's rates, office means all "
            "but those for facilities alone, and the others all but those for other places alone.",
            "office",
        ),
    ]
    units: Annotated[float | None, described("Base units: how often the line is rendered, as given; null if not.", 120)]
    services: Annotated[
        float | None,
        described("Services of the code that the clinic's NPIs billed to Medicare in a year; null if not known.", 40.0),
    ]
    rate: Annotated[
        float | None, described("The rate given with the line, or the clinic's price, the middle of its rates.", 95.0)
    ]
    is_given: Annotated[bool, described("Whether the rate was given with the line.", False)]
    own_rates: Annotated[int, described("Number of the payer's rates for the line that are the clinic's.", 2)]
    tins: Annotated[
        int,
        described(
            "Number of tax IDs that have the clinic's rates, its own included: all those of the groups of these "
            "rates. They are under one contract with the clinic, and not among the others.",
            36,
        ),
    ]
    lowest: Annotated[float | None, described("Lowest of the clinic's rates, in dollars; null if one is given.", 90.0)]
    highest: Annotated[
        float | None, described("Highest of the clinic's rates, in dollars; null if one is given.", 100.0)
    ]
    prices: Annotated[
        int,
        described(
            "Number of different rates among the clinic's own: of several, the file does not say which applies. "
            "0 if a rate is given.",
            2,
        ),
    ]
    percentile: Annotated[
        float | None,
        described(
            "The position of `rate` among this payer's rates for others: the share of these that are lower, those "
            "equal counting half: 0.25 is 25%. Null where all of the payer's rates are the clinic's.",
            0.25,
        ),
    ]
    above: Annotated[int | None, described("Number of the payer's rates for others that are higher than `rate`.", 52)]
    median: Annotated[
        float | None,
        described(
            "Median of the payer's rates for the line that are not the clinic's; null where all are the clinic's.",
            104.0,
        ),
    ]
    market: Annotated[
        float | None, described("Median of all payers' rates for the line that are not the clinic's.", 110.0)
    ]
    median_with_own: Annotated[
        float | None,
        described("Median of all of the payer's rates for the line, the clinic's included: that of the basket.", 103.0),
    ]
    market_with_own: Annotated[
        float | None,
        described(
            "Median of all payers' rates for the line, the clinic's included: that of the code's page.",
            109.0,
        ),
    ]
    rates: Annotated[int, described("Number of the payer's rates for the line, the clinic's included.", 70)]
    others: Annotated[int, described("Number of the payer's rates for the line that are not the clinic's.", 68)]
    percent: Annotated[float | None, described("The rate against Medicare's amount: 1.2 is 120%.", 1.2)]
    gap: Annotated[float | None, described("The rate minus the payer's `median`, in dollars.", -9.0)]
    total: Annotated[
        float | None,
        described(
            "The gap times the units, once for a line without. If no line has units, times `services`, null where "
            "these are not known; and once if they are known of no line. Null where `others` is below "
            f"{FEW_RATES}: a gap to so few rates is in no sum.",
            -1080.0,
        ),
    ]
    reason: Annotated[str | None, described("Why the line has no position at the payer.", None)]

    @property
    def to_median(self) -> float | None:
        """The share by which the rate would have to rise to be the payer's median; None if it is not below it."""
        return self.median / self.rate - 1 if self.rate and self.median and self.rate < self.median else None

    @property
    def is_thin(self) -> bool:
        """Whether the line has a gap, but to so few rates that it counts in no sum."""
        return self.gap is not None and self.others < FEW_RATES

    @property
    def has_spread(self) -> bool:
        """Whether the clinic has several rates for the line, of which `rate` is the one in the middle."""
        return self.lowest != self.highest

    @property
    def gaps_of_spread(self) -> tuple[float, float] | None:
        """The gaps of the lowest and of the highest of the clinic's rates; None if it has only one."""
        if self.lowest is None or self.highest is None or self.median is None or not self.has_spread:
            return None
        return self.lowest - self.median, self.highest - self.median

    @property
    def is_ranked(self) -> bool:
        """Whether the payer has so few rates that a place among them says more than a percentile."""
        return self.ranked < LEAST_FOR_PERCENTILES

    @property
    def ranked(self) -> int:
        """The payer's rates for others, and the clinic's own as one among them."""
        return self.others + 1
