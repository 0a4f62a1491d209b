"""The server of nginx that quickstart writes: the names, the certificate, and a file that was changed since."""

from __future__ import annotations

import pytest

from popadmin.quickstart import certificate, nginx, settings_file
from popadmin.quickstart.action import Action, Tell, Write
from popadmin.quickstart.answers import Answers
from popadmin.quickstart.machine import Folders
from popadmin.quickstart.site import Mta, Site
from popadmin.quickstart.steps import OF_SITE

ANSWERS = Answers("mail.example.org", "example.net", "admin")
(PAGES,) = (step for step in OF_SITE if step.title == "Pages")


@pytest.fixture
def site(tmp_path) -> Site:
    folders = Folders(tmp_path)
    folders.nginx.mkdir(parents=True)
    return Site(ANSWERS, "postmaster@example.net", Mta.NONE, folders=folders)


def first_action(site: Site) -> Action:
    return next(PAGES.actions(site))


def written(site: Site) -> str:
    action = first_action(site)
    assert isinstance(action, Write)
    action.do()
    assert action.is_done()
    return nginx.path(site.folders).read_text()


def test_it_answers_under_the_names_that_browsers_and_mail_programs_ask(site: Site) -> None:
    (names,) = [line.strip() for line in written(site).splitlines() if "server_name" in line]
    assert names == (
        "server_name mail.example.org autoconfig.example.net autodiscover.example.net ua-auto-config.example.net;"
    )


def test_it_presents_the_self_signed_pair_until_the_settings_name_another(site: Site) -> None:
    assert f"ssl_certificate_key {site.folders.data}/tls/key.pem;" in written(site)
    settings = settings_file.completed("", certificate.settings(site.folders))
    site.folders.settings.write_text(settings)
    text = written(site)
    assert f"ssl_certificate {site.folders.tls}/fullchain.pem;" in text
    assert str(site.folders.data) not in text


def test_each_of_several_pairs_is_presented(site: Site) -> None:
    pairs = {"TLS_CERT_FILE": "/a.pem, /b.pem", "TLS_KEY_FILE": "/a-key.pem,/b-key.pem"}
    text = nginx.server(site.folders, ANSWERS, "127.0.0.1:8000", pairs)
    assert [line.split()[1] for line in text.splitlines() if "ssl_certificate" in line] == [
        "/a.pem;", "/a-key.pem;", "/b.pem;", "/b-key.pem;",
    ]  # fmt: skip


def test_a_file_that_was_changed_stays_as_it_is(site: Site) -> None:
    changed = written(site).replace("25m", "1m")
    nginx.path(site.folders).write_text(changed)
    assert isinstance(first_action(site), Tell)


def test_without_nginx_the_operator_hears_who_reaches_the_pages(site: Site) -> None:
    site.folders.nginx.rmdir()
    action = first_action(site)
    assert isinstance(action, Tell)
    assert "apt-get install nginx" in action.text


def test_a_certificate_is_asked_for_as_port_80_allows() -> None:
    assert "--standalone -d mail.example.org" in certificate.request(ANSWERS, with_nginx=False)
    assert "--webroot-path /var/www/html -d mail.example.org -d autoconfig.example.net" in certificate.request(
        ANSWERS, with_nginx=True
    )
