"""Findings of the detectors as text: what was found, with which numbers, and what the owner can do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.models import Finding
from mailstore.retention.finding_detectors import HASTY_SESSIONS

Kind = Finding.Kind
HOUR_SECONDS = 3600
_HEADINGS: dict[str, Promise] = {
    Kind.AGAIN: gettext_lazy("%(device)s fetches the same mail again and again"),
    Kind.SHARED: gettext_lazy("Two machines seem to use the password of %(device)s"),
    Kind.HASTY: gettext_lazy("%(device)s checks for mail every %(seconds)d seconds"),
    Kind.KEEPS: gettext_lazy("%(device)s never deletes, and the mailbox is %(percent)d %% full"),
    Kind.UNENDED: gettext_lazy("%(device)s never ends its sessions properly"),
    Kind.PREVIOUS: gettext_lazy("A mail program still uses the previous password"),
}
_FACTS: dict[str, Promise] = {
    Kind.AGAIN: gettext_lazy("In two days it made %(fetched)d fetches of %(messages)d messages."),
    Kind.SHARED: gettext_lazy("In %(hours)d hours of two days it came from %(networks)d networks at once."),
    Kind.HASTY: gettext_lazy("%(sessions)d sessions in an hour."),
    Kind.KEEPS: gettext_lazy("In 30 days it fetched %(fetched)d messages and deleted none."),
    Kind.UNENDED: gettext_lazy("In two days none of %(sessions)d sessions ended with QUIT."),
    Kind.PREVIOUS: gettext_lazy("Refused in two days: %(times)d times, last from %(client)s."),
}
_REMEDIES: dict[str, Promise] = {
    Kind.AGAIN: gettext_lazy(
        "It has lost track of the messages that it already has. Remove the account from the mail "
        "program and add it again, or let it delete mail from the server after some days."
    ),
    Kind.SHARED: gettext_lazy(
        "Each of them then takes mail from the other. Connect the second machine as a device of its own."
    ),
    Kind.HASTY: gettext_lazy(
        "Let it check every five minutes or less often: mail arrives hardly later, and the battery lasts longer."
    ),
    Kind.KEEPS: gettext_lazy(
        "Let it delete mail from the server after some days (“leave messages on the server for … "
        "days”), or let a retention policy do it: otherwise new mail will be refused one day."
    ),
    Kind.UNENDED: gettext_lazy(
        "Messages that it deletes are therefore not deleted. Update the mail program. A virus scanner "
        "that checks mail can also be the cause."
    ),
    Kind.PREVIOUS: gettext_lazy(
        "Type the new password there, or better: connect it as a device with a password of its own."
    ),
}


def kinds(found: Iterable[Finding]) -> list[str]:
    """Return the kinds of problem in a few words, each once, even if several devices have it."""
    return list(dict.fromkeys(capfirst(finding.get_kind_display()) for finding in found))


def heading(finding: Finding) -> str:
    return str(_HEADINGS[finding.kind]) % _values(finding)


def fact(finding: Finding) -> str:
    return str(_FACTS[finding.kind]) % _values(finding)


def remedy(finding: Finding) -> str:
    return str(_REMEDIES[finding.kind])


def _values(finding: Finding) -> dict[str, Any]:
    device = finding.device
    name = "" if device is None else _("the main password") if device.main else _("“%(name)s”") % {"name": device.name}
    sessions = finding.facts.get("sessions") or HASTY_SESSIONS
    client = finding.facts.get("client") or _("this machine")
    seconds = max(1, HOUR_SECONDS // int(sessions))
    text: dict[str, Any] = {**finding.facts, "device": name, "seconds": seconds, "client": client}
    return text
