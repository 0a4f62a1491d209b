"""Wrong settings are named by `manage.py check`, with an id and what to do."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import trustme
from pytest_django import Settings

from mailstore import checks
from mailstore.keypair import Pair


def pair(folder: Path, days: int) -> Path:
    file = folder / "cert.pem"
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    made = trustme.CA().issue_cert("mail.example.test", not_after=ends)
    made.cert_chain_pems[0].write_to_path(str(file))
    made.private_key_pem.write_to_path(str(folder / "key.pem"))
    return file


def test_passwords_in_clear_are_warned_of(settings: Settings) -> None:
    settings.PLAINTEXT_LOGIN = "always"
    assert [finding.id for finding in checks.plaintext()] == ["mailstore.W001"]
    settings.PLAINTEXT_LOGIN = "loopback"
    assert checks.plaintext() == []


def test_a_port_for_old_tls_is_warned_of(settings: Settings) -> None:
    settings.POP3S_LEGACY_LISTEN = ("0.0.0.0:1996",)
    (finding,) = checks.old_tls()
    assert (finding.id, "0.0.0.0:1996" in finding.msg) == ("mailstore.W006", True)
    settings.POP3S_LEGACY_LISTEN = ()
    assert checks.old_tls() == []


def test_each_of_several_pairs_is_looked_at(settings: Settings, tmp_path: Path) -> None:
    settings.TLS_CERT_FILE, settings.TLS_KEY_FILE = pair(tmp_path, 60), tmp_path / "key.pem"
    other = tmp_path / "other"
    other.mkdir()
    settings.TLS_OTHER_PAIRS = (Pair(pair(other, 5), other / "key.pem"),)
    (finding,) = checks.certificate()
    assert finding.id == "mailstore.W002"
    assert str(other) in finding.msg


@pytest.mark.req("P-137")
@pytest.mark.parametrize(("days", "found"), [(30, []), (5, ["mailstore.W002"])])
def test_a_certificate_that_ends_soon_is_warned_of(
    settings: Settings, tmp_path: Path, days: int, found: list[str]
) -> None:
    settings.TLS_CERT_FILE, settings.TLS_KEY_FILE = pair(tmp_path, days), tmp_path / "key.pem"
    assert [finding.id for finding in checks.certificate()] == found


def test_a_file_that_is_no_certificate_is_an_error(settings: Settings, tmp_path: Path) -> None:
    settings.TLS_CERT_FILE = tmp_path / "cert.pem"
    settings.TLS_CERT_FILE.write_text("no certificate")
    assert [finding.id for finding in checks.certificate()] == ["mailstore.E001"]


def test_a_key_that_cannot_be_used_is_a_warning_since_only_the_listener_needs_it(
    settings: Settings, tmp_path: Path
) -> None:
    settings.TLS_CERT_FILE, settings.TLS_KEY_FILE = pair(tmp_path, 60), tmp_path / "key.pem"
    settings.TLS_KEY_FILE.write_text("no key")
    (finding,) = checks.certificate()
    assert finding.id == "mailstore.W005"
    assert f"{tmp_path}/key.pem holds no private key" in finding.msg
