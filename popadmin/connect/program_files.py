"""What mail programs ask before anybody has signed in: one table of paths, and the answer of each.

Nothing in an answer comes from the Host of the request, and nothing depends on whether a mailbox exists.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from popadmin.connect import autoconfig, autodiscover, keep_days, pacc
from popadmin.connect.setup_url import setup_url
from popadmin.web.server_settings import server_settings

Answer = Callable[[HttpRequest], HttpResponse]
XML, JSON = "application/xml; charset=utf-8", "application/json"
FRESH_SECONDS = 3600
AUTODISCOVER = "/autodiscover/autodiscover.xml"
AUTODISCOVER_JSON = "/autodiscover/autodiscover.json"


def thunderbird(request: HttpRequest) -> HttpResponse:
    days = keep_days.of_address(request.GET.get("emailaddress", ""))
    return HttpResponse(autoconfig.document(server_settings(), keep_days=days, setup_url=setup_url()), content_type=XML)


def outlook(request: HttpRequest) -> HttpResponse:
    address = autodiscover.address_in(request.read(autodiscover.REQUEST_OCTETS + 1))
    site = server_settings()
    document = autodiscover.settings_document(site, address) if address else autodiscover.error_document()
    return HttpResponse(document, content_type=XML)


def outlook_json(_request: HttpRequest) -> HttpResponse:
    return JsonResponse({"Protocol": "AutodiscoverV1", "Url": f"{settings.PUBLIC_URL}{AUTODISCOVER}"})


def pacc_file(_request: HttpRequest) -> HttpResponse:
    data = pacc.document(server_settings(), setup_url=setup_url())
    return HttpResponse(status=404) if data is None else HttpResponse(data, content_type=JSON)


# Outlook writes its paths in several letter cases, so all are compared in lower case.
_ANSWERS: dict[str, tuple[Answer, tuple[str, ...]]] = {
    "/.well-known/autoconfig/mail/config-v1.1.xml": (thunderbird, ("GET", "HEAD")),
    "/mail/config-v1.1.xml": (thunderbird, ("GET", "HEAD")),
    AUTODISCOVER: (outlook, ("POST", "GET", "HEAD")),  # a GET has no address: it gets the error that Outlook knows
    AUTODISCOVER_JSON: (outlook_json, ("GET", "HEAD")),
    "/.well-known/user-agent-configuration.json": (pacc_file, ("GET", "HEAD")),
}


def answer(request: HttpRequest) -> HttpResponse | None:
    """Return the answer to a request for one of these files; None for any other path."""
    path = request.path_info.lower()
    if path.startswith(f"{AUTODISCOVER_JSON}/v1.0/"):  # then the address, which changes nothing
        path = AUTODISCOVER_JSON
    found = _ANSWERS.get(path)
    if found is None:
        return None
    view, methods = found
    if request.method not in methods:
        return HttpResponseNotAllowed(methods)
    response = view(request)
    response["Cache-Control"] = "no-store" if request.method == "POST" else f"public, max-age={FRESH_SECONDS}"
    response["Content-Length"] = str(len(response.content))
    return response
