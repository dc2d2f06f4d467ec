"""What is said where most rates are of providers in other states, in one sentence for a list, a sheet, or a figure."""

from collections.abc import Sequence

from core.pages.formats import write_state
from core.queries.in_state import ProvidersInState


def say_elsewhere(found: Sequence[ProvidersInState], state: str) -> str:
    """Return a sentence if most rates, of all payers or of some, are of other states; empty text otherwise."""
    names = [one.reporting_entity_name or "" for one in found if one.is_elsewhere]
    whose = "" if "" in names else f" of {' and of '.join(names)}"
    return f"Most rates{whose} are of providers outside {write_state(state)}." if names else ""
