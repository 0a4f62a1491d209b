"""What every request passes: who really asks, in which language, and headers no page may lack."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control

ZONE_COOKIE = "zone"  # set by static/zone.js: the one thing that a browser knows and does not send
ZONE_CHARACTERS = 40  # the longest name of a zone has 32

GetResponse = Callable[[HttpRequest], HttpResponse]


class TrustedProxies:
    """Believes X-Forwarded-For and X-Forwarded-Proto from the networks of TRUSTED_PROXIES, and from nobody else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.networks = [ip_network(network) for network in settings.TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._trusted(request.META["REMOTE_ADDR"]):
            request.META["REMOTE_ADDR"] = self._client(request)
            if request.headers.get("X-Forwarded-Proto") == "https":
                request.META["wsgi.url_scheme"] = "https"
        return self.get_response(request)

    def _client(self, request: HttpRequest) -> str:
        """The nearest address that is no proxy of ours: whatever lies beyond it may be invented."""
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
        for hop in reversed(hops):
            if not _is_address(hop):
                break
            if not self._trusted(hop):
                return hop
        return str(request.META["REMOTE_ADDR"])

    def _trusted(self, client: str) -> bool:
        return _is_address(client) and any(ip_address(client) in network for network in self.networks)


class PageHeaders:
    """Pages are personal: kept by no cache; their cookies travel by TLS only where the request did."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_cache_control(response, private=True, no_store=True)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class UserLanguage:
    """Speaks the language the signed-in user has chosen, whatever this browser prefers."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = request.user.language if request.user.is_authenticated else ""
        if language and translation.check_for_language(language):
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


class ReaderZone:
    """Shows times in the zone of the reader's browser, once it has told which; else in UTC."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone(request.COOKIES.get(ZONE_COOKIE, ""))):
            return self.get_response(request)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if 0 < len(name) <= ZONE_CHARACTERS else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # no zone of this name here, or no name at all
        return None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
