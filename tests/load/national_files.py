"""A file of providers in several states, and stores that know where they practice."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.load.load_file import load_for_states
from core.load.outcome import LoadOutcome
from core.load.rate_filters import ALL_RATES, route_to_states
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.load.npi_states import place
from tests.rate_files import file_of, item_of


def national(*codes: str, prices: Sequence[float] = (5, 6)) -> dict[str, Any]:
    """Return a file of three groups, each with a provider of its own."""
    npis = {1: 1912951245, 2: 1003027533, 3: 1234567893}
    references = [
        {"provider_group_id": n, "provider_groups": [{"npi": [npi], "tin": {"type": "ein", "value": str(n)}}]}
        for n, npi in npis.items()
    ]
    items = [item_of(*prices, code=code, references=[1, 2, 3]) for code in codes or ("99213",)]
    return file_of(*items, provider_references=references)


def place_nationwide(store: Store) -> None:
    """Say that the first provider is in Georgia, the second in Florida, and the third nowhere."""
    place(store, npi1912951245="GA", npi1003027533="FL")


def load_national_file(store: Store, directory: Path) -> list[LoadOutcome]:
    """Load such a file for three states in one pass."""
    path = directory / "national.json"
    path.write_text(json.dumps(national("99213", "99214")))
    return load_for_states(store, open_documents(path)[0], route_to_states(("GA", "FL", "TX"), ALL_RATES))
