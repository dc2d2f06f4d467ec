"""What a search finds: codes, payers, plans, baskets, and providers, with what the text names besides."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.queries.find.code_index import FoundCode
from core.queries.find.named_things import FoundPayer
from core.queries.find.not_loaded import NotLoaded
from core.queries.find.organizations import FoundOrganization, Provider
from core.queries.find.search_meaning import SearchContext
from core.queries.parties.roll_ups import SystemProfile
from core.queries.payers.plans import HealthPlan
from core.vocabulary.baskets import NamedBasket


@dataclass(frozen=True)
class SearchResults:
    """What a search finds. `corrected` is the corrected text, if the given one matches no code."""

    codes: list[FoundCode]
    codes_in_all: int
    code_text: str
    """What to look for in the list of all codes, which knows no places and payers, to find the same."""
    providers: list[Provider]
    """What a number names, and people by their names."""
    payers: list[FoundPayer]
    corrected: str | None
    corrected_name: str | None = None
    """The words by which the providers were found, if no provider's name has those of the text."""
    context: SearchContext = field(default_factory=SearchContext)
    local_providers: list[Provider] = field(default_factory=list)
    """People of the place and specialty that are named."""
    local_in_all: int = 0
    """How many people those are."""
    organizations: list[FoundOrganization] = field(default_factory=list)
    """Each organization once, whatever number of NPIs and tax IDs it has: by its name, place, or specialty."""
    organizations_in_all: int = 0
    means_organization: bool = False
    """Whether the text rather names organizations than services."""
    of_name: Sequence[FoundOrganization] = ()
    """Where a part of the text names organizations, and the rest a service: these, more than `organizations` has."""
    systems: list[SystemProfile] = field(default_factory=list)
    plans: list[HealthPlan] = field(default_factory=list)
    plans_of: str | None = None
    """The payer, by its slug, whose plans the text asks for and nothing else, if it has any."""
    baskets: list[NamedBasket] = field(default_factory=list)
    """The baskets of the specialty that is named."""
    leaves_something: bool = False
    """Whether the text names a code or a payer that is not loaded, or has words beside its codes that mean nothing."""
    code_is_named: bool = False
    """Whether the text names a code by number."""
    not_loaded: NotLoaded = field(default_factory=NotLoaded)
    """What the text names besides, without any loaded rate."""
    price: str = ""
    """The words of a price that the text names, which was left out: rates are not searched by amount."""
    set_aside: tuple[str, ...] = ()
    """The settings of care that the text names, if what was found is found without them."""

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was found."""
        people = self.providers or self.local_providers or self.organizations or self.systems
        return not (self.codes or self.payers or self.plans or self.baskets or people)

    @property
    def is_organization_or_plan(self) -> bool:
        """Return whether an organization, a health system, a plan, or a payer was found."""
        return bool(self.organizations or self.systems or self.plans or self.payers)
