"""How log records look: one line each, as text or JSON, with everything a peer sent made harmless."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

TEXT_LIMIT = 400  # characters kept of one value


class _OneLine(logging.Formatter):
    """The parts common to both forms."""

    def parts(self, record: logging.LogRecord) -> tuple[str, str, dict[str, Any]]:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        data: dict[str, Any] = dict(getattr(record, "data", {}))
        if record.exc_info:
            data["trace"] = self.formatException(record.exc_info)
        return at, record.getMessage(), data


class TextFormatter(_OneLine):
    """`time level logger message key=value …`; a trace follows on lines of its own, indented."""

    def format(self, record: logging.LogRecord) -> str:
        at, message, data = self.parts(record)
        trace = data.pop("trace", "")
        values = "".join(f" {key}={_value(value)}" for key, value in data.items())
        line = f"{at} {record.levelname.lower()} {record.name} {harmless(message)}{values}"
        return line + "".join(f"\n    {harmless(part)}" for part in trace.splitlines())


class JsonFormatter(_OneLine):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        at, message, data = self.parts(record)
        return json.dumps(
            {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": message, **data},
            default=str,
        )


def harmless(text: str) -> str:
    """Escape control, bidirectional and other unprintable characters, and cut what is too long."""
    if len(text) > TEXT_LIMIT:
        text = text[:TEXT_LIMIT] + "…"
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def _value(value: object) -> str:
    if isinstance(value, str):
        plain = harmless(value)
        return plain if plain and not set(' "=') & set(plain) else json.dumps(plain, ensure_ascii=False)
    return str(value)


def configuration(form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": JsonFormatter if form == "json" else TextFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        },
    }
