"""Format log records: one line each, text or JSON, with everything that a peer sent made harmless."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from functools import lru_cache
from typing import Any

TEXT_LIMIT = 400  # characters kept of one value
STDERR = 2
REMEMBERED = 4096  # cached forms of texts: addresses, devices and reasons repeat
_PLAIN = re.compile(r"[!#-<>-~]{1,400}")  # ASCII without blanks, quotes and =: needs neither escape nor quotes

# No format here shows these, so no record computes them (Logging HOWTO, "Optimization"). The process id stays: the
# format of the web server needs it.
logging.logThreads = False
logging.logMultiprocessing = False
logging._srcfile = None  # also documented there


class LineHandler(logging.Handler):
    """Write to stderr. With `batch` above 1, several lines leave in one write; warnings and worse leave at once.

    Code that sets `batch` above 1 must call `flush` about every second; logging.shutdown does it at the end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.batch = 1
        self._lines: list[str] = []
        self._flushing = threading.RLock()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.append(self.format(record))
        except Exception:
            self.handleError(record)
        if len(self._lines) >= self.batch or record.levelno >= logging.WARNING:
            self.flush()

    def flush(self) -> None:
        with self._flushing:
            lines, self._lines = self._lines, []
            if lines:
                _write("\n".join([*lines, ""]).encode(errors="backslashreplace"))


class TextFormatter(logging.Formatter):
    """Format as `time level logger message key=value …`; a traceback follows on indented lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        data: dict[str, Any] = record.__dict__.get("data", {})
        parts = [_moment(record), record.levelname.lower(), record.name, harmless(record.getMessage())]
        parts += [f"{key}={_value(value)}" for key, value in data.items()]
        line = " ".join(parts)
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            line += "".join(f"\n    {harmless(part)}" for part in trace)
        return line


class JsonFormatter(logging.Formatter):
    """Format as one JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        data: dict[str, Any] = dict(record.__dict__.get("data", {}))
        if record.exc_info:
            data["trace"] = self.formatException(record.exc_info)
        head = {
            "at": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps({**head, **data}, default=str)


def harmless(text: str) -> str:
    """Escape control, bidirectional and other unprintable characters, and cut what is too long."""
    if len(text) > TEXT_LIMIT:
        text = text[:TEXT_LIMIT] + "…"
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def configuration(form: str, level: str) -> dict[str, Any]:
    """Return Django's LOGGING setting: everything goes to stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": JsonFormatter if form == "json" else TextFormatter}},
        "handlers": {"stderr": {"()": LineHandler, "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        },
    }


def _value(value: object) -> str:
    return _text(value) if isinstance(value, str) else str(value)


@lru_cache(REMEMBERED)
def _text(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(harmless(value), ensure_ascii=False)


def _moment(record: logging.LogRecord) -> str:
    second = int(record.created)
    return f"{_second(second)}.{int((record.created - second) * 1000):03d}Z"


class _Seconds(dict[int, str]):
    """Cache the last second as text, because records come in bursts."""

    def __missing__(self, second: int) -> str:
        self.clear()
        text = self[second] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return text


_second = _Seconds().__getitem__


def _write(data: bytes) -> None:
    while data:
        try:
            data = data[os.write(STDERR, data) :]
        except BlockingIOError:  # a terminal that another program made non-blocking
            time.sleep(0.01)
        except OSError:
            return
