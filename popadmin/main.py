"""The first step of every command: servers block hangups before they load anything; then `command_line` runs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib import import_module

SERVERS = frozenset({"up", "pop3d", "lmtpd", "authd", "policyd"})


def main() -> None:
    if _serves(sys.argv[1:]):
        # Loading Django takes a second. A SIGHUP in that second waits for the handler instead of ending the process.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    import_module("popadmin.command_line").run()


def _serves(arguments: Sequence[str]) -> bool:
    """Return whether the command runs until it is stopped. The sweep has nothing to reload, so it ignores hangups."""
    command, *options = arguments or [""]
    return command in SERVERS or (command == "sweep" and any(option.startswith("--every") for option in options))
