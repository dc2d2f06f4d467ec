"""BeaconPoint Health. `beaconpoint.open_store(path)` opens a store of negotiated rates: see docs/python.md.

The functions are imported when they are first used: Django's settings live in this package, and starting the site or a
command must not import what only notebooks need.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.python_api.rate_store import RateStore, open_store

__all__ = ["RateStore", "open_store"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("core.python_api.rate_store"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
