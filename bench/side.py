"""What the benchmark asks of a server under test, and how one is told apart from the others; no server by name."""

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

from bench.groups import Group
from bench.meter import Meter
from bench.talk import Address

NOBODY = 65534
START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Doors:
    pop3: Address
    pop3s: Address
    lmtp: Address


class Side(Protocol):
    """A POP3 and an LMTP server with a Postgres of their own, everything of it counted by one meter."""

    name: str
    meter: Meter
    doors: Doors
    log: Path  # of its servers

    def start(self) -> None:
        """Start everything; returns when every door answers."""

    def stop(self) -> None: ...

    def accounts(self, groups: Sequence[Group]) -> None:
        """Make the groups' mailboxes, signed in to with mail.PASSWORD."""

    def multiply(self, address: str, count: int) -> None:
        """Make the only message of this mailbox `count` messages, by any means."""

    def restart_pop3(self) -> None:
        """Forget whatever the POP3 server keeps in memory."""

    def server_pids(self) -> list[int]:
        """The processes that serve POP3, without Postgres."""


def free_address() -> Address:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Address("127.0.0.1", probe.getsockname()[1])


def unprivileged(command: list[str]) -> list[str]:
    """Postgres refuses root, and Dovecot refuses mailboxes of root's: as root they run as nobody."""
    if os.getuid():
        return command
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]


def stop(process: subprocess.Popen[bytes] | None) -> None:
    """Ask a server of ours to end, and wait for it."""
    if process:
        process.terminate()
        process.wait(START_SECONDS)


def listed(meter: Meter, *, without: str) -> list[int]:
    """The processes of a side less those whose name begins with `without`."""
    return [pid for pid in meter.pids() if not _name(pid).startswith(without)]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:  # it has ended
        return ""


def give_away(folder: Path) -> Path:
    """Make a folder that what runs `unprivileged` owns."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.getuid():
        shutil.chown(folder, NOBODY, NOBODY)
    return folder


def wait_for(address: Address) -> None:
    """Return when the door sends its greeting."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with socket.create_connection((address.host, address.port), timeout=START_SECONDS):
                return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {address} after {START_SECONDS} s")
