"""Answers monitors: /healthz (this process lives), /readyz (all that serving mail and pages needs is there).

Ahead of every other middleware: a monitor inside a container comes by IP address, which ALLOWED_HOSTS need not name,
and neither answer needs a session, a cookie or a page's headers. The causes go to the log, not to the asker.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable
from functools import partial

from cryptography import x509
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from mailstore import keypair
from mailstore.integrity import readiness
from mailstore.integrity.heartbeat import SILENT
from popadmin.http_server.arrival import arrived_at
from popadmin.web import site_parts
from popadmin.web.certificates import certificates

log = logging.getLogger("popadmin.web.health")


class NotReady(Exception):
    """A check failed; the text is the cause, for the log."""


class Health:
    """A middleware that keeps its two addresses to itself and passes on everything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.answers: dict[str, Callable[[], HttpResponse]] = {"/healthz": alive, "/readyz": Readiness()}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.answers.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        response = answer() if request.method in ("GET", "HEAD") else HttpResponseNotAllowed(["GET", "HEAD"])
        response["Cache-Control"] = "no-store"
        response["Content-Length"] = str(len(response.content))
        return response


def alive() -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


class Readiness:
    """The answer of /readyz. Those who wait while it is found share the next one: many who ask cost little more."""

    def __init__(self) -> None:
        self._latest: tuple[float, HttpResponse] | None = None  # when the checks began, and what they found

    def __call__(self) -> HttpResponse:
        came_at, latest = arrived_at.get(), self._latest
        if came_at is None or latest is None or latest[0] < came_at:
            self._latest = latest = (time.monotonic(), ready())
        found = latest[1]
        return HttpResponse(found.content, status=found.status_code, content_type=found["Content-Type"])


def ready() -> HttpResponse:
    """200 when every check holds, else 503; the body lists them all, and what needs somebody soon."""
    results = [{"check": name, "ok": _holds(name, check)} for name, check in CHECKS.items()]
    good = all(result["ok"] for result in results)
    return JsonResponse({"ready": good, "checks": results, "warnings": warnings()}, status=200 if good else 503)


def warnings() -> list[str]:
    """What still works, or fails for a name or a message alone: which one, a page of admins says."""
    found = {
        "certificate": any(not one.good for one in certificates()),
        "bodies": readiness.bodies_are_damaged(),
    }
    return [name for name, wrong in found.items() if wrong]


def _require_database() -> None:
    """Do not wait for the same a second time where the check of the database has failed."""
    if connection.connection is None:
        raise NotReady("no database")


def migrations() -> None:
    _require_database()
    loader = MigrationLoader(connection)
    missing = loader.graph.nodes.keys() - loader.applied_migrations.keys()
    if missing:
        raise NotReady(f"migrations not applied: {sorted('.'.join(key) for key in missing)}")


def certificate() -> None:
    """Where there is none yet, the listener makes it."""
    if keypair.missing(settings.TLS_CERT_FILE):
        return
    ends = x509.load_pem_x509_certificate(settings.TLS_CERT_FILE.read_bytes()).not_valid_after_utc
    if ends <= datetime.datetime.now(datetime.UTC):
        raise NotReady(f"{settings.TLS_CERT_FILE} has expired at {ends}")


def database_disk() -> None:
    _require_database()
    readiness.database_disk()


def part(name: str) -> None:
    _require_database()
    if site_parts.silent(name):
        raise NotReady(f"{name} has not been heard of for {SILENT}")


CHECKS: dict[str, Callable[[], None]] = {
    "database": readiness.database,
    "migrations": migrations,
    "database disk": database_disk,
    "body store": readiness.body_store,
    "certificate": certificate,
    **{name: partial(part, name) for name in site_parts.LABELS},
}


def _holds(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception as error:  # whatever it is, it is an answer: not ready
        log.warning("not ready: %s: %s", name, error)
        return False
    return True
