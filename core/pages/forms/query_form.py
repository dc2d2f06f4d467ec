"""The form behind every page: a page's whole state is its query string, and the query string is a form."""

from collections.abc import Sequence
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict

from core.pages.forms.fields import NumberField, OneOfField, SearchField, StateField

FORMATS = ("html", "csv", "json", "parquet", "xlsx")
MAX_PAGE = 1_000_000
MAX_GENERATION = 10**15 - 1


class QueryForm(forms.Form):
    """The parameters that every page takes. `tables` are the tables that can be downloaded from it, first the default.

    `sorts` are the orders of its table, the first one the default.
    """

    use_required_attribute = False
    tables: Sequence[str] = ("rows",)
    sorts: Sequence[str] = ()

    page = NumberField("Page", max_value=MAX_PAGE, expected=f"a page number from 1 to {MAX_PAGE:,}", default=1)

    generation = NumberField(
        "Generation",
        max_value=MAX_GENERATION,
        expected="the number of a generation of the data, such as 20",
        meaning="Answer from this generation of the data, while it is kept, rather than from the newest.",
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["sort"] = OneOfField("sort order", self.sorts, default=next(iter(self.sorts), ""))
        self.fields["table"] = OneOfField("table", self.tables, default=self.tables[0])
        self.fields["format"] = OneOfField("format", FORMATS, default=FORMATS[0])

    @property
    def problems(self) -> list[tuple[str, str]]:
        """The invalid parameters, each with a sentence that says what is expected."""
        return [(name, str(why)) for name, reasons in self.errors.items() for why in reasons]

    def parameters(self) -> dict[str, Any]:
        """Return the parameters for links to the same page, without those at their default."""
        defaults = {"page": 1, "format": "html", "table": self.tables[0], "sort": self.sorts[0] if self.sorts else ""}
        return {name: value for name, value in self.cleaned_data.items() if value and value != defaults.get(name)}

    def with_values(self, **values: Any) -> Self:
        """Return a copy of this valid form with some values replaced, as if they had been in the query string.

        Values of fields that the form does not have are ignored. Only the replaced values are validated: the others
        have been, and a page is made too often to validate them twice.
        """
        form = type(self)(dict(self.cleaned_data))
        replaced = {name: value or "" for name, value in values.items() if name in self.fields}
        try:
            cleaned = {name: form.fields[name].clean(value) for name, value in replaced.items()}
        except ValidationError as error:
            raise ValueError(f"values that the form itself would refuse: {error}") from None
        form.cleaned_data = form.data = {**self.cleaned_data, **cleaned}
        # Django's sign that a form has been validated.
        form._errors = ErrorDict()  # type: ignore[attr-defined]
        return form


class CodesForm(QueryForm):
    """The search for codes."""

    q = SearchField()


class CodeListForm(CodesForm):
    """The list of codes: familiar ones and then those with most rates, or in the order of codes.

    With a state, their rates are counted there, and the codes that have some come first.
    """

    sorts = ("asked", "code")

    state = StateField()


class HomeForm(CodesForm):
    """Where a visitor is and what for: a state, and words or a number."""

    state = StateField()
