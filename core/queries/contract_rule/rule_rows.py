"""The rows that say what rule is behind some rates."""

from dataclasses import dataclass
from typing import Annotated

from core.queries.rules.columns import Code, CodeType, Modifier, NegotiatedRate, described

_OF_FAMILY = (
    "of the percents of the family's prices, as the table of prices has them: 1 is 100%. Without those below 50% and "
    "above 3,000%, likely errors, unless all are."
)


@dataclass(frozen=True)
class FamilyRule:
    """What one family of services is paid of Medicare: the multiple that most of its prices have, and the middle."""

    family: Annotated[str, described("Family of services, by code number.", "evaluation and management")]
    multiple: Annotated[
        float | None,
        described(
            "Rate divided by the amount, 1.18 is 118%: the multiple of the family; of several levels, the one that "
            "most of its prices have. Null if none is known.",
            1.18,
        ),
    ]
    national: Annotated[
        bool | None,
        described("Whether it is a multiple of the national amounts; false if of those of localities.", False),
    ]
    own: Annotated[bool, described("Whether it differs from the first multiple of all families.", False)]
    prices: Annotated[int, described("Number of prices.", 210)]
    explained: Annotated[int, described("Number of prices that the multiple reproduces.", 204)]
    percent_p25: Annotated[float | None, described(f"First quartile {_OF_FAMILY}", 1.18)]
    percent_p50: Annotated[float | None, described(f"Median {_OF_FAMILY}", 1.18)]
    percent_p75: Annotated[float | None, described(f"Third quartile {_OF_FAMILY}", 1.2)]


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
    medicare: Annotated[
        float | None,
        described(
            "Amount in dollars: of the schedule of a rule; of a price level, that which the price is a percent of. Of "
            "a price without either, what its rates are compared with on every page: the amount of the release in "
            "force in the provider's area, and of several areas that of the rate in the middle.",
            88.56,
        ),
    ]
    area: Annotated[
        str | None,
        described(
            "Where the amount applies: NATIONAL, or the payment locality; or `state mean` for the mean over the "
            "state's areas, if the provider's is not known.",
            "HOUSTON (04412-18)",
        ),
    ]
    percent: Annotated[
        float | None,
        described(
            "Rate divided by the amount: 1 is 100%. Of a payer, a service has one price, its most common rate. So the "
            "middle of these is not the middle of all rates, `percent_p50` of the rule, in which each rate counts.",
            1.18,
        ),
    ]
    expected: Annotated[
        float | None,
        described("What the rule says, in dollars; of several levels, the nearest. Null without a rule.", 104.5),
    ]
    difference: Annotated[float | None, described("Rate less `expected`, in dollars.", 0.0)]
    explained: Annotated[bool, described("Whether the rule, or one of the levels, reproduces the rate.", True)]


_PERCENTS = (
    "the rates divided by what Medicare pays where their providers are, if there is no rule: of all rates, those that "
    "other schedules pay included. Of a provider, they are the figures of its page, of a payer those of /medicare."
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
    release: Annotated[
        str | None,
        described(
            "Month of the schedule's release; without a rule, of the one that the prices are compared with.", "2023-01"
        ),
    ]
    state: Annotated[str | None, described("State of the locality.", "TX")]
    contractor: Annotated[str | None, described("Medicare contractor of the locality.", "04412")]
    locality: Annotated[str | None, described("Number of the payment locality.", "18")]
    locality_name: Annotated[str | None, described("Name of the payment locality.", "HOUSTON")]
    multiple: Annotated[
        float | None,
        described("Rate divided by the amount, 1.18 is 118%; of several levels, of the one with most prices.", 1.18),
    ]
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
