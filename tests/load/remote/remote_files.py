"""Build files whose provider groups are at other URLs, and serve those URLs."""

import json
from pathlib import Path
from typing import Any

from core.tic.source import Source, open_documents
from tests.fetch.server import Server
from tests.rate_files import file_of, item_of

MEMBERS: dict[int, Any] = {
    1: [{"npi": [1912951245, 1003027533], "tin": {"type": "ein", "value": "12-3456789"}}],
    2: [
        {"npi": ["1234567893"], "tin": {"type": "npi", "value": "1234567893"}},
        {"npi": [0], "tin": {"type": "ein", "value": "7"}},
    ],
    3: [{"npi": [2790708186, 99], "tin": {"type": "ein", "value": "123456789", "business_name": "Peach Clinic"}}],
}  # fmt: skip


def source_of(tmp_path: Path, content: Any) -> Source:
    path = tmp_path / "rates.json"
    path.write_text(json.dumps(content))
    return open_documents(path)[0]


def remote(server: Server, query: str = "", **more: Any) -> dict[str, Any]:
    """Return a file of three groups whose members are on the server."""
    references = [{"provider_group_id": n, "location": server.url(f"/{n}.json{query}")} for n in MEMBERS]
    return file_of(item_of(1, 2, references=[*MEMBERS]), provider_references=references, **more)


def serve(server: Server, *numbers: int, **behaviour: Any) -> None:
    for n in numbers:
        content = {"provider_groups": MEMBERS[n], "version": "1.0.0"}
        server.put(f"/{n}.json", json.dumps(content).encode(), **behaviour)
