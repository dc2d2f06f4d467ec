"""The rows that say how often rates are below a state's workers' compensation schedule, and by how much."""

from dataclasses import dataclass
from typing import Annotated

from core.queries.parties.tax_id_people import TaxIdPeople
from core.queries.rules.columns import (
    BusinessName,
    Code,
    CodeName,
    CodeType,
    Modifier,
    PayerName,
    PayerSlug,
    ReleaseMonth,
    TinType,
    TinValue,
    described,
)


@dataclass(frozen=True)
class BelowSchedule:
    """How many of some rates are below the schedule's amount for them."""

    compared: Annotated[int, described("Rates in dollars that the schedule has an amount for.", 40)]
    below: Annotated[int, described("How many of them are less than that amount.", 12)]
    share: Annotated[float, described("Share of these rates that are below: 0.3 is 30%.", 0.3)]
    percent_p50: Annotated[float, described("Median percent of the schedule of all of them: 1 is 100%.", 1.05)]
    schedule_of_medicare: Annotated[
        float | None,
        described(
            "The schedule's amount divided by Medicare's for the same rate, the median of these rates: 3.2 is 320%; "
            "null if Medicare has no amount for any.",
            2.4,
        ),
    ]
    lowest: Annotated[
        float,
        described("Lowest percent of the schedule of the plausible rates, or of all if none is: 1 is 100%.", 0.7),
    ]
    lowest_plausible: Annotated[
        bool,
        described(
            "Whether the rate with the lowest percent is plausible: from 0.5 to 30 times Medicare's amount, or the "
            "schedule's where Medicare has none, and at least a tenth of the schedule's.",
            True,
        ),
    ]
    implausible: Annotated[int, described("How many of the rates are not plausible.", 0)]
    p50: Annotated[
        float | None,
        described(
            "Median of these rates in dollars; null if the schedule has several amounts for them, as for several codes "
            "or modifiers.",
            95.0,
        ),
    ]
    amount: Annotated[float | None, described("The schedule's amount for them in dollars; null as `p50` is.", 104.0)]
    lowest_code: Annotated[str, described("Code of the rate with the lowest percent.", "99213")]
    lowest_rate: Annotated[float, described("The rate with the lowest percent, in dollars.", 70.0)]
    lowest_amount: Annotated[float, described("The schedule's amount for that rate in dollars.", 100.0)]
    release: ReleaseMonth

    @property
    def is_mostly_below(self) -> bool:
        """Whether more than half of the rates are below the schedule."""
        return self.below * 2 > self.compared


InState = Annotated[
    bool | None,
    described(
        "Whether somebody who bills under the tax ID practices in the market's state; null if no address is known.",
        True,
    ),
]


IsLikely = Annotated[
    bool | None,
    described(
        "Whether somebody under the tax ID has a specialty that usually performs the code; null if nothing says which "
        "specialties do, and without one code.",
        True,
    ),
]


@dataclass(frozen=True)
class _OfCode:
    code_type: CodeType
    code: Code
    name: CodeName


@dataclass(frozen=True)
class _OfTaxId(TaxIdPeople):
    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName
    in_state: InState
    is_likely: IsLikely
    code_type: Annotated[str | None, described("Code system; null if the row is of all codes.", "CPT")]
    code: Annotated[str | None, described("Billing code; null if the row is of all codes.", "99213")]
    name: CodeName


@dataclass(frozen=True)
class _OfPayer:
    reporting_entity_name: PayerName
    payer_slug: PayerSlug


@dataclass(frozen=True)
class _OfModifier(_OfCode):
    modifier: Modifier


# What a row is about stands before its figures: the columns of the base named last come first.
@dataclass(frozen=True)
class OrganizationBelow(BelowSchedule, _OfTaxId):
    """The rates of a tax ID, for one code if codes are asked for: a rate counts once for each tax ID of its group."""


@dataclass(frozen=True)
class PayerBelow(BelowSchedule, _OfPayer):
    """The rates of a payer."""


@dataclass(frozen=True)
class CodeBelow(BelowSchedule, _OfCode):
    """The rates of a code."""


@dataclass(frozen=True)
class ModifierBelow(BelowSchedule, _OfModifier):
    """The rates of a code with a modifier, or without one: the schedule may have an amount for each."""


@dataclass(frozen=True)
class BelowTotals:
    """What the tables are about: rates, and organizations with at least one rate below the schedule."""

    rates: Annotated[int, described("Number of rates of the market.", 70)]
    compared: Annotated[int, described("Rates in dollars that the schedule has an amount for.", 40)]
    below: Annotated[int, described("How many of them are less than that amount.", 12)]
    organizations: Annotated[int, described("Tax IDs with a rate that the schedule has an amount for.", 20)]
    organizations_below: Annotated[int, described("Tax IDs with a rate below the schedule.", 8)]
    organizations_below_in_state: Annotated[
        int, described("How many of those below are known to have somebody who practices in the state.", 6)
    ]
    organizations_mostly_below: Annotated[
        int, described("Tax IDs of whose rates more than half are below the schedule.", 7)
    ]
    organizations_mostly_below_in_state: Annotated[
        int, described("How many of these are known to have somebody who practices in the state.", 5)
    ]
    organizations_in_state: Annotated[
        int, described("How many of the tax IDs are known to have somebody who practices in the state.", 15)
    ]
    organizations_elsewhere: Annotated[
        int, described("How many of the tax IDs have somebody of whom all that is known is an address elsewhere.", 5)
    ]
    organizations_likely: Annotated[
        int | None,
        described(
            "How many of the tax IDs have somebody of a specialty that usually performs the code; null if nothing says "
            "which specialties do, and without one code.",
            10,
        ),
    ]
    percent_p50: Annotated[
        float | None, described("Median percent of the schedule of the compared rates: 1 is 100%; null without.", 0.9)
    ]
    schedule_of_medicare: Annotated[
        float | None,
        described(
            "The schedule's amount divided by Medicare's for the same rate, the median of the compared rates.", 2.4
        ),
    ]
    organization_rows: Annotated[
        int,
        described(
            "Rows of the organizations: one for each code, if codes are listed, and of the tax IDs of the state alone "
            "if these are asked for.",
            20,
        ),
    ]
    implausible: Annotated[
        int,
        described(
            "Compared rates that are implausible: below 0.5 or above 30 times Medicare's amount, or the schedule's "
            "where Medicare has none, or below a tenth of the schedule's.",
            0,
        ),
    ]
