"""What takes too long is interrupted, and nothing else."""

import threading

import duckdb
import pytest

from core.store.watchdog import AGAIN_SECONDS, Watchdog

SOON, NEVER, PATIENCE = 0.01, 3600.0, 60.0


def test_what_takes_too_long_is_interrupted_until_it_ends() -> None:
    dog, interrupted = Watchdog(), threading.Semaphore(0)
    with dog.watch(SOON, interrupted.release):
        assert interrupted.acquire(timeout=PATIENCE)
        assert interrupted.acquire(timeout=PATIENCE)
    while interrupted.acquire(blocking=False):
        pass
    with dog.watch(SOON, threading.Event().set):
        assert not interrupted.acquire(timeout=2 * AGAIN_SECONDS)


def test_an_interrupt_between_two_questions_is_not_lost() -> None:
    dog, interrupted, connection = Watchdog(), threading.Event(), duckdb.connect()

    def interrupt() -> None:
        connection.interrupt()
        interrupted.set()

    with connection, dog.watch(SOON, interrupt):
        assert interrupted.wait(PATIENCE)
        with pytest.raises(duckdb.InterruptException):
            connection.execute("SELECT count(*) FROM range(200_000) one, range(200_000) other").fetchall()


def test_a_shorter_time_is_kept_while_a_longer_one_is_watched() -> None:
    dog, long, short = Watchdog(), threading.Event(), threading.Event()
    with dog.watch(NEVER, long.set):
        with dog.watch(SOON, short.set):
            assert short.wait(PATIENCE)
        with dog.watch(SOON, short.set):
            assert short.wait(PATIENCE)
        assert not long.is_set()


def test_what_has_ended_is_not_interrupted() -> None:
    dog, first, second = Watchdog(), threading.Event(), threading.Event()
    with dog.watch(SOON, first.set):
        pass
    with dog.watch(2 * SOON, second.set):
        assert second.wait(PATIENCE)
    assert not first.is_set()


def test_an_interrupt_that_fails_leaves_the_others_their_limits(caplog: pytest.LogCaptureFixture) -> None:
    dog, interrupted = Watchdog(), threading.Event()

    def fail() -> None:
        raise OSError("closed")

    with dog.watch(SOON, fail), dog.watch(2 * SOON, interrupted.set):
        assert interrupted.wait(PATIENCE)
    assert "a question that takes too long cannot be interrupted" in caplog.text
