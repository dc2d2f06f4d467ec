"""The forms of baskets: payers compared for many codes by one figure."""

from core.pages.forms.fields import CodeListField, OneOfField
from core.pages.forms.market_forms import ComparedForm, MedicareForm
from core.queries.baskets.basket_index import WEIGHTS
from core.vocabulary.baskets import named_baskets


class BasketField(OneOfField):
    """A named basket, by its key."""

    def __init__(self) -> None:
        super().__init__(
            "basket",
            tuple(named_baskets()),
            example="orthopedics",
            meaning="A named set of codes by specialty. A list in `codes` goes before it.",
        )


class BasketForm(ComparedForm):
    """A basket of codes in a market."""

    tables = ("medians", "indexes", "payers", "organizations")

    classes = None  # an index is always of one class of each code
    basket = BasketField()
    codes = CodeListField()
    weights = OneOfField(
        "weights",
        WEIGHTS,
        example="equal",
        meaning="What each code weighs in the index: your volumes, Medicare's services, or the same (equal). If "
        "omitted, the first of these that is known.",
    )


class MedicareListForm(MedicareForm):
    """Rates compared with Medicare, or a list of codes: the page of baskets answers that."""

    codes = CodeListField()
