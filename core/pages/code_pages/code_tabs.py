"""The tabs of a code: the pages that show one code and its filters from different sides, in their order."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CodeTab:
    """A tab: the name of its page in the site map, and what it is called.

    With `needs_earlier_month`, it is shown only where a payer has rates of more than one month.
    """

    page: str
    label: str
    needs_earlier_month: bool = False


CODE_TABS = (
    CodeTab("rates", "Rates"),
    CodeTab("payers", "Payers"),
    CodeTab("organizations", "Organizations"),
    CodeTab("medicare", "Medicare"),
    CodeTab("changes", "Changes", needs_earlier_month=True),
    CodeTab("trend", "Trend", needs_earlier_month=True),
    CodeTab("places", "Places"),
    CodeTab("specialties", "Specialties"),
)
"""A page that joins them includes `partials/code_tabs.html`, alone or as part of `partials/code_title.html`."""
