"""The fixed state of the POP3 transcripts: three messages of anna@example.org, and a session signed in to them."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from mailstore.policy import login_name
from mailstore.pop3.protocol import Rules
from tests.fakes.pop3 import TLS_ONLY, Conversation, FakePeer, StoredMessage

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

LOGIN_NAMES = login_name.read("pop.example.org=example.org,example.net", "%,/")


def rules_of(stage: Set[str]) -> Rules:
    return replace(TLS_ONLY, login_names=LOGIN_NAMES) if "login-names" in stage else TLS_ONLY


def peer_of(stage: Set[str]) -> FakePeer:
    peer = FakePeer(encrypted="clear" not in stage)
    peer.called_name = "POP.example.org"
    return peer


def signed_in(*messages: StoredMessage, peer: FakePeer | None = None) -> Conversation:
    made = Conversation(*(messages or MESSAGES), peer=peer)
    assert made.sign_in().startswith("+OK")
    return made
