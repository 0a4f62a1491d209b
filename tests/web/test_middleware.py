"""The middleware of every request."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from popadmin.web.middleware import PageHeaders, TrustedProxies


def seen(settings, remote: str, forwarded: str = "", proto: str = "", trusted=("10.0.0.0/8", "fd00::/8")):
    """Return the client's address and whether it used TLS, as the pages see them."""
    settings.TRUSTED_PROXIES = trusted
    headers = {"X-Forwarded-For": forwarded} | ({"X-Forwarded-Proto": proto} if proto else {})
    request = RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers)
    TrustedProxies(lambda _request: HttpResponse())(request)
    return request.META["REMOTE_ADDR"], request.is_secure()


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # a stranger who says so
        ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # what lies beyond may be invented
        ("10.0.0.2", "198.51.100.1, 10.0.0.3", "198.51.100.1"),  # two proxies of ours
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "198.51.100.1, nonsense", "10.0.0.2"),
        ("10.0.0.2", "10.0.0.4", "10.0.0.2"),
        ("", "198.51.100.1", ""),  # a unix socket
    ],
)
def test_only_a_trusted_proxy_says_who_asks(settings, remote, forwarded, client):
    assert seen(settings, remote, forwarded)[0] == client


@pytest.mark.parametrize(
    ("remote", "proto", "secure"),
    [("10.0.0.2", "https", True), ("10.0.0.2", "http", False), ("203.0.113.9", "https", False)],
)
def test_only_a_trusted_proxy_says_that_it_ends_tls(settings, remote, proto, secure):
    assert seen(settings, remote, proto=proto)[1] is secure


@pytest.mark.parametrize("secure", [True, False])
def test_cookies_travel_by_tls_only_where_the_request_did(secure):
    def page(_request):
        response = HttpResponse()
        response.set_cookie("sessionid", "x")
        return response

    response = PageHeaders(page)(RequestFactory().get("/", secure=secure))
    assert bool(response.cookies["sessionid"]["secure"]) is secure


@pytest.mark.django_db
def test_a_page_forbids_all_that_it_does_not_need(client):
    response = client.get("/sign-in/")
    policy = dict(rule.strip().split(" ", 1) for rule in response["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert {"no-store", "private"} <= {part.strip() for part in response["Cache-Control"].split(",")}


@pytest.mark.django_db
def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(client):
    client.post("/language/", {"language": "fr"})
    client.post("/theme/", {"theme": "dark"})
    client.get("/sign-in/")
    assert {"django_language", "theme", "csrftoken"} <= set(client.cookies)
    for cookie in client.cookies.values():
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"] == "Lax", cookie.key


@pytest.mark.django_db
def test_a_page_travels_compressed(client):
    assert client.get("/sign-in/", headers={"accept-encoding": "gzip"})["Content-Encoding"] == "gzip"
