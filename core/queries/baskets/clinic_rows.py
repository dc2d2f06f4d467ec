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
            "The rate given with the line, or the clinic's price: that of its own `area` if that is known, or else "
            "`compared_price`.",
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
            "Lowest of the clinic's rates, in dollars, without the odd ones unless it has no others; null if one is "
            "given.",
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
            "The payment locality of most of the clinic's NPIs, if its several prices are one percent of Medicare in "
            "several localities, and one is of this one. The others are then no choice.",
            None,
        ),
    ]
    areas: Annotated[
        str | None,
        described("Where there is an area: the percent, with each price and its locality.", "115%: Dallas $72.92"),
    ]
    compared_price: Annotated[
        float | None,
        described(
            "What is compared: the rate that is given, or the clinic's price as in the table of organizations, the "
            "middle of its rates, so that several areas of one contract are the same for everybody.",
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
    paid_less: Annotated[
        int | None, described("Number of other organizations whose price is below `compared_price`.", 120)
    ]
    paid_same: Annotated[int | None, described("Number of other organizations whose price is the same.", 180)]
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
    payers_middle: Annotated[
        float | None,
        described(
            "The market of the line: the middle of what the payers pay their middle organizations, each payer counted "
            f"once; a payer with fewer than {LEAST_ORGANIZATIONS} organizations counts with its middle rate.",
            110.0,
        ),
    ]
    rates: Annotated[int, described("Number of the payer's rates for the line, the clinic's included.", 70)]
    percent: Annotated[
        float | None,
        described("The rate against Medicare's amount, that of `area` if there is one: 1.2 is 120%.", 1.2),
    ]
    gap_to_middle: Annotated[
        float | None,
        described(
            "`compared_price` minus `middle`, in dollars; null where no other organization has such rates.", -9.0
        ),
    ]
    difference: Annotated[
        float | None, described("The same in percent of `middle`: -0.1 is 10% below; null if that is zero.", -0.0865)
    ]
    total_gap: Annotated[
        float | None,
        described(
            "The gap times the units, once for a line without. If no line has units, times `services`, null where "
            "these are not known; and once if they are known of no line. Null where `other_organizations` is below "
            f"{LEAST_ORGANIZATIONS}, and of an odd price: such a gap is in no sum.",
            -1080.0,
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
        price, middle = self.compared_price, self.middle
        return middle / price - 1 if self.gap_to_middle is not None and price and middle and price < middle else None

    @property
    def equals_middle(self) -> bool:
        """Whether what is compared is the middle organization's price, to the cent."""
        return self.gap_to_middle is not None and round(self.gap_to_middle, 2) == 0

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
        return self.area is None and self.lowest != self.highest

    @property
    def gaps_of_spread(self) -> tuple[float, float] | None:
        """The gaps of the lowest and of the highest of the clinic's prices; None if it has only one."""
        if self.lowest is None or self.highest is None or self.gap_to_middle is None or self.middle is None:
            return None
        return (self.lowest - self.middle, self.highest - self.middle) if self.has_spread else None
