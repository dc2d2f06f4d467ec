"""Read a table of the API page by page."""

from typing import Any

from django.test import Client

Rows = list[dict[str, Any]]


def get(client: Client, path: str, **parameters: Any) -> dict[str, Any]:
    """Return an answer, which must be 200 and JSON."""
    response = client.get(f"/api/v1/{path}", parameters)
    assert response.status_code == 200, response.content
    assert response["Content-Type"].startswith("application/json")
    found: dict[str, Any] = response.json()
    return found


def walk(client: Client, path: str, **parameters: Any) -> Rows:
    """Return all rows by following the cursors, and check that each page is full and counts the same total."""
    rows: Rows = []
    cursor: dict[str, str] = {}
    total = None
    while True:
        page = get(client, path, **parameters, **cursor)
        rows += page["rows"]
        assert total in {None, page["total"]}
        total = page["total"]
        assert len(rows) <= total
        if page["next"] is None:
            assert len(rows) == total
            return rows
        assert len(page["rows"]) == parameters.get("limit", 100)
        cursor = {"cursor": page["next"]}
