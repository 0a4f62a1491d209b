"""Compares a server's answers with the mail that was delivered, octet by octet, outside of every measurement.

A server that answers wrongly gets no figures: wrong answers may be faster.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from bench import mail
from bench.client import Client, Tls, WrongAnswer
from bench.load import sign_in
from bench.mailbox_groups import Group
from bench.side import Side

# The headers that a server may add to the message: Return-Path, Delivered-To, Received.
OWN_HEADERS_OCTETS = 2_000


def answers(side: Side, groups: Sequence[Group]) -> str:
    """Check each group that has mail, plain and over TLS, and return "TLS version, cipher". Raises WrongAnswer."""
    for group in groups:
        if group.copies:
            _count(side, group.users[0], group.copies)
        elif group.mail:
            _check(side, group.users[0], mail.collection(group.mail), None)
            _check(side, group.users[-1], mail.collection(group.mail), Tls(resume=False))
    return _negotiated(side, groups[0].users[0])


def _open(side: Side, user: str, tls: Tls | None) -> Client:
    return sign_in(side.addresses.pop3s if tls else side.addresses.pop3, user, tls)


def _check(side: Side, user: str, sent: tuple[bytes, ...], tls: Tls | None) -> None:
    client = _open(side, user, tls)
    sizes = _listed(client, b"LIST")
    if len(sizes) != len(sent) or len(set(_listed(client, b"UIDL"))) != len(sent):
        raise WrongAnswer(f"{side.name}: {user} lists {len(sizes)} messages instead of {len(sent)}")
    for number, (size, original) in enumerate(zip(sizes, sent, strict=True), start=1):
        got = mail.unstuffed(_content(client.ask(f"RETR {number}\r\n".encode(), lines=True, keep=True)))
        if not got.endswith(original) or len(got) - len(original) > OWN_HEADERS_OCTETS or len(got) != int(size):
            raise WrongAnswer(f"{side.name}: message {number} of {user} is not the one delivered, or not its size")
    client.ask(b"QUIT\r\n")
    client.close()


def _count(side: Side, user: str, messages: int) -> None:
    client = _open(side, user, None)
    stat = client.ask(b"STAT\r\n", keep=True).split()
    if int(stat[1]) != messages or len(set(_listed(client, b"UIDL"))) != messages:
        raise WrongAnswer(f"{side.name}: {user} has not {messages} messages")
    if sum(int(size) for size in _listed(client, b"LIST")) != int(stat[2]):
        raise WrongAnswer(f"{side.name}: STAT of {user} is not the sum of its LIST")
    client.close()


def _listed(client: Client, command: bytes) -> list[bytes]:
    reply = client.ask(command + b"\r\n", lines=True, keep=True)
    return [line.split()[1] for line in _content(reply).splitlines()]


def _content(reply: bytes) -> bytes:
    """Return a multi-line reply without its first line and its terminator."""
    return reply.partition(b"\r\n")[2].removesuffix(b".\r\n")


def _negotiated(side: Side, user: str) -> str:
    client = _open(side, user, Tls(resume=False))
    assert isinstance(client.socket, ssl.SSLSocket)
    version, cipher = client.socket.version(), client.socket.cipher()
    client.close()
    return f"{version}, {cipher[0]}" if cipher else "no TLS"
