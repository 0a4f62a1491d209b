"""What monitors ask."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db.migrations.recorder import MigrationRecorder

from mailstore import bodies


@pytest.fixture(autouse=True)
def _a_sound_site(settings, tmp_path):
    """A mail store of its own, and no certificate yet."""
    settings.MAIL_STORE_URL = f"file:{tmp_path}/bodies"
    bodies.from_url(settings.MAIL_STORE_URL).prepare()
    settings.TLS_CERT_FILE = tmp_path / "cert.pem"


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
    assert checks(response) == {"database": True, "migrations": True, "body store": True, "certificate": True}


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
    assert checks(response) == {"database": True, "migrations": True, "body store": False, "certificate": True}


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
def test_a_file_that_is_no_certificate_is_not_ready(client, settings):
    settings.TLS_CERT_FILE.write_text("nonsense")
    assert checks(client.get("/readyz"))["certificate"] is False


@pytest.mark.django_db
def test_the_cause_goes_to_the_log_and_not_to_the_asker(client, settings, caplog):
    settings.TLS_CERT_FILE.write_text("nonsense")
    response = client.get("/readyz")
    assert set(response.json()["checks"][-1]) == {"check", "ok"}
    assert "certificate" in caplog.text


def write_certificate(file: Path, days: int) -> None:
    """One that ends `days` from now, with its key beside it."""
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
