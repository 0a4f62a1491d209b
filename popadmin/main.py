"""The first step of every command: a server holds hangups back before it loads anything; the rest is `command_line`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib import import_module

SERVERS = frozenset({"up", "pop3d", "lmtpd"})


def main() -> None:
    if _serves(sys.argv[1:]):
        # To load Django takes a second. A SIGHUP of that second waits for the handler instead of ending the process.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    import_module("popadmin.command_line").run()


def _serves(arguments: Sequence[str]) -> bool:
    """Whether it runs until it is told to stop. The sweep has nothing to reload, so it never looks at a hangup."""
    command, *options = arguments or [""]
    return command in SERVERS or (command == "sweep" and any(option.startswith("--every") for option in options))
