"""Addresses of pages. A page's whole state is its query string, in one canonical order, so that links can be shared."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from core.queries.market import Market

ORDER = (
    "q", "state", "year_month", "code_type", "code", "payer", "pos", "billing_class", "modifier", "npi", "tin", "sort",
    "page", "table", "format", "run", "check",
)  # fmt: skip
"""The order of parameters in every address."""

_MARKET = ORDER[1:11]


def to(page: str, market: Market | None = None, **parameters: Any) -> str:
    """The address of the page of that name. `npi` and `tin` are parts of the path of the pages of those names."""
    path_part = {page: parameters.pop(page)} if page in {"npi", "tin"} else {}
    of_market = {name: getattr(market, name) for name in _MARKET} if market else {}
    return changed(reverse(page, kwargs=path_part), of_market, **parameters)


def changed(path: str, parameters: Mapping[str, Any], **changes: Any) -> str:
    """A path with parameters, some of them changed. None, an empty text and page 1 are left out."""
    merged = {**parameters, **changes}
    if merged.get("page") == 1:
        merged["page"] = None
    query = urlencode([(name, merged[name]) for name in ORDER if merged.get(name) not in {None, ""}])
    return f"{path}?{query}" if query else path
