"""Worker processes that are started only if there is enough for them to do."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from types import TracebackType
from typing import Any, Self, TypeVar

from core.load import WORKER_MODULES
from core.runtime.workers import SingleProcess, Workers, start_workers

T = TypeVar("T")


class WorkersOnDemand:
    """Up to `count` workers, started if the first tasks that `begin` or `map` sees are at least `min_tasks`.

    With fewer tasks the calling process does the work, then and later: starting workers would take longer.
    """

    def __init__(self, count: int, min_tasks: int) -> None:
        self._count = count
        self._min_tasks = min_tasks
        self._started: Workers | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin(self, tasks: Iterable[T]) -> Iterator[T]:
        """See Workers."""
        coming = iter(tasks)
        if self._started is not None:
            return coming
        first = list(islice(coming, self._min_tasks))
        self._started = start_workers(self._count, WORKER_MODULES) if len(first) == self._min_tasks else SingleProcess()
        return chain(first, coming)

    def map(self, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """See Workers."""
        coming = self.begin(arguments)
        assert self._started is not None  # noqa: S101 - begun above
        return self._started.map(function, coming)

    def each(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """See Workers."""
        if self._started is None:
            self._started = SingleProcess()
        return self._started.each(function, *arguments)

    def renew(self) -> None:
        """See Workers."""
        if self._started is not None:
            self._started.renew()

    def cpu(self) -> float:
        """See Workers."""
        return self._started.cpu() if self._started is not None else 0.0

    def close(self) -> None:
        """See Workers."""
        if self._started is not None:
            self._started.close()
