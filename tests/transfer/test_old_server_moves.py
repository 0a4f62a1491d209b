"""An old server that is slow or gone keeps nobody waiting but its own users."""

from __future__ import annotations

import socket

from mailstore.errors import Unavailable
from mailstore.policy.ask_budget import SILENCES_AT_MOST
from mailstore.ports import Move
from mailstore.transfer.old_server_moves import OldServerMoves


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
