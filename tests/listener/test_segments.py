"""TCP as it is: cut anywhere, half closed, reset; what a session says depends on none of it."""

from __future__ import annotations

import socket
import struct

import pytest

from tests.listeners import PASSWORD, MailSite, numbered
from tests.pop3_client import connect_to

ADDRESS = "ann@example.org"
GOLDEN = (
    f"CAPA\r\nUSER {ADDRESS}\r\nPASS {PASSWORD}\r\nSTAT\r\nLIST\r\nUIDL\r\nTOP 1 1\r\nRETR 2\r\n"
    "DELE 1\r\nLIST 1\r\nRSET\r\nFOO\r\nNOOP\r\nQUIT\r\n"
).encode()


@pytest.fixture
def filled(mail_site: MailSite) -> MailSite:
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *numbered(3))
    return mail_site


def replay(mail_site: MailSite, octets: int) -> bytes:
    with connect_to(mail_site.pop3d.address) as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(GOLDEN), octets):
            client.send(GOLDEN[start : start + octets])
        return client.rest()


@pytest.mark.req("P-024")
@pytest.mark.req("P-023")
def test_a_conversation_is_the_same_however_it_is_cut(filled: MailSite) -> None:
    whole = replay(filled, len(GOLDEN))
    assert whole.endswith(b"+OK\r\n+OK goodbye\r\n")
    assert whole.count(b"\r\n.\r\n") == 5
    for octets in (1, 2, 3, 7, 64):
        assert replay(filled, octets) == whole


@pytest.mark.req("P-027")
def test_a_client_that_says_all_and_closes_its_side_gets_all_replies(filled: MailSite) -> None:
    with connect_to(filled.pop3d.address) as client:
        client.send(f"USER {ADDRESS}\r\nPASS {PASSWORD}\r\nSTAT\r\nDELE 1\r\nQUIT\r\n".encode())
        client.sock.shutdown(socket.SHUT_WR)
        replies = client.rest().splitlines()
    assert len(replies) == 6
    assert all(reply.startswith(b"+OK") for reply in replies)
    with filled.session() as later:
        assert later.ask("STAT").startswith(b"+OK 2 ")


@pytest.mark.req("P-028")
def test_a_reset_after_any_command_ends_that_session_alone(filled: MailSite) -> None:
    commands = GOLDEN.split(b"\r\n")[:-2]
    before = len(filled.pop3d.log())
    with filled.session() as steady:
        for _ in range(4):
            for count in range(len(commands) + 1):
                with connect_to(filled.pop3d.address) as client:
                    client.send(b"".join(command + b"\r\n" for command in commands[:count]))
                    client.line()
                    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert steady.ask("STAT").startswith(b"+OK 3 ")
    filled.pop3d.logged(r"popadmin\.session session", after=before, times=4 * (len(commands) + 1) + 1)
    with filled.session() as later:
        assert later.ask("STAT").startswith(b"+OK 3 ")
    assert not [line for line in filled.pop3d.log()[before:] if "error" in line]


@pytest.mark.req("P-026")
def test_nothing_is_said_unasked(filled: MailSite) -> None:
    with filled.dial() as stranger, filled.session() as session:
        for client in (stranger, session):
            client.sock.settimeout(1)
            with pytest.raises(TimeoutError):
                client.sock.recv(1)
