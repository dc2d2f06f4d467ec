"""The forms of all pages: what a query string may contain, and how it is read. The API validates with them too."""

from core.pages.forms.market_forms import (
    ChangesForm,
    MarketForm,
    MedicareForm,
    OrganizationsForm,
    PayersForm,
    ProviderForm,
    RatesForm,
)
from core.pages.forms.quality_form import QualityForm
from core.pages.forms.query_form import CodesForm, QueryForm

__all__ = [
    "ChangesForm",
    "CodesForm",
    "MarketForm",
    "MedicareForm",
    "OrganizationsForm",
    "PayersForm",
    "ProviderForm",
    "QualityForm",
    "QueryForm",
    "RatesForm",
]
