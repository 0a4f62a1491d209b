"""The answers to monitors: /healthz and /readyz."""

from __future__ import annotations

import datetime
import subprocess
import sys
import time
from pathlib import Path
from subprocess import PIPE

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from mailstore import bodies
from mailstore.models import Heartbeat, ListenerCertificates
from mailstore.served_certificate import SITE, ServedCertificate
from popadmin.http_server.arrival import arrived_at


@pytest.fixture(autouse=True)
def _a_sound_site(settings, tmp_path):
    """Use a mail store of its own, no certificate, and a site that started just now."""
    settings.SERVICE_STARTED_AT = timezone.now()
    settings.MAIL_STORE_URL = f"file:{tmp_path}/bodies"
    bodies.from_url(settings.MAIL_STORE_URL).prepare()
    settings.TLS_CERT_FILE = tmp_path / "cert.pem"


CHECKS = (
    "database",
    "migrations",
    "database disk",
    "body store",
    "certificate",
    "pop3",
    "lmtp",
    "sasl",
    "policy",
    "sweep",
)
MINUTE = datetime.timedelta(minutes=1)


def checks(response) -> dict[str, bool]:
    return {check["check"]: check["ok"] for check in response.json()["checks"]}


def test_a_living_process_says_ok_without_a_database(client):
    response = client.get("/healthz")  # pytest-django refuses any statement in this test
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.django_db
def test_a_monitor_may_come_by_any_name_and_gets_no_cookie_and_no_page_headers(client, path):
    response = client.get(path, headers={"host": "10.1.2.3:8000"})
    assert response.status_code == 200
    assert not response.cookies
    assert "Content-Security-Policy" not in response.headers
    assert response["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_those_who_wait_for_readiness_share_the_answer_that_began_after_they_came(
    client, django_assert_num_queries, settings
):
    came = arrived_at.set(time.monotonic())
    try:
        assert client.get("/readyz").status_code == 200
        settings.MAIL_STORE_URL = "file:/nowhere/bodies"
        with django_assert_num_queries(0):
            assert client.get("/readyz").json()["ready"]
            assert client.head("/readyz").status_code == 200
        arrived_at.set(time.monotonic())
        assert client.get("/readyz").status_code == 503
    finally:
        arrived_at.reset(came)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.django_db
def test_monitors_only_read(client, path):
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405


def test_any_other_page_still_refuses_a_strange_host(client):
    assert client.get("/sign-in/", headers={"host": "10.1.2.3"}).status_code == 400


@pytest.mark.django_db
def test_all_is_ready(client):
    response = client.get("/readyz")
    assert response.json()["ready"] is True
    assert checks(response) == dict.fromkeys(CHECKS, True)


@pytest.mark.django_db
def test_a_migration_that_is_not_applied_is_not_ready(client):
    MigrationRecorder.Migration.objects.filter(app="mailstore").first().delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert checks(response)["migrations"] is False


@pytest.mark.django_db
def test_a_body_store_whose_disk_is_not_there_is_not_ready(client, settings, tmp_path):
    settings.MAIL_STORE_URL = f"file:{tmp_path}/elsewhere"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert checks(response) == dict.fromkeys(CHECKS, True) | {"body store": False}


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "ready"), [(1, True), (-1, False)])
def test_an_expired_certificate_is_not_ready(client, settings, days, ready):
    write_certificate(settings.TLS_CERT_FILE, days)
    assert checks(client.get("/readyz"))["certificate"] is ready


@pytest.mark.req("P-137")
@pytest.mark.django_db
@pytest.mark.parametrize(("days", "warned"), [(15, []), (13, ["certificate"]), (-1, ["certificate"])])
def test_a_certificate_that_ends_soon_is_warned_of_and_one_by_name_too(client, settings, tmp_path, days, warned):
    settings.TLS_SNI_DIR = tmp_path / "names"
    (settings.TLS_SNI_DIR / "mail.customer.example").mkdir(parents=True)
    write_certificate(settings.TLS_SNI_DIR / "mail.customer.example" / "fullchain.pem", days)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["warnings"]) == (200, warned)
    assert "customer" not in response.content.decode()


@pytest.mark.django_db
def test_a_pair_by_name_that_the_listener_leaves_out_is_warned_of_and_mail_goes_on(client, settings, tmp_path):
    settings.TLS_SNI_DIR = tmp_path / "names"
    (settings.TLS_SNI_DIR / "mail.customer.example").mkdir(parents=True)
    write_certificate(settings.TLS_SNI_DIR / "mail.customer.example" / "fullchain.pem", 60)
    assert client.get("/readyz").json()["warnings"] == []
    (settings.TLS_SNI_DIR / "mail.customer.example" / "privkey.pem").unlink()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["warnings"]) == (200, ["certificate"])


@pytest.mark.django_db
def test_a_key_that_does_not_fit_its_certificate_is_warned_of(client, settings, tmp_path):
    settings.TLS_KEY_FILE = tmp_path / "key.pem"
    write_certificate(settings.TLS_CERT_FILE, 60)
    assert client.get("/readyz").json()["warnings"] == []
    write_certificate(tmp_path / "other.pem", 60)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["warnings"]) == (200, ["certificate"])


@pytest.mark.req("P-137")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("days", "ready", "warned"), [(60, True, []), (5, True, ["certificate"]), (-1, False, ["certificate"])]
)
def test_what_a_listener_serves_counts_and_not_a_renewed_file(client, settings, days, ready, warned):
    """The harm: the file was renewed, so all was well, and clients got the expired certificate."""
    write_certificate(settings.TLS_CERT_FILE, 90)
    ends_at = timezone.now() + datetime.timedelta(days=days)
    served = ServedCertificate(SITE, ends_at, (settings.PUBLIC_HOSTNAME.lower(),))
    ListenerCertificates.objects.create(listener="a", seen_at=timezone.now(), certificates=[served.to_json()])
    response = client.get("/readyz")
    assert checks(response)["certificate"] is ready
    assert response.json()["warnings"] == warned


@pytest.mark.django_db
def test_a_port_for_old_tls_is_warned_of(client, settings):
    settings.POP3S_LEGACY_LISTEN = ("0.0.0.0:1996",)
    assert client.get("/readyz").json()["warnings"] == ["old tls"]


@pytest.mark.django_db
def test_a_file_that_is_no_certificate_is_not_ready(client, settings):
    settings.TLS_CERT_FILE.write_text("nonsense")
    assert checks(client.get("/readyz"))["certificate"] is False


@pytest.mark.django_db
def test_the_cause_goes_to_the_log_and_not_to_the_asker(client, settings, caplog):
    settings.TLS_CERT_FILE.write_text("nonsense")
    response = client.get("/readyz")
    assert all(set(check) == {"check", "ok"} for check in response.json()["checks"])
    assert "certificate" in caplog.text


@pytest.mark.django_db
def test_a_database_that_takes_no_writes_is_not_ready(client):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")  # as on a standby
    assert checks(client.get("/readyz")) == dict.fromkeys(CHECKS, True) | {"database": False}


@pytest.mark.django_db(transaction=True)
def test_a_monitor_that_asks_often_writes_once_in_twenty_seconds(client):
    client.get("/readyz")
    first = Heartbeat.objects.get(part="ready").seen_at
    client.get("/readyz")
    assert Heartbeat.objects.get(part="ready").seen_at == first
    Heartbeat.objects.filter(part="ready").update(seen_at=first - MINUTE)
    client.get("/readyz")
    assert Heartbeat.objects.get(part="ready").seen_at > first - MINUTE


# --- parts ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def old(settings) -> None:
    """Let the site have run for a while."""
    settings.SERVICE_STARTED_AT = timezone.now() - 60 * MINUTE


def beat(part: str, minutes: float) -> None:
    Heartbeat.objects.create(part=part, seen_at=timezone.now() - minutes * MINUTE)


@pytest.mark.parametrize("part", ["pop3", "lmtp", "sweep"])
@pytest.mark.parametrize(("minutes", "ready"), [(1.5, True), (2.5, False)])
@pytest.mark.django_db
def test_a_part_that_is_silent_for_two_minutes_is_not_ready(client, old, part, minutes, ready):
    for name in ("pop3", "lmtp", "sweep"):
        beat(name, minutes if name == part else 0)
    response = client.get("/readyz")
    assert response.status_code == (200 if ready else 503)
    assert checks(response) == dict.fromkeys(CHECKS, True) | {part: ready}


@pytest.mark.django_db
def test_listeners_that_were_never_heard_of_are_not_ready_and_a_sweep_by_a_timer_is_not_waited_for(client, old):
    assert checks(client.get("/readyz")) == dict.fromkeys(CHECKS, True) | {"pop3": False, "lmtp": False}


@pytest.mark.django_db
def test_a_part_that_this_site_does_not_run_is_not_waited_for(client, old, settings):
    settings.LMTP_LISTEN = settings.POP3_LISTEN = ()
    beat("pop3", 0)  # by POP3S_LISTEN
    assert client.get("/readyz").json()["ready"] is True
    settings.POP3S_LISTEN = ()
    Heartbeat.objects.all().delete()
    assert client.get("/readyz").json()["ready"] is True


@pytest.mark.django_db
def test_a_site_that_is_just_starting_has_two_minutes_for_its_parts(client, settings):
    beat("pop3", 600)
    for age, ready in ((1.9, True), (2.1, False)):
        settings.SERVICE_STARTED_AT = timezone.now() - age * MINUTE
        assert checks(client.get("/readyz"))["pop3"] is ready


def test_a_service_began_with_the_leader_of_its_session_however_young_its_workers_are():
    look = "from popadmin.config import service_start; print(service_start.started_at().timestamp())"
    worker = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {look!r}], check=True)"
    leader = f"{look}; sys.stdout.flush(); input(); {worker}".replace("from popadmin", "import sys; from popadmin", 1)
    with subprocess.Popen(
        [sys.executable, "-c", leader], start_new_session=True, stdin=PIPE, stdout=PIPE, text=True
    ) as process:
        first = float(process.stdout.readline())
        began = datetime.datetime.now(datetime.UTC).timestamp()
        second = float(process.communicate("\n", timeout=60)[0])
    assert second == pytest.approx(first, abs=0.1)
    assert first < began


def write_certificate(file: Path, days: int) -> None:
    """Write a certificate that ends `days` from now, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(days=9))
    certificate = builder.not_valid_after(now + datetime.timedelta(days=days)).sign(key, hashes.SHA256())
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file = file.with_name("privkey.pem" if file.name == "fullchain.pem" else "key.pem")
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
