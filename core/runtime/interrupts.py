"""Hold an interrupt back for a moment: some native modules do not survive one while they are imported."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hold_interrupts() -> Iterator[None]:
    """Let an interrupt (Ctrl+C) wait until the block has ended, and then raise KeyboardInterrupt.

    An interrupt while DuckDB is being imported is an ImportError instead, and sometimes ends the process with a
    segmentation fault. Only the main thread is interrupted: in others, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: waiting.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        signal.raise_signal(signal.SIGINT)
