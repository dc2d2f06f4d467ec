"""The forms of the pages of an organization, a health system, and health plans."""

from core.pages.forms.fields import PatternField
from core.pages.forms.query_form import CodesForm, QueryForm


class BatchField(PatternField):
    """A loaded file, by the hash of its content."""

    label = "File"
    expected = "a batch_id: 32 hexadecimal digits"
    meaning = "Only plans that this file is listed for, by `batch_id` of a rate."
    example = "8f1d2c0a5b6e47d39c1f0e2a7b4d6c88"
    pattern = "[0-9a-f]{32}"


class OrganizationForm(QueryForm):
    """The page of an organization."""

    tables = ("tins", "rates")


class SystemForm(QueryForm):
    """The page of a health system."""

    tables = ("organizations", "tins", "rates", "hospitals")


class PlansForm(CodesForm):
    """The search for plans, or the plans of a file."""

    tables = ("plans",)

    batch = BatchField()


class PlanForm(QueryForm):
    """The page of a plan."""

    tables = ("files",)


class GroupForm(QueryForm):
    """The page of a provider group. The first table has everything that the others have."""

    tables = ("everything", "tins", "npis", "plans", "files")
