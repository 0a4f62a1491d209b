"""An MTA in tests: LMTP conversations with the real delivery, whose answers are in the trace afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mailstore.delivery.delivery import StoredDelivery
from mailstore.lmtp.session import Session
from tests.fakes.lmtp import RULES
from tests.fakes.pop3 import FakeJournal, FakePeer
from tests.site.worker import Worker

SENDER = "claire@notaires.example"
MESSAGE = (
    "Received: from mx2.notaires.example (mx2.notaires.example [203.0.113.7])\r\n"
    "\tby mx.example.org (Postfix) with ESMTPS id 4XyzA1B2c3\r\n"
    "\tfor <ann@example.org>; Mon, 30 Nov 2026 09:12:00 +0100 (CET)\r\n"
    "Message-ID: <7f3a9c@notaires.example>\r\n"
    "Subject: hello\r\n\r\nthere\r\n"
)


class Mta:
    """Sends messages, one conversation each."""

    def __init__(self, worker: Worker, delivery: StoredDelivery) -> None:
        self._worker = worker
        self._delivery = delivery

    def send(
        self,
        *recipients: str,
        sender: str = SENDER,
        size: int | None = None,
        message: str = MESSAGE,
        limit: int = 100_000,
    ) -> list[str]:
        """Send a message; return the codes of what was answered to each recipient, and after the message."""
        peer = FakePeer(client="unix", encrypted=False)
        rules = replace(RULES, max_message_octets=limit)
        session = Session(peer, self._delivery, FakeJournal(), self._delivery.answers, rules)
        peer.session = session
        announced = "" if size is None else f" SIZE={size}"
        self._act(session.connected)
        self._say(session, peer, "LHLO mta", f"MAIL FROM:<{sender}>{announced}")
        replies = [self._say(session, peer, f"RCPT TO:<{recipient}>")[-1] for recipient in recipients]
        if accepted := sum(reply.startswith("2") for reply in replies):
            self._say(session, peer, "DATA")
            replies += self._say(session, peer, *message.splitlines(), ".", replies=accepted)
        self._act(lambda: session.ended("quit", 0, 0))
        self.flush()
        return [" ".join(reply.split(" ")[:2]) for reply in replies]

    def flush(self) -> None:
        """Write what waits into the trace."""
        self._worker.ask(lambda done: self._delivery.answers.flush(lambda: done(None)))

    def _say(self, session: Session, peer: FakePeer, *lines: str, replies: int = 1) -> list[str]:
        before = len(peer.sent)

        def answered() -> bool:
            return peer.sent[before:].count(b"\n") >= replies and session.wants_input()

        data = "".join(f"{line}\r\n" for line in lines).encode()
        self._act(lambda: session.receive(data))
        self._worker.until(answered, "it answers")
        return bytes(peer.sent[before:]).decode().splitlines()

    def _act(self, action: Callable[[], object]) -> None:
        async def act() -> None:
            action()

        self._worker.run(act())
