"""The words for the checks of the mail flow: what each tries, what is wrong, and what to do about it."""

from __future__ import annotations

from collections import defaultdict

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore.mta.checks.result import Result

# The keys are those of `checks.table`.
NAMES: dict[str, Promise] = {
    "configuration": _("The mail server accepts its configuration"),
    "own-name": _("The mail server calls itself by the name of this host"),
    "destinations": _("Hosted domains go to LMTP alone"),
    "delimiter": _("Details behind a plus sign are understood"),
    "size-limit": _("Messages that are too large are refused at once"),
    "interfaces": _("Other servers reach the mail server"),
    "lmtp-address": _("No stranger reaches LMTP"),
    "srs": _("Forwarded mail passes SPF"),
    "map-domains": _("The mail server finds the domains"),
    "map-mailboxes": _("The mail server finds the mailboxes"),
    "map-aliases": _("The mail server finds what leads elsewhere"),
    "map-senders": _("The mail server knows who may send as whom"),
    "lmtp-known": _("LMTP takes mail for a mailbox"),
    "lmtp-unknown": _("LMTP refuses unknown addresses"),
    "lmtp-full": _("LMTP takes nothing for a full mailbox"),
    "policy-known": _("The policy service lets mail through"),
    "policy-full": _("The policy service stops mail for a full mailbox"),
    "inbound": _("A message comes in by SMTP and out by POP3"),
    "sasl-postfix": _("Postfix can check passwords"),
    "sasl-exim": _("Exim can check passwords"),
    "certificate": _("The certificate for sending is good"),
    "submission": _("A user signs in, sends, and gets the message"),
    "foreign-sender": _("A user cannot send as somebody else"),
    "queue": _("No mail for us is stuck in the queue"),
}
_RESTART = _("Start popadmin's part there, or set the address right and run mta setup again.")
# Each fault: what is wrong, and the remedy.
FAULTS: dict[str, tuple[Promise, Promise]] = {
    "mta-refuses": (
        _("The mail server finds a fault in its files."),
        _("Correct it, or take the last setup back: mta undo."),
    ),
    "short-name": (
        _("The mail server calls itself %(found)s, which is no full host name. Many servers refuse its mail."),
        _("Set PUBLIC_HOSTNAME to the full name of this host, restart popadmin, and run mta setup again."),
    ),
    "other-name": (
        _("The mail server calls itself %(found)s, and popadmin calls this host %(host)s."),
        _("Run mta setup again, or set PUBLIC_HOSTNAME to the name that the PTR record of the address has."),
    ),
    "domain-twice": (
        _("%(domain)s stands in %(parameter)s too, so its mail does not come to LMTP."),
        _("Remove it from %(parameter)s, or run mta setup again, then reload the mail server."),
    ),
    "other-delimiter": (
        _("The mail server takes %(found)s for the delimiter of details, and popadmin takes +."),
        _("Set recipient_delimiter = + and reload the mail server."),
    ),
    "size-above": (
        _("The mail server accepts messages that LMTP refuses as too large. They bounce."),
        _("Set message_size_limit to %(wanted)s, or run mta setup again."),
    ),
    "loopback-only": (
        _("The mail server listens for this machine alone."),
        _("Set inet_interfaces = all, then stop and start the mail server."),
    ),
    "no-protocols": (
        _("The mail server listens nowhere."),
        _("Set inet_protocols = all, then stop and start the mail server."),
    ),
    "lmtp-public": (
        _("Everybody who reaches %(address)s can put mail into every mailbox."),
        _("Let LMTP_LISTEN name a unix socket or 127.0.0.1, and restart popadmin."),
    ),
    "no-srs": (
        _("Aliases lead elsewhere, and no sender is rewritten. Other servers refuse such mail by SPF."),
        _("Run mta setup again with --srs. Postfix needs the package postsrsd too."),
    ),
    "not-in-map": (_("%(table)s does not know %(key)s."), _("Run mta setup again.")),
    "map-fails": (
        _("%(table)s cannot be asked. The mail server answers 451 to everybody."),
        _("See the reason: the package for pgsql maps is missing, or the role (mta grant), or the rights of the file."),
    ),
    "lmtp-silent": (_("LMTP does not answer at %(address)s."), _RESTART),
    "lmtp-known": (_("LMTP does not take mail for %(recipient)s."), _("Read its answer and the log of lmtpd.")),
    "lmtp-unknown": (_("LMTP does not refuse %(recipient)s, which nobody has."), _("Read the log of lmtpd.")),
    "lmtp-full": (_("LMTP takes mail for %(recipient)s, which is full."), _("Read the log of lmtpd.")),
    "policy-silent": (_("The policy service does not answer at %(address)s."), _RESTART),
    "policy-wrong": (_("The policy service gives a wrong answer for %(recipient)s."), _("Read the log of policyd.")),
    "no-smtp": (_("The mail server offers no SMTP."), _("Start smtpd in its master.cf.")),
    "smtp-refuses": (
        _("The mail server does not take the message at %(address)s."),
        _("If it does not run, start it. Otherwise read its answer and its log."),
    ),
    "submission-refuses": (
        _("The port for sending does not take the message."),
        _("Read the answer and the log of the mail server, and see whether the checks of passwords pass."),
    ),
    "foreign-sender": (
        _("Each user can send as somebody else."),
        _("Run mta setup again: smtpd_sender_login_maps and reject_sender_login_mismatch are missing."),
    ),
    "pop3-refuses": (_("POP3 does not give the message out."), _("Read its answer and the log of pop3d.")),
    "not-arrived": (
        _("The message did not arrive in time."),
        _("See what the queue of the mail server says of it."),
    ),
    "sasl-silent": (_("Nobody checks passwords at %(address)s."), _RESTART),
    "sasl-refuses": (_("The right password is refused."), _("Read the log of authd.")),
    "no-tls": (_("There is no TLS at %(address)s."), _("Run mta setup again, and read the log of the mail server.")),
    "certificate-ends": (
        _("The certificate ends on %(day)s."),
        _("Renew the certificate. The mail server reads the new files by itself."),
    ),
    "certificate-names": (
        _("The certificate is not for %(host)s, so mail programs warn or refuse."),
        _("Get a certificate for that name (PUBLIC_SMTP_HOSTNAME), and set TLS_CERT_FILE."),
    ),
    "check-failed": (_("This check came to an unexpected end."), _("Report it, with what the log says of it.")),
    "queue-silent": (_("The queue cannot be read."), _("Run this as root, while the mail server runs.")),
    "queue-old": (
        _("Mail for %(number)s of our recipients waits, the oldest since %(since)s."),
        _("Remove the reason, then let the mail server try again: postqueue -f, or exim -qff."),
    ),
}
# Why a check was skipped.
SKIPPED: dict[str, Promise] = {
    "postfix-only": _("only for Postfix"),
    "nothing-outside": _("no alias leads elsewhere"),
    "no-probe": _("there is no mailbox to try it with"),
    "no-full-probe": _("there is no full mailbox to try it with"),
    "no-map": _("%(table)s asks no database"),
    "catch-all": _("a catch-all takes every address of %(domain)s"),
    "no-sasl": _("SASL_LISTEN is empty"),
    "no-policy": _("POLICY_LISTEN is empty"),
    "no-submission": _("there is no port for sending"),
    "no-pop3": _("POP3 listens on no port of this machine"),
}


def name(result: Result) -> str:
    return str(NAMES[result.name]) if result.name in NAMES else result.name  # stored by another version


def fault(result: Result) -> str:
    """Return what is wrong, or why it was not tried; empty if all is well."""
    if result.fault in FAULTS:
        return _filled(FAULTS[result.fault][0], result)
    return _filled(SKIPPED[result.fault], result) if result.fault in SKIPPED else result.fault


def remedy(result: Result) -> str:
    """Return what to do; empty if nothing is to be done."""
    return _filled(FAULTS[result.fault][1], result) if result.fault in FAULTS else ""


def _filled(text: Promise, result: Result) -> str:
    """Fill the facts in. A result that another version has stored may lack some, which stay as their names."""
    return str(text) % defaultdict(lambda: "…", result.facts)
