"""An interrupt that waits until a block has ended."""

import signal
import threading
from collections.abc import Callable

import pytest

from core.runtime.interrupts import hold_interrupts


def interrupted(then: Callable[[], None]) -> None:
    """Be interrupted in a block that holds interrupts, and then do something in it."""
    with hold_interrupts():
        signal.raise_signal(signal.SIGINT)
        then()


def test_an_interrupt_waits_until_the_block_has_ended() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: done.append("all of it"))
    assert done == ["all of it"]
    with pytest.raises(KeyboardInterrupt):  # as before
        signal.raise_signal(signal.SIGINT)


def test_an_error_of_the_block_comes_first_and_the_next_interrupt_counts_again() -> None:
    def fail() -> None:
        raise ValueError("of the block")

    with pytest.raises(ValueError, match="of the block"):
        interrupted(fail)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_another_thread_is_left_alone() -> None:
    done = []

    def work() -> None:
        with hold_interrupts():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.default_int_handler]
