"""What an old server may do wrong: each ends in one clear error, within its bounds. The servers follow a script."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

import pytest

from mailstore.policy.old_server import OldServer
from mailstore.transfer.sources.old_server_error import Flaw, Lost, NotGiven, OldServerError, PasswordRefused, Unusable
from mailstore.transfer.sources.pop3_client import LINE_OCTETS, LIST_OCTETS, Account
from mailstore.transfer.sources.pop3_mailbox import OldMailbox

OK = b"+OK\r\n"
SCRIPT = {
    "CAPA": b"+OK\r\nUIDL\r\nPIPELINING\r\n.\r\n",
    "USER": OK,
    "PASS": OK,
    "LIST": b"+OK\r\n1 9\r\n2 9\r\n.\r\n",
    "UIDL": b"+OK\r\n1 a\r\n2 b\r\n.\r\n",
    "RETR 1": b"+OK\r\n..one\r\n\r\n.\r\n",
    "RETR 2": b"+OK\r\n.\r\n",
    "QUIT": OK,
}


@contextmanager
def served(*scripts: dict[str, bytes], commands: list[str] | None = None) -> Iterator[Account]:
    """A server whose connections follow these scripts, one after another. An empty reply hangs up."""
    heard = commands if commands is not None else []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=_serve, args=(listening, scripts, heard))
        serving.start()
        yield Account(OldServer("127.0.0.1", listening.getsockname()[1], False), "ann", "secret", plaintext=True)
        listening.shutdown(socket.SHUT_RDWR)
        serving.join()


def _serve(listening: socket.socket, scripts: Sequence[dict[str, bytes]], heard: list[str]) -> None:
    for script in scripts:
        try:
            connected, _address = listening.accept()
        except OSError:  # the test is over
            return
        with suppress(OSError), connected, connected.makefile("rwb") as stream:  # its end writes what is left
            _follow(cast("BinaryIO", stream), script, heard)


def _follow(stream: BinaryIO, script: dict[str, bytes], heard: list[str]) -> None:
    reply, command = script.get("greeting", OK), ""
    while reply:
        stream.write(reply)
        stream.flush()
        if command == "QUIT" or not (line := stream.readline()):
            return
        command = line.decode().strip()
        heard.append(command)
        reply = script.get(command, script.get(command.partition(" ")[0], b"-ERR what?\r\n"))


def contents(account: Account, most_octets: int = 1000) -> list[bytes]:
    mailbox = OldMailbox(account, most_octets=most_octets, pauses_seconds=(0, 0))
    try:
        messages = list(mailbox.messages())
        mailbox.fetch(messages)
        return [b"".join(message.read()) for message in messages]
    finally:
        mailbox.close()


def test_messages_are_asked_for_together_and_come_without_the_dots_of_the_wire() -> None:
    commands: list[str] = []
    with served(SCRIPT, commands=commands) as account:
        assert contents(account) == [b".one\r\n\r\n", b""]
    assert commands == ["CAPA", "USER ann", "PASS secret", "LIST", "UIDL", "RETR 1", "RETR 2", "QUIT"]


def test_where_one_address_of_the_server_does_not_answer_the_next_one_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with served(SCRIPT) as account, socket.create_server(("127.0.0.1", 0)) as closed:
        of_host = socket.getaddrinfo("127.0.0.1", account.server.port, type=socket.SOCK_STREAM)
        away = [(*of_host[0][:4], closed.getsockname())]
        closed.close()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: [*away, *of_host])
        assert len(contents(account)) == 2


def test_nothing_is_removed_from_the_old_server() -> None:
    commands: list[str] = []
    with served(SCRIPT, commands=commands) as account:
        contents(account)
    assert not any(command.startswith("DELE") for command in commands)


def test_after_a_cut_messages_are_found_by_their_uidls_under_other_numbers() -> None:
    cut = {**SCRIPT, "RETR 2": b""}
    other = {**SCRIPT, "UIDL": b"+OK\r\n1 b\r\n.\r\n", "LIST": b"+OK\r\n1 9\r\n.\r\n", "RETR 1": b"+OK\r\ntwo\r\n.\r\n"}
    with served(cut, other) as account:
        assert contents(account) == [b".one\r\n\r\n", b"two\r\n"]


def test_a_server_that_always_hangs_up_is_given_up() -> None:
    cut = {**SCRIPT, "RETR 1": b""}
    with served(cut, cut, cut) as account, pytest.raises(Lost):
        contents(account)


def test_a_message_that_the_server_refuses_does_not_end_the_session() -> None:
    with served({**SCRIPT, "RETR 1": b"-ERR it is broken\r\n"}) as account:
        mailbox = OldMailbox(account, most_octets=1000)
        first, second = mailbox.messages()
        mailbox.fetch([first, second])
        with pytest.raises(NotGiven, match="it is broken"):
            list(first.read())
        assert list(second.read()) == []
        mailbox.close()


def test_a_message_that_is_larger_than_the_list_says_is_stopped_and_the_next_one_comes() -> None:
    endless = {**SCRIPT, "RETR 1": b"+OK\r\n" + b"x" * 200_000 + b"\r\n.\r\n"}
    with served(endless, SCRIPT) as account:
        mailbox = OldMailbox(account, most_octets=1000)
        first, second = mailbox.messages()
        mailbox.fetch([first, second])
        with pytest.raises(NotGiven, match="more than 1000 octets"):
            list(first.read())
        assert list(second.read()) == []
        mailbox.close()


def test_equal_uidls_are_told_apart_by_their_place() -> None:
    twins = {**SCRIPT, "UIDL": b"+OK\r\n1 a\r\n2 a\r\n.\r\n"}
    with served(twins) as account:
        mailbox = OldMailbox(account, most_octets=1000)
        first, second = mailbox.messages()
        assert first.identity != second.identity
        assert mailbox.uidls() == ["a", "a"]
        mailbox.close()


def test_a_server_that_takes_no_user_command_gets_sasl_plain() -> None:
    commands: list[str] = []
    sasl = {**SCRIPT, "CAPA": b"+OK\r\nSASL LOGIN PLAIN\r\n.\r\n", "AUTH PLAIN": b"+ \r\n", "AGFubgBzZWNyZXQ=": OK}
    with served(sasl, commands=commands) as account:
        contents(account)
    assert commands[1:3] == ["AUTH PLAIN", "AGFubgBzZWNyZXQ="]


@pytest.mark.parametrize(
    ("changes", "error", "flaw"),
    [
        ({"greeting": b"* OK IMAP4rev1\r\n"}, Unusable, Flaw.NOT_POP3),
        ({"greeting": b"x" * 9000 + b"\r\n"}, Unusable, Flaw.NOT_POP3),
        ({"greeting": b"-ERR too many connections\r\n"}, Lost, None),
        ({"greeting": b""}, Lost, None),
        ({"PASS": b"-ERR [AUTH] no\r\n"}, PasswordRefused, None),
        ({"PASS": b"-ERR [SYS/TEMP] later\r\n"}, Lost, None),
        ({"PASS": b"-ERR [IN-USE] another session\r\n"}, Lost, None),
        ({"USER": b"-ERR no\r\n"}, PasswordRefused, None),
        ({"UIDL": b"-ERR what?\r\n"}, Unusable, Flaw.NO_UIDL),
        ({"UIDL": b"+OK\r\nx a\r\n.\r\n"}, Unusable, Flaw.NOT_POP3),
        ({"LIST": b"+OK\r\n1 x\r\n.\r\n"}, Unusable, Flaw.NOT_POP3),
        ({"LIST": b"+OK\r\n1 " + b"9" * LINE_OCTETS + b"\r\n.\r\n"}, Unusable, Flaw.NOT_POP3),
        ({"LIST": b"+OK\r\n1 9\r\n.\r\n"}, Unusable, Flaw.NOT_POP3),
    ],
)
def test_what_a_server_does_wrong_is_named(
    changes: dict[str, bytes], error: type[OldServerError], flaw: Flaw | None
) -> None:
    with served({**SCRIPT, **changes}) as account, pytest.raises(error) as caught:
        contents(account)
    assert getattr(caught.value, "flaw", None) is flaw


def test_a_list_without_an_end_takes_no_more_memory_than_the_longest_true_one() -> None:
    line = b"1 " + b"u" * (LINE_OCTETS - 10) + b"\r\n"
    endless = {**SCRIPT, "UIDL": OK + line * (LIST_OCTETS // len(line) + 100)}
    with served(endless) as account, pytest.raises(Unusable) as caught:
        contents(account)
    assert caught.value.flaw is Flaw.TOO_MANY


def test_a_password_with_a_line_end_is_not_sent() -> None:
    commands: list[str] = []
    with served(SCRIPT, commands=commands) as account:
        forged = Account(account.server, "ann", "x\r\nDELE 1", plaintext=True)
        with pytest.raises(PasswordRefused):
            contents(forged)
    assert commands == ["CAPA"]


def test_the_password_is_in_no_text_of_an_account() -> None:
    account = Account(OldServer("old.example", 995, True), "ann", "secret")
    assert "secret" not in f"{account} {account!r}"
