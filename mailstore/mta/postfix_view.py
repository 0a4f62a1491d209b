"""Postfix as the checks examine it: its ports, its maps asked as its user, its queue."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from mailstore.mta import postfix_facts, program
from mailstore.mta.checks.subject import FOUND, NOT_FOUND, MtaView, Queue, Waiting
from mailstore.mta.postfix_facts import PostfixFacts
from mailstore.mta.postfix_setup import PostfixSetup
from mailstore.mta.program import Outcome
from mailstore.mta.socket_address import SocketAddress

PORTS = {"smtp": 25, "submission": 587, "submissions": 465, "smtps": 465, "urd": 465}  # as /etc/services names them
LOOPBACK = "127.0.0.1"
_ANYWHERE = frozenset({"all", "loopback-only", "localhost", LOOPBACK})  # the interfaces with the loopback address
FAILED = 2
_FATAL = re.compile(r"^\S+: (?:fatal|error): ", re.MULTILINE)
_POOLED = "proxy:"  # the pool is only for Postfix' own processes


def read(directory: Path) -> MtaView:
    """Return the Postfix of this configuration directory."""
    facts = postfix_facts.read(directory)
    sign_in = [each for each in facts.services if "smtpd_sasl_auth_enable=yes" in each]
    implicit = [each for each in sign_in if "smtpd_tls_wrappermode=yes" in each]
    limit = facts.parameters.get("message_size_limit", "")
    return MtaView(
        hostname=facts.parameters.get("smtp_helo_name", ""),
        smtp=_port(facts, [each for each in facts.services if each not in sign_in]),
        submission=_port(facts, [each for each in sign_in if each not in implicit]),
        submissions=_port(facts, implicit),
        queue=lambda: _queue(directory),
        test=PostfixSetup(directory).test,
        size_limit_octets=int(limit) if limit.isdigit() and limit != "0" else None,
        is_rewriting=bool(facts.words("sender_canonical_maps")),
        lookup=lambda table, key: _lookup(facts, table, key),
        postfix=facts,
    )


def _port(facts: PostfixFacts, services: list[tuple[str, ...]]) -> SocketAddress | None:
    """Return the address of the first of these services that takes mail by SMTP, as this machine reaches it."""
    found = [each for each in services if each[1] == "inet" and each[7] in {"smtpd", "postscreen"}]
    if not found:
        return None
    host, _colon, port = found[0][0].rpartition(":")
    number = PORTS.get(port) or int(port) if port in PORTS or port.isdigit() else 0
    return SocketAddress(host=host.strip("[]") or _own_address(facts), port=number) if number else None


def _own_address(facts: PostfixFacts) -> str:
    interfaces = facts.words("inet_interfaces")
    return LOOPBACK if not interfaces or _ANYWHERE & set(interfaces) else interfaces[0].strip("[]")


def _lookup(facts: PostfixFacts, table: str, key: str) -> Outcome | None:
    """Ask the maps of a parameter for a key, as the user of Postfix; None if the parameter names no map."""
    maps = [word.removeprefix(_POOLED) for word in facts.words(table) if ":" in word]
    if not maps:
        return None
    if os.geteuid() != 0:
        return Outcome(126, "", "only root can ask as the user of Postfix")
    # The first map that knows the key answers, as in Postfix.
    answers = (
        program.run(["runuser", "-u", facts.owner, "--", "postmap", "-c", str(facts.directory), "-q", key, each])
        for each in maps
    )
    return _first(answers)


def _first(answers: Iterator[Outcome]) -> Outcome:
    """Return the first answer of a map that knows the key, or that cannot be asked: postmap ends with 1 there too."""
    for answer in answers:
        if answer.good and answer.output:
            return answer
        if answer.code not in (FOUND, NOT_FOUND) or _FATAL.search(answer.errors):
            return replace(answer, code=answer.code if answer.code > NOT_FOUND else FAILED)
    return Outcome(NOT_FOUND, "")


def _queue(directory: Path) -> Queue:
    said = program.run(["postqueue", "-c", str(directory), "-j"])
    if not said.good:
        return Queue(failure=said.words)
    try:
        entries = [json.loads(line) for line in said.output.splitlines()]
    except ValueError:
        return Queue(failure=said.words)
    return Queue(tuple(each for entry in entries for each in _waiting(entry)))


def _waiting(entry: dict[str, object]) -> Iterator[Waiting]:
    since = datetime.fromtimestamp(int(str(entry["arrival_time"])), UTC)
    recipients = entry["recipients"]
    for recipient in recipients if isinstance(recipients, list) else ():
        reason = str(recipient.get("delay_reason", ""))
        yield Waiting(recipient["address"], since, partial(str, reason))
