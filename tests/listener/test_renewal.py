"""Certificates that are renewed on disk are served without a signal, and the pages tell what is served."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from mailstore.models import ListenerCertificates
from mailstore.served_certificate import SITE, ServedCertificate, parse
from tests.listener.test_tls import names, s_client, serial, write_pair
from tests.listeners import Authority, Daemon, MailSite, daemon
from tests.up.programs import until

pytestmark = pytest.mark.django_db(transaction=True)
SITE_NAMES = ("localhost", "mail.example.test")


class Certbot:
    """Renews as certbot does: new files in `archive`, and the links in `live` are set to them."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self._folder = folder
        self._authority = authority
        self.live = folder / "live"
        self._number = 0

    def issue(self, name: str, *hosts: str) -> None:
        self._number += 1
        archive, live = self._folder / "archive" / name, self.live / name
        archive.mkdir(parents=True, exist_ok=True)
        live.mkdir(parents=True, exist_ok=True)
        files = {kind: archive / f"{kind}{self._number}.pem" for kind in ("fullchain", "privkey")}
        write_pair(self._authority.ca, files["fullchain"], files["privkey"], *(hosts or (name,)))
        for kind, file in files.items():
            self._link(live / f"{kind}.pem", os.path.relpath(file, live))

    def _link(self, place: Path, target: str) -> None:
        unfinished = place.with_suffix(".new")
        unfinished.symlink_to(target)
        unfinished.replace(place)


@pytest.fixture
def certbot(tmp_path: Path, authority: Authority) -> Certbot:
    made = Certbot(tmp_path, authority)
    made.issue("site", *SITE_NAMES)
    return made


def served(started: Daemon, name: str) -> ServedCertificate | None:
    """What this listener says that it serves under a name."""
    rows = ListenerCertificates.objects.filter(listener__endswith=f" 127.0.0.1:{started.port}")
    lists = rows.values_list("certificates", flat=True)
    found = parse(tuple(json.dumps(each) for each in lists))
    return next((each for each in found if each.name == name), None)


def soon(condition: Callable[[], object], what: str) -> None:
    until(condition, f"{what} within a minute", seconds=60)


def listener(certbot: Certbot) -> dict[str, str]:
    return {
        "TLS_CERT_FILE": str(certbot.live / "site" / "fullchain.pem"),
        "TLS_KEY_FILE": str(certbot.live / "site" / "privkey.pem"),
        "TLS_SNI_DIR": str(certbot.live),
    }


@pytest.mark.req("P-135")
def test_what_certbot_renews_adds_and_deletes_is_served_by_all_workers_without_a_signal(
    mail_site: MailSite, certbot: Certbot, authority: Authority
) -> None:
    certbot.issue("old.example")
    with daemon("pop3d", workers=2, **listener(certbot)) as started:
        port = started.tls_port
        old = serial(authority, port)
        assert names(authority, port, "new.example") == set(SITE_NAMES)
        soon(lambda: served(started, "old.example"), "the listener reports")
        before = served(started, SITE)
        certbot.issue("site", *SITE_NAMES)
        certbot.issue("new.example")
        certbot.issue("old.example", "old.example", "older.example")

        def all_reported() -> bool:
            new, changed = served(started, "new.example"), served(started, "old.example")
            return bool(
                new and new.ends_at and changed and "older.example" in changed.hosts and served(started, SITE) != before
            )

        soon(all_reported, "all three are served")
        started.logged("certificate reloaded", times=2)  # by both workers
        assert {serial(authority, port) for _ in range(6)}.isdisjoint({old})
        assert names(authority, port, "new.example") == {"new.example"}
        assert names(authority, port, "old.example") == {"old.example", "older.example"}
        shutil.rmtree(certbot.live / "old.example")
        soon(lambda: served(started, "old.example") is None, "the deleted name is served no more")
        assert names(authority, port, "old.example") == set(SITE_NAMES)


@pytest.mark.req("P-135")
def test_a_certificate_whose_key_comes_later_is_told_and_served_when_the_key_is_there(
    mail_site: MailSite, authority: Authority, tmp_path: Path
) -> None:
    cert, key, new_key = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "new-key.pem"
    write_pair(authority.ca, cert, key)
    with daemon("pop3d", TLS_CERT_FILE=str(cert), TLS_KEY_FILE=str(key)) as started:
        old = serial(authority, started.tls_port)
        write_pair(authority.ca, cert, new_key)

        def fault() -> str:
            report = served(started, SITE)
            return str(report.fault) if report and report.fault else ""

        soon(lambda: "key of another certificate" in fault(), "the mismatch is reported")
        started.logged("the old one goes on: .*key of another certificate")
        assert serial(authority, started.tls_port) == old
        new_key.replace(key)
        soon(lambda: not fault(), "the pair fits")
        assert serial(authority, started.tls_port) != old


def test_a_renewal_with_another_kind_of_key_leaves_nothing_of_the_old_pair(
    mail_site: MailSite, authority: Authority, tmp_path: Path
) -> None:
    """The harm: a client that asks for RSA got the old certificate, which then ended."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_pair(authority.ca, cert, key, key_type=trustme.KeyType.RSA)
    of_rsa = ("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    with daemon("pop3d", TLS_CERT_FILE=str(cert), TLS_KEY_FILE=str(key)) as started:
        assert b"+OK goodbye" in s_client(started.tls_port, *of_rsa).stdout
        write_pair(authority.ca, cert, key)
        os.kill(started.workers()[0], signal.SIGHUP)
        started.logged("certificate reloaded")
        assert b"+OK goodbye" in s_client(started.tls_port).stdout
        assert b"alert handshake failure" in s_client(started.tls_port, *of_rsa).stderr
