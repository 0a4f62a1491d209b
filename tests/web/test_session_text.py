"""Sessions of the diary in words: only what happened, in both numbers."""

from __future__ import annotations

import pytest

from mailstore.models import DiarySession
from popadmin.web import session_text


def session(**fields: object) -> DiarySession:
    return DiarySession(**{"ended": "quit", "listed": 6} | fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "listed 6, fetched none"),
        ({"listed": 1}, "listed 1, fetched none"),
        ({"listed": 3214}, "listed 3,214, fetched none"),
        ({"listed": 0}, "found no messages"),
        ({"list_requested": False}, "signed in, asked for nothing"),
        ({"fetched_messages": 2}, "fetched 2"),
        ({"fetched_messages": 31, "removed_messages": 4, "device_mode": "primary"}, "fetched 31, removed 4"),
        ({"removed_messages": 1, "device_mode": "primary"}, "removed 1"),
        ({"ended": "lost"}, "listed 6, fetched none"),
        (
            {"ended": "lost", "unremoved_messages": 4},
            "4 deletions not carried out: the program hung up without QUIT",
        ),
        (
            {"ended": "idle", "unremoved_messages": 1, "fetched_messages": 2},
            "fetched 2; 1 deletion not carried out: the program was silent for too long",
        ),
        ({"ended": "quit", "unremoved_messages": 2}, "2 deletions not carried out: the server failed"),
        ({"ended": "shutdown", "unremoved_messages": 2}, "2 deletions not carried out: the server was stopped"),
        ({"ended": "wrong", "listed": 0}, "refused: wrong password"),
        ({"ended": "sent", "listed": 0}, "signed in to send mail"),
    ],
)
def test_a_sentence_says_what_the_session_did(fields: dict[str, object], sentence: str) -> None:
    assert session_text.sentence(session(**fields)) == sentence


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("primary", "fetched 2, removed 4"),
        ("independent", "fetched 2, deleted 4 for itself"),
        ("peek", "fetched 2, deleted 4 for itself"),
        ("", "fetched 2, deleted 4"),
    ],
)
def test_only_a_primary_device_removes_for_all(mode: str, sentence: str) -> None:
    assert session_text.sentence(session(device_mode=mode, fetched_messages=2, removed_messages=4)) == sentence


def test_every_end_of_a_session_has_a_sentence() -> None:
    for ended in DiarySession.Ended.values:
        assert session_text.sentence(session(ended=ended, unremoved_messages=3))


def test_a_row_of_several_sessions_says_how_many() -> None:
    assert session_text.times(session(sessions=9)) == "9 times"
    assert session_text.times(session(sessions=1)) == ""
