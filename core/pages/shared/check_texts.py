"""The data-quality checks in the words of a visitor. The checks' own texts tell the operator what to do about them."""

from dataclasses import dataclass

from core.queries.rules.comparison import LEAST_PLAUSIBLE, MOST_PLAUSIBLE


@dataclass(frozen=True)
class CheckText:
    """A title, and what a finding means to somebody who reads the rates."""

    title: str
    meaning: str


CHECK_TEXTS = {
    "duplicate_fact_uid": CheckText("Repeated rates", "Rates that are stored more than once. Counts may be too high."),
    "codes_without_words": CheckText("Codes without a description", "Rates whose billing code is not described."),
    "orphan_pos_sets": CheckText("Unknown places of service", "Rates whose places of service cannot be looked up."),
    "orphan_groups": CheckText("Unknown provider groups", "Rates whose provider group cannot be looked up."),
    "rates_without_npi": CheckText(
        "Rates without an NPI",
        "The provider group of these rates has no NPI, so they are not on any provider's page. Some payers contract "
        "with a tax ID only.",
    ),
    "groups_without_tin": CheckText(
        "Provider groups without a tax ID", "Their rates are missing from the comparison of organizations."
    ),
    "zero_rates": CheckText(
        "Rates of zero",
        "Payers write zero when they have no rate. Do not read these as prices. They are included in percentiles.",
    ),
    "odd_percentages": CheckText(
        "Implausible percentages",
        "Percentages over 100 or under 1: probably dollars or fractions in the wrong place. They are never mixed with "
        "dollars.",
    ),
    "implausible_rates": CheckText(
        "Rates far from Medicare",
        f"Rates in dollars below {LEAST_PLAUSIBLE:.0%} or above {MOST_PLAUSIBLE:,.0%} of Medicare. The file may state "
        "the wrong billing class, modifier, or unit. Rely on the median rather than the mean.",
    ),
    "expired_rates": CheckText(
        "Expired rates", "Rates whose contract had ended before the month began. Compare with a newer month."
    ),
    "month_disagrees": CheckText(
        "Files with an unclear month",
        "The month of the file differs from its own date or from the date in its name, or it is in the future.",
    ),
    "npi_check_digits": CheckText(
        "Invalid NPIs", "NPIs whose check digit is wrong: no such provider exists. Their rates are shown all the same."
    ),
    "batch_sums": CheckText(
        "Files with missing rates", "The number of rates stored for these files is not the number that was loaded."
    ),
    "corrections": CheckText(
        "Corrections that did not hold", "Rates that were removed by a correction but are present, or the reverse."
    ),
    "batch_arithmetic": CheckText(
        "Files that do not add up", "Rows read do not equal rows added, duplicate, rejected, and filtered."
    ),
    "benchmark_arithmetic": CheckText(
        "Fee schedules that do not add up", "Rows read do not equal rows priced and left out."
    ),
    "duplicate_keys": CheckText(
        "Repeated keys", "Codes, places, provider groups, or payers that are listed twice. Counts may be too high."
    ),
}
"""By the name of the check."""


def check_title(name: str) -> str:
    """Return the title of a check; its name in words for one that only an older run knows."""
    text = CHECK_TEXTS.get(name)
    return text.title if text else name.replace("_", " ").capitalize()


def check_meaning(name: str) -> str:
    """Return what a finding of the check means to a visitor."""
    text = CHECK_TEXTS.get(name)
    return text.meaning if text else ""
