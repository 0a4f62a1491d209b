"""Bad input on either port: one clear refusal each, bounded memory, and no harm to other sessions."""

from __future__ import annotations

import base64
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.breakable_site import SENDER, BreakableSite
from tests.listeners import Daemon
from tests.pop3_client import LONGEST_WAIT_SECONDS, Pop3Client, connect_to
from tests.up.programs import until

ANN = "p0@example.org"
MEGABYTE = 1_000_000
KEPT_KIB = 3 * 1024  # what a worker may be larger after a flood: free lists and buffers, not the flood


@pytest.fixture(params=["pop3", "pop3 signed in", "lmtp"])
def client(site: BreakableSite, request: pytest.FixtureRequest) -> Iterator[Pop3Client]:
    """A connection on each port, and in each state that takes other commands."""
    if request.param == "lmtp":
        with greeted(site.lmtpd) as client:
            client.send(b"LHLO client.example\r\n")
            while client.line()[3:4] == b"-":
                pass
            yield client
    else:
        with site.session(ANN) if "signed" in request.param else site.dial() as client:
            yield client


@contextmanager
def greeted(listener: Daemon) -> Iterator[Pop3Client]:
    with connect_to(listener.address) as client:
        assert client.line()
        yield client


def refused(reply: bytes) -> bool:
    return reply.startswith((b"-ERR", b"50", b"55")) and reply.endswith(b"\r\n") and len(reply) <= 512


def accepted(reply: bytes) -> bool:
    return reply.startswith((b"+OK", b"250 ", b"221 "))


def one_refusal(client: Pop3Client, data: bytes) -> bytes:
    """The octets are answered by exactly one refusal, and the next command is obeyed."""
    client.send(data)
    reply = client.line()
    assert refused(reply), reply
    client.send(b"QUIT\r\n")
    assert accepted(client.line())
    assert client.rest() == b""
    return reply


# --- one refusal each ---------------------------------------------------------------------------------------------


@pytest.mark.req("P-007")
@pytest.mark.req("P-018")
@pytest.mark.parametrize(
    "line",
    [
        b"A" * MEGABYTE,
        b"NOOP " + b" " * MEGABYTE,
        b"USER " + b"x" * MEGABYTE,
        b"RCPT TO:<" + b"x" * MEGABYTE + b"@example.org>",
        b"QUIT" + b"\0" * 600,
        b"US\0ER ann",
        b"\0",
        b"\xff\xfe\xfd",
        b"MAIL FROM:<\xc0\x80@example.org>",
        b"RETR " + b"9" * 100,
        b"MAIL FROM:<> SIZE=" + b"9" * 100,
        b"STAT\x1b[31m",
        b"STAT\rNOOP",
        b"",
        b" QUIT",
        b":",
        b"%s%n%x",
    ],
    ids=lambda line: f"{line[:14]!r}+{len(line)}",
)
def test_a_line_that_is_no_command_is_refused_once_and_its_tail_is_nothing(client: Pop3Client, line: bytes) -> None:
    reply = one_refusal(client, line + b"\r\n")
    assert line[:40] not in reply or not line.strip()


def test_a_chunk_of_nobody_knows_how_many_octets_is_refused_once_and_the_end(site: BreakableSite) -> None:
    """What follows cannot be told from commands, so nothing of it is taken for one."""
    with greeted(site.lmtpd) as client:
        client.send(b"LHLO a\r\nBDAT " + b"9" * 100 + b"\r\nQUIT\r\n")
        replies = client.rest().splitlines(keepends=True)
        assert refused(replies[-1])
        assert [reply[:3] for reply in replies].count(b"250") == len(replies) - 1


@pytest.mark.req("P-007")
def test_a_megabyte_without_an_end_is_refused_before_it_ends(client: Pop3Client) -> None:
    client.send(b"A" * MEGABYTE)
    assert refused(client.line())
    client.send(b"A" * MEGABYTE + b"QUIT\r\nQUIT\r\n")
    assert accepted(client.line())
    assert client.rest() == b""


@pytest.mark.req("P-022")
@pytest.mark.parametrize("seed", range(3))
def test_noise_is_refused_line_by_line_until_the_server_has_enough(client: Pop3Client, seed: int) -> None:
    noise = random.Random(seed).randbytes(10_000)
    client.send(noise + b"\r\n")
    client.sock.shutdown(socket.SHUT_WR)
    replies = client.rest().splitlines(keepends=True)
    assert all(refused(reply) or reply.startswith(b"421 ") for reply in replies), replies
    assert 1 <= len(replies) <= min(21, noise.count(b"\n") + 1)


@pytest.mark.req("P-146")
@pytest.mark.parametrize(
    "response",
    [
        b"====",
        b"AAAA=AAAA",
        b"AGFubgB4=",
        b"A",
        b"AGFubgB",
        b"AGFubgBy",  # a wrong password of nobody's: well-formed, and refused as such
        b"\xff\xff\xff\xff",
        b"AGFu bgBy",
        b"AGFubgBz\tZWNyZXQ=",
        base64.b64encode(b"\0" * 3000),
        base64.b64encode(b"ann@example.org"),
        base64.b64encode(b"\0ann@example.org\0\xff\xfe"),
        base64.b64encode(b"\0" + b"a" * 4000 + b"\0" + b"b" * 4000),
    ],
    ids=lambda response: f"{response[:16]!r}+{len(response)}",
)
@pytest.mark.parametrize("how", ["initial", "continued"])
def test_base64_that_lies_is_refused_once_and_spoils_no_other_sign_in(
    site: BreakableSite, response: bytes, how: str
) -> None:
    with site.dial() as client:
        if how == "initial":
            client.send(b"AUTH PLAIN " + response + b"\r\n")
        else:
            client.send(b"AUTH PLAIN\r\n")
            assert client.line() == b"+ \r\n"
            client.send(response + b"\r\n")
        assert client.line().startswith(b"-ERR ")
        client.sign_in(ANN, "correct horse battery staple")


@pytest.mark.req("P-024")
def test_commands_that_drip_in_octet_by_octet_are_obeyed(client: Pop3Client) -> None:
    for octet in b"NOOPX\r\nQUIT\r\n":
        client.send(bytes([octet]))
    assert refused(client.line())
    assert accepted(client.line())


@pytest.mark.req("P-027")
@pytest.mark.parametrize("half", [b"QUI", b"QUIT\r", b"USER p0@exam", b"MAIL FROM:<a@b", b"\0", b"A" * 400])
def test_half_a_command_and_the_end_is_no_command(client: Pop3Client, half: bytes) -> None:
    client.send(half)
    client.sock.shutdown(socket.SHUT_WR)
    assert not accepted(client.rest())


def test_half_a_message_and_the_end_is_no_message(site: BreakableSite) -> None:
    with greeted(site.lmtpd) as client:
        client.send(
            b"LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<p0@example.org>\r\nDATA\r\nSubject: half\r\n\r\n" + b"x" * 300_000
        )
        client.sock.shutdown(socket.SHUT_WR)
        assert b"\r\n354 " in client.rest()
    with site.session(ANN) as reader:
        assert reader.ask("STAT") == b"+OK 0 0"
    until(lambda: not list((site.store / "tmp").iterdir()), "the draft is gone")


# --- floods -------------------------------------------------------------------------------------------------------


def kib(listener: Daemon) -> int:
    """The resident memory of the listener's workers."""
    sizes = [Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in listener.workers()]
    return sum(map(int, sizes)) * 4


def flood(address: tuple[str, int], times: int) -> None:
    """Connections that each send a megabyte of nothing, and half of them leave without a word."""
    for n in range(times):
        with connect_to(address) as client:
            client.line()
            try:
                client.send(b"A" * MEGABYTE if n % 2 else b"\0\r\n" * 9 + b"B" * MEGABYTE + b"\r\nQUIT\r\n")
                client.sock.shutdown(socket.SHUT_WR)
                client.rest()
            except OSError:
                pass  # cut: also an answer


@pytest.mark.req("P-007")
@pytest.mark.req("P-194")
@pytest.mark.parametrize("listener", ["pop3d", "lmtpd"])
def test_floods_leave_the_memory_flat_and_the_other_sessions_alone(site: BreakableSite, listener: str) -> None:
    target: Daemon = getattr(site, listener)
    site.deliver(ANN, b"Subject: kept\r\n\r\nhere\r\n")
    workers = target.workers()
    with site.session(ANN) as bystander:
        flood(target.address, 20)  # buffers and free lists find their size
        before = kib(target)
        flood(target.address, 60)
        assert kib(target) - before < KEPT_KIB
        assert bystander.message(1).endswith(b"here\r\n")
        assert bystander.quit().startswith(b"+OK")
    assert target.workers() == workers
    assert site.serves()


class Narrow:
    """A client that sends much and reads nothing until it is told to."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.sock.settimeout(LONGEST_WAIT_SECONDS)
        self.sock.connect(address)
        self.sent = 0
        self._thread = threading.Thread(target=lambda: None)

    def begin(self, data: bytes) -> None:
        self._thread = threading.Thread(target=self._send, args=(data,))
        self._thread.start()

    def end(self) -> None:
        self._thread.join(LONGEST_WAIT_SECONDS)
        self.sock.close()

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while self.sent < len(data):
            self.sent += self.sock.send(view[self.sent : self.sent + 65536])


@pytest.mark.req("P-025")
@pytest.mark.req("P-023")
def test_a_pipeline_nobody_reads_the_answers_of_stops_the_reading_and_goes_on_when_they_are_read(
    site: BreakableSite,
) -> None:
    """Also its very last command is answered: a server that stopped reading must begin again."""
    count = 600_000
    before = kib(site.lmtpd)
    narrow = Narrow(site.lmtpd.address)
    try:
        narrow.begin(b"LHLO a\r\n" + b"NOOP\r\n" * count + b"QUIT\r\n")
        until(Stalled(lambda: narrow.sent), "nothing moves any more")
        assert kib(site.lmtpd) - before < 2 * KEPT_KIB
        answers = Pop3Client(narrow.sock).rest()
    finally:
        narrow.end()
    assert answers.count(b"250 2.0.0 OK\r\n") == count
    assert answers.splitlines()[-1].startswith(b"221 ")


@pytest.mark.req("P-025")
@pytest.mark.req("P-023")
def test_a_pipeline_of_messages_is_answered_to_its_last(site: BreakableSite) -> None:
    """More RETRs than fit the buffer of waiting commands, and nothing else among them."""
    site.deliver(ANN, b"Subject: again\r\n\r\n" + b"x" * 600 + b"\r\n")
    count = 12_000
    narrow = Narrow(site.pop3d.address)
    try:
        narrow.begin(
            b"USER %b\r\nPASS correct horse battery staple\r\n" % ANN.encode() + b"RETR 1\r\n" * count + b"QUIT\r\n"
        )
        answers = Pop3Client(narrow.sock).rest()
    finally:
        narrow.end()
    assert answers.count(b"\r\nSubject: again\r\n") == count
    assert answers.splitlines()[-1].startswith(b"+OK")


class Stalled:
    """True once a figure has stood still for a while."""

    def __init__(self, figure: Callable[[], int]) -> None:
        self._figure = figure
        self._seen: list[int] = []

    def __call__(self) -> bool:
        self._seen.append(self._figure())
        return len(self._seen) > 50 and len({*self._seen[-50:]}) == 1 and self._seen[-1] > 0


# --- smuggling ----------------------------------------------------------------------------------------------------

NOT_THE_END = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\n\0.\0\n",
    b"\0.\0",
    b"\r\n..\r\n",
    b"\r\n. \r\n",
]
SMUGGLED = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<p1@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n"


@pytest.mark.req("P-004")
@pytest.mark.req("P-013")
@pytest.mark.parametrize("end", NOT_THE_END, ids=repr)
@pytest.mark.parametrize("pieces", ["whole", "cut"])
def test_only_one_sequence_ends_a_message(site: BreakableSite, end: bytes, pieces: str) -> None:
    with site.lmtp() as client:
        client.mail(SENDER)
        client.rcpt(ANN)
        client.putcmd("DATA")
        client.getreply()
        message = b"Subject: outer\r\n\r\nbody" + end + SMUGGLED
        if pieces == "whole":
            client.send(message + b".\r\n")
        else:
            for octet in message + b".\r\n":
                client.send(bytes([octet]))
        assert client.getreply()[0] == 250
        assert client.noop()[0] == 250
    with site.session("p1@example.org") as victim:
        assert victim.ask("STAT") == b"+OK 0 0"
    with site.session(ANN) as reader:
        octets = int(reader.rows("LIST")[0].split()[1])
        assert reader.ask("RETR 1").startswith(b"+OK")
        payload = reader.payload()
        assert payload.endswith(b"\r\nevil\r\n.\r\n")
        assert payload.replace(b"\r\n", b"").count(b"\r") == payload.replace(b"\r\n", b"").count(b"\n") == 0
        assert reader.ask("NOOP") == b"+OK"
        assert len(reader.message(1)) == octets
