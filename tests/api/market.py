"""The market that tests of the API query."""

from typing import Any

import msgspec

from core.queries.market.market import Market

MARKET = Market("GA", "2025-08", "CPT", "99213")


QUERY: dict[str, Any] = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "99213"}
ALL: dict[str, Any] = {**QUERY, "classes": "all"}
"""The whole market, which has rates of two classes."""


def plain(value: Any) -> Any:
    """Return rows as the API writes them: moments are UTC, with milliseconds."""
    found = msgspec.to_builtins(value)
    if isinstance(found, list) and found and "loaded_at" in found[0]:
        return [{**row, "loaded_at": f"{row['loaded_at'][:23]}Z"} for row in found]
    return found
