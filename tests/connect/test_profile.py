"""The profile for Apple's devices: what it says, who signed it, and that its link gives the secret once."""

from __future__ import annotations

import plistlib
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from django.test import Client
from django.utils import timezone

from mailstore.directory import devices, profile_links
from mailstore.models import AuditEntry, Device, Domain, Mailbox, ProfileLink, User
from mailstore.policy import device_secret
from mailstore.retention.old_record_step import PROFILE_LINKS
from mailstore.sql.sweep_step import SweepContext
from popadmin.connect import profile_signature
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.page_users import ANN, an_owner, signed_in
from tests.site.rows import ACTOR

pytestmark = pytest.mark.django_db
FORM = {"name": "iPhone", "mode": "independent", "start": "all", "program": "apple"}


@pytest.fixture(autouse=True)
def unsigned(settings, tmp_path):
    settings.PROFILE_SIGN_CERT_FILE = settings.PROFILE_SIGN_KEY_FILE = tmp_path / "none.pem"


def a_link(*, may_send: bool = True, **fields) -> tuple[str, str]:
    """A link for a device of Ann's, and the device's secret as people see it."""
    an_owner(**fields)
    device, secret = devices.add(ANN, "iPhone", may_send=may_send, actor=ACTOR)
    return profile_links.make(device, secret), device_secret.shown(secret)


def file_of(token: str):
    return Client().get(f"/setup/profile/{token}/mail.mobileconfig")


def mail_of(data: bytes) -> dict:
    (mail,) = plistlib.loads(data)["PayloadContent"]
    return mail


def keys_of(settings, folder: Path, key_type: trustme.KeyType) -> Path:
    """Let the site sign with a certificate below an intermediate authority; returns the file of the root."""
    root = trustme.CA(key_type=key_type)
    leaf = root.create_child_ca(key_type=key_type).issue_cert("mail.example.test", key_type=key_type)
    settings.PROFILE_SIGN_CERT_FILE, settings.PROFILE_SIGN_KEY_FILE = folder / "chain.pem", folder / "key.pem"
    settings.PROFILE_SIGN_CERT_FILE.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(settings.PROFILE_SIGN_KEY_FILE)
    root.cert_pem.write_to_path(folder / "root.pem")
    return folder / "root.pem"


def test_the_profile_has_all_that_mail_asks(settings):
    settings.PUBLIC_POP3S_PORT, settings.PROVIDER_NAME = 995, "Three Rivers Post"
    settings.PUBLIC_SMTP_HOSTNAME = "smtp.example.test"
    token, secret = a_link(name="Ann Smith")
    response = file_of(token)
    assert response["Content-Type"] == "application/x-apple-aspen-config"
    assert "no-store" in response["Cache-Control"]
    profile, mail = plistlib.loads(response.content), mail_of(response.content)
    assert (profile["PayloadType"], profile["PayloadVersion"]) == ("Configuration", 1)
    assert profile["PayloadOrganization"] == "Three Rivers Post"
    assert set(profile["ConsentText"]) == {"default", "en", "fr"}
    assert all(ANN in text for text in profile["ConsentText"].values())
    assert (
        mail
        | {
            "PayloadType": "com.apple.mail.managed",
            "EmailAccountType": "EmailTypePOP",
            "EmailAccountName": "Ann Smith",
            "EmailAddress": ANN,
            "IncomingMailServerAuthentication": "EmailAuthPassword",
            "IncomingMailServerHostName": "mail.example.test",
            "IncomingMailServerPortNumber": 995,
            "IncomingMailServerUseSSL": True,
            "IncomingMailServerUsername": ANN,
            "IncomingPassword": secret,
            "OutgoingMailServerAuthentication": "EmailAuthPassword",
            "OutgoingMailServerHostName": "smtp.example.test",
            "OutgoingMailServerPortNumber": 465,
            "OutgoingMailServerUseSSL": True,
            "OutgoingMailServerUsername": ANN,
            "OutgoingPasswordSameAsIncomingPassword": True,
        }
        == mail
    )


def test_a_site_without_submission_still_has_the_keys_that_apple_requires(settings):
    settings.PUBLIC_SUBMISSIONS_PORT = settings.PUBLIC_SUBMISSION_PORT = None
    mail = mail_of(file_of(a_link()[0]).content)
    assert mail["OutgoingMailServerAuthentication"] == "EmailAuthNone"
    assert mail["OutgoingMailServerHostName"]
    assert "EmailAccountName" not in mail


def test_the_profile_of_a_password_that_only_fetches_offers_no_sign_in_for_sending():
    mail = mail_of(file_of(a_link(may_send=False)[0]).content)
    assert mail["OutgoingMailServerAuthentication"] == "EmailAuthNone"
    assert "OutgoingPasswordSameAsIncomingPassword" not in mail


def test_a_second_profile_of_a_device_replaces_the_first_and_another_device_has_its_own():
    token, _secret = a_link()
    device, (other, secret) = Device.objects.get(name="iPhone"), devices.add(ANN, "iPad", actor=ACTOR)
    first = plistlib.loads(file_of(token).content)
    second = plistlib.loads(file_of(profile_links.make(device, secret)).content)
    third = plistlib.loads(file_of(profile_links.make(other, secret)).content)
    assert first["PayloadIdentifier"] == second["PayloadIdentifier"] != third["PayloadIdentifier"]
    assert first["PayloadIdentifier"].startswith("test.example.mail.")
    uuids = {part["PayloadUUID"] for each in (first, second) for part in (each, *each["PayloadContent"])}
    assert len(uuids) == 4


@pytest.mark.real
@pytest.mark.parametrize("key_type", list(trustme.KeyType), ids=lambda kind: kind.name)
def test_openssl_verifies_the_signature_with_the_chain(settings, tmp_path, key_type):
    root = keys_of(settings, tmp_path, key_type)
    token, secret = a_link()
    (tmp_path / "signed").write_bytes(file_of(token).content)
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-in", "signed", "-CAfile", root, "-purpose", "any"]
    verified = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert verified.returncode == 0, verified.stderr
    assert mail_of(verified.stdout)["IncomingPassword"] == secret
    assert profile_signature.is_verifiable()


def test_a_key_of_another_certificate_a_closed_file_or_a_self_signed_one_is_never_called_verified(settings, tmp_path):
    keys_of(settings, tmp_path, trustme.KeyType.ECDSA)
    trustme.CA().issue_cert("x.example").private_key_pem.write_to_path(settings.PROFILE_SIGN_KEY_FILE)
    assert not profile_signature.is_verifiable()
    assert profile_signature.signed(b"plain") == b"plain"
    ca = trustme.CA()
    ca.cert_pem.write_to_path(settings.PROFILE_SIGN_CERT_FILE)
    ca.private_key_pem.write_to_path(settings.PROFILE_SIGN_KEY_FILE)
    assert not profile_signature.is_verifiable()
    assert profile_signature.signed(b"plain") != b"plain"


def test_a_link_gives_the_secret_once_and_what_only_looks_uses_nothing_up():
    token, secret = a_link()
    page = Client().get(f"/setup/profile/{token}/")
    assert secret not in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert "“Not Signed”" in page.content.decode()
    assert Client().head(f"/setup/profile/{token}/mail.mobileconfig").status_code == 405
    assert mail_of(file_of(token).content)["IncomingPassword"] == secret
    again = file_of(token)
    assert again.status_code == Client().get(f"/setup/profile/{token}/").status_code == 410
    assert secret not in again.content.decode()
    entry = AuditEntry.objects.get(verb="device.profile")
    assert (entry.subject, entry.client, entry.details["device"]) == (ANN, "127.0.0.1", "iPhone")


def test_a_link_ends_in_time_with_the_device_and_with_the_next_link():
    token, _secret = a_link()
    device = Device.objects.get(name="iPhone")
    replaced = profile_links.make(device, "x" * 32)
    assert file_of(token).status_code == 410
    ProfileLink.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert file_of(replaced).status_code == 410
    third = profile_links.make(device, "x" * 32)
    devices.revoke(ANN, "iPhone", actor=ACTOR)
    assert file_of(third).status_code == 410
    assert file_of("a").status_code == 410


@pytest.mark.parametrize(
    "barred",
    [
        lambda: User.objects.update(is_active=False),
        lambda: Domain.objects.update(active=False),
        lambda: Mailbox.objects.update(removed_at=timezone.now(), removed_by="root"),
    ],
    ids=["suspended", "domain", "removed"],
)
def test_a_link_gives_no_secret_while_the_device_cannot_sign_in(barred):
    token, _secret = a_link()
    barred()
    assert Client().get(f"/setup/profile/{token}/").status_code == 410
    assert file_of(token).status_code == 410


def test_who_reads_the_database_learns_neither_link_nor_secret():
    token, secret = a_link()
    canonical = device_secret.split(secret)[1].encode()
    row = ProfileLink.objects.values().get()
    assert not any(
        hidden in bytes(row[name]) for name in ("digest", "sealed") for hidden in (token.encode(), canonical)
    )
    assert canonical.decode() not in str(list(AuditEntry.objects.values()))


def test_the_page_of_a_new_device_offers_the_profile_here_and_by_a_code_elsewhere():
    an_owner()
    response = signed_in(ANN).post("/devices/connect/", FORM)
    page = response.content.decode()
    path = re.search(r'href="(/setup/profile/[\w-]+/)mail.mobileconfig"', page)[1]
    assert response.context["profile"].qr.text == f"http://testserver{path}"
    shown = re.search(r'id="copy-secret">([^<]+)<', page)[1]
    assert mail_of(file_of(path.split("/")[3]).content)["IncomingPassword"] == shown


def test_the_sweep_forgets_links_that_nobody_used_and_keeps_the_others():
    token, _secret = a_link()
    context = SweepContext(EmptyBodyStore(), timezone.now())
    PROFILE_LINKS.act(context)
    assert profile_links.device_of(token) is not None
    PROFILE_LINKS.act(replace(context, now=timezone.now() + profile_links.VALID))
    assert not ProfileLink.objects.exists()
