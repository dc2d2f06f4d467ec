"""Addresses of pages. The whole state of a page is its query string, in one canonical order, so links can be shared."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from django.urls import resolve, reverse

from core.fields.codes.short_code_list import shorten_list
from core.queries.market.market import Market
from core.queries.market.market_filters import MARKET_PARAMETERS

ORDER = (
    "q", "family", "batch", *MARKET_PARAMETERS, "from", "basket", "codes", "weights", "base", "what", "by", "color",
    "practice", "sort", "page", "table", "format", "run", "check", "generation",
)  # fmt: skip
"""The order of parameters in every address."""

_IN_PATH = frozenset(("npi", "tin", "organization", "system", "plan", "group"))


def to(page: str, market: Market | None = None, **parameters: Any) -> str:
    """Return the address of a page by its name. The pages of _IN_PATH have what they are about in their path.

    What a page has no parameter for is left out of its market.
    """
    path = _find_path(page)
    if page in _IN_PATH:
        path = path.replace(_ANY_NUMBER, quote(str(parameters.pop(page)), safe=_NOT_QUOTED))
    known = _find_parameters(page) if market else ()
    of_market = {name: value for name in MARKET_PARAMETERS if (value := getattr(market, name, None)) and name in known}
    return changed(path, of_market, **parameters)


_ANY_NUMBER = "0"
"""What stands for a number in the path of one of _IN_PATH, none of which has another 0."""

_NOT_QUOTED = "!$&'()*+,;=~:@"
"""What a part of a path may have, and Django leaves as it is."""


@cache  # a page has a hundred links, and Django takes half of a link's time to find its path
def _find_path(page: str) -> str:
    return reverse(page, kwargs={page: _ANY_NUMBER} if page in _IN_PATH else {})


@cache
def _find_parameters(page: str) -> Collection[str]:
    """Return the parameters that a page takes; all that a market has if the page does not say."""
    return getattr(resolve(_find_path(page)).func, "parameters", MARKET_PARAMETERS)


def changed(path: str, parameters: Mapping[str, Any], **changes: Any) -> str:
    """Return a path with parameters, some of them changed. None, empty text, and page 1 are left out."""
    return path + query(said({**parameters, **changes}))


def said(parameters: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the parameters in their order, without those that are empty or that no page has."""
    given = {**parameters, "codes": shorten_list(str(parameters.get("codes") or ""))}
    every = [(name, value) for name, value in given.items() if name in _POSITION and value not in {None, ""}]
    return sorted((one for one in every if (one[0], str(one[1])) != ("page", "1")), key=lambda one: _POSITION[one[0]])


_POSITION = {name: position for position, name in enumerate(ORDER)}


def query(parameters: Sequence[tuple[str, Any]]) -> str:
    """Return parameters as a query string, with its question mark."""
    return f"?{'&'.join(_quote(name, str(value)) for name, value in parameters)}" if parameters else ""


@lru_cache(maxsize=4096)  # the links of a page have most of their parameters in common
def _quote(name: str, value: str) -> str:
    return urlencode([(name, value)], safe=",:~*")
