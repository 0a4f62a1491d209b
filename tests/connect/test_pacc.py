"""The configuration whose digest stands in DNS: equal octets for equal settings, and only for its own ports."""

from __future__ import annotations

import base64
import hashlib

import pytest

from popadmin.connect import pacc
from popadmin.web.server_settings import server_settings
from tests.connect.program_requests import fetched

PATH = "/.well-known/user-agent-configuration.json"


@pytest.fixture(autouse=True)
def ports(settings):
    settings.PUBLIC_POP3S_PORT, settings.PUBLIC_URL = 995, "https://panel.example.test"


def test_a_program_learns_the_hosts_the_password_and_where_help_is(settings):
    settings.PUBLIC_SMTP_HOSTNAME, settings.PROVIDER_NAME = "smtp.example.test", "The Post of the Three Rivers"
    response = fetched(PATH)
    assert response["Content-Type"] == "application/json"
    assert response.json() == {
        "protocols": {"pop3": {"host": "mail.example.test"}, "smtp": {"host": "smtp.example.test"}},
        "authentication": {"password": True},
        "info": {
            "provider": {"name": "The Post of the Three Rivers", "shortName": "The Post of the Thre"},
            "help": {"documentation": "https://panel.example.test/setup/"},
        },
    }


def test_the_record_has_the_digest_of_the_very_octets_that_are_served():
    served = fetched(PATH).content
    record = pacc.digest_record(served)
    assert record == f"v=UAAC1; a=sha256; d={base64.b64encode(hashlib.sha256(served).digest()).decode()}"
    # A fixed text: whoever changes it breaks each site whose DNS holds the digest.
    assert served == (
        b'{"authentication":{"password":true},"info":{"help":{"documentation":"https://panel.example.test/setup/"},'
        b'"provider":{"name":"mail.example.test","shortName":"mail.example.test"}},'
        b'"protocols":{"pop3":{"host":"mail.example.test"},"smtp":{"host":"mail.example.test"}}}'
    )


def test_a_language_or_a_host_changes_no_octet(client):
    french = client.get(PATH, headers={"host": "x.example", "accept-language": "fr"})
    assert french.content == fetched(PATH).content


def test_a_port_that_the_format_cannot_name_is_not_offered(settings):
    settings.PUBLIC_SUBMISSIONS_PORT = 4650
    assert "smtp" not in fetched(PATH).json()["protocols"]
    settings.PUBLIC_POP3S_PORT = 1995
    assert pacc.document(server_settings(), setup_url="") is None
    assert fetched(PATH).status_code == 404
