"""Hide functions and modules of Linux from the project, and from nobody else.

The standard library needs them to run on this machine, and the libraries are tested on each system by their makers.
So it depends on who asks: a module of the project or its main program sees the other system.
"""

import builtins
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.context import BaseContext
from types import FrameType, ModuleType
from typing import Any

_PROJECT = {"core", "beaconpoint", "manage", "__main__", "__mp_main__"}

_BETWEEN = {"pathlib", "os", "contextlib"}
"""Modules of Python that call its functions on behalf of others."""


def caller(frame: FrameType | None) -> str:
    """Return the top-level package on whose behalf a function of Python runs, which a frame has called."""
    while frame and (name := _package(frame)) in _BETWEEN:
        frame = frame.f_back
    return name if frame else ""


def is_project(frame: FrameType | None) -> bool:
    """Return whether the caller is code of the project."""
    return caller(frame) in _PROJECT


def frame_above(depth: int) -> FrameType | None:
    """Return the frame `depth` calls above the caller of this function. Python itself has none when it starts."""
    try:
        return sys._getframe(depth + 1)
    except ValueError:
        return None


def _package(frame: FrameType | None) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] if frame else ""


def hide(module: ModuleType, names: Iterable[str], instead: Mapping[str, Any] | None = None) -> None:
    """Let the project find none of a module's `names`, and find the values `instead` of its own."""
    real = {name: vars(module).pop(name) for name in [*names, *(instead or {})] if name in vars(module)}
    shown = dict(instead or {})

    def look_up(name: str) -> Any:
        asks = _package(frame_above(1))
        if name in shown and asks in _PROJECT:
            return shown[name]
        if name in real and asks not in _PROJECT:
            return real[name]
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    module.__getattr__ = look_up  # type: ignore[method-assign]


def refuse_imports(names: Iterable[str], everywhere: Iterable[str] = ()) -> None:
    """Let the project import none of the modules `names`, and nobody those of `everywhere`."""
    hidden, missing, real = set(names), set(everywhere), builtins.__import__

    def look_up(
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - as Python calls it
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Iterable[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        asked = {name, name.partition(".")[0], *(f"{name}.{part}" for part in fromlist or ())} if not level else set()
        # Python starts its own helpers with a main program of one line.
        asks = _package(frame_above(1))
        forbidden = asks in _PROJECT and not (asks == "__main__" and name.startswith("multiprocessing"))
        if asked & missing or (asked & hidden and forbidden):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, globals, locals, tuple(fromlist or ()), level)

    builtins.__import__ = look_up


def allow_start_methods(methods: list[str]) -> None:
    """Let Python start processes only by these methods, of which the first is its choice."""
    get_context: Callable[[str | None], BaseContext] = multiprocessing.get_context

    def look_up(method: str | None = None) -> BaseContext:
        if method is not None and method not in methods:
            raise ValueError(f"cannot find context for {method!r}")
        return get_context(method or methods[0])

    multiprocessing.get_all_start_methods = lambda: list(methods)
    multiprocessing.get_context = look_up  # type: ignore[assignment]
