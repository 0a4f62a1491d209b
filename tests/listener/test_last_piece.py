"""The end of a message: its last octets and the terminator leave together, since some clients misread parts of it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from mailstore.listener.body_transfer import SLICE_OCTETS
from mailstore.models import Message
from tests.listener.test_body_transfer import ADDRESS, HEADER, without_trace
from tests.listeners import PASSWORD, MailSite, daemon, greeted
from tests.pop3_client import CHUNK_OCTETS, END, connect_to

T = TypeVar("T")

RECORD_OCTETS = 16_384  # RFC 8446 §5.1: the most that one record carries
LAST_LINES = b"\r\nend\r\n"
# The last octets of a body on each side of the borders between slices.
LARGE = [400_000, *range(2 * SLICE_OCTETS - 3, 2 * SLICE_OCTETS + 3)]


def body(octets: int, *, nul: bool) -> bytes:
    """A message of so many octets whose last line is short."""
    start = HEADER + (b"\0" if nul else b"")
    return start + b"z" * (octets - len(start) - len(LAST_LINES)) + LAST_LINES


@pytest.mark.req("P-066")
@pytest.mark.parametrize("nul", [False, True], ids=["by sendfile", "in slices"])
def test_the_last_octets_and_the_terminator_leave_in_one_write(mail_site: MailSite, tmp_path: Path, nul: bool) -> None:
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *(body(octets, nul=nul) for octets in LARGE))
    trace = tmp_path / "trace"
    with (
        daemon("pop3d", trace=trace) as traced,
        greeted(connect_to(traced.address)).sign_in(ADDRESS, PASSWORD) as session,
    ):
        for number in range(1, len(LARGE) + 1):
            assert without_trace(session.message(number)).endswith(LAST_LINES)
    ends = [written for written in writes(trace) if written.endswith(END)]
    assert len(ends) == len(LARGE)
    assert [written[-len(LAST_LINES + END) :] for written in ends] == [LAST_LINES + END] * len(LARGE)


def writes(trace: Path) -> list[bytes]:
    """What each system call wrote, as far as the call took it."""
    calls = re.finditer(
        r"(?:write|sendto|sendmsg|writev)\(.*?((?:\\x[0-9a-f]{2})+)\".* = (\d+)$", trace.read_text(), re.M
    )
    return [bytes.fromhex(call[1].replace("\\x", ""))[: int(call[2])] for call in calls]


@pytest.mark.req("P-066")
@pytest.mark.parametrize("nul", [False, True], ids=["as it lies", "with NUL"])
def test_the_last_octets_and_the_terminator_leave_in_one_record_of_tls(mail_site: MailSite, nul: bool) -> None:
    """A client gets what a record carries in one read. The end of a small message too lies on a border of records."""
    mail_site.mailbox()
    mail_site.fill(ADDRESS, body(1000, nul=nul))
    head_octets = len(b"+OK 16384 octets\r\n") + Message.objects.get().octets - 1000
    small = [RECORD_OCTETS - head_octets - more for more in range(6)]
    mail_site.fill(ADDRESS, *(body(octets, nul=nul) for octets in [*small, *LARGE]))
    with RecordClient(mail_site) as client:
        client.until(lambda text: text.startswith(b"+OK"))
        for line in (f"USER {ADDRESS}", f"PASS {PASSWORD}"):
            client.say(line)
            client.until(lambda text: text.startswith(b"+OK"))
        for number in range(1, 1 + len(small) + len(LARGE) + 1):
            client.say(f"RETR {number}")
            assert client.until(lambda text: text.endswith(b"\n" + END) or text in TAILS).endswith(LAST_LINES + END)


TAILS: Sequence[bytes] = [END[-count:] for count in range(1, len(END) + 1)]


class RecordClient:
    """A TLS client that decrypts one record at a time."""

    def __init__(self, site: MailSite) -> None:
        self._sock = connect_to(site.pop3d.tls_address).sock
        self._octets = b""  # of records that are not decrypted yet
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = site.authority.context().wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")

    def __enter__(self) -> RecordClient:
        self._try(self._tls.do_handshake)
        return self

    def __exit__(self, *_error: object) -> None:
        self._sock.close()

    def say(self, line: str) -> None:
        self._tls.write(line.encode() + b"\r\n")
        self._sock.sendall(self._outgoing.read())

    def until(self, ends: Callable[[bytes], bool]) -> bytes:
        """What the first record carries for which `ends` holds."""
        while not ends(text := self._try(lambda: self._tls.read(RECORD_OCTETS))):
            pass
        return text

    def _try(self, act: Callable[[], T]) -> T:
        while True:
            try:
                result = act()
            except ssl.SSLWantReadError:
                self._sock.sendall(self._outgoing.read())
                self._incoming.write(self._record())
            else:
                self._sock.sendall(self._outgoing.read())
                return result

    def _record(self) -> bytes:
        while len(self._octets) < 5 or len(self._octets) < 5 + int.from_bytes(self._octets[3:5]):
            data = self._sock.recv(CHUNK_OCTETS)
            assert data, "the server has hung up"
            self._octets += data
        end = 5 + int.from_bytes(self._octets[3:5])
        record, self._octets = self._octets[:end], self._octets[end:]
        return record
