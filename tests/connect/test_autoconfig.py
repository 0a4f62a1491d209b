"""The file that Thunderbird asks for: by its own rules, under any host, the same for every name of a domain."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from django.test import Client

from mailstore.directory import domains, policies
from tests.connect.program_requests import AUTOCONFIG_PATHS, fetched
from tests.site.page_users import ANN, an_owner
from tests.site.rows import ACTOR, a_domain

pytestmark = pytest.mark.django_db
PATH = AUTOCONFIG_PATHS[0]
# What Thunderbird lets pass as a host: a name, or text around a placeholder (its sanitizer's rule).
HOST = re.compile(r"[A-Za-z0-9.-]+|[A-Za-z0-9.-]*(?:%[A-Z0-9]+%[A-Za-z0-9.-]*)+")


def provider(response) -> ElementTree.Element:
    root = ElementTree.fromstring(response.content)
    assert root.tag == "clientConfig"
    found = root.find("emailProvider")
    assert found is not None
    return found


def days(address: str) -> set[str]:
    return {each.text for each in provider(fetched(PATH, emailaddress=address)).iter("daysToLeaveMessagesOnServer")}


def read_as_thunderbird(response) -> dict[str, list[tuple[str, int, str]]]:
    """What its reader takes from the file. It gives up without a domain, a server of either kind, or a known value."""
    assert response.status_code == 200
    assert response["Content-Type"].partition(";")[0] in {"application/xml", "text/xml"}
    assert not response.content.startswith(b"\xef\xbb\xbf")
    found = provider(response)
    assert all(HOST.fullmatch(domain.text or "") for domain in found.findall("domain"))
    assert found.findall("domain")
    servers: dict[str, list[tuple[str, int, str]]] = {"incomingServer": [], "outgoingServer": []}
    for kind, taken in servers.items():
        for server in found.findall(kind):
            assert server.get("type") in {"pop3", "smtp"}
            assert HOST.fullmatch(server.findtext("hostname") or "")
            assert server.findtext("socketType") in {"plain", "SSL", "STARTTLS"}
            assert server.findtext("authentication") == "password-cleartext"
            assert server.findtext("username") == "%EMAILADDRESS%"
            assert server.find("useGlobalPreferredServer") is None
            taken.append((server.findtext("hostname"), int(server.findtext("port")), server.findtext("socketType")))
        assert taken
    return servers


@pytest.mark.req("P-177")
@pytest.mark.parametrize("path", AUTOCONFIG_PATHS)
def test_thunderbird_finds_pop3_with_implicit_tls_first_and_a_server_for_sending(path, settings):
    settings.PUBLIC_POP3S_PORT, settings.PUBLIC_POP3_PORT = 995, 110
    settings.PUBLIC_SMTP_HOSTNAME = "smtp.example.test"
    found = read_as_thunderbird(fetched(path))
    assert found == {
        "incomingServer": [("mail.example.test", 995, "SSL"), ("mail.example.test", 110, "STARTTLS")],
        "outgoingServer": [("smtp.example.test", 465, "SSL"), ("smtp.example.test", 587, "STARTTLS")],
    }


def test_mail_stays_on_the_server_as_long_as_the_policy_of_the_domain_keeps_it():
    assert days(ANN) == {"9999"}, "without a policy all is kept, and Thunderbird would delete after 14 days"
    policies.ensure("Site", actor=ACTOR, expire_days=200, site=True)
    policy = policies.ensure("Short", actor=ACTOR, expire_days=30, remove_when_confirmed=True, hold_days=9).row
    domains.ensure(a_domain("short.example"), actor=ACTOR, policy=policy)
    domains.ensure("alias.example", actor=ACTOR, stands_for=domains.get("short.example"))
    assert days("x@short.example") == days("x@SHORT.example") == days("x@alias.example") == {"9"}
    assert days(ANN) == days("") == days("no address") == days("x@nowhere.example") == {"200"}
    leave = provider(fetched(PATH)).iter("leaveMessagesOnServer")
    assert {each.text for each in leave} == {"true"}


def test_nothing_tells_whether_a_mailbox_exists():
    policy = policies.ensure("Own", actor=ACTOR, expire_days=3).row
    an_owner(policy=policy)
    an_owner("off@example.org", suspended=True)
    names = (ANN, "off@example.org", "nobody@example.org", "@example.org")
    assert len({fetched(PATH, emailaddress=name).content for name in names}) == 1


def test_the_help_link_leads_to_the_public_page_in_both_languages_and_never_to_the_host_of_the_request(settings):
    settings.PUBLIC_URL = "https://panel.example.test"
    response = fetched(PATH, host="evil.example")
    link = provider(response).find("documentation")
    assert link.get("url") == "https://panel.example.test/setup/"
    texts = {each.get("lang"): each.text for each in link.findall("descr")}
    assert set(texts) == {"en", "fr"}
    assert texts["en"] != texts["fr"]
    assert b"evil.example" not in response.content


def test_under_a_host_that_no_setting_lists_only_these_files_answer():
    for path in ("/", "/sign-in/", "/setup/", "/mail/", "/mail/config-v1.1.xml/"):
        assert fetched(path).status_code == 400, path
    assert fetched(PATH).status_code == 200
    assert Client().post(PATH).status_code == 405
    assert fetched(PATH).cookies == {}


def test_a_site_without_submission_names_no_server_for_sending(settings):
    settings.PUBLIC_SUBMISSIONS_PORT = settings.PUBLIC_SUBMISSION_PORT = None
    assert provider(fetched(PATH)).find("outgoingServer") is None
