"""The form of the page about workers' compensation schedules."""

from typing import Any

from core.fields.codes.billing_code import parse_code
from core.pages.forms.basket_forms import BasketField
from core.pages.forms.fields import CodeField, CodeListField, CodeTypeField, MonthField, OneOfField, StateField
from core.pages.forms.market_forms import MarketForm
from core.pages.forms.query_form import QueryForm

ANYWHERE, OF_STATE = "anywhere", "state"
"""Where the organizations of a list practice: anywhere, or in the state."""


class CompensationForm(QueryForm):
    """A state's schedule in a month, and the code that is looked up in it."""

    tables = ("amounts", "payers")

    state = StateField(meaning="The state whose schedule it is. If omitted, the first that is loaded, by its letters.")
    year_month = MonthField(
        meaning="The month: the release that is in effect in it is shown. If omitted, the newest release."
    )
    code_type = CodeTypeField(
        meaning="The code system of `code`; CPT and HCPCS count as one. If omitted, `code` may be the beginning of one."
    )
    code = CodeField(meaning="The billing code, or the beginning of one if `code_type` is omitted.")
    basket = BasketField()
    codes = CodeListField()

    def clean(self) -> dict[str, Any]:
        """Pad the code as its system writes it: MS-DRG 1 is 001."""
        if self.cleaned_data.get("code_type") and self.cleaned_data.get("code"):
            padded = parse_code(self.cleaned_data["code_type"], self.cleaned_data["code"])
            self.cleaned_data["code"] = padded or self.cleaned_data["code"]
        return self.cleaned_data


def asked_practice(practice: str) -> bool | None:
    """Return whether only organizations of the state are asked for; None where nothing is."""
    return practice == OF_STATE if practice else None


class BelowForm(MarketForm):
    """Who is paid less than the state's schedule."""

    tables = ("organizations", "payers", "codes", "modifiers")

    practice = OneOfField(
        "practice",
        (ANYWHERE, OF_STATE),
        example=OF_STATE,
        meaning="Which organizations are listed: those of whose tax ID somebody is known to practice in the state "
        "(state, the default where there are any), or these and then the others (anywhere). The rates that are counted "
        "are the same.",
    )
    basket = BasketField()
    codes = CodeListField()
