"""Why a rate has no percent of Medicare: a closed list. These words have no other copy."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """A reason, what it means, and what would be needed to compare the rate."""

    name: str
    meaning: str
    needed: str


_REASONS = (
    Reason(
        "percentage",
        "The rate is a percentage of the billed charge, not an amount in dollars.",
        "The provider's charge for the service.",
    ),
    Reason(
        "per diem",
        "The rate pays for a day; Medicare's schedules pay for a service or a stay.",
        "The length of the stay, and a Medicare payment for the same stay.",
    ),
    Reason(
        "bundle",
        "The rate pays for several services together.",
        "The services in the bundle and how often each is performed.",
    ),
    Reason(
        "capitation",
        "The rate pays for a member, not for a service.",
        "The services that members use.",
    ),
    Reason(
        "other",
        "The file does not say what the figure is: its type or its arrangement is missing or unknown.",
        "A file that states the type of the rate.",
    ),
    Reason(
        "zero rate",
        "The rate is zero: payers write zero when they have no rate.",
        "The rate that is actually paid.",
    ),
    Reason(
        "class not stated",
        "The file does not say whether the rate is professional or institutional, or says both.",
        "One billing class.",
    ),
    Reason(
        "inpatient",
        "An inpatient rate or an inpatient-only service: Medicare pays hospitals by the case (MS-DRG).",
        "The MS-DRG of the case, and the inpatient schedule (IPPS) of the year.",
    ),
    Reason(
        "other place",
        "An institutional rate for places where Medicare has neither outpatient nor surgical center prices.",
        "A hospital's or surgical center's place of service, or the schedule of that place (home health, skilled "
        "nursing, dialysis, hospice).",
    ),
    Reason(
        "other code system",
        "Medicare's schedules price CPT and HCPCS codes and MS-DRGs; this code belongs to another system.",
        "The CPT or HCPCS code of the service.",
    ),
    Reason(
        "benchmark not loaded",
        "No schedule in effect in this month is available for this state.",
        "The release of the schedule that was in effect in the month.",
    ),
    Reason(
        "code not found",
        "No schedule in effect lists the code: it ended some years ago, is newer than the schedule, or belongs to "
        "Medicaid or to the payer itself.",
        "The code that Medicare uses for the service, or the release of the code's year.",
    ),
    Reason(
        "code ended",
        "The code is no longer in use: the schedule in effect lists it as discontinued.",
        "The code that took its place, or a rate of a month in which the code was in use.",
    ),
    Reason(
        "packaged",
        "Medicare pays nothing apart for this: its price is part of another service's.",
        "The service that it is packaged into.",
    ),
    Reason(
        "anesthesia",
        "Medicare pays anesthesia by base units and time. The rate is not a plausible price of one unit, and the file "
        "does not say for how much time it pays.",
        "The rate per unit (conversion factor), or the minutes of anesthesia.",
    ),
    Reason(
        "unit not stated",
        "Equipment has separate amounts for a month's rent, a new item, and a used one. The rate does not say which.",
        "The modifier: RR (rental), NU (new), or UE (used).",
    ),
    Reason(
        "modifier not priced",
        "The modifier changes the payment, and the schedule has no amount for it.",
        "The rate without the modifier, or the rule by which it changes the payment.",
    ),
    Reason(
        "not paid in this setting",
        "Medicare does not pay for this where the service is rendered. The technical part of a scan (TC) in a hospital "
        "is part of the hospital's own payment.",
        "The rate for the setting in which Medicare pays.",
    ),
    Reason(
        "contractor priced",
        "Medicare has no national price: each regional contractor sets its own.",
        "The contractor's price.",
    ),
    Reason(
        "paid at cost",
        "Medicare pays what it costs: the provider's reasonable cost, or the invoice.",
        "The cost.",
    ),
    Reason(
        "another code",
        "Medicare does not accept this code here and pays for the service under another code.",
        "The code that Medicare uses, such as G0463 for a hospital's clinic visit.",
    ),
    Reason(
        "another schedule",
        "Medicare pays for this under another schedule, which is not available here or does not list the code.",
        "That schedule: laboratory, drugs, equipment, ambulance, or vaccines.",
    ),
    Reason(
        "not covered",
        "Medicare does not cover this, or reports it without paying for it.",
        "Nothing: Medicare has no amount.",
    ),
    Reason(
        "not priced",
        "The schedule lists the code without a price.",
        "A release that prices the code.",
    ),
)

REASONS = {one.name: one for one in _REASONS}
"""Why a rate has no percent of Medicare. Every rate has a percent or one of these reasons."""

MOST_HELPFUL_FIRST = (
    "unit not stated", "modifier not priced", "not paid in this setting", "contractor priced", "paid at cost",
    "anesthesia", "code ended", "packaged", "another code", "not covered", "another schedule", "inpatient",
    "not priced", "code not found", "benchmark not loaded",
)  # fmt: skip
"""Where several schedules say why they have no amount for a rate, the first of these tells a reader most."""
