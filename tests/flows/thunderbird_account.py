"""An account in Thunderbird: set up by its address, as the wizard does, then fetched with and answered from."""

from __future__ import annotations

from typing import Any

from tests.flows.thunderbird import Thunderbird

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
TRUST_AUTHORITY = """
    const store = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
    store.addCertFromBase64(args[0], "C,,");
"""
# What "Confirm Security Exception" does.
TRUST_SERVER = """
    const store = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
    const overrides = Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService);
    const [certificate, host, ports] = args;
    for (const port of ports) {
      overrides.rememberValidityOverride(host, port, {}, store.constructX509FromBase64(certificate), true);
    }
"""
ACCOUNT = """
    const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
    const account = MailServices.accounts.accounts.find(each => each.incomingServer.type == "pop3");
    const inbox = account.incomingServer.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
"""
FETCH = f"""
    {ACCOUNT}
    const code = await new Promise(done => MailServices.pop3.GetNewMail(null, {{
      OnStartRunningUrl() {{}}, OnStopRunningUrl(_url, code) {{ done(code); }},
    }}, inbox, account.incomingServer));
    return {{ code, subjects: [...inbox.messages].map(each => each.mime2DecodedSubject).sort() }};
"""
# To the sender, with a copy to oneself.
ANSWER = f"""
    {ACCOUNT}
    const message = [...inbox.messages].find(each => each.mime2DecodedSubject == args[0]);
    const identity = account.defaultIdentity;
    const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
    fields.from = fields.cc = identity.email;
    fields.to = message.mime2DecodedAuthor;
    fields.subject = args[1];
    fields.references = `<${{message.messageId}}>`;
    const send = Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend);
    return new Promise((done, fail) => send.createAndSendMessage(
      null, identity, account.key, fields, false, false, Ci.nsIMsgSend.nsMsgDeliverNow, null, "text/plain", "line\\n",
      null, null,
      {{
        QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener"]),
        onStartSending() {{}}, onSendProgress() {{}}, onStatus() {{}}, onGetDraftFolderURI() {{}},
        onSendNotPerformed() {{}}, onTransportSecurityError() {{}},
        onStopSending(_id, code) {{ done(code); }},
      }},
      "", "", Ci.nsIMsgCompType.Reply,
    ).catch(fail));
"""


def set_up(program: Thunderbird, address: str, password: str) -> dict[str, Any]:
    """Set an account up by the address alone; return what Thunderbird found."""
    found: dict[str, Any] = program.run(SET_UP, address, password)
    return found


def trust_authority(program: Thunderbird, certificate: str) -> None:
    """`certificate` is a PEM."""
    program.run(TRUST_AUTHORITY, _base64(certificate))


def trust_server(program: Thunderbird, certificate: str, host: str, *ports: int) -> None:
    """Take the certificate that a server presents, as a person confirms it. `certificate` is a PEM."""
    program.run(TRUST_SERVER, _base64(certificate), host, ports)


def fetched_subjects(program: Thunderbird) -> list[str]:
    """Fetch, and return the subjects in the inbox."""
    fetched = program.run(FETCH)
    assert fetched["code"] == 0
    subjects: list[str] = fetched["subjects"]
    return subjects


def answer(program: Thunderbird, subject: str, *, by: str) -> None:
    """Answer the message with this subject through submission; `by` is the subject of the answer."""
    assert program.run(ANSWER, subject, by) == 0


def _base64(certificate: str) -> str:
    return "".join(line for line in certificate.splitlines() if "-----" not in line)
