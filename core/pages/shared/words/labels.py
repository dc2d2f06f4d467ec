"""What pages call a filter, a fee schedule, and a check of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.fields.places.care_setting import FACILITY_OR_UNSTATED, SIDES
from core.pages.formats import write_class, write_setting
from core.quality.checks import CHECKS_BY_NAME
from core.queries.classes.class_counts import COMPONENTS
from core.queries.classes.rate_classes import RateClass
from core.queries.comparison.usual_side import READING
from core.queries.market.market_filters import (
    AREA,
    BASIS,
    CLASSES,
    FILTERS,
    IMPLAUSIBLE,
    NO_MODIFIER,
    NOT_STATED,
    YARDSTICK,
)
from core.queries.rules.evidence import BILLED, NONE, SPECIALTY, UNSCORED
from core.queries.rules.measured_class import LIKE_CLASSES, class_of_like, like_class
from core.store.schema.organization_tables import NAME_SOURCES, ORGANIZATION_SOURCES, SYSTEM_SOURCES

_SCHEDULE_LABELS = {
    "medicare_prof": "Physician fee schedule (MPFS)",
    "opps": "Hospital outpatient (OPPS)",
    "asc": "Ambulatory surgical center (ASC)",
    "clfs": "Laboratory tests (CLFS)",
    "asp": "Drugs in an office (ASP)",
    "dmepos": "Equipment and nutrition (DMEPOS)",
    "anesthesia": "Anesthesia (conversion factors)",
    "ambulance": "Ambulances (AFS)",
    "ipps": "Hospital inpatient (IPPS), base payment",
    "wcfs": "Workers’ compensation",
}


def schedule_label(kind: str) -> str:
    """Return the name of a fee schedule."""
    return _SCHEDULE_LABELS.get(kind, kind)


_SOURCE_WORDS = {"name": NAME_SOURCES, "organization": ORGANIZATION_SOURCES, "system": SYSTEM_SOURCES}


def source_words(source: str | None, of: str) -> str:
    """Return where a name, an organization, or a system is from, in words. `of` is one of these three."""
    return _SOURCE_WORDS[of].get(source or "", source or "")


def confidence_words(confidence: str | None) -> str:
    """Return how sure something is: stated, or inferred with high or low confidence."""
    return {"high": "stated", "medium": "inferred", "low": "inferred, low confidence"}.get(confidence or "", "")


_RULE_WORDS = {
    "provider": "chosen because the provider is a surgical center",
    "fit": "chosen because the rates of this payer fit this schedule",
    "visitor": "chosen by you",
}
"""What pages say of a rule that is not the usual one."""


_SHORT_RULE_WORDS = {"provider": "a surgical center", "fit": "chosen by fit", "visitor": "chosen by you"}
"""The same in a row of a table."""


def rule_words(rule: str | None, *, short: bool = False) -> str:
    """Return why a rate is compared with a schedule, if it is not that of its class or its code."""
    return (_SHORT_RULE_WORDS if short else _RULE_WORDS).get(rule or "", "")


_EVIDENCE_WORDS = {
    BILLED: "billed by a member",
    SPECIALTY: "billed by its specialty",
    UNSCORED: "cannot be scored",
    NONE: "no evidence",
}


def evidence_words(level: str | None) -> str:
    """Return what pages call a level of evidence."""
    return _EVIDENCE_WORDS.get(level or "", "")


_LABELS = {
    "year_month": "Month",
    BASIS: "Medicare schedule",
    AREA: "Medicare amounts",
    CLASSES: "Classes of rates",
    YARDSTICK: "Percent of",
    IMPLAUSIBLE: "Implausible rates",
}
"""What pages call what chooses a market and is no filter of rates."""


def filter_label(name: str) -> str:
    """Return what pages call a filter."""
    return _LABELS.get(name) or (FILTERS[name].label if name in FILTERS else name)


_PARTS = {NO_MODIFIER: "", "26": "reading only (26)", "TC": "technical part (TC)"}


def class_label(one: RateClass, classes: Sequence[RateClass] = ()) -> str:
    """Return what pages call a class of rates: whose fee, which part of the service, and where.

    Among `classes`, one that files state says so if another one is by what the rates are measured as.
    """
    whose = "Class not stated" if one.billing_class == NOT_STATED else write_class(one.billing_class).capitalize()
    if is_as_labeled(one, classes):
        whose += " (as labeled)"
    elif one.measured_as not in {"", NOT_STATED}:
        whose = write_class(one.measured_as).capitalize()
    part = _PARTS.get(one.modifier, f"modifier {one.modifier}")
    where = " or ".join(map(write_setting, one.settings))
    return ", ".join(filter(None, (whose, part, where)))


def class_in_short(one: RateClass) -> str:
    """Return what a row of a table calls its class where most are professional fees for the whole."""
    whose = class_of_like(one.measured_as or one.billing_class)
    bill = "" if whose == "professional" else write_class(one.billing_class)
    part = _PARTS.get(one.modifier, f"modifier {one.modifier}")
    return ", ".join(filter(None, (bill, part, " or ".join(map(write_setting, one.settings)))))


MOST_TABS = 4
"""The classes that have a tab at once. The others are folded."""


@dataclass(frozen=True)
class ClassTabs:
    """The classes of a market that have a tab at once, and the others: those after the first few, and as labeled."""

    first: Sequence[RateClass]
    others: Sequence[RateClass]


def class_tabs(
    classes: Sequence[RateClass],
    *,
    all_together: bool = False,
    has_parts: bool = False,
    usually_inside: bool | None = False,
) -> ClassTabs:
    """Return the classes as tabs. The one that is chosen is always in front, unless all are.

    So are the parts of a service: who looks for what is paid in a hospital looks for the reading. With `has_parts`,
    nobody bills the whole there, so it is folded. With `usually_inside`, fees in facilities come before those outside.
    """
    fitting = [
        one
        for one in classes
        if not is_as_labeled(one, classes) and not (has_parts and one.is_whole_in_facilities and not one.chosen)
    ]
    parts = [find_part(fitting, one) for one in COMPONENTS]
    in_front = [*fitting[:MOST_TABS], *filter(None, parts)]
    first = [one for one in classes if one in in_front or (one.chosen and not all_together)]
    if usually_inside:
        terms = list(dict.fromkeys((one.billing_class, one.modifier) for one in first))
        first.sort(
            key=lambda one: (terms.index((one.billing_class, one.modifier)), one.care_setting != FACILITY_OR_UNSTATED)
        )
    return ClassTabs(first, [one for one in classes if one not in first][:8])


def find_part(classes: Sequence[RateClass], modifier: str) -> RateClass | None:
    """Return the professional fees for a part of a service: where it is billed alone, or else those with most rates."""
    found = [one for one in classes if one.modifier == modifier and class_of_like(one.billing_class) == "professional"]
    where = SIDES[modifier == READING]
    return next((one for one in found if one.care_setting == where), found[0] if found else None)


def is_as_labeled(one: RateClass, classes: Sequence[RateClass]) -> bool:
    """Return whether a class is by the label of files, and the same rates are among `classes` as they are measured."""
    return one.billing_class not in LIKE_CLASSES and (
        not one.measured_as
        or any(
            (like_class(one.measured_as), one.modifier) == (other.billing_class, other.modifier) for other in classes
        )
    )


def check_title(name: str) -> str:
    """Return the title of a check; its name in words for one that only an older run knows."""
    known = CHECKS_BY_NAME.get(name)
    return known.title if known else name.replace("_", " ").capitalize()


def check_meaning(name: str) -> str:
    """Return what a finding of the check means to a visitor."""
    known = CHECKS_BY_NAME.get(name)
    return known.reader_meaning if known else ""


def title_of(code: Any, titles: Mapping[tuple[str, str], str]) -> str:
    """Return the title of a row with a code, one that people recognize; its own name if there is none.

    A row may be of several code systems: CPT or HCPCS.
    """
    if not code:
        return ""
    systems = str(code.code_type).replace(" or ", " ").split()
    own: str | None = getattr(code, "name", None)
    return next((titles[key] for system in systems if (key := (system, code.code)) in titles), own or "")
