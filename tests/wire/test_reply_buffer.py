"""Replies that are kept leave in one write, in their order."""

from __future__ import annotations

from mailstore.wire.reply_buffer import ReplyBuffer


def test_replies_leave_in_one_write_and_only_once() -> None:
    writes: list[bytes] = []
    replies = ReplyBuffer(writes.append)
    replies.release()
    for reply in (b"one\r\n", b"two\r\n"):
        replies.add(reply)
    assert writes == []
    replies.release()
    replies.release()
    assert writes == [b"one\r\ntwo\r\n"]


def test_replies_above_the_limit_leave_by_themselves() -> None:
    writes: list[bytes] = []
    replies = ReplyBuffer(writes.append, limit_octets=10)
    for reply in (b"one\r\n", b"two\r\n", b"three\r\n"):
        replies.add(reply)
    assert writes == [b"one\r\ntwo\r\n"]
    replies.release()
    assert writes == [b"one\r\ntwo\r\n", b"three\r\n"]
