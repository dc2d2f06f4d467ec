"""One event, one line, whatever a visitor sends."""

import json
import logging
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.runtime.log_lines import AddRequestId, TextFormatter, TrimDjango, json_formatter
from core.runtime.request_notes import end_notes, start_notes


def record_of(message: str, name: str = "x", **fields: Any) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.INFO, "file.py", 1, "%s", (message,), None)
    vars(record).update(fields)
    return record


@given(st.text(st.characters(), max_size=50), st.text(max_size=50))
@example("a\nb\r\x1b[2J", "c\n\u202e\x9b\x00")
def test_json_is_one_line_of_ascii_that_says_what_was_logged(message: str, query: str) -> None:
    line = json_formatter().format(record_of(message, query=query))
    assert line.isascii()
    assert line.isprintable()
    found = json.loads(line)
    assert (found["message"], found["query"], found["level"], found["logger"]) == (message, query, "INFO", "x")


@given(st.text(max_size=50), st.text(max_size=50))
@example("a\nb\r\x1b[2J", "c\n\u202e\x9b\x00")
def test_text_is_one_line_without_control_characters(message: str, query: str) -> None:
    line = TextFormatter().format(record_of(message, query=query))
    assert not any(character in line for character in "\n\r\x1b\x9b\u202e\x00")
    assert line.count("\n") == 0


def test_a_traceback_is_a_field() -> None:
    error = ZeroDivisionError("why")
    record = record_of("failed", exc_info=(type(error), error, None))
    line = json_formatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["exc_info"].endswith("ZeroDivisionError: why")


def test_what_django_attaches_is_not_written() -> None:
    line = json.loads(json_formatter().format(record_of("x", request=object(), status_code=404)))
    assert line.keys() == {"level", "logger", "message", "time"}


def test_lines_written_during_a_request_have_its_id() -> None:
    start_notes("abc")
    try:
        record = record_of("x")
        assert AddRequestId().filter(record)
        assert json.loads(json_formatter().format(record))["request_id"] == "abc"
    finally:
        end_notes()
    record = record_of("x")
    AddRequestId().filter(record)
    assert "request_id" not in json.loads(json_formatter().format(record))


@pytest.mark.parametrize(
    ("name", "text", "traceback", "kept"),
    [
        ("django.request", "%s: %s", False, False),
        ("django.request", "%s: %s", True, True),
        ("django.request", "refused: %s is not a host of this site", False, True),
        ("django.security.DisallowedHost", "%s", True, True),
        ("core.pages.shared.page", "%s: %s", False, True),
    ],
)
def test_django_does_not_repeat_the_line_of_a_request(name: str, text: str, traceback: bool, kept: bool) -> None:
    error = ValueError("x")
    record = record_of("x", name, msg=text, exc_info=(ValueError, error, None) if traceback else None)
    assert TrimDjango().filter(record) == kept
    assert bool(record.exc_info) == (name == "django.request" and traceback)
