"""The mail of the benchmark: the same octets in every run and for every server, without the servers' own headers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

DOMAIN = "bench.test"
PASSWORD = "correct-horse-7-battery"
SMALLEST_OCTETS, LARGEST_OCTETS = 2_000, 60_000
ORDINARY = 100
LARGE_OCTETS = 10_000_000
LINE_OCTETS = 76
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@cache
def ordinary() -> tuple[bytes, ...]:
    """100 messages of 2 to 60 KB, small ones more often than large ones (even in the logarithm, mean 17 KB)."""
    ratio = LARGEST_OCTETS / SMALLEST_OCTETS
    sizes = [int(SMALLEST_OCTETS * ratio ** (index / (ORDINARY - 1))) for index in range(ORDINARY)]
    random.Random(1939).shuffle(sizes)
    return tuple(message(index, octets) for index, octets in enumerate(sizes))


@cache
def large() -> tuple[bytes, ...]:
    return (message(0, LARGE_OCTETS),)


@cache
def tiny() -> tuple[bytes, ...]:
    return (message(0, 600),)


COLLECTIONS = {"ordinary": ordinary, "large": large, "tiny": tiny}


def collection(name: str) -> tuple[bytes, ...]:
    """Return the messages of one mailbox, by the name in a job."""
    return COLLECTIONS[name]()


def message(index: int, octets: int) -> bytes:
    """Return a message of about `octets` octets with CRLF line ends; some lines begin with a dot."""
    head = (
        f"From: Sender {index} <sender-{index}@example.org>\r\nTo: <somebody@{DOMAIN}>\r\n"
        f"Subject: Message {index} of the benchmark\r\nDate: Tue, 14 May 1996 12:00:00 +0000\r\n"
        f"Message-ID: <{index}.{octets}@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
    ).encode()
    lines = [head]
    lines += _lines(random.Random(index), max(1, (octets - len(head)) // (LINE_OCTETS + 2)))
    return b"".join(lines)


def _lines(source: random.Random, count: int) -> Iterator[bytes]:
    block = bytes(source.choices(ALPHABET, k=64 * LINE_OCTETS))
    for number in range(count):
        start = number % 64 * LINE_OCTETS
        line = block[start : start + LINE_OCTETS]
        yield (b"." + line[1:] if number % 40 == 7 else line) + b"\r\n"


def stuffed(plain: bytes) -> bytes:
    """Return the message as DATA carries it, with its terminator (RFC 5321 §4.5.2)."""
    dotted = plain.replace(b"\r\n.", b"\r\n..")
    return (b"." if dotted.startswith(b".") else b"") + dotted + b".\r\n"


def unstuffed(wire: bytes) -> bytes:
    """Return the message that a client keeps of a multi-line reply without its terminator (RFC 1939 §3)."""
    plain = wire.replace(b"\r\n.", b"\r\n")
    return plain.removeprefix(b".")
