"""What a clinic's report is asked for, and its rows: whose rates, which lines, and the position of each line."""

from dataclasses import dataclass
from typing import Annotated, Any

from core.queries.baskets.basket_codes import BasketCode
from core.queries.market.market_filters import FILTERS
from core.queries.parties.billed_services import MEMBERS
from core.queries.parties.middle_by_payer import LEAST_ORGANIZATIONS
from core.queries.rules.columns import (
    BillingClass,
    Code,
    CodeName,
    Modifier,
    OneContract,
    PayerName,
    PayerSlug,
    described,
)
from core.queries.rules.largest_contract import is_mostly_one


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
    def tins_condition(self) -> str:
        """The condition on a tax ID (tin_type, tin_value) that it is the clinic's: one that its NPIs bill under."""
        if self.npis:
            return """(tin_type, tin_value) IN (
                SELECT (tin_type, tin_value) FROM xref_tin_npi WHERE list_contains($clinic_npis, npi))"""
        for name in ("tin", "organization"):
            if getattr(self, name):
                return FILTERS[name].condition
        return "false"

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
    """One line of a clinic at one payer: its price, its place among the payer's organizations, and the gap."""

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
        float | None,
        described(
            "What is compared: the rate given with the line, or the clinic's price. Of the prices of `own_area`, or of "
            "all if none is of it, it is the one in the middle, of two the lower.",
            95.0,
        ),
    ]
    is_given: Annotated[bool, described("Whether the rate was given with the line.", False)]
    is_odd: Annotated[
        bool,
        described(
            "Whether the clinic's published price is a likely error, below 50% or above 3,000% of Medicare and "
            "over five times or under a fifth of the median of all payers, and there is no better one. Such a line has "
            "no total.",
            False,
        ),
    ]
    own_rates: Annotated[int, described("Number of the payer's rates for the line that are the clinic's.", 2)]
    tins: Annotated[
        int,
        described(
            "Number of tax IDs that have the clinic's rates, its own included: all those of the groups of these rates.",
            36,
        ),
    ]
    lowest: Annotated[
        float | None,
        described(
            "Lowest of the clinic's rates in `own_area`, or of all if none is of it, in dollars, without the odd ones "
            "unless it has no others; null if one is given.",
            90.0,
        ),
    ]
    highest: Annotated[float | None, described("Highest of the same rates, in dollars; null if one is given.", 100.0)]
    prices: Annotated[
        int,
        described(
            "Number of different rates among these: of several, the file does not say which applies. "
            "0 if a rate is given.",
            2,
        ),
    ]
    odd_prices: Annotated[
        int, described("Number of different rates of the clinic's that are left out as odd: likely errors.", 0)
    ]
    area: Annotated[
        str | None,
        described(
            "The payment locality whose price `rate` is, if the clinic's several prices are a few percents of Medicare "
            "in several localities: its own if there is a price of that.",
            None,
        ),
    ]
    own_area: Annotated[
        str | None,
        described(
            "For such prices, the clinic's own locality: that of most of its NPIs, or else of its organization's city; "
            "null if neither is known.",
            None,
        ),
    ]
    tiers: Annotated[
        str | None,
        described(
            "The prices of its own locality, each with its percent of Medicare: of several, the file does not say "
            "which applies.",
            "125%: $251.81; 150%: $302.17",
        ),
    ]
    areas: Annotated[
        str | None,
        described(
            "The prices of all localities, by their percents of Medicare; null if they are not such percents.",
            "115%: Dallas $72.92",
        ),
    ]
    compared_price: Annotated[
        float | None,
        described(
            "The clinic's price in the table of organizations, which knows no areas: the middle of all its rates. The "
            "rate that is given, if one is.",
            95.0,
        ),
    ]
    organizations: Annotated[
        int,
        described(
            "Number of tax IDs (TINs) with the payer's rates for the line, the clinic's included: the rows of the "
            "table of organizations of the code, with this payer.",
            568,
        ),
    ]
    other_organizations: Annotated[int, described("Number of these tax IDs that are not the clinic's.", 567)]
    paid_less: Annotated[int | None, described("Number of other organizations whose price is below `rate`.", 120)]
    paid_same: Annotated[
        int | None,
        described(
            "Number of other organizations whose price is the same, or is `compared_price`: that of the same contract.",
            180,
        ),
    ]
    paid_more: Annotated[int | None, described("Number of other organizations whose price is higher.", 267)]
    contracts_more: Annotated[
        int | None,
        described("Number of contracts that these are under: one has the rates of the same provider groups.", 9),
    ]
    one_contract: OneContract
    position: Annotated[
        float | None,
        described(
            "The share of the other organizations that are paid less, those paid the same counting half: 0.25 is 25%.",
            0.25,
        ),
    ]
    middle: Annotated[
        float | None,
        described(
            "What the organization in the middle is paid, as in the table of organizations. With fewer than "
            f"{LEAST_ORGANIZATIONS} others, the one in the middle of the others, of two the lower: the clinic itself "
            "would be it, or decide which is.",
            104.0,
        ),
    ]
    middle_is_own: Annotated[
        bool,
        described(
            "Whether that organization has the clinic's own contract: `middle` and `high` are then its price of the "
            "clinic's area.",
            False,
        ),
    ]
    high: Annotated[
        float | None,
        described("Third quartile of what organizations are paid by the payer, the price of one of them.", 130.0),
    ]
    payers_middle: Annotated[
        float | None,
        described(
            "The market of the line: the middle of what the payers pay their middle organizations, each payer counted "
            f"once; a payer with fewer than {LEAST_ORGANIZATIONS} organizations counts with its middle rate.",
            110.0,
        ),
    ]
    other_payers: Annotated[
        int,
        described(f"Number of other payers with at least {LEAST_ORGANIZATIONS} organizations that have the line.", 1),
    ]
    other_payer: Annotated[str | None, described("Name of the only one, if it is one.", "Example Apple")]
    other_middle: Annotated[
        float | None,
        described("What these pay their middle organization: the middle of them, each payer counted once.", 114.0),
    ]
    rates: Annotated[int, described("Number of the payer's rates for the line, the clinic's included.", 70)]
    percent: Annotated[
        float | None,
        described("The rate against Medicare's amount, in its own area if it has `areas`: 1.2 is 120%.", 1.2),
    ]
    gap_to_middle: Annotated[
        float | None,
        described("`rate` minus `middle`, in dollars; null where no other organization has such rates.", -9.0),
    ]
    difference: Annotated[
        float | None, described("The same in percent of `middle`: -0.1 is 10% below; null if that is zero.", -0.0865)
    ]
    total_gap: Annotated[
        float | None,
        described(
            "The gap times the units. If no line has units, times `services`. Null where neither is known, where "
            f"`other_organizations` is below {LEAST_ORGANIZATIONS}, and of an odd price: such a gap is in no sum.",
            -1080.0,
        ),
    ]
    total_to_high: Annotated[
        float | None,
        described(
            "What a rise to `high` would add, in dollars: times the units or services, as in `total_gap`, and null as "
            "there; 0 if the rate is not below it.",
            4200.0,
        ),
    ]
    reason: Annotated[str | None, described("Why the line has no position at the payer.", None)]

    @property
    def is_one_contract(self) -> bool:
        """Whether more than half of the organizations are under one contract, so that its price is the middle one."""
        return is_mostly_one(self.one_contract, self.organizations)

    @property
    def to_middle(self) -> float | None:
        """The share by which the price would have to rise to be the middle organization's; None if it is not below."""
        price, middle = self.rate, self.middle
        return middle / price - 1 if self.gap_to_middle is not None and price and middle and price < middle else None

    @property
    def times(self) -> float | None:
        """How often the line is rendered, as its totals count it; None for a line that counts in no sum."""
        return None if self.total_gap is None else self.services if self.units is None else self.units

    @property
    def totals_of_spread(self) -> tuple[float, float] | None:
        """What the gaps of the lowest and of the highest of the clinic's prices come to; None without a total."""
        if self.total_gap is None or self.times is None:
            return None
        gaps = self.gaps_of_spread
        return (gaps[0] * self.times, gaps[1] * self.times) if gaps else (self.total_gap, self.total_gap)

    @property
    def medicare(self) -> float | None:
        """Medicare's amount that `percent` is of, in dollars."""
        return self.rate / self.percent if self.rate and self.percent else None

    @property
    def own_percents(self) -> tuple[str, ...]:
        """The percents of Medicare that its prices in its own area are, as `tiers` has them; none if not known."""
        return tuple(one.partition(":")[0] for one in self.tiers.split("; ")) if self.tiers else ()

    @property
    def equals_middle(self) -> bool:
        """Whether what is compared is the middle organization's price, to the cent."""
        return self.gap_to_middle is not None and round(self.gap_to_middle, 2) == 0

    @property
    def is_own_area(self) -> bool:
        """Whether the price is known to be that of the clinic's own locality."""
        return self.area is not None and self.area == self.own_area

    @property
    def to_high(self) -> float | None:
        """The share by which the price would have to rise to be the third quartile; None if it is not below."""
        if self.gap_to_middle is None or not self.rate or self.high is None or self.rate >= self.high:
            return None
        return self.high / self.rate - 1

    @property
    def from_others(self) -> float | None:
        """The price against what the other payers pay their middle organization; None if that is not known."""
        return self.rate / self.other_middle - 1 if self.rate is not None and self.other_middle else None

    @property
    def differences_of_spread(self) -> tuple[float, float] | None:
        """The gaps of the lowest and of the highest of the clinic's prices in percent; None if it has only one."""
        gaps = self.gaps_of_spread
        return (gaps[0] / self.middle, gaps[1] / self.middle) if gaps and self.middle else None

    @property
    def is_thin(self) -> bool:
        """Whether the line has a gap, but to so few organizations that it counts in no sum."""
        return self.gap_to_middle is not None and self.other_organizations < LEAST_ORGANIZATIONS

    @property
    def counts(self) -> bool:
        """Whether the line has a gap that counts in sums."""
        return self.gap_to_middle is not None and not self.is_thin and not self.is_odd

    @property
    def has_spread(self) -> bool:
        """Whether the clinic has several prices for the line of which the file does not say which applies."""
        return self.lowest != self.highest

    @property
    def gaps_of_spread(self) -> tuple[float, float] | None:
        """The gaps of the lowest and of the highest of the clinic's prices; None if it has only one."""
        if self.lowest is None or self.highest is None or self.gap_to_middle is None or self.middle is None:
            return None
        return (self.lowest - self.middle, self.highest - self.middle) if self.has_spread else None
