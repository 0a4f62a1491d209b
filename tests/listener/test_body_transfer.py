"""Messages on their way out: the octets that came in, in bounded memory, or a clear refusal."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from django.conf import settings

from mailstore.bodies import layout
from mailstore.models import Body, Message
from tests.listeners import PASSWORD, MailSite, numbered
from tests.pop3_client import END, Pop3Client, unstuffed

ADDRESS = "ann@example.org"
MEGABYTE = 1024 * 1024
MEMORY_OCTETS = 8 * MEGABYTE  # what a worker may grow by while it sends; the messages are many times larger


def canonical(message: bytes) -> bytes:
    """What a client is to end with: CRLF for whatever ended a line, also the last."""
    lines = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if lines and not lines.endswith(b"\n"):
        lines += b"\n"
    return lines.replace(b"\n", b"\r\n")


HEADER = b"Subject: corpus\r\n\r\n"
CORPUS = {
    "CRLF": HEADER + b"one\r\ntwo\r\n",
    "bare LF": HEADER.replace(b"\r\n", b"\n") + b"one\ntwo\n",
    "bare CR": HEADER + b"one\rtwo\r\n",
    "all line ends mixed": HEADER + b"one\r\ntwo\nthree\rfour\n\r\n\n",
    "no final line end": HEADER + b"one\r\nlast",
    "a lone CR at the end": HEADER + b"last\r",
    "no body": HEADER,
    "no header end": b"Subject: corpus\r\nFrom: a@example.org\r\n",
    "empty lines only": b"\r\n\r\n\r\n",
    "one octet": b"x",
    "a dot alone": b".",
    "a dot line first": b".\r\nSubject: dots\r\n\r\n",
    "dots only": HEADER + b".\r\n..\r\n...\r\n.\r\n",
    "dots that hide": HEADER + b"x\r\n.\r\nQUIT\r\n.\n.\r.\r\n",
    "smuggled end": HEADER + b"one\n.\nMAIL FROM:<a@b>\r\n",
    "no line end for 200 KB": HEADER + b"x" * 200_000,
    "eight bits": HEADER + bytes(range(1, 10)) + bytes(range(14, 256)) + b"\r\n",
    "NUL": HEADER + b"a\0b\r\n",
    "UTF-8 header": "Subject: Grüße\r\n\r\nüber\r\n".encode(),
    **{
        f"a dot at octet {offset}": HEADER + b"y" * (offset - len(HEADER) - 2) + b"\r\n.dot\r\n" + b"z" * 5000 + b"\r\n"
        for offset in (4095, 4096, 4097, 8191, 8192, 8193, 65535, 65536, 65537, 131071, 131072, 131073)
    },
    "half a megabyte of lines": HEADER + b"".join(b".line %d\r\n" % number for number in range(40_000)),
}


def without_trace(message: bytes) -> bytes:
    """Less the delivery headers, three fields of which the last has three lines."""
    head, _, rest = message.partition(b";")
    assert head.startswith(b"Return-Path: <sender@elsewhere.example>\r\nDelivered-To: ann@example.org\r\nReceived: ")
    return rest.partition(b"\r\n")[2]


@pytest.mark.req("P-055")
@pytest.mark.req("P-061")
@pytest.mark.req("P-004")
@pytest.mark.req("P-013")
@pytest.mark.req("P-014")
@pytest.mark.parametrize("tls", [False, True], ids=["in clear", "TLS"])
def test_every_octet_comes_back_and_is_announced(mail_site: MailSite, tls: bool) -> None:
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *CORPUS.values())
    client = mail_site.dial_tls() if tls else mail_site.dial()
    with client.sign_in(ADDRESS, PASSWORD) as session:
        sizes = [int(row.split()[1]) for row in session.rows("LIST")]
        for number, (name, message) in enumerate(CORPUS.items(), 1):
            fetched = session.message(number)
            assert without_trace(fetched) == canonical(message).replace(b"\0", b"\x80"), name
            assert len(fetched) == sizes[number - 1], name
            assert session.ask(f"TOP {number} 99999999").startswith(b"+OK")
            assert unstuffed(session.payload()) == fetched, name
        assert session.ask("STAT") == f"+OK {len(CORPUS)} {sum(sizes)}".encode()


def memory_octets(pid: int) -> int:
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.req("P-065")
@pytest.mark.req("P-025")
@pytest.mark.parametrize("tls", [False, True], ids=["in clear", "TLS"])
def test_pipelined_fetches_of_a_large_message_stay_in_order_and_in_bounded_memory(
    mail_site: MailSite, tls: bool
) -> None:
    mail_site.mailbox(quota_octets=None)
    large = HEADER + b"".join(b"%08d %s\r\n" % (number, b"x" * 70) for number in range(60_000))  # 4.8 MB
    mail_site.fill(ADDRESS, large, *numbered(1))
    client = mail_site.dial_tls() if tls else mail_site.dial()
    with client.sign_in(ADDRESS, PASSWORD) as session:
        whole = hashlib.sha256(session.message(1)).digest()
        before = {pid: memory_octets(pid) for pid in mail_site.pop3d.workers()}
        session.send(b"RETR 1\r\nRETR 2\r\n" * 10 + b"NOOP\r\n")
        grown = 0
        for _ in range(10):
            assert session.line().startswith(b"+OK")
            grown = max(grown, *(memory_octets(pid) - before.get(pid, 0) for pid in mail_site.pop3d.workers()))
            assert hashlib.sha256(unstuffed(session.payload())).digest() == whole
            assert session.line().startswith(b"+OK")
            assert b"Subject: message 1" in session.payload()
        assert session.line() == b"+OK\r\n"
    assert grown < MEMORY_OCTETS


@pytest.mark.req("P-025")
def test_a_client_that_sends_commands_and_reads_nothing_is_read_no_further(mail_site: MailSite) -> None:
    """The server stops reading; then everything is answered, in order."""
    mail_site.mailbox()
    with mail_site.session() as session:
        count = fill_up(session, b"CAPA\r\n")
        reply = session.line() + session.payload()
        assert session.exactly(len(reply) * (count - 1)) == reply * (count - 1)
        assert session.ask("NOOP") == b"+OK"


def fill_up(session: Pop3Client, command: bytes) -> int:
    """Send until nothing more is taken for a second; returns how many commands were sent, the last one whole."""
    session.sock.settimeout(1)
    sent = 0
    block = memoryview(command * 1000)
    try:
        while sent < 64 * MEGABYTE:
            sent += session.sock.send(block[sent % len(command) :])
    except TimeoutError:
        pass
    session.sock.settimeout(30)
    assert sent < 64 * MEGABYTE, "the server read it all"
    if missing := -sent % len(command):
        session.take_in()  # makes room, on both sides
        session.send(command[-missing:])
        sent += missing
    return sent // len(command)


@pytest.mark.req("P-025")
def test_thousands_of_fetches_in_one_go_are_all_answered(mail_site: MailSite) -> None:
    """More commands than may wait: reading goes on when bodies, and nothing else, have made room."""
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *numbered(1))
    with mail_site.session() as session:
        session.send(b"RETR 1\r\n" * 20_000 + b"NOOP\r\n")
        assert session.line().startswith(b"+OK")
        message = session.payload()
        for _ in range(19_999):
            assert session.line().startswith(b"+OK")
            assert session.payload() == message
        assert session.line() == b"+OK\r\n"


@pytest.mark.req("P-066")
def test_the_terminator_comes_with_the_last_octets(mail_site: MailSite) -> None:
    """Read packet by packet: the one that ends the reply holds more than the terminator."""
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *numbered(1), *numbered(1, octets=400_000))
    with mail_site.session() as session:
        for number in (1, 2):
            session.send(f"RETR {number}\r\n".encode())
            packets = [session.sock.recv(65536)]
            while not packets[-1].endswith(b"\r\n" + END):
                packets.append(session.sock.recv(65536))
            assert len(packets[-1]) > len(END)


# --- bodies that are lost -----------------------------------------------------------------------------------------


def path_of(number: int) -> Path:
    """Where the body of the message that arrived as the n-th lies."""
    key = Message.objects.order_by("added")[number - 1].body.key
    return Path(settings.MAIL_STORE_URL.removeprefix("file:")) / layout.path(key)


@pytest.mark.req("P-062")
@pytest.mark.req("P-064")
@pytest.mark.parametrize("octets", [300, 400_000], ids=["small", "large"])
@pytest.mark.parametrize("harm", ["missing", "empty", "short", "longer", "swapped"])
def test_a_body_that_is_not_the_one_that_was_stored_is_refused_before_any_octet(
    mail_site: MailSite, harm: str, octets: int
) -> None:
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *numbered(3, octets=octets))
    first, second = path_of(1), path_of(2)
    before = len(mail_site.pop3d.log())
    HARMS[harm](first, second)
    with mail_site.session() as session:
        assert session.ask("RETR 1").startswith(b"-ERR [SYS/PERM] ")
        assert session.ask("TOP 1 0").startswith(b"-ERR [SYS/PERM] ")
        assert b"Subject: message 3" in session.message(3)
        assert len(session.rows("LIST")) == 3
    mail_site.pop3d.logged(
        rf"message 1 of {ADDRESS}: BodyLost: body {Body.objects.order_by('pk')[0].key}", after=before
    )


def swap(first: Path, second: Path) -> None:
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)


def shorten(first: Path, _second: Path) -> None:
    os.truncate(first, first.stat().st_size // 2)


HARMS = {
    "missing": lambda first, _second: first.unlink(),
    "empty": lambda first, _second: first.write_bytes(b""),
    "short": shorten,
    "longer": lambda first, _second: first.write_bytes(first.read_bytes() + b"more"),
    "swapped": swap,
}


@pytest.mark.req("P-062")
def test_a_store_that_is_away_is_a_temporary_trouble_and_never_a_lost_message(mail_site: MailSite) -> None:
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *numbered(1))
    store = Path(settings.MAIL_STORE_URL.removeprefix("file:"))
    away = store.with_name("away")
    store.rename(away)
    try:
        with mail_site.session() as session:
            assert session.ask("RETR 1").startswith(b"-ERR [SYS/TEMP] ")
            assert session.ask("STAT").startswith(b"+OK 1 ")
    finally:
        away.rename(store)
    with mail_site.session() as session:
        assert b"Subject: message 1" in session.message(1)


@pytest.mark.req("P-063")
@pytest.mark.parametrize("tls", [False, True], ids=["in clear", "TLS"])
def test_a_body_that_becomes_short_under_way_ends_the_connection_without_a_terminator(
    mail_site: MailSite, tls: bool
) -> None:
    mail_site.mailbox(quota_octets=None)
    mail_site.fill(ADDRESS, *numbered(1, octets=24 * MEGABYTE))
    client = mail_site.dial_tls() if tls else mail_site.dial()
    with client.sign_in(ADDRESS, PASSWORD) as session:
        assert session.ask("DELE 1").startswith(b"+OK")
        assert session.ask("RSET").startswith(b"+OK")
        assert session.ask("RETR 1").startswith(b"+OK")
        os.truncate(path_of(1), MEGABYTE)  # more than any buffer is still to be sent
        received = session.rest()
        assert len(received) < 24 * MEGABYTE
        assert not received.endswith(END)
    with mail_site.session() as later:
        assert later.ask("STAT").startswith(b"+OK 1 ")


@pytest.mark.req("P-047")
def test_a_client_that_leaves_in_the_middle_of_a_message_is_not_logged_as_a_damaged_body(mail_site: MailSite) -> None:
    mail_site.mailbox(quota_octets=None)
    mail_site.fill(ADDRESS, *numbered(1, octets=24 * MEGABYTE))
    before = len(mail_site.pop3d.log())
    with mail_site.session() as session:
        assert session.ask("RETR 1").startswith(b"+OK")
    mail_site.pop3d.logged(rf"session client=.* address={ADDRESS} .*reason=\"?lost", after=before)
    assert not [line for line in mail_site.pop3d.log()[before:] if "sending a body failed" in line]
