"""The records that a domain of this site should have, by the settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from popadmin.connect import pacc
from popadmin.connect.dns.record import Kind, Need, Purpose, Question, RecordSet
from popadmin.connect.setup_url import setup_url
from popadmin.web.server_settings import IMPLICIT_TLS, STARTTLS, Port, ServerSettings, server_settings

NOT_OFFERED = "0 0 0 ."  # RFC 2782: this service is decidedly not there
HTTPS_PORT = 443
FEWEST_LABELS = 3  # of an MX host below which the name for all customers can be made
# RFC 6186 §3.4 and RFC 8314 §5.1: the lower figure is preferred.
_SERVICES = (("_pop3s", IMPLICIT_TLS, 0), ("_pop3", STARTTLS, 10))


@dataclass(frozen=True, slots=True)
class Site:
    """What the records of all domains lead to. `web_host` is the host of the pages; `mx_hosts` are in their order."""

    web_host: str
    mx_hosts: tuple[str, ...]
    servers: ServerSettings
    spf: str
    dmarc: str
    dkim_selector: str
    dkim_record: str
    pacc_record: str | None


def site() -> Site:
    """Return the site as the settings describe it."""
    servers = server_settings()
    pacc_file = pacc.document(servers, setup_url=setup_url())
    return Site(
        web_host=urlsplit(settings.PUBLIC_URL).hostname or settings.PUBLIC_HOSTNAME,
        mx_hosts=tuple(settings.PUBLIC_MX_HOSTNAMES),
        servers=servers,
        spf=settings.DNS_SPF,
        dmarc=settings.DNS_DMARC,
        dkim_selector=settings.DKIM_SELECTOR,
        dkim_record=settings.DKIM_RECORD,
        pacc_record=None if pacc_file is None else pacc.digest_record(pacc_file),
    )


def records(domain: str, site: Site) -> list[RecordSet]:
    """Return the sets of records, the most needed first. `domain` has A-labels."""
    return [*_for_mail(domain, site), *_for_ease(domain, site)]


def name_for_all(site: Site) -> RecordSet | None:
    """Return the one name by which Thunderbird finds the servers of every domain with our MX.

    It drops the first label of the MX host. None where nothing but a top-level domain would be left.
    """
    labels = site.mx_hosts[0].split(".")
    if len(labels) < FEWEST_LABELS:
        return None
    return _host(f"autoconfig.{'.'.join(labels[1:])}", site, of_site=True)


def _for_mail(domain: str, site: Site) -> Iterator[RecordSet]:
    exchanges = tuple(f"{10 * number} {host}." for number, host in enumerate(site.mx_hosts, start=1))
    yield RecordSet(Purpose.MX, Question(domain, Kind.MX), exchanges, Need.MAIL)
    for host in _hosts_within(domain, site):
        yield RecordSet(Purpose.ADDRESS, Question(host, Kind.ADDRESS), (), Need.MAIL)
    yield RecordSet(Purpose.SPF, Question(domain, Kind.TXT), (site.spf,), Need.TRUST)
    if site.dkim_selector:
        key = (site.dkim_record,) if site.dkim_record else ()
        name = f"{site.dkim_selector}._domainkey.{domain}"
        yield RecordSet(Purpose.DKIM, Question(name, Kind.TXT), key, Need.TRUST)
    yield RecordSet(Purpose.DMARC, Question(f"_dmarc.{domain}", Kind.TXT), (site.dmarc,), Need.TRUST)


def _hosts_within(domain: str, site: Site) -> list[str]:
    """Return the hosts of this site whose addresses the zone of the domain has to tell."""
    hosts = dict.fromkeys([*site.mx_hosts, site.servers.host, site.servers.smtp_host, site.web_host])
    return [host for host in hosts if f".{host}".endswith(f".{domain}")]


def _for_ease(domain: str, site: Site) -> Iterator[RecordSet]:
    yield _host(f"autoconfig.{domain}", site)
    for service, encryption, priority in _SERVICES:
        port = _port(site.servers.ports, encryption)
        yield _service(f"{service}._tcp.{domain}", site.servers.host, port, priority)
    submissions = _port(site.servers.smtp_ports, IMPLICIT_TLS)
    yield _service(f"_submissions._tcp.{domain}", site.servers.smtp_host, submissions, 0)
    yield _service(f"_autodiscover._tcp.{domain}", site.web_host, HTTPS_PORT, 0)
    yield _host(f"autodiscover.{domain}", site)
    if site.pacc_record is not None:
        yield _host(f"ua-auto-config.{domain}", site)
        name = f"_ua-auto-config.{domain}"
        yield RecordSet(Purpose.PACC, Question(name, Kind.TXT), (site.pacc_record,), Need.EASE)


def _port(ports: tuple[Port, ...], encryption: str) -> int | None:
    return next((port.number for port in ports if port.encryption == encryption), None)


def _service(name: str, host: str, port: int | None, priority: int) -> RecordSet:
    text = NOT_OFFERED if port is None else f"{priority} 1 {port} {host}."
    return RecordSet(Purpose.SERVICE, Question(name, Kind.SRV), (text,), Need.EASE)


def _host(name: str, site: Site, *, of_site: bool = False) -> RecordSet:
    return RecordSet(Purpose.HOST, Question(name, Kind.CNAME), (f"{site.web_host}.",), Need.EASE, of_site)
