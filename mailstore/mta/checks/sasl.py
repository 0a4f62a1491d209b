"""The socket by which the MTA lets programs sign in: the Dovecot auth protocol, as Postfix and as Exim speak it.

Postfix writes first and then reads; Exim reads the greeting before it writes. Both must be served.
"""

from __future__ import annotations

import base64
from contextlib import closing
from dataclasses import dataclass
from io import BufferedIOBase

from mailstore.mta.checks.result import Finding, bad, skipped
from mailstore.mta.checks.subject import SECONDS, Probe, Subject

HELLO = b"VERSION\t1\t0\nCPID\t1\n"
GREETING_LINES, LINE_OCTETS = 20, 8192  # Exim reads no longer line
PLAIN, LOGIN = "PLAIN", "LOGIN"


def as_postfix(subject: Subject) -> Finding:
    return _both(subject, writes_first=True)


def as_exim(subject: Subject) -> Finding:
    return _both(subject, writes_first=False)


def _both(subject: Subject, *, writes_first: bool) -> Finding:
    """Sign in by each mechanism, each by a connection of its own."""
    address = subject.server.sasl
    if address is None:
        return skipped("no-sasl")
    if subject.probe is None:
        return skipped("no-probe")
    replies = []
    for mechanism in (PLAIN, LOGIN):
        try:
            with closing(address.reached().connect(SECONDS)) as sock, sock.makefile("rwb") as stream:
                reply = _Dialogue(stream).sign_in(mechanism, subject.probe, writes_first=writes_first)
        except (OSError, EOFError) as error:
            return bad("sasl-silent", f"{mechanism}: {error}", address=address)
        if not reply.startswith("OK\t1\t") or "user=" not in reply:
            return bad("sasl-refuses", f"{mechanism}: {reply}")
        replies.append(f"{mechanism}: OK")
    return Finding(", ".join(replies))


@dataclass(frozen=True, slots=True)
class _Dialogue:
    stream: BufferedIOBase

    def sign_in(self, mechanism: str, probe: Probe, *, writes_first: bool) -> str:
        """Return the last reply. Raises OSError, and EOFError where the connection ends."""
        if writes_first:
            self._write(HELLO)
        for _number in range(GREETING_LINES):
            if self._line() == "DONE":
                break
        if not writes_first:
            self._write(HELLO)
        request = f"AUTH\t1\t{mechanism}\tservice=smtp\tnologin\tlip=127.0.0.1\trip=127.0.0.1\tsecured"
        if mechanism == PLAIN:
            response = _encoded("\0".join(("", probe.address, probe.password)))  # RFC 4616 §2
            self._write(f"{request}\tresp={response}\n".encode())
            return self._line()
        self._write(f"{request}\n".encode())
        for answer in (probe.address, probe.password):
            reply = self._line()
            if not reply.startswith("CONT\t1\t"):
                return reply
            self._write(f"CONT\t1\t{_encoded(answer)}\n".encode())
        return self._line()

    def _write(self, data: bytes) -> None:
        self.stream.write(data)
        self.stream.flush()

    def _line(self) -> str:
        line = self.stream.readline(LINE_OCTETS)
        if not line.endswith(b"\n"):
            raise EOFError("the connection ended")
        return line.decode(errors="replace").rstrip("\n")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
