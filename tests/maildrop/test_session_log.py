"""What sessions tell reaches the log: several at a time, each with the moment of its own end."""

from __future__ import annotations

import logging

import pytest

from mailstore.maildrop import session_log
from mailstore.maildrop.session_log import LogJournal
from mailstore.ports import SessionRecord


@pytest.fixture
def session_caplog(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="popadmin.session")
    return caplog


def _end(book: LogJournal, monkeypatch: pytest.MonkeyPatch, *ends: float) -> None:
    for at in ends:
        monkeypatch.setattr(session_log.time, "time", lambda at=at: at)
        book.session_ended(SessionRecord(client="192.0.2.1", retr=int(at)))


def test_a_session_is_logged_at_the_next_flush_with_the_moment_of_its_end(
    session_caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = LogJournal()
    _end(book, monkeypatch, 100.0, 200.0)
    assert not session_caplog.records
    monkeypatch.setattr(session_log.time, "time", lambda: 900.0)
    book.flush()
    assert [(record.created, record.__dict__["data"]["retr"]) for record in session_caplog.records] == [
        (100.0, 100),
        (200.0, 200),
    ]
    book.flush()
    assert len(session_caplog.records) == 2


def test_many_sessions_do_not_wait_for_the_flush(
    session_caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _end(LogJournal(), monkeypatch, *map(float, range(1, session_log.SESSIONS_AT_ONCE + 3)))
    assert len(session_caplog.records) == session_log.SESSIONS_AT_ONCE


def test_where_the_level_hides_them_none_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    book = LogJournal()
    logging.getLogger("popadmin.session").setLevel(logging.WARNING)
    try:
        _end(book, monkeypatch, 1.0)
        book.flush()
    finally:
        logging.getLogger("popadmin.session").setLevel(logging.NOTSET)
    book.flush()
    assert not book._ended
