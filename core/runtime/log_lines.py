"""Log lines: JSON for machines or text for people, one line for each event, which no visitor's text can break or fake.

JSON is written in ASCII, so line breaks, escape sequences, and characters that reverse a line are all escaped.
"""

import logging

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from core.runtime.request_notes import current_request_id
from core.runtime.terminal import printable

_NOT_WRITTEN = frozenset({*RESERVED_ATTRS, "taskName", "request", "server_time", "status_code"})
"""What logging knows of a record, and what Django attaches: the request object would name its client."""


def json_formatter() -> JsonFormatter:
    """Return a formatter that writes a record as one line of JSON: a traceback, too, is a field of it."""
    return JsonFormatter(
        ["levelname", "name", "message"],
        rename_fields={"levelname": "level", "name": "logger"},
        reserved_attrs=sorted(_NOT_WRITTEN),
        timestamp="time",
        json_ensure_ascii=True,
    )


class TextFormatter(logging.Formatter):
    """Write a record for a person at a terminal. Only a traceback takes more than one line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line, with the record's own fields at its end."""
        more = [f"{name}={value}" for name, value in vars(record).items() if name not in _NOT_WRITTEN]
        return printable(" ".join([super().formatMessage(record), *more]).replace("\n", " "))


class AddRequestId(logging.Filter):
    """Add the id of the request to what is logged while it is being answered."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        request_id = current_request_id()
        if request_id and not hasattr(record, "request_id"):
            record.request_id = request_id
        return True


class TrimDjango(logging.Filter):
    """Leave out what the line of the request says anyway, and tracebacks of requests that are merely malformed.

    For each answer with an error's status, Django logs its reason and path ("Not Found: /x").
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop such a line unless it has a traceback, and the tracebacks of django.security."""
        if record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
        return record.name != "django.request" or record.msg != "%s: %s" or bool(record.exc_info)
