"""The forms of the pages of an organization, a health system, and health plans."""

from collections.abc import Sequence

from core.pages.forms.fields import PatternField, PayerField, StateField
from core.pages.forms.market_forms import ProviderForm
from core.pages.forms.query_form import CodesForm, QueryForm
from core.queries.parties.providers import BY


class BatchField(PatternField):
    """A loaded file, by the hash of its content."""

    label = "File"
    expected = "a batch_id: 32 hexadecimal digits"
    meaning = "Only plans that this file is listed for, by `batch_id` of a rate."
    example = "8f1d2c0a5b6e47d39c1f0e2a7b4d6c88"
    pattern = "[0-9a-f]{32}"


class OrganizationForm(ProviderForm):
    """The page of an organization: what its tax IDs are paid together."""

    in_path = BY
    tables: Sequence[str] = ("rates", "families", "payers", "groups", "tins", "periods")


class SystemForm(OrganizationForm):
    """The page of a health system: what the tax IDs of its organizations are paid together."""

    tables = (*OrganizationForm.tables, "organizations", "hospitals")


class PlansForm(CodesForm):
    """The search for plans, or the plans of a file or of a payer."""

    tables = ("plans",)

    batch = BatchField()
    payer = PayerField()


class PlanForm(QueryForm):
    """The page of a plan."""

    tables = ("files",)


class GroupForm(QueryForm):
    """The page of a provider group. The first table has everything that the others have."""

    tables = ("everything", "rates", "tins", "npis", "plans", "files")

    state = StateField()
