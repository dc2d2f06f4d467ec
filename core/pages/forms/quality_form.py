"""The form of the data-quality pages."""

from core.pages.forms.fields import CheckField, MonthField, NumberField, PayerField, StateField
from core.pages.forms.query_form import QueryForm


class QualityForm(QueryForm):
    """One run of the checks, and the part of its findings that is asked for."""

    tables = ("checks", "places", "months", "history", "runs")

    state = StateField()
    year_month = MonthField()
    payer = PayerField()
    run = NumberField(
        "Run",
        max_value=10**15 - 1,
        expected="the number of a run, such as 12",
        meaning="The number of the run, as in `quality/runs`; the newest run over all data if omitted.",
    )
    check = CheckField()

    def part(self) -> dict[str, str]:
        """Return what is asked for, by the names of dq_finding's columns."""
        columns = {"state": "state", "year_month": "year_month", "payer": "payer_slug", "check": "check_name"}
        return {column: self.cleaned_data[name] for name, column in columns.items() if self.cleaned_data[name]}
