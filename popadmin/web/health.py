"""Answer monitors: /healthz says that this process lives, /readyz whether the site can serve mail and pages.

This comes before all other middleware. A monitor inside a container uses an IP address, which ALLOWED_HOSTS need not
name. Neither answer needs a session, a cookie or the headers of a page. Causes go to the log, not to the monitor.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone

from mailstore.integrity import readiness, served_certificates
from mailstore.integrity.heartbeat import SILENT
from popadmin.http_server.arrival import arrived_at
from popadmin.web import site_parts
from popadmin.web.certificates import certificates

log = logging.getLogger("popadmin.web.health")


class NotReady(Exception):
    """A check failed; the text is the cause, for the log."""


class Health:
    """The middleware that answers these two addresses and passes on all others."""

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
    """The answer of /readyz. Requests that wait while the checks run share the next answer: many cost little more."""

    def __init__(self) -> None:
        self._latest: tuple[float, HttpResponse] | None = None  # when the checks began, and their answer

    def __call__(self) -> HttpResponse:
        requested_at, latest = arrived_at.get(), self._latest
        if requested_at is None or latest is None or latest[0] < requested_at:
            self._latest = latest = (time.monotonic(), ready())
        answer = latest[1]
        return HttpResponse(answer.content, status=answer.status_code, content_type=answer["Content-Type"])


def ready() -> HttpResponse:
    """Return 200 if every check passes, else 503. The body lists all checks, and warnings."""
    results = [{"check": name, "ok": _passes(name, check)} for name, check in CHECKS.items()]
    is_ready = all(result["ok"] for result in results)
    return JsonResponse({"ready": is_ready, "checks": results, "warnings": warnings()}, status=200 if is_ready else 503)


def warnings() -> list[str]:
    """Return what needs attention while the site works. The page of its parts says which name or message it is."""
    found = {
        "certificate": any(not one.good for one in certificates(served_certificates.reports())),
        "bodies": readiness.bodies_are_damaged(),
        "old tls": bool(settings.POP3S_LEGACY_LISTEN),
    }
    return [name for name, wrong in found.items() if wrong]


def _require_database() -> None:
    """Fail at once where the check of the database has failed, instead of waiting a second time."""
    if connection.connection is None:
        raise NotReady("no database")


def migrations() -> None:
    _require_database()
    loader = MigrationLoader(connection)
    # Not those of the graph: a migration that replaces others is not in it where only some of them are applied.
    missing = loader.disk_migrations.keys() - loader.applied_migrations.keys()
    if missing:
        raise NotReady(f"migrations not applied: {sorted('.'.join(key) for key in missing)}")


def certificate() -> None:
    """Pass where there is no certificate yet: the listener makes one. Fail where clients get one that has expired."""
    for one in certificates(served_certificates.reports()):
        if one.of_site and one.ends_at is None:
            raise NotReady(f"{settings.TLS_CERT_FILE} is no certificate: {one.fault}")
        if one.of_site and one.ends_at is not None and one.ends_at <= timezone.now():
            raise NotReady(f"the certificate of {one.name} has expired at {one.ends_at}")


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
    **{name: partial(part, name) for name in site_parts.SERVING},
}


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception as error:  # any failure means: not ready
        log.warning("not ready: %s: %s", name, error)
        return False
    return True
