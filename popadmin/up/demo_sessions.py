"""POP3 sessions of the sample devices: real ones, so that the demo has a diary and mail in recovery."""

from __future__ import annotations

import poplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings

from popadmin.up.endpoints import Endpoint, endpoints
from popadmin.up.errors import UpError

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class SampleSession:
    """A session of a device: it fetches the first `fetches` messages (None: all) and deletes those with one subject.

    With `wrong_password` the sign-in is refused.
    """

    name: str
    device: str
    fetches: int | None
    deletes: str | None = None
    wrong_password: bool = False


SAMPLE_SESSIONS = (
    SampleSession("chloe", "Office PC", None),
    SampleSession("chloe", "Phone", 2),
    SampleSession("chloe", "Laptop", None, deletes="What is new this month"),
    SampleSession("bruno", "Tablet", None, wrong_password=True),
)


def run(session: SampleSession, address: str, secret: str) -> bool:
    """Run the session; return False if no POP3 address accepts a sign-in. UpError when the session fails."""
    connect = _connector()
    if connect is None:
        return False
    try:
        if session.wrong_password:
            _fail_to_sign_in(connect(), address)
        else:
            _fetch(connect(), session, address, secret)
    except (OSError, poplib.error_proto) as error:
        raise UpError(f"the sample device {session.device} could not fetch its mail: {error}") from error
    return True


def _fetch(client: poplib.POP3, session: SampleSession, address: str, secret: str) -> None:
    client.user(address)
    client.pass_(secret)
    messages, _octets = client.stat()
    for number in range(1, (messages if session.fetches is None else min(messages, session.fetches)) + 1):
        lines = client.retr(number)[1]
        if session.deletes is not None and f"Subject: {session.deletes}".encode() in lines:
            client.dele(number)
    client.quit()


def _fail_to_sign_in(client: poplib.POP3, address: str) -> None:
    client.user(address)
    with suppress(poplib.error_proto):
        client.pass_("mistyped")
    client.quit()


def _connector() -> Callable[[], poplib.POP3] | None:
    """Return a function that connects: to the plain port if passwords may be sent there, else to the TLS port."""
    plain = _tcp("POP3_LISTEN") if settings.PLAINTEXT_LOGIN != "never" else None
    if plain is not None:
        return lambda: poplib.POP3(plain.local_host, plain.port, timeout=TIMEOUT_SECONDS)
    tls = _tcp("POP3S_LISTEN")
    if tls is None:
        return None
    context = ssl._create_unverified_context()  # noqa: S323 - our own server, on this machine
    return lambda: poplib.POP3_SSL(tls.local_host, tls.port, timeout=TIMEOUT_SECONDS, context=context)


def _tcp(variable: str) -> Endpoint | None:
    return next((endpoint for endpoint in endpoints(variable) if not endpoint.path), None)
