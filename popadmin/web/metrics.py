"""Answer /metrics, in the form of Prometheus, to METRICS_NETWORKS: the parts, the sweep, the mail, the certificates.

These are the figures that all processes share through the database. No label has an address, a domain of a customer's
mail or a client: a site has too many of them. The labels of a certificate are the name that clients ask for, which may
be a host of a customer. So nobody reads this before the operator says who may.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_network

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from mailstore.integrity import served_certificates
from mailstore.models import SweepPass
from popadmin.config.version import version
from popadmin.web import site_parts
from popadmin.web.certificates import Certificate, certificates
from popadmin.web.middleware import GetResponse, is_within

PATH = "/metrics"


class Metrics:
    """The middleware that answers this address to those who may read it, and passes on all other requests."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.readers = [ip_network(network) for network in settings.METRICS_NETWORKS]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != PATH or not is_within(request.META["REMOTE_ADDR"], self.readers):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = figures()
        response["Cache-Control"] = "no-store"
        return response


def figures() -> HttpResponse:
    """Return all figures, or 503 while the database is away: Prometheus then sets `up` to 0."""
    registry = CollectorRegistry()
    try:
        _tell_parts(registry)
        _tell_mail(registry)
        _tell_certificates(registry, certificates(served_certificates.reports()))
    except (DatabaseError, InterfaceError):
        return HttpResponse("The database is away.\n", status=503, content_type="text/plain; charset=utf-8")
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _tell_parts(registry: CollectorRegistry) -> None:
    build = Gauge("popadmin_build_info", "The version of popadmin.", ["version"], registry=registry)
    build.labels(version()).set(1)
    up = Gauge("popadmin_part_up", "Whether a part of the site is at work.", ["part"], registry=registry)
    for part in site_parts.read_parts():
        up.labels(part.name).set(part.good)


def _tell_mail(registry: CollectorRegistry) -> None:
    swept = Gauge("popadmin_sweep_last_success_timestamp_seconds", "The end of the last pass.", registry=registry)
    swept.set(_seconds(SweepPass.objects.values_list("ended_at", flat=True).order_by("-pk").first()))
    damaged = Gauge("popadmin_damaged_bodies", "Bodies of mail that are missing or changed.", registry=registry)
    damaged.set(site_parts.stored_mail(named=0).damaged)


def _tell_certificates(registry: CollectorRegistry, found: list[Certificate]) -> None:
    """Tell when each ends that clients get. Of two for one name and kind of key, the first to end is told."""
    labels = ("name", "key")
    ends = Gauge("popadmin_certificate_not_after_seconds", "The end of what is served.", labels, registry=registry)
    usable = Gauge("popadmin_certificate_usable", "Whether its present files can be served.", labels, registry=registry)
    for one in reversed(found):
        ends.labels(one.name, one.key_kind).set(_seconds(one.ends_at))
        usable.labels(one.name, one.key_kind).set(one.fault is None and one.ends_at is not None)


def _seconds(moment: datetime | None) -> float:
    """Return a moment as seconds since 1970; 0, which every alarm takes for long ago, if there was none."""
    return moment.timestamp() if moment else 0.0
