"""The fixed state of the POP3 transcripts: three messages of anna@example.org, and a session signed in to them."""

from __future__ import annotations

from tests.fakes.pop3 import Conversation, FakePeer, StoredMessage

MESSAGES = (
    StoredMessage(
        prefix=b"Return-Path: <b@example.org>\r\n",
        body=b"Subject: dots\r\n\r\n..\r\n...\r\n....x\r\nplain\r\n",
        uidl="0abc",
    ),
    StoredMessage(body=b"Subject: two\r\n\r\none\r\n", uidl="0abd"),
    StoredMessage(body=b"..\r\nno blank line\r\n", uidl="0abe"),
)
OCTETS = (67, 21, 18)  # counted by hand: what a client ends with


def signed_in(*messages: StoredMessage, peer: FakePeer | None = None) -> Conversation:
    made = Conversation(*(messages or MESSAGES), peer=peer)
    assert made.sign_in().startswith("+OK")
    return made
