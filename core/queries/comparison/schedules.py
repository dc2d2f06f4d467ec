"""Medicare's fee schedules: what compared_rates.py needs to know of each. To add one, add its entry to SCHEDULES.

A rate's billing class, setting, and places choose its *own* schedule. If that says of the code that another schedule
pays for it, or does not list the code, the schedules that `follow` it are tried in the order of SCHEDULES, and the
first that has an amount is the one that pays. Some rates have no schedule of their own (NO_OWN_SCHEDULE), and only
their code can say who pays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NO_OWN_SCHEDULE = ("class not stated", "other place", "inpatient")
"""Why a rate has no schedule of its own: reasons for no percent, unless a schedule that follows prices the code."""

HCPCS = ("CPT", "HCPCS")
"""The code systems that most schedules price. CPT is level I of HCPCS, and payers label a code either way."""

MS_DRG = "MS-DRG"
DRG_LABELS = (MS_DRG, "DRG")
"""How payers label MS-DRGs. The other systems of cases (APR-DRG and so on) have numbers and weights of their own."""

ANESTHESIA_SHARES = {"": 1.0, "AA": 1.0, "QZ": 1.0, "QK": 0.5, "QX": 0.5, "QY": 0.5}
"""What a modifier leaves of the factor: a physician alone (AA) and a nurse anesthetist alone (QZ) are paid all of it,
those who share a case half of it each. Source: 42 CFR 414.46 and 414.60."""


@dataclass(frozen=True)
class Price:
    """The amounts of one modifier in a row of the schedule's table, as SQL over the row (AS b).

    `inside` is the amount in facilities, where it differs from the one outside. `reason` says why there is none.
    """

    outside: str
    inside: str = "NULL"
    modifier: str = "''"
    reason: str = "NULL"


@dataclass(frozen=True)
class Schedule:
    """A schedule whose table is bench_<kind>. Texts that are not words are SQL over a row of the table (AS b).

    `detail` is what the schedule says of the code. `outside_na` and `inside_na`: whether it publishes no amount of its
    own for the setting. `passes_on`: whether it says that another schedule pays for the code. `lists_all`: whether it
    lists every code, so that one it does not list is not passed on. `takes` is a condition on a rate's terms; other
    rates have the reason `otherwise`. `last_month` is the month in which the schedule's year ends.
    """

    kind: str
    title: str
    prices: tuple[Price, ...]
    detail: str
    follows: tuple[str, ...] = ()
    passes_on: str = "false"
    lists_all: bool = False
    outside_na: str = "false"
    inside_na: str = "false"
    code_types: tuple[str, ...] = HCPCS
    takes: str = "true"
    otherwise: str = "not priced"
    last_month: int = 12

    @property
    def code_system(self) -> str:
        """The one name for its code systems that rates and schedules are joined by."""
        return self.code_types[-1]


def _by_indicator(column: str, reasons: dict[str, tuple[str, ...]]) -> str:
    """Return SQL of a row's reason, more exact than `not priced` where the schedule's indicator says more."""
    cases = "".join(
        f" WHEN b.{column} IN ({', '.join(repr(one) for one in indicators)}) THEN '{reason}'"
        for reason, indicators in reasons.items()
    )
    return f"CASE WHEN b.reason IS DISTINCT FROM 'not priced' THEN b.reason{cases} ELSE b.reason END"


def _by_modifier(amount: str) -> Price:
    """Return the price of a table with a row for each modifier. Contractors price what it lists without an amount."""
    return Price(amount, modifier="b.modifier", reason="if(b.reason = 'not priced', 'contractor priced', b.reason)")


# Restricted services (R) without relative values are priced by the contractors too, and their row has no reason.
_PHYSICIAN_REASON = f"""CASE
    WHEN b.status = 'R' AND b.medicare_prof_rate IS NULL AND b.facility_rate IS NULL THEN 'contractor priced'
    ELSE {
    _by_indicator(
        "status",
        {
            "contractor priced": ("C",),
            "not covered": ("N", "M", "Q"),
            "another code": ("I",),
            "another schedule": ("E", "X"),
        },
    )
} END"""

# Addendum B has dental codes without a price under the indicator of codes that another one takes the place of. None
# does: Medicare covers dental services in few cases, and those codes have prices (docs/method.md).
_OUTPATIENT_REASON = f"""CASE
    WHEN b.opps_si = 'B' AND regexp_full_match(b.code, 'D[0-9]{{4}}') THEN 'not covered'
    ELSE {
    _by_indicator(
        "opps_si",
        {
            "another schedule": ("A", "Y"),
            "another code": ("B",),
            "code ended": ("D",),
            "not covered": ("E1", "M"),
            "paid at cost": ("F", "H", "H1", "L"),
        },
    )
} END"""

SCHEDULES = (
    Schedule(
        kind="medicare_prof",
        title="MPFS",
        prices=(
            Price("b.medicare_prof_rate", "b.facility_rate", reason=_PHYSICIAN_REASON),
            Price("b.nonfacility_rate_26", "b.facility_rate_26", "'26'"),
            Price("b.nonfacility_rate_tc", "b.facility_rate_tc", "'TC'"),
            Price("b.nonfacility_rate_53", "b.facility_rate_53", "'53'"),
        ),
        detail="'status ' || b.status",
        # What is bundled into other services (B) has no price of its own anywhere.
        passes_on="b.reason IS NOT NULL AND b.status IS DISTINCT FROM 'B'",
        outside_na="b.nonfacility_na",
        inside_na="b.facility_na",
        # Hospitals are paid by it for therapy and mammograms (status indicator A).
        follows=("opps",),
    ),
    Schedule(
        kind="anesthesia",
        title="Anesthesia conversion factor",
        prices=tuple(
            Price(f"b.amount * {share}", modifier=repr(modifier), reason="b.reason")
            for modifier, share in ANESTHESIA_SHARES.items()
        ),
        detail="'per unit, ' || coalesce(b.base_units || ' base units', 'base units by report')",
        follows=("medicare_prof", "class not stated"),
        # What is no plausible price of a unit is the price of a case, whose time no file states.
        takes="size = 'factor'",
        otherwise="anesthesia",
    ),
    Schedule(
        kind="ambulance",
        title="AFS",
        prices=(Price("b.amount", reason="b.reason"),),
        # A rate does not know where patients are picked up.
        detail="'urban pickup' || coalesce(printf('; rural $%.2f', b.rural_amount), '')",
        follows=("medicare_prof", "opps", "class not stated", "other place"),
    ),
    Schedule(
        kind="ipps",
        title="IPPS base payment",
        prices=(Price("b.amount", reason="b.reason"),),
        detail="'before hospital add-ons, weight ' || b.weight",
        follows=("inpatient",),
        code_types=(MS_DRG,),
        last_month=9,
    ),
    Schedule(
        kind="asc",
        title="ASC",
        prices=(
            Price(
                "b.asc_mar_stateavg",
                reason=_by_indicator(
                    "asc_pi",
                    {
                        "another code": ("B5",),
                        "code ended": ("D5",),
                        "contractor priced": ("J7", "K7"),
                        "paid at cost": ("F4",),
                    },
                ),
            ),
        ),
        detail="'indicator ' || b.asc_pi",
    ),
    Schedule(
        kind="clfs",
        title="CLFS",
        prices=(_by_modifier("b.amount"),),
        detail="NULL",
        # Neither a hospital's nor a surgical center's own payment has laboratory tests in it (42 CFR 416.164).
        follows=("medicare_prof", "opps", "asc", "class not stated", "other place"),
    ),
    Schedule(
        kind="asp",
        title="ASP",
        prices=(_by_modifier("b.amount"),),
        detail="'per ' || b.dosage",
        # Hospitals and surgical centers have rates for drugs in their own addenda.
        follows=("medicare_prof", "class not stated", "other place"),
    ),
    Schedule(
        kind="opps",
        title="OPPS",
        prices=(Price("b.opps_mar_stateavg", reason=_OUTPATIENT_REASON),),
        detail="'status ' || b.opps_si || coalesce(', APC ' || b.opps_apc, '')",
        # A: paid under another schedule. Q4: a laboratory test, by its own unless it is packaged. Y: equipment.
        passes_on="b.opps_si IN ('A', 'Q4', 'Y')",
        lists_all=True,
        # Drugs (G, K, K1) that ASP does not list, such as gene therapies, have their price here. All other prices are a
        # hospital's, not a clinician's. That a code has ended (D) holds for everybody.
        follows=("medicare_prof", "class not stated"),
        takes="own = 'opps' OR coalesce(regexp_matches(says, '^status (G|K|K1|D)(,|$)'), false)",
        otherwise="code not found",
    ),
    Schedule(
        kind="dmepos",
        title="DMEPOS",
        prices=(_by_modifier("b.amount"),),
        detail="CASE b.list WHEN 'DMEPOS' THEN 'category ' || b.category ELSE b.list END",
        follows=("medicare_prof", "opps", "asc", "class not stated", "other place"),
    ),
)
"""The schedules, in the order in which those that follow are tried."""

OWN_SCHEDULES = ("medicare_prof", "opps", "asc")
"""The schedules that a rate may have as its own."""


class ChainLink(NamedTuple):
    """The schedule that is tried at a step for rates with the same `own`: a schedule, or one of NO_OWN_SCHEDULE."""

    own: str
    step: int
    kind: str


def chain_links(schedules: Sequence[Schedule]) -> Iterator[ChainLink]:
    """Yield the chains of all rates through some of SCHEDULES. The step is 0 for a rate's own schedule."""
    for own in (*OWN_SCHEDULES, *NO_OWN_SCHEDULE):
        if own in OWN_SCHEDULES:
            yield ChainLink(own, 0, own)
        following = (one.kind for one in schedules if own in one.follows)
        yield from (ChainLink(own, step, kind) for step, kind in enumerate(following, 1))


BASES = {"mpfs": "medicare_prof", "opps": "opps", "asc": "asc"}
"""The schedules of OWN_SCHEDULES as visitors and the table schedule_fit name them."""

RULES = {
    "class": "The billing class, setting and places that the file states.",
    "code": "The schedule of the class says that another schedule pays for the code, or does not list it.",
    "provider": "The provider is a surgical center, which bills on the form of professionals.",
    "fit": "The payer's rates fit this schedule far better than that of the class that its file states.",
    "visitor": "You asked for it.",
}
"""What chose the schedule that a rate is compared with."""
