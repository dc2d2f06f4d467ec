"""Pages say that a payer's file which was loaded for several states has the same rates in each."""

import pytest

from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.reference.nppes import registers
from tests.site import Visitor, serving, text_of

SENTENCE = "is not divided by state: its rates are the same in Georgia and Texas"


@pytest.mark.parametrize("page", ["rates", "payers", "medicare", "organizations", "baskets", "report", "tin/123456789"])
def test_the_same_rates_in_two_states_are_told(store: Store, load: Load, page: str) -> None:
    load(registers.rates(registers.SURGEON), "GA")
    load(registers.rates(registers.SURGEON), "TX")
    load({**registers.rates(registers.CLINIC), "reporting_entity_name": "Another"}, "GA", "another.json")
    code = {} if page.startswith("tin") else {"codes" if page == "baskets" else "code": "99213"}
    with serving(store.root):
        text = text_of(Visitor().get(f"/{page}/", {"state": "GA", **code}))
    assert f"The file of Example {SENTENCE}" in text
    assert "The file of Another" not in text
