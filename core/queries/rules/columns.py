"""The columns that several answers share: their types, what they mean, and an example of each.

An answer's row is a dataclass whose fields are annotated with these types, or with an `Annotated` of its own. A column
of the store is described as the store declares it, so that its meaning is written once. The API builds its
documentation from the annotations; at run time they change nothing.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from core.queries.rules.far_from_others import FAR_TIMES, LEAST_OTHERS
from core.store.schema.tables import (
    DIM_BATCH,
    DIM_BENCHMARK,
    DIM_CODE,
    DIM_NPI,
    DIM_POS_SET,
    DIM_PROVIDER_GROUP,
    DIM_REPORTING_ENTITY,
    DQ_FINDING,
    DQ_RUN,
    FACT_RATE,
    ORGANIZATION,
    XREF_GROUP_TIN,
    Table,
)


def described(meaning: str, example: Any) -> Any:
    """Describe a field in a sentence and with an example."""
    return Field(description=meaning, examples=[example])


def stored(table: Table, name: str, example: Any) -> Any:
    """Describe a field as the store describes the column of that name."""
    (meaning,) = (column.meaning for column in table.columns if column.name == name)
    return described(meaning, example)


# What a rate is for.
FactUid = Annotated[str, stored(FACT_RATE, "fact_uid", "8f1d2c0a5b6e47d39c1f0e2a7b4d6c88")]
State = Annotated[str, stored(FACT_RATE, "state", "GA")]
Month = Annotated[str, stored(FACT_RATE, "year_month", "2025-08")]
FileMonth = Annotated[
    str | None,
    described(
        "Month of the payer's newest file by the file's own date, where that is more than six months before "
        "`year_month`: the rates may be that old. Null otherwise.",
        None,
    ),
]
PayerName = Annotated[str, stored(FACT_RATE, "reporting_entity_name", "Example Peach Health Plan")]
PayerSlug = Annotated[str, stored(DIM_REPORTING_ENTITY, "payer_slug", "example_peach_health_plan")]
CodeType = Annotated[str, stored(FACT_RATE, "code_type", "CPT")]
Code = Annotated[str, stored(FACT_RATE, "code", "99213")]
CodeName = Annotated[str | None, stored(DIM_CODE, "name", "Clinic visit, known patient")]
CodeDescription = Annotated[str | None, stored(DIM_CODE, "code_desc", "Clinic visit, known patient, 20 minutes")]

# The terms of a rate.
RateKind = Annotated[
    str,
    described(
        "dollars, percentage, per diem, bundle, capitation or other. Compare only figures of one kind.", "dollars"
    ),
]
NegotiatedRate = Annotated[float, stored(FACT_RATE, "negotiated_rate", 104.5)]
ScheduleRule = Annotated[
    str | None,
    described(
        "What chose the schedule: the class that the file states (class), the code (code), who is paid (provider), how "
        "the payer's rates fit (fit), or the parameter `basis` (visitor); null if there is no amount.",
        "class",
    ),
]
NegotiatedType = Annotated[str | None, stored(FACT_RATE, "negotiated_type", "negotiated")]
Arrangement = Annotated[str | None, stored(FACT_RATE, "negotiation_arrangement", "ffs")]
BillingClass = Annotated[str | None, stored(FACT_RATE, "billing_class", "professional")]
Setting = Annotated[str | None, stored(FACT_RATE, "setting", None)]
Modifier = Annotated[str, stored(FACT_RATE, "billing_code_modifier", "")]
SeverityOfIllness = Annotated[str | None, stored(FACT_RATE, "severity_of_illness", None)]
ServiceCodes = Annotated[list[str], stored(DIM_POS_SET, "service_codes", ["11"])]

# Whom a rate is for.
RawGroupId = Annotated[str, stored(FACT_RATE, "provider_group_id_raw", "690.6447")]
NpiNumber = Annotated[str, stored(DIM_NPI, "npi", "1234567893")]
TinType = Annotated[str, stored(XREF_GROUP_TIN, "tin_type", "ein")]
TinValue = Annotated[str, stored(XREF_GROUP_TIN, "tin_value", "123456789")]
BusinessName = Annotated[str | None, stored(ORGANIZATION, "name", "Example Family Practice")]
NameSource = Annotated[str | None, stored(ORGANIZATION, "name_source", "nppes")]
NameConfidence = Annotated[str | None, stored(ORGANIZATION, "name_confidence", "high")]
OrganizationKey = Annotated[str | None, stored(ORGANIZATION, "organization_id", "example_family_practice_ga")]
OrganizationName = Annotated[str | None, stored(ORGANIZATION, "organization_name", "Example Family Practice")]
OrganizationSource = Annotated[str | None, stored(ORGANIZATION, "organization_source", "same name")]
OrganizationConfidence = Annotated[str | None, stored(ORGANIZATION, "organization_confidence", "medium")]
SystemKey = Annotated[str | None, stored(ORGANIZATION, "system_id", "example_health_ga")]
SystemName = Annotated[str | None, stored(ORGANIZATION, "system_name", "Example Health")]
SystemSource = Annotated[str | None, stored(ORGANIZATION, "system_source", "ahrq")]
SystemConfidence = Annotated[str | None, stored(ORGANIZATION, "system_confidence", "high")]
FirstTin = Annotated[
    str | None, described("Tax ID of the provider group; of several, the first one with a known name.", "123456789")
]
FirstTinName = Annotated[
    str | None, described("Name of one_tin, with `(inferred)` behind a name that is.", "Example Family Practice")
]
NetworkNames = Annotated[list[str], stored(DIM_PROVIDER_GROUP, "network_names", ["Example PPO"])]

# Where a figure is from.
FileName = Annotated[str, stored(DIM_BATCH, "source", "2025-08_example_in-network.json.gz")]
OldestMonth = Annotated[str, described("The oldest month of these rates: payers may have different ones.", "2025-06")]
NewestMonth = Annotated[str, described("The newest month of these rates.", "2025-08")]
ReleaseMonth = Annotated[str, stored(DIM_BENCHMARK, "release", "2025-01")]

# Counts.
RateCount = Annotated[int, described("Number of rates. A rate counts once, however many NPIs share it.", 12)]
GroupCount = Annotated[int, described("Number of provider groups.", 12)]
NpiCount = Annotated[int, described("Number of distinct NPIs.", 12)]
TinCount = Annotated[int, described("Number of tax IDs (TINs).", 1)]
OneContract = Annotated[
    int,
    described(
        "Number of these organizations under the contract with most of them: with rates of the same provider groups. "
        "If it is more than half, the price in the middle is the contract's.",
        3,
    ),
]
OthersPrice = Annotated[
    float | None,
    described(
        "The middle of the `price` of the other payers, each counted once: of two payers, that of the other. Null if "
        "there is no other.",
        92.0,
    ),
]
AgainstOthers = Annotated[
    float | None, described("price against `others`: 0.1 is 10% above; null if that is null or zero.", 0.0489)
]
PayerCount = Annotated[int, described("Number of payers.", 3)]
FileCount = Annotated[int, described("Number of the payer's files.", 1)]

# The spread of rates, in the unit of their kind.
Lowest = Annotated[float, described("Lowest rate, in the unit of its kind.", 88.0)]
RateP10 = Annotated[float, described("10th percentile, interpolated.", 92.25)]
RateP25 = Annotated[float, described("25th percentile, interpolated.", 98.5)]
RateP50 = Annotated[float, described("Median.", 104.5)]
RateP75 = Annotated[float, described("75th percentile, interpolated.", 117.0)]
RateP90 = Annotated[float, described("90th percentile, interpolated.", 131.75)]
Highest = Annotated[float, described("Highest rate, in the unit of its kind.", 140.0)]
Mean = Annotated[float, described("Mean.", 107.2)]
LeftOutCount = Annotated[
    int,
    described(
        "Rates that are not among these, as likely errors; 0 with `implausible=in`, which counts them.",
        0,
    ),
]
IsLeftOut = Annotated[
    bool, described("Whether figures leave the rate out, as a likely error: see `implausible`.", False)
]
Implausible = Annotated[
    int, described("Rates below 50% or above 3,000% of the amount that they are compared with; `rates` has them.", 0)
]
FarFromOthers = Annotated[
    int,
    described(
        f"Rates in dollars that are not implausible but over {FAR_TIMES} times, or under 1/{FAR_TIMES} of, the median "
        f"of all rates of their code, class, and modifier, if these are at least {LEAST_OTHERS}; `rates` has them.",
        0,
    ),
]
PlausibleLowest = Annotated[
    float | None,
    described("Lowest rate without those that are implausible or far from the others, in the unit of its kind.", 88.0),
]
PlausibleHighest = Annotated[
    float | None,
    described(
        "Highest rate without those that are implausible or far from the others, in the unit of its kind.", 140.0
    ),
]
AreasOfPercents = Annotated[
    str | None,
    described("These percents, each with its prices and their localities.", "115%: Dallas $1,440.23, Austin $1,459.88"),
]
PlausibleMean = Annotated[
    float | None, described("Mean without the rates that are implausible or far from the others.", 107.2)
]

# What the checks found.
RunId = Annotated[int, stored(DQ_RUN, "run_id", 12)]
CheckedAt = Annotated[datetime, stored(DQ_RUN, "checked_at", "2025-09-02T07:00:00Z")]
CheckName = Annotated[str, stored(DQ_FINDING, "check_name", "zero_rates")]
CheckSeverity = Annotated[str, stored(DQ_FINDING, "severity", "warning")]
CheckPassed = Annotated[bool, stored(DQ_FINDING, "passed", True)]
FoundCount = Annotated[int, stored(DQ_FINDING, "found", 12)]
CheckedCount = Annotated[int, stored(DQ_FINDING, "total", 1600)]
FoundShare = Annotated[float, described("found / total, from 0 to 1.", 0.0075)]
Threshold = Annotated[float, stored(DQ_FINDING, "threshold", 0.01)]
