"""The form of a clinic against the market. What a visitor pastes is no part of it: it never is in an address."""

import re

from django import forms

from core.fields.codes.clinic_lines import MAX_CHARACTERS
from core.fields.providers.npi import is_npi
from core.pages.forms.basket_forms import BasketField
from core.pages.forms.fields import CodeListField
from core.pages.forms.market_forms import ComparedForm

MAX_NPIS = 200


class ClinicForm(ComparedForm):
    """Whose rates are looked at, and for which codes; the clinic's own if none are given."""

    tables = ("lines",)
    file_formats = (("xlsx", "Excel"), ("csv", "CSV"), ("json", "JSON"), ("parquet", "Parquet"))

    classes = None  # a position is always in one class
    basket = BasketField()
    codes = CodeListField()


class PastedForm(forms.Form):
    """What a visitor pastes: NPIs, and lines of a CSV, or a file with them."""

    npis = forms.CharField(required=False, max_length=MAX_CHARACTERS)
    lines = forms.CharField(required=False, max_length=MAX_CHARACTERS, strip=False)

    def clean_npis(self) -> tuple[str, ...]:
        """Return the NPIs. Raise ValidationError for a number that is not one."""
        found = tuple(dict.fromkeys(re.findall("[0-9]+", self.cleaned_data["npis"])))
        if wrong := next((one for one in found if not is_npi(one)), None):
            raise forms.ValidationError(f"{wrong[:20]!r} is not an NPI: 10 digits, starting with 1 or 2")
        if len(found) > MAX_NPIS:
            raise forms.ValidationError(f"{len(found):,} NPIs: expected at most {MAX_NPIS}")
        return found
