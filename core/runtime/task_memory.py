"""Memory that a process shares with one of its workers, so that the large part of a task need not go through a pipe.

A pipe holds some hundred kilobytes. A process that sends a few megabytes waits until the other side has taken them out
part by part, and a worker that computes takes them slowly. Shared memory is written once, and the message in the pipe
is short.
"""

import mmap
import os
import sys
from multiprocessing import reduction
from pickle import PickleBuffer
from typing import Any

PLACE_BYTES = 8 << 20
"""Room for one task: nearly all pieces of files have 4 MiB. The system provides what has been written to."""

MIN_BYTES = 1 << 16
"""A smaller buffer goes through the pipe."""

Span = tuple[int, int]
"""Where a buffer is in the memory: its start and its end."""


class TaskMemory:
    """Room for the buffers of `tasks` tasks, which are used in turn."""

    def __init__(self, file: int, tasks: int) -> None:
        self._file = file
        self._tasks = tasks
        self._memory = mmap.mmap(file, tasks * PLACE_BYTES)
        self._next = 0

    @classmethod
    def create(cls, tasks: int) -> "TaskMemory | None":
        """Return new memory, None where the system has none that needs no name and no limit of its own."""
        if sys.platform != "linux":
            return None
        try:
            file = os.memfd_create("tasks")
            os.ftruncate(file, tasks * PLACE_BYTES)
            return cls(file, tasks)
        except OSError:
            return None

    def __reduce__(self) -> tuple[Any, ...]:
        """Describe the memory to a process that is being started."""
        if sys.platform == "win32":  # it cannot be created there either
            raise TypeError("this memory is not shared with other processes")
        return _attach, (reduction.DupFd(self._file), self._tasks)

    def new_task(self) -> "TaskPlace":
        """Return the place of the next task. The task that had it before must have been answered."""
        place = TaskPlace(self._memory, self._next * PLACE_BYTES)
        self._next = (self._next + 1) % self._tasks
        return place

    def view(self, span: Span) -> memoryview:
        """Return a buffer of a task that is under way."""
        return memoryview(self._memory)[slice(*span)]

    def close(self) -> None:
        """Give the memory back. Processes that it was shared with keep their own hold on it."""
        self._memory.close()
        os.close(self._file)


class TaskPlace:
    """The part of the memory that belongs to one task. `spans` are the buffers that were put there."""

    def __init__(self, memory: mmap.mmap, start: int) -> None:
        self._memory = memory
        self._at, self._end = start, start + PLACE_BYTES
        self.spans: list[Span] = []

    def leave_to_pickle(self, buffer: PickleBuffer) -> bool:
        """Put a buffer here; return whether pickle has to take it instead, because it is too small or too large."""
        view = buffer.raw()
        end = self._at + len(view)
        if len(view) < MIN_BYTES or end > self._end:
            return True
        self._memory[self._at : end] = view
        self.spans.append((self._at, end))
        self._at = end
        return False


def _attach(file: Any, tasks: int) -> TaskMemory:
    return TaskMemory(file.detach(), tasks)
