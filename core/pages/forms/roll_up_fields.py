"""Parameters that are keys of what rates belong to besides the payer: an organization, a health system, a plan."""

from core.fields.providers.payer_slug import SLUG_PATTERN
from core.pages.forms.fields import PatternField
from core.store.schema.columns import MAX_NAME


class KeyField(PatternField):
    """The key of something that has a name: lowercase letters, digits, and underscores."""

    expected = "a key: lowercase letters, digits, and underscores"
    pattern = SLUG_PATTERN
    max_characters = 2 * MAX_NAME

    def normalize(self, value: str) -> str:
        """Return the key in lowercase."""
        return value.lower()


class OrganizationField(KeyField):
    """An organization: its tax IDs together."""

    label = "Organization (key)"
    meaning = "Key of an organization, as `organization_id` has it: the rates of any of its tax IDs."
    example = "example_family_practice_ga"


class SystemField(KeyField):
    """A health system: its organizations together."""

    label = "Health system (key)"
    meaning = "Key of a health system, as `system_id` has it: the rates of any of its organizations."
    example = "example_health_ga"


class PlanField(KeyField):
    """A health plan: the rates of the files that are listed for it."""

    label = "Plan (key)"
    meaning = "Key of a health plan, as `plan_key` has it: the rates of the files that are listed for it."
    example = "hios_12345_group_example_ppo"


class GroupField(PatternField):
    """A provider group, by its key in the store."""

    label = "Provider group (key)"
    expected = "the key of a provider group: 32 hexadecimal digits"
    meaning = "Key of a provider group, as `pg_uid` has it."
    example = "0d9b1c7e2f3a4b5c6d7e8f9a0b1c2d3e"
    pattern = "[0-9a-f]{32}"

    def normalize(self, value: str) -> str:
        """Return the key in lowercase."""
        return value.lower()
