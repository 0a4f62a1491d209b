"""Questions to old servers and moves are bounded: one that is slow or gone keeps nobody waiting but its own users."""

from __future__ import annotations

import socket

import pytest
from django.contrib.auth.hashers import make_password

from mailstore.directory import mailbox_moves, mailboxes
from mailstore.directory.existing_password import ExistingPassword
from mailstore.errors import MailError, Overloaded, Unavailable
from mailstore.models import MailboxMove
from mailstore.policy.ask_budget import SILENCES_AT_MOST
from mailstore.ports import Move
from mailstore.transfer.old_server_moves import ASKING_AT_MOST, MOVING_AT_MOST, WAITING_AT_MOST, OldServerMoves
from tests.management.command_runner import environment
from tests.site.rows import ACTOR, a_domain
from tests.up.programs import until


def a_move(server: str) -> Move:
    return Move(1, "ann@example.org", server, "ann", arrived=False, due=True)


def ask(moves: OldServerMoves, server: str) -> str:
    try:
        moves.ask_and_wait(a_move(server), "secret")
    except Unavailable as refusal:
        return str(refusal)
    raise AssertionError("it answered")


def test_a_server_that_accepts_and_says_nothing_is_soon_not_asked_any_more() -> None:
    moves = OldServerMoves(ask_seconds=0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(10)
        url = f"pop3://127.0.0.1:{silent.getsockname()[1]}"
        answers = [ask(moves, url) for _ in range(SILENCES_AT_MOST + 2)]
        assert ["too slow a moment ago" in answer for answer in answers] == [False] * SILENCES_AT_MOST + [True] * 2
        for _ in range(SILENCES_AT_MOST):
            silent.accept()[0].close()
        silent.setblocking(False)
        try:
            silent.accept()
        except BlockingIOError:
            return
        raise AssertionError("it was asked once more")


def test_a_server_that_refuses_at_once_is_asked_again() -> None:
    moves = OldServerMoves(ask_seconds=5)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"pop3://127.0.0.1:{closed.getsockname()[1]}"
    assert not any("too slow" in ask(moves, url) for _ in range(SILENCES_AT_MOST + 1))


def test_a_server_without_an_answer_is_away_and_others_are_not() -> None:
    moves = OldServerMoves(ask_seconds=5)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"pop3://127.0.0.1:{closed.getsockname()[1]}"
    assert not moves.away(None)
    ask(moves, url)
    assert [moves.away(url), moves.away("pop3s://other.example"), moves.away(None)] == [True, False, True]


def test_some_ask_at_a_time_some_wait_and_the_next_is_told_that_too_many_ask() -> None:
    moves = OldServerMoves(ask_seconds=10)
    answers: list[str | MailError | None] = []
    with socket.create_server(("127.0.0.1", 0), backlog=2 * WAITING_AT_MOST) as silent:
        url = f"pop3://127.0.0.1:{silent.getsockname()[1]}"
        for _ in range(WAITING_AT_MOST):
            moves.ask(a_move(url), "secret", answers.append)
        assert answers == []
        moves.ask(a_move(url), "secret", answers.append)
        assert [type(answer) for answer in answers] == [Overloaded]
        held = [accepted(silent, seconds=10) for _ in range(ASKING_AT_MOST)]
        with pytest.raises(TimeoutError):
            accepted(silent, seconds=0.3)
        for connection in held:
            connection.close()
        accepted(silent, seconds=10).close()  # those who waited ask now
    moves.close()


@pytest.mark.django_db(transaction=True)
def test_some_mailboxes_move_at_a_time_and_another_at_its_next_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    moves = OldServerMoves()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"pop3://127.0.0.1:{silent.getsockname()[1]}"
        a_domain(old_server=url)
        found = [a_marked_mailbox(f"box{number}@example.org", url) for number in range(MOVING_AT_MOST + 1)]
        for move in found:
            moves.go_on(move, "secret")
        held = [accepted(silent, seconds=30) for _ in range(MOVING_AT_MOST)]
        until(lambda: moving() == {move.address for move in found[:MOVING_AT_MOST]}, "the first ones move")
        for connection in held:
            connection.sendall(b"-ERR no\r\n")

        def goes_on() -> bool:
            moves.go_on(found[-1], "secret")
            return found[-1].address in moving()

        until(goes_on, "the last one moves")
    moves.close()


def a_marked_mailbox(address: str, url: str) -> Move:
    box = mailboxes.ensure(address, actor=ACTOR, password=ExistingPassword("", make_password(None))).row
    mailbox_moves.mark(address, actor=ACTOR)
    return Move(box.pk, address, url, address, arrived=False, due=True)


def moving() -> set[str]:
    """Return the addresses whose mail was ever begun to move, or failed to."""
    begun = MailboxMove.objects.exclude(state=MailboxMove.State.WAITING)
    return set(begun.values_list("mailbox__user__address", flat=True))


def accepted(server: socket.socket, *, seconds: float) -> socket.socket:
    server.settimeout(seconds)
    return server.accept()[0]
