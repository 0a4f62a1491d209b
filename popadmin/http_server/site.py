"""What the web port needs from the site: its settings, its pages for refusals, and whether somebody is signed in.

Import it only in a worker: the parent process knows no settings, so that each new worker reads them again.
"""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.template.loader import render_to_string
from django.utils import translation

from popadmin.http_server.limits import MIB, Limits

UPLOAD_MB = Limits().upload_octets // MIB
RETRY_SECONDS = 30  # by then a download has ended, or was cut for want of a reader
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "; ".join(
        f"{name} {' '.join(sources)}" for name, sources in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].items()
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Connection": "close",
}
RETRIED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def trusted_proxies() -> tuple[str, ...]:
    return tuple(settings.TRUSTED_PROXIES)


def downloads_folder() -> Path:
    """Return the folder for large answers: on the disk of the mail, not in /tmp, which is memory on many machines."""
    return Path(settings.DATA_DIR) / "downloads"


def session_key(cookie: str) -> str:
    """Return the session key that a Cookie header names; empty if it names none."""
    return str(parse_cookie(cookie).get(settings.SESSION_COOKIE_NAME, ""))


def signed_in(cookie: str) -> bool:
    """Return True if a Cookie header belongs to a signed-in user. Call it in a thread: it queries the database."""
    request = HttpRequest()
    request.COOKIES = parse_cookie(cookie)
    close_old_connections()
    try:
        SessionMiddleware(lambda _: HttpResponse()).process_request(request)
        return bool(get_user(request).is_authenticated)
    finally:
        close_old_connections()


def refusal(status: HTTPStatus, *, languages: str, cookie: str, with_page: bool) -> bytes:
    """Return a complete error response, with the reason in the reader's language. The connection ends after it."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"], request.COOKIES = languages, parse_cookie(cookie)
    page = _page(status, translation.get_language_from_request(request))
    headers = HEADERS | {"Content-Length": str(len(page))}
    if status in RETRIED:
        headers |= {"Retry-After": str(RETRY_SECONDS)}
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + (page if with_page else b"")


@lru_cache
def _page(status: HTTPStatus, language: str) -> bytes:
    with translation.override(language):
        template = "500.html" if status is HTTPStatus.INTERNAL_SERVER_ERROR else "refusal.html"
        return render_to_string(template, {"status": status.value, "most_mb": UPLOAD_MB}).encode()
