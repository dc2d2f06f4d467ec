"""The rows that say what rule is behind some rates."""

from dataclasses import dataclass
from typing import Annotated

from core.queries.rules.columns import Code, CodeType, Modifier, NegotiatedRate, described


@dataclass(frozen=True)
class FamilyRule:
    """The multiple of Medicare that one family of services is paid."""

    family: Annotated[str, described("Family of services, by code number.", "evaluation and management")]
    multiple: Annotated[float, described("Rate divided by the amount: 1.18 is 118%.", 1.18)]
    own: Annotated[bool, described("Whether it differs from the multiple of all families.", False)]
    prices: Annotated[int, described("Number of prices.", 210)]
    explained: Annotated[int, described("Number of prices that the multiple reproduces.", 204)]


@dataclass(frozen=True)
class RulePrice:
    """The most common rate of a service beside the amount of the schedule and what the rule says."""

    code_type: CodeType
    code: Code
    modifier: Modifier
    facility: Annotated[bool, described("Whether it is the price in facilities.", False)]
    family: Annotated[str, described("Family of services, by code number.", "imaging")]
    negotiated_rate: NegotiatedRate
    rates: Annotated[int, described("Number of rates with this amount.", 12)]
    all_rates: Annotated[int, described("Number of rates for the same service.", 14)]
    medicare: Annotated[float | None, described("Amount of the schedule in dollars.", 88.56)]
    percent: Annotated[float | None, described("Rate divided by the amount: 1 is 100%.", 1.18)]
    expected: Annotated[float | None, described("What the rule says, in dollars.", 104.5)]
    difference: Annotated[float | None, described("Rate less `expected`, in dollars.", 0.0)]
    explained: Annotated[bool, described("Whether the rule reproduces the rate.", True)]


_PERCENTS = (
    "the rates divided by what Medicare pays, if there is no rule. Of a provider, of its rates, as on its page, and "
    "null if it has very many prices; of a payer, of its prices against the schedule that they vary least against."
)


@dataclass(frozen=True)
class ContractRule:
    """The multiple of a Medicare schedule that reproduces most prices, or that none does."""

    verdict: Annotated[
        str,
        described(
            "rule (one multiple, in one payment locality or in several); levels (several multiples at once); none; "
            "too few (prices to tell); not loaded (no Medicare schedule is).",
            "rule",
        ),
    ]
    sentence: Annotated[str, described("The answer in words.", "118% of the 2023 physician fee schedule …")]
    release: Annotated[str | None, described("Month of the schedule's release.", "2023-01")]
    state: Annotated[str | None, described("State of the locality.", "TX")]
    contractor: Annotated[str | None, described("Medicare contractor of the locality.", "04412")]
    locality: Annotated[str | None, described("Number of the payment locality.", "18")]
    locality_name: Annotated[str | None, described("Name of the payment locality.", "HOUSTON")]
    multiple: Annotated[float | None, described("Rate divided by the amount: 1.18 is 118%.", 1.18)]
    conversion_factor: Annotated[
        float | None, described("The multiple as dollars per relative value unit: what contracts often state.", 39.99)
    ]
    prices: Annotated[int, described("Number of prices of services that a schedule of physicians pays for.", 1210)]
    explained: Annotated[int, described("How many of them the multiples reproduce.", 1104)]
    as_well: Annotated[
        list[str], described("Releases and localities that reproduce the prices equally well.", ["2023-07, HOUSTON"])
    ]
    percent_p25: Annotated[float | None, described(f"First quartile of {_PERCENTS}", None)] = None
    percent_p50: Annotated[float | None, described(f"Median of {_PERCENTS}", None)] = None
    percent_p75: Annotated[float | None, described(f"Third quartile of {_PERCENTS}", None)] = None
