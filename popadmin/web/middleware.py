"""Middleware for every request: the real client, the language, and required headers."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control

from popadmin.web import region

ZONE_COOKIE = "zone"  # set by static/time_zone.js: a browser knows its zone, but does not send it
ZONE_CHARACTERS = 40  # the longest name of a zone has 32

GetResponse = Callable[[HttpRequest], HttpResponse]


class TrustedProxies:
    """Trust X-Forwarded-For and X-Forwarded-Proto only from the networks of TRUSTED_PROXIES."""

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
        """Return the nearest address that is not one of our proxies: all addresses beyond it may be forged."""
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
        for hop in reversed(hops):
            if not _is_address(hop):
                break
            if not self._trusted(hop):
                return hop
        return str(request.META["REMOTE_ADDR"])

    def _trusted(self, client: str) -> bool:
        return is_within(client, self.networks)


class PageHeaders:
    """Keep pages out of caches, as they are personal, and make cookies secure if the request used TLS."""

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
    """Use the language that the signed-in user has chosen, whatever the browser prefers."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = request.user.language if request.user.is_authenticated else ""
        if language and translation.check_for_language(language):
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


class ReaderZone:
    """Show times in the time zone of the browser once it is known, else in UTC, and by the habits of its region."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = _zone(request.COOKIES.get(ZONE_COOKIE, ""))
        reader_region = region.of_header(request.headers.get("Accept-Language", ""))
        with timezone.override(zone), region.override(reader_region):
            return self.get_response(request)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if 0 < len(name) <= ZONE_CHARACTERS else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # no zone of this name here, or no name at all
        return None


def is_within(client: str, networks: list[IPv4Network | IPv6Network]) -> bool:
    """Return whether `client` is an address in one of the networks. One that comes by a Unix socket has none."""
    return _is_address(client) and any(ip_address(client) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
