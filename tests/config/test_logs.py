"""No format needs a field that log records leave out."""

from __future__ import annotations

import logging
import os

from gunicorn.glogging import Logger

import popadmin.config.logs


def test_the_web_servers_own_format_finds_what_it_asks_for() -> None:
    assert popadmin.config.logs.configuration("text", "info")
    record = logging.getLogger("gunicorn.error").makeRecord(
        "error", logging.WARNING, "", 0, "a worker is lost", (), None
    )
    assert f"[{os.getpid()}] [WARNING] a worker is lost" in logging.Formatter(Logger.error_fmt).format(record)
