"""The answers that classic Outlook asks for. Its request comes from anybody, so nothing in it is believed."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from popadmin.connect.autodiscover import REQUEST_OCTETS, address_in
from tests.connect.program_requests import REQUEST, discovered, fetched
from tests.site.page_users import ANN, an_owner

pytestmark = pytest.mark.django_db
SETTINGS = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
ENVELOPE = "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}"
FULL = REQUEST.format(address=ANN)
LAUGHS = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


def servers(response) -> dict[str, dict[str, str]]:
    account = ElementTree.fromstring(response.content).find(f"{SETTINGS}Response/{SETTINGS}Account")
    assert account.findtext(f"{SETTINGS}AccountType") == "email"
    assert account.findtext(f"{SETTINGS}Action") == "settings"
    found = [
        {each.tag.removeprefix(SETTINGS): each.text for each in row} for row in account.iter(f"{SETTINGS}Protocol")
    ]
    return {server["Type"]: server for server in found}


def error_code(response) -> str | None:
    assert response.status_code == 200
    return ElementTree.fromstring(response.content).findtext(f"{ENVELOPE}Response/{ENVELOPE}Error/{ENVELOPE}ErrorCode")


@pytest.mark.req("P-177")
@pytest.mark.parametrize(
    "path", ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml", "/AutoDiscover/AutoDiscover.XML"]
)
def test_outlook_gets_pop3_and_smtp_by_a_path_in_any_letter_case(path, settings):
    settings.PUBLIC_POP3S_PORT, settings.PUBLIC_SUBMISSIONS_PORT = 995, None
    found = servers(discovered(FULL, path))
    assert list(found) == ["POP3", "SMTP"]
    assert (found["POP3"]["Server"], found["POP3"]["Port"]) == ("mail.example.test", "995")
    assert (found["POP3"]["SSL"], found["POP3"]["SPA"], found["POP3"]["LoginName"]) == ("on", "off", ANN)
    assert (found["SMTP"]["Port"], found["SMTP"]["Encryption"], found["SMTP"]["UsePOPAuth"]) == ("587", "TLS", "on")


def test_nothing_but_the_name_that_was_asked_for_tells_addresses_apart():
    an_owner()
    known, unknown = discovered(FULL).content, discovered(REQUEST.format(address="zed@example.org")).content
    assert known.replace(ANN.encode(), b"zed@example.org") == unknown


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\xff",
        b"<a/>",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        REQUEST.format(address="").encode(),
        REQUEST.format(address="no address").encode(),
        REQUEST.format(address="a&lt;b@example.org, c").encode(),
        FULL.replace("<Autodiscover", f"{LAUGHS}<Autodiscover").replace(ANN, "&y;@example.org").encode(),
        FULL.replace("<Autodiscover", f"{OUTSIDE}<Autodiscover").replace(ANN, "&x;@example.org").encode(),
        FULL.encode().ljust(REQUEST_OCTETS + 1),
        FULL.encode().ljust(3_000_000),
    ],
    ids=["empty", "noise", "other", "encoding", "blank", "words", "list", "laughs", "outside", "64KB+1", "3MB"],
)
def test_what_is_no_request_gets_error_600(body):
    response = discovered(body)
    assert error_code(response) == "600"
    assert b"hostname" not in response.content


def test_a_request_of_exactly_the_limit_is_read():
    assert address_in(FULL.encode().ljust(REQUEST_OCTETS)) == ANN


def test_a_link_that_is_opened_in_a_browser_gets_the_error_too():
    assert error_code(fetched("/autodiscover/autodiscover.xml")) == "600"


@pytest.mark.parametrize("path", ["autodiscover.json", "autodiscover.json/v1.0/ann@example.test", "AutoDiscover.JSON"])
def test_the_json_form_leads_to_the_xml_on_our_own_host(path, settings):
    settings.PUBLIC_URL = "https://panel.example.test"
    response = fetched(f"/autodiscover/{path}", Email=ANN, Protocol="AutodiscoverV1")
    assert response.json() == {
        "Protocol": "AutodiscoverV1",
        "Url": "https://panel.example.test/autodiscover/autodiscover.xml",
    }
