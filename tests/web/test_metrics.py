"""The figures for Prometheus: /metrics."""

from __future__ import annotations

import datetime
import re

import pytest
from django.db import OperationalError
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from mailstore import keypair
from mailstore.models import Heartbeat, ListenerCertificates, SweepPass
from mailstore.served_certificate import ECDSA, RSA, SITE, ServedCertificate
from popadmin.config.version import version
from popadmin.web import metrics
from tests.up.programs import REPOSITORY

NOW = datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def _readable(settings):
    settings.METRICS_NETWORKS = ("127.0.0.1/32",)


def samples(client) -> dict[str, float]:
    """Return the samples by name and values of labels, as Prometheus reads them."""
    response = client.get("/metrics")
    assert response.status_code == 200
    return {
        sample.name + "".join(f"|{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def serve(*served: ServedCertificate) -> None:
    """Let a listener say that it serves these."""
    rows = [one.to_json() for one in served]
    ListenerCertificates.objects.create(listener="a", seen_at=timezone.now(), certificates=rows)


@pytest.mark.django_db
def test_the_parts_the_sweep_and_the_version(client):
    Heartbeat.objects.create(part="pop3", seen_at=timezone.now())
    Heartbeat.objects.create(part="lmtp", seen_at=timezone.now() - datetime.timedelta(minutes=3))
    SweepPass.objects.create(started_at=NOW, ended_at=NOW)
    found = samples(client)
    assert found[f"popadmin_build_info|{version()}"] == 1
    assert (found["popadmin_part_up|pop3"], found["popadmin_part_up|lmtp"]) == (1, 0)
    assert found["popadmin_sweep_last_success_timestamp_seconds"] == NOW.timestamp()
    assert found["popadmin_damaged_bodies"] == 0


@pytest.mark.req("P-137")
@pytest.mark.django_db
def test_what_is_served_counts_and_not_a_file(client, settings):
    settings.PUBLIC_HOSTNAME = "mail.example.org"
    fault = keypair.Fault(keypair.Kind.MISMATCH, keypair.Path("/tls/key.pem"))
    later = NOW + datetime.timedelta(days=30)
    serve(
        ServedCertificate(SITE, NOW, key_kind=ECDSA, fault=fault),
        ServedCertificate(SITE, later, key_kind=RSA),
        ServedCertificate("mail.customer.example", key_kind=ECDSA),
    )
    found = samples(client)
    ends, usable = "popadmin_certificate_not_after_seconds", "popadmin_certificate_usable"
    assert found[f"{ends}|ECDSA|mail.example.org"] == NOW.timestamp()
    assert found[f"{usable}|ECDSA|mail.example.org"] == 0
    assert found[f"{ends}|RSA|mail.example.org"] == later.timestamp()
    assert found[f"{usable}|RSA|mail.example.org"] == 1
    assert found[f"{ends}|ECDSA|mail.customer.example"] == found[f"{usable}|ECDSA|mail.customer.example"] == 0


@pytest.mark.django_db
def test_of_two_for_one_name_and_kind_of_key_the_first_to_end_is_told(client, settings):
    settings.PUBLIC_HOSTNAME = "mail.example.org"
    serve(
        ServedCertificate("mail.example.org", NOW + datetime.timedelta(days=30), key_kind=ECDSA),
        ServedCertificate(SITE, NOW, key_kind=ECDSA),
    )
    assert samples(client)["popadmin_certificate_not_after_seconds|ECDSA|mail.example.org"] == NOW.timestamp()


@pytest.mark.django_db
def test_it_comes_by_any_name_without_cookie_or_page_headers_and_in_few_statements(client, django_assert_num_queries):
    with django_assert_num_queries(4):
        response = client.get("/metrics", headers={"host": "10.1.2.3:8000"})
    assert response.status_code == 200
    assert not response.cookies
    assert "Content-Security-Policy" not in response.headers
    assert response["Cache-Control"] == "no-store"
    assert client.post("/metrics").status_code == 405


@pytest.mark.parametrize(
    ("remote", "forwarded", "reads"),
    [
        ("127.0.0.1", "", True),
        ("203.0.113.9", "", False),
        ("203.0.113.9", "127.0.0.1", False),  # a stranger who says so
        ("10.0.0.2", "203.0.113.9", False),  # a stranger through our proxy
        ("10.0.0.2", "127.0.0.1", True),
        ("", "", False),  # by a Unix socket
    ],
)
@pytest.mark.django_db
def test_for_all_others_it_does_not_exist(client, settings, remote, forwarded, reads):
    settings.TRUSTED_PROXIES = ("10.0.0.0/8",)
    response = client.get("/metrics", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded})
    assert (response.status_code == 200) is reads
    if not reads:
        other = client.get("/no-such-page", REMOTE_ADDR=remote)
        assert response.status_code == other.status_code
        assert b"popadmin_" not in response.content


@pytest.mark.django_db
def test_nobody_reads_it_before_the_operator_says_who(client, settings):
    settings.METRICS_NETWORKS = ()
    assert client.get("/metrics").status_code != 200


@pytest.mark.django_db
def test_it_says_so_when_the_database_is_away(client, monkeypatch):
    def away() -> list[object]:
        raise OperationalError

    monkeypatch.setattr(metrics.site_parts, "read_parts", away)
    response = client.get("/metrics")
    assert (response.status_code, response.content) == (503, b"The database is away.\n")


@pytest.mark.django_db
def test_the_guide_names_every_figure_and_no_other(client):
    serve(ServedCertificate(SITE, NOW, key_kind=ECDSA))
    guide = (REPOSITORY / "docs" / "install.md").read_text()
    named = set(re.findall(r"^\| `(popadmin_\w+)", guide, re.MULTILINE))
    assert named == {name.partition("|")[0] for name in samples(client)}
