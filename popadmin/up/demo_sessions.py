"""What the sample devices have done before anybody looks: real POP3 sessions, so that diary and recovery are true."""

from __future__ import annotations

import poplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings

from popadmin.up.endpoints import Endpoint, endpoints
from popadmin.up.errors import UpError

VISIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Visit:
    """One session of a device: it fetches the first `fetches` messages (None: all) and deletes those of a subject.

    With `mistaken` its password is wrong, and the sign-in is refused.
    """

    name: str
    device: str
    fetches: int | None
    deletes: str | None = None
    mistaken: bool = False


VISITS = (
    Visit("chloe", "Office PC", None),
    Visit("chloe", "Phone", 2),
    Visit("chloe", "Laptop", None, deletes="What is new this month"),
    Visit("bruno", "Tablet", None, mistaken=True),
)


def pay(visit: Visit, address: str, secret: str) -> bool:
    """Make the visit; False where POP3 listens nowhere that a sign-in may use. UpError when it fails."""
    connect = _way_in()
    if connect is None:
        return False
    try:
        if visit.mistaken:
            _refused(connect(), address)
        else:
            _session(connect(), visit, address, secret)
    except (OSError, poplib.error_proto) as error:
        raise UpError(f"the sample device {visit.device} could not fetch its mail: {error}") from error
    return True


def _session(client: poplib.POP3, visit: Visit, address: str, secret: str) -> None:
    client.user(address)
    client.pass_(secret)
    messages, _octets = client.stat()
    for number in range(1, (messages if visit.fetches is None else min(messages, visit.fetches)) + 1):
        lines = client.retr(number)[1]
        if visit.deletes is not None and f"Subject: {visit.deletes}".encode() in lines:
            client.dele(number)
    client.quit()


def _refused(client: poplib.POP3, address: str) -> None:
    client.user(address)
    with suppress(poplib.error_proto):
        client.pass_("mistyped")
    client.quit()


def _way_in() -> Callable[[], poplib.POP3] | None:
    """The plain port where a password may pass there from this machine, else the one with TLS."""
    plain = _tcp("POP3_LISTEN") if settings.PLAINTEXT_LOGIN != "never" else None
    if plain is not None:
        return lambda: poplib.POP3(plain.local_host, plain.port, timeout=VISIT_SECONDS)
    tls = _tcp("POP3S_LISTEN")
    if tls is None:
        return None
    context = ssl._create_unverified_context()  # noqa: S323 - its own server, by an address of this machine
    return lambda: poplib.POP3_SSL(tls.local_host, tls.port, timeout=VISIT_SECONDS, context=context)


def _tcp(variable: str) -> Endpoint | None:
    return next((endpoint for endpoint in endpoints(variable) if not endpoint.path), None)
