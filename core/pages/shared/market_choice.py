"""What is meant where a question about a provider or about a change leaves out state or month."""

from collections.abc import Sequence

from core.pages.forms import ChangesForm, ProviderForm
from core.pages.shared.page import choose_market
from core.queries import providers
from core.queries.codes import CodeTitle
from core.queries.coverage import Coverage
from core.queries.rules.market import Market
from core.store.connection import Snapshot


def choose_period(form: ProviderForm, periods: list[providers.LoadedPeriod], by: providers.By, value: str) -> Market:
    """The provider's market of the state and month asked for, or of the newest it is in."""
    chosen = form.cleaned_data
    fitting = [
        one for one in periods
        if chosen["state"] in {"", one.state} and chosen["year_month"] in {"", one.year_month}
    ] or periods  # fmt: skip
    if fitting:
        chosen["state"] = chosen["state"] or fitting[0].state
        chosen["year_month"] = chosen["year_month"] or fitting[0].year_month
    chosen[by] = value
    form.offer_fixed()
    form.data = {name: chosen.get(name, "") for name in form.fields}
    return form.market()


def choose_months(form: ChangesForm, db: Snapshot, loaded: Sequence[Coverage]) -> tuple[Market, list[CodeTitle], str]:
    """The market of the later month, the codes it may mean, and the earlier month, which is empty where none is loaded.

    Where a payer is asked for but no state or month, its newest that has an earlier one.
    """
    before = _before(form, loaded)
    asked, meant = choose_market(form, db)
    before = before or _month_before(loaded, asked.state, asked.year_month)
    form.cleaned_data["from"] = before
    form.data = {**form.data, "from": before}
    return asked, meant, before


def _before(form: ChangesForm, loaded: Sequence[Coverage]) -> str:
    chosen = form.cleaned_data
    rows = [row for row in loaded if chosen["payer"] in {"", row.payer_slug} and chosen["state"] in {"", row.state}]
    if chosen["payer"]:
        for row in rows:
            if chosen["year_month"] in {"", row.year_month} and chosen["from"] < row.year_month:
                chosen["state"], chosen["year_month"] = row.state, row.year_month
                break
        return chosen["from"] or _month_before(rows, chosen["state"], chosen["year_month"])
    return str(chosen["from"])


def _month_before(rows: Sequence[Coverage], state: str, year_month: str) -> str:
    """The newest month of a state before another; the empty text where there is none."""
    return max((row.year_month for row in rows if row.state == state and row.year_month < year_month), default="")
