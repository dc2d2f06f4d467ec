"""Progress without a terminal: plain lines on stderr, now and then."""

import sys
import time

import pytest

from core.runtime.progress import show_counting, show_progress, show_reading


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.mark.parametrize(("seconds", "lines"), [(9.9, 0), (10.0, 1), (25.0, 1)])
def test_a_line_is_written_every_ten_seconds(
    clock: Clock, capsys: pytest.CaptureFixture[str], seconds: float, lines: int
) -> None:
    with show_counting("looking") as progress:
        clock.now = seconds
        progress(1_500, 6_000)
        progress(1_600, 6_000)
    written = capsys.readouterr().err
    assert written == "looking: 1,500 of 6,000 facts (25%)\n" * lines


def test_a_count_of_nothing_is_not_divided_by(capsys: pytest.CaptureFixture[str]) -> None:
    with show_counting("looking", "rows", plain_every=0) as progress:
        progress(0, 0)
    assert capsys.readouterr().err == "looking: 0 of 0 rows (0%)\n"


def test_the_time_left_is_estimated_from_what_arrived_since_the_first_report(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """A resumed download begins in the middle: 100 MB of 400 were there before, and 100 arrive in 10 seconds."""
    with show_reading("rates.json") as progress:
        progress(100_000_000, 400_000_000)
        clock.now = 10
        progress(200_000_000, 400_000_000)
        clock.now = 20
        progress(200_000_000, 0)
    assert capsys.readouterr().err.splitlines() == [
        "rates.json: 200 of 400 MB read (50%), 20 s left",
        "rates.json: 200 MB read",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(89, "89 s"), (90, "2 min"), (300, "5 min"), (5399, "90 min"), (5400, "1.5 h")]
)
def test_the_time_left_in_words(clock: Clock, capsys: pytest.CaptureFixture[str], seconds: int, text: str) -> None:
    with show_progress() as display, display.bar("a", "downloaded") as progress:
        progress(0, 2_000_000)
        clock.now = seconds
        progress(1_000_000, 2_000_000)
    expected = f"a: 1 of 2 MB downloaded (50%), {text} left\n"
    assert capsys.readouterr().err == expected


def test_names_from_files_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    with show_reading("a\x1b[2Jb") as progress:
        clock.now = 10
        progress(1, 0)
    assert "\x1b" not in capsys.readouterr().err


def test_without_a_terminal_there_is_nothing_to_pause() -> None:
    assert not sys.stderr.isatty()
    with show_progress() as display, display.paused():
        pass
