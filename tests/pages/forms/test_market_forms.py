"""The form of a market has a field for each filter, called as pages call the filter elsewhere."""

from core.pages.forms.market_forms import MarketForm
from core.queries.market.market_filters import CLASSES, FILTERS


def test_a_form_calls_filters_what_pages_call_them() -> None:
    form = MarketForm({})
    labels = {name: form[name].label.removesuffix(" (EIN)").removesuffix(" (key)") for name in FILTERS}
    assert labels == {name: one.label for name, one in FILTERS.items()}


def test_every_filter_except_the_payer_has_a_box_of_its_own() -> None:
    assert sorted(["payer", *(field.name for field in MarketForm({}).filter_boxes)]) == sorted((*FILTERS, CLASSES))
