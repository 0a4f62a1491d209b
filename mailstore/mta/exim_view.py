"""Exim as the checks examine it: its ports, its look-ups, its queue."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from mailstore.mta import exim_setup, program
from mailstore.mta.checks.subject import NOT_FOUND, MtaView, Queue, Waiting
from mailstore.mta.exim_setup import EximSetup
from mailstore.mta.program import Outcome
from mailstore.mta.socket_address import SocketAddress

LOOPBACK = "127.0.0.1"
_OPTIONS = ("primary_hostname", "daemon_smtp_ports", "tls_on_connect_ports", "message_size_limit")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_MESSAGE = re.compile(r"^\s*(\d+)([mhd])\s+\S+\s+(\S+)\s+<")  # exim -bp: age, size, id, sender
_QUERIES = {
    "virtual_mailbox_domains": "SELECT domain FROM mta_domains WHERE domain = '{key}'",
    "virtual_mailbox_maps": "SELECT address FROM mta_mailboxes WHERE address = '{key}'",
    "virtual_alias_maps": "SELECT target FROM mta_aliases WHERE address = '{key}'",
    "smtpd_sender_login_maps": "SELECT login FROM mta_senders WHERE sender = '{key}'",
}
FAILED, DEFERRED = "Failed:", "DEFER"


def read(directory: Path) -> MtaView:
    """Return the Exim of this configuration directory."""
    setup = EximSetup(directory)
    options = _options(setup.file, *_OPTIONS)
    ports = options.get("daemon_smtp_ports", "").replace(":", " ").split()
    implicit = options.get("tls_on_connect_ports", "").replace(":", " ").split()
    sign_in = [port for port in ports if port not in {"25", "smtp", *implicit}]
    limit = options.get("message_size_limit", "")
    return MtaView(
        hostname=options.get("primary_hostname", ""),
        smtp=_port(["25" for port in ports if port in {"25", "smtp"}]),
        submission=_port(sign_in),
        submissions=_port(implicit),
        queue=lambda: _queue(setup.file),
        test=setup.test,
        size_limit_octets=_octets(limit),
        is_rewriting="srs_encode" in _text(setup.file),
        lookup=lambda table, key: _lookup(setup.file, table, key),
    )


def _options(file: Path, *names: str) -> dict[str, str]:
    said = program.run([exim_setup.binary(), "-C", str(file), "-bP", *names])
    return {
        name.strip(): value.strip()
        for name, _equals, value in (each.partition("=") for each in said.output.splitlines())
    }


def _port(ports: list[str]) -> SocketAddress | None:
    return SocketAddress(host=LOOPBACK, port=int(ports[0])) if ports and ports[0].isdigit() else None


def _octets(text: str) -> int | None:
    """Read a size as Exim prints it: in octets, or in K or M; 0 is no limit."""
    found = re.fullmatch(r"(\d+)([KM]?)", text)
    return int(found[1]) * {"": 1, "K": 2**10, "M": 2**20}[found[2]] or None if found else None


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _lookup(file: Path, table: str, key: str) -> Outcome | None:
    """Let Exim look a key up, as its user. No sign of the key has a meaning for Exim, nor for Postgres."""
    query = _QUERIES[table].format(key=f"${{quote_pgsql:\\N{key}\\N}}")
    asking = [exim_setup.binary(), "-C", str(file), "-be", f"${{lookup pgsql{{{query}}}}}"]
    as_user = ["runuser", "-u", exim_setup.user(), "--"] if os.geteuid() == 0 else []
    said = program.run([*as_user, *asking])
    if said.good and not said.output:
        return Outcome(NOT_FOUND, "")
    has_failed = said.output.startswith(FAILED) or DEFERRED in said.output
    return replace(said, code=2) if has_failed and said.good else said


def _queue(file: Path) -> Queue:
    said = program.run([exim_setup.binary(), "-C", str(file), "-bp"])
    return Queue(tuple(_waiting(said.output, file))) if said.good else Queue(failure=said.words)


def _waiting(listed: str, file: Path) -> Iterator[Waiting]:
    """Read the list of the queue: a line for each message, then one for each recipient; D stands for delivered."""
    since, message = datetime.now(UTC), ""
    for line in listed.splitlines():
        if found := _MESSAGE.match(line):
            since = datetime.now(UTC) - int(found[1]) * _UNITS[found[2]]
            message = found[3]
        elif line.strip() and not line.lstrip().startswith("D "):
            yield Waiting(line.strip(), since, partial(_reason, file, message))


def _reason(file: Path, message: str) -> str:
    """Return the last line of the log of a message."""
    log = program.run([exim_setup.binary(), "-C", str(file), "-Mvl", message]).output.splitlines()
    return log[-1] if log else ""
