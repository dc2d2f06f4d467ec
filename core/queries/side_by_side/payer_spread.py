"""The row of a payer and a code in a comparison of payers."""

from dataclasses import dataclass
from typing import Annotated

from core.queries.market.market_filters import NO_MODIFIER
from core.queries.parties.middle_by_payer import is_ranked
from core.queries.rules.columns import (
    AgainstOthers,
    BillingClass,
    Code,
    CodeName,
    CodeType,
    Modifier,
    OthersPrice,
    PayerName,
    RateCount,
    RateP10,
    RateP25,
    RateP50,
    RateP75,
    RateP90,
    described,
)
from core.queries.rules.largest_contract import is_mostly_one
from core.queries.rules.measured_class import (
    like_class,
)

_OF_PRICES = (
    "of the prices of the payer's organizations, one of them; null if `by_organizations` is false, and for all payers."
)


@dataclass(frozen=True)
class PayerSpread:
    """The rates in dollars of one payer for one code, class and modifier, each rate counted once."""

    code_type: CodeType
    code: Code
    name: CodeName
    billing_class: BillingClass
    modifier: Modifier
    care_setting: Annotated[
        str | None,
        described(
            "`surgical center` for a facility's rates that hold in surgical centers and in no hospital; for a "
            "professional's, `non-facility or unstated` and `facility or unstated` where some are for facilities alone "
            "and some for other places alone; null for all others, and if the request names a setting.",
            None,
        ),
    ]
    payer_slug: Annotated[
        str | None,
        described(
            "Key of the payer, for the parameter `payer`; null for all payers together.", "example_peach_health_plan"
        ),
    ]
    reporting_entity_name: PayerName
    year_month: Annotated[
        str | None, described("Month of the payer's file; null for all payers if theirs differ.", "2025-08")
    ]
    labeled: Annotated[
        str | None,
        described(
            "What the files label these rates, where `billing_class` is `like professional` or `like institutional`: "
            "the rates measured as that class, whatever a payer labels them; null otherwise.",
            None,
        ),
    ]
    rates: RateCount
    p10: RateP10
    p25: RateP25
    p50: RateP50
    p75: RateP75
    p90: RateP90
    base_p50: Annotated[
        float | None,
        described("Median of the payer given as `base`, or of all payers; null if it has no such rate.", 95.0),
    ]
    organizations: Annotated[
        int | None,
        described("Number of tax IDs (TINs) with such rates, as far as known; null for all payers together.", 12),
    ]
    price: Annotated[
        float,
        described(
            "What is compared: what the payer's middle organization is paid, or, if `by_organizations` is false, p50. "
            "Of all payers together, the market: the middle of the payers' prices, each payer counted once.",
            96.5,
        ),
    ]
    by_organizations: Annotated[
        bool,
        described("Whether it is compared by its middle organization: at least 5 tax IDs have such rates.", True),
    ]
    price_p10: Annotated[float | None, described(f"10th percentile {_OF_PRICES}", 90.0)]
    price_p25: Annotated[float | None, described(f"25th percentile {_OF_PRICES}", 93.0)]
    price_p75: Annotated[float | None, described(f"75th percentile {_OF_PRICES}", 110.0)]
    price_p90: Annotated[float | None, described(f"90th percentile {_OF_PRICES}", 120.0)]
    one_contract: Annotated[
        int | None,
        described(
            "Number of these organizations under the contract with most of them: with rates of the same provider "
            "groups. If it is more than half, price is the contract's. Null for all payers together.",
            3,
        ),
    ]
    base_price: Annotated[
        float | None,
        described("price of the payer given as `base`, or the market; null if it has no such rate.", 95.0),
    ]
    difference: Annotated[
        float | None,
        described("price against base_price: 0.1 is 10% above; null if there is no base_price or it is zero.", 0.1),
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

    @property
    def percentiles(self) -> tuple[float, float, float, float, float]:
        """The percentiles of what is compared: of the organizations' prices, or else of the rates."""
        prices = (self.price_p10, self.price_p25, self.price, self.price_p75, self.price_p90)
        p10, p25, _, p75, p90 = prices if self.by_organizations else (None,) * 5
        if p10 is None or p25 is None or p75 is None or p90 is None:
            return self.p10, self.p25, self.p50, self.p75, self.p90
        return p10, p25, self.price, p75, p90

    @property
    def other_label(self) -> str:
        """What the payer labels the rates, if that is another class than they are measured as; or empty text."""
        is_other = self.payer_slug and self.labeled and like_class(self.labeled) != self.billing_class
        return self.labeled or "" if is_other else ""

    @property
    def line(self) -> tuple[str, str, str | None, str, str | None]:
        """What the distributions that may be compared have in common."""
        return self.code_type, self.code, self.billing_class, self.modifier, self.care_setting

    @property
    def terms(self) -> dict[str, str | None]:
        """Return the filters that select these rates on other pages, as far as filters can."""
        modifier = self.modifier or NO_MODIFIER
        return {
            "code_type": None if "/" in self.code_type else self.code_type,
            "code": self.code,
            "billing_class": self.billing_class,
            "modifier": None if "," in modifier else modifier,
            **({"care_setting": self.care_setting} if self.care_setting else {}),
            "payer": self.payer_slug,
        }


@dataclass(frozen=True)
class PricedSpread(PayerSpread):
    """A payer's spread with what its price is of Medicare, as the page and the workbook have it."""

    percent: Annotated[
        float | None, described("Percent of Medicare of what is compared: 1 is 100%; null if not known.", 1.21)
    ] = None
