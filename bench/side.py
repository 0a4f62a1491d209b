"""A side of the comparison: the interface to a server under test, and functions that all sides share."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.client import Address
from bench.mailbox_groups import Group
from bench.meter import Meter

NOBODY = 65534
START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Addresses:
    pop3: Address
    pop3s: Address
    lmtp: Address


class Side(Protocol):
    """A POP3 and an LMTP server with a Postgres of their own; one meter counts all of their processes."""

    name: str
    meter: Meter
    addresses: Addresses
    log: Path  # of its servers

    def start(self) -> None:
        """Start everything; return when every address answers."""

    def stop(self) -> None: ...

    def accounts(self, groups: Sequence[Group]) -> None:
        """Create the mailboxes of the groups, with mail.PASSWORD."""

    def duplicate_message(self, address: str, count: int) -> None:
        """Duplicate the only message of this mailbox until there are `count`, by any means."""

    def restart_pop3(self) -> None:
        """Restart the POP3 server, so that it has nothing in memory."""

    def server_pids(self) -> list[int]:
        """Return the processes of the mail servers, without Postgres."""


def free_address() -> Address:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Address("127.0.0.1", probe.getsockname()[1])


def unprivileged(command: list[str]) -> list[str]:
    """Return the command so that it does not run as root: Postgres refuses root, and Dovecot refuses its mailboxes."""
    if os.getuid():
        return command
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]


def stop(process: subprocess.Popen[bytes] | None) -> None:
    """Ask a server to end, and wait for it."""
    if process:
        process.terminate()
        process.wait(START_SECONDS)


def listed(meter: Meter, *, without: str) -> list[int]:
    """Return the processes of a side, except those whose name begins with `without`."""
    return [pid for pid in meter.pids() if not _name(pid).startswith(without)]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:  # it has ended
        return ""


def give_away(folder: Path) -> Path:
    """Make a folder that belongs to the user of `unprivileged` commands."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.getuid():
        shutil.chown(folder, NOBODY, NOBODY)
    return folder


def wait_for(address: Address) -> None:
    """Return when a server listens at the address."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with socket.create_connection((address.host, address.port), timeout=START_SECONDS):
                return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {address} after {START_SECONDS} s")
