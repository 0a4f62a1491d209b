"""A real Thunderbird finds its settings by an address alone, sets up the account, and fetches mail with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstore.directory import domains, policies
from tests.flows.mail_programs import ADDRESS
from tests.flows.thunderbird import Thunderbird, thunderbird
from tests.listeners import ACTOR, PASSWORD, MailSite, numbered

pytestmark = pytest.mark.real
COUNT, KEEP_DAYS = 3, 30

# What the account wizard does between the address and the button at its end.
SET_UP = """
    const load = name => ChromeUtils.importESModule(`resource:///modules/${name}.sys.mjs`);
    const { FetchConfig } = load("accountcreation/FetchConfig");
    const { AccountConfig } = load("accountcreation/AccountConfig");
    const { CreateInBackend } = load("accountcreation/CreateInBackend");
    const [address, password] = args;
    const signal = new AbortController().signal;
    const config = await FetchConfig.fromISP(address.split("@")[1], address, signal);
    AccountConfig.replaceVariables(config, "Ann", address, password);
    const account = await CreateInBackend.createAccountInBackend(config);
    const server = account.incomingServer;
    const sending = config.outgoing;
    return {
      type: server.type, host: server.hostname, port: server.port, user: server.username,
      encrypted: server.socketType == Ci.nsMsgSocketType.SSL,
      leaves: server.getBoolValue("leave_on_server"), days: server.getIntValue("num_days_to_leave_on_server"),
      alternatives: config.incomingAlternatives.map(each => each.port),
      sending: [sending.hostname, sending.port, sending.username],
    };
"""
TRUST = """
    const store = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
    store.addCertFromBase64(args[0], "C,,");
"""
FETCH = """
    const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
    const server = MailServices.accounts.accounts.find(each => each.incomingServer.type == "pop3").incomingServer;
    server.password = args[0];
    const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
    const code = await new Promise(done => MailServices.pop3.GetNewMail(null, {
      OnStartRunningUrl() {}, OnStopRunningUrl(_url, code) { done(code); },
    }, inbox, server));
    return { code, subjects: [...inbox.messages].map(each => each.mime2DecodedSubject).sort() };
"""


@pytest.fixture
def program(live_server, settings, mail_site: MailSite, tmp_path: Path) -> Iterator[Thunderbird]:
    """A Thunderbird that reaches the pages and the POP3 listener of a site whose policy keeps mail for a month."""
    settings.PUBLIC_POP3S_PORT, settings.PUBLIC_POP3_PORT = mail_site.pop3d.tls_port, mail_site.pop3d.port
    settings.PUBLIC_SMTP_HOSTNAME = "smtp.example.test"
    mail_site.mailbox()
    policy = policies.ensure("Month", actor=ACTOR, expire_days=KEEP_DAYS).row
    domains.ensure(ADDRESS.rpartition("@")[2], actor=ACTOR, policy=policy)
    with thunderbird(tmp_path / "profile", web_port=live_server.thread.port) as started:
        yield started


def test_thunderbird_sets_itself_up_by_the_address_and_fetches(program: Thunderbird, mail_site: MailSite) -> None:
    assert program.run(SET_UP, ADDRESS, PASSWORD) == {
        "type": "pop3",
        "host": "mail.example.test",
        "port": mail_site.pop3d.tls_port,
        "user": ADDRESS,
        "encrypted": True,
        "leaves": True,
        "days": KEEP_DAYS,
        "alternatives": [mail_site.pop3d.port],
        "sending": ["smtp.example.test", 465, ADDRESS],
    }
    mail_site.fill(ADDRESS, *numbered(COUNT, octets=3000))
    certificate = mail_site.authority.ca_file.read_text()
    program.run(TRUST, "".join(line for line in certificate.splitlines() if "-----" not in line))
    fetched = program.run(FETCH, PASSWORD)
    assert fetched == {"code": 0, "subjects": [f"message {number}" for number in range(1, COUNT + 1)]}
