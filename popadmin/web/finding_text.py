"""What the detectors found, as text: the problem, with which numbers, and what the owner can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.models import Finding
from mailstore.policy.addresses import shown_name
from mailstore.retention.finding_detectors import HASTY_SESSIONS
from mailstore.retention.stopping_message import LINE_OCTETS_MOST
from popadmin.web import device_kind, formats
from popadmin.web.formats import count, percent

Kind = Finding.Kind
HOUR_SECONDS = 3600
Figures = Mapping[str, Any]
_HEADINGS: dict[str, Promise] = {
    Kind.AGAIN: gettext_lazy("%(device)s fetches the same mail again and again"),
    Kind.SHARED: gettext_lazy("Two machines seem to use the password of %(device)s"),
    Kind.KEEPS: gettext_lazy("%(device)s never deletes, and the mailbox is %(percent)s full"),
    Kind.UNENDED: gettext_lazy("%(device)s never ends its sessions properly"),
    Kind.UNDONE: gettext_lazy("%(device)s deletes mail, but hangs up before that counts"),
    Kind.STOPPED: gettext_lazy("%(device)s stops at one message"),
    Kind.PREVIOUS: gettext_lazy("A mail program still uses the previous password"),
    Kind.BARE: gettext_lazy("A mail program signs in as “%(name)s”"),
    Kind.LIMIT: gettext_lazy("The mailbox sends more than it may"),
}


def _hasty(figures: Figures) -> str:
    seconds = max(1, HOUR_SECONDS // int(figures["sessions"]))
    text = ngettext(
        "%(device)s checks for mail every second", "%(device)s checks for mail every %(seconds)d seconds", seconds
    )
    return text % {**figures, "seconds": seconds}


def _fetched_again(figures: Figures) -> str:
    return ngettext(
        "In two days it fetched %(messages)s message %(fetched)s times.",
        "In two days it fetched %(messages)s messages %(fetched)s times in all.",
        int(figures["messages"]),
    ) % _counts(figures, "messages", "fetched")


def _kept(figures: Figures) -> str:
    return ngettext(
        "In 30 days it fetched %(fetched)s message and deleted none.",
        "In 30 days it fetched %(fetched)s messages and deleted none.",
        int(figures["fetched"]),
    ) % _counts(figures, "fetched")


def _refused(figures: Figures) -> str:
    return ngettext(
        "Refused %(times)s time in two days, last from %(client)s.",
        "Refused %(times)s times in two days, last from %(client)s.",
        int(figures["times"]),
    ) % {**_counts(figures, "times"), "client": figures.get("client") or _("an unknown address")}


def _stopped(figures: Figures) -> str:
    text = _(
        "In two days none of its %(sessions)s sessions got past this message, which arrived on %(date)s (%(size)s)."
    )
    arrival = formats.fill(
        text,
        **_counts(figures, "sessions"),
        date=formats.day(datetime.fromisoformat(figures["arrived_at"])),
        size=formats.size(int(figures["octets"])),
    )
    line_octets = figures.get("line_octets") or 0
    if line_octets <= LINE_OCTETS_MOST:
        return arrival
    cause = _("One of its lines has %(octets)s octets, and %(most)s are allowed.")
    return format_html("{} {}", arrival, cause % {"octets": count(line_octets), "most": count(LINE_OCTETS_MOST)})


def _refused_bare(figures: Figures) -> str:
    text = ngettext(
        "Refused %(times)s time, last from %(network)s. It must say %(address)s.",
        "Refused %(times)s times, last from %(network)s. It must say %(address)s.",
        int(figures["times"]),
    )
    network = figures.get("network") or _("an unknown address")
    return text % {**_counts(figures, "times"), "network": network, "address": shown_name(figures["address"])}


def _not_sent(figures: Figures) -> str:
    text = ngettext(
        "%(times)s message was not sent in two days.",
        "%(times)s messages were not sent in two days.",
        int(figures["times"]),
    ) % _counts(figures, "times")
    if not figures.get("by_domain"):
        return text
    limit = _("The limit is that of the domain.")
    return f"{text} {limit}"


# The detectors report no session or hour alone, so these need no singular.
_FACTS: dict[str, Callable[[Figures], str]] = {
    Kind.AGAIN: _fetched_again,
    Kind.SHARED: lambda figures: (
        _("In %(hours)s hours of the last two days it came from %(networks)s networks at once.")
        % _counts(figures, "hours", "networks")
    ),
    Kind.HASTY: lambda figures: _("%(sessions)s sessions in an hour.") % _counts(figures, "sessions"),
    Kind.KEEPS: _kept,
    Kind.UNENDED: lambda figures: (
        _("In two days none of its %(sessions)s sessions ended with QUIT.") % _counts(figures, "sessions")
    ),
    Kind.UNDONE: lambda figures: (
        _("In two days it deleted messages in %(sessions)s sessions, and none of these ended with QUIT.")
        % _counts(figures, "sessions")
    ),
    Kind.STOPPED: _stopped,
    Kind.PREVIOUS: _refused,
    Kind.BARE: _refused_bare,
    Kind.LIMIT: _not_sent,
}
_REMEDIES: dict[str, Promise] = {
    Kind.AGAIN: gettext_lazy(
        "It has lost track of the messages that it already has. Remove the account from the mail "
        "program and add it again, or let it delete mail from the server after some days."
    ),
    Kind.SHARED: gettext_lazy(
        "What one of them deletes, the other does not get. Connect the second machine as a device of its own."
    ),
    Kind.HASTY: gettext_lazy(
        "Let it check every five minutes or less often: mail hardly arrives later, and the battery lasts longer."
    ),
    Kind.KEEPS: gettext_lazy(
        "Let it delete mail from the server after some days (“leave messages on the server for … "
        "days”), or let a retention policy do it. Otherwise the mailbox fills, and new mail is refused."
    ),
    Kind.UNENDED: gettext_lazy(
        "So the messages that it deletes stay in the mailbox. Update the mail program. A virus scanner "
        "that checks mail can also be the cause."
    ),
    Kind.UNDONE: gettext_lazy(
        "So the messages stay in the mailbox, and it fetches them again. It has not lost track of them: a deletion "
        "counts once the program has said QUIT. Update the mail program. A virus scanner that checks mail can also be "
        "the cause."
    ),
    Kind.STOPPED: gettext_lazy(
        "It gets no mail behind it. Move the message to recovery: then the program goes on. There it can still be "
        "read, and restored."
    ),
    Kind.BARE: gettext_lazy("Type the whole address as the user name there. The password stays."),
    Kind.LIMIT: gettext_lazy(
        "Mail programs keep such messages, and can send them later. If nobody sent so many, somebody else has the "
        "password: change it, and revoke unknown devices."
    ),
    Kind.PREVIOUS: gettext_lazy(
        "Type the new password there, or better: connect it as a device with a password of its own."
    ),
}


def kinds(found: Iterable[Finding]) -> list[str]:
    """Return the kinds of problem in a few words, each once, even if several devices have it."""
    return list(dict.fromkeys(capfirst(finding.get_kind_display()) for finding in found))


def heading(finding: Finding) -> str:
    figures = _figures(finding)
    return _hasty(figures) if finding.kind == Kind.HASTY else str(_HEADINGS[finding.kind]) % figures


def fact(finding: Finding) -> str:
    """Return what was seen; it is HTML where it has a date."""
    return _FACTS[finding.kind](_figures(finding))


def remedy(finding: Finding) -> str:
    return str(_REMEDIES[finding.kind])


def _figures(finding: Finding) -> Figures:
    device, facts = finding.device, finding.facts
    name = "" if device is None else device_kind.named(device.name, main=device.main)
    sessions = facts.get("sessions") or HASTY_SESSIONS
    return {**facts, "device": name, "sessions": sessions, "percent": percent(int(facts.get("percent", 0)))}


def _counts(figures: Figures, *names: str) -> dict[str, str]:
    return {name: count(int(figures[name])) for name in names}
