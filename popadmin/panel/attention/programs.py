"""Mail programs that are set up wrongly, as the sweep has found them in the diary: one row for each kind of problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import BigIntegerField, Count, Min, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.models import Finding
from mailstore.retention.finding_detectors import WINDOW_DAYS
from popadmin.panel import access
from popadmin.panel.attention.fault import WARN, Evidence, Fault, Rank, since
from popadmin.web import people
from popadmin.web.formats import count

Kind = Finding.Kind


def problems(evidence: Evidence) -> Iterator[Fault]:
    if evidence.figures.finding_kinds:
        yield from (_fault(row) for row in _kinds(evidence))


def _kinds(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the kinds of problem, each with its mailboxes, since when, and the refused sign-ins. One statement."""
    rows = Finding.objects.filter(mailbox__removed_at=None)
    if not people.is_host(evidence.user):
        rows = rows.filter(mailbox__domain__in=access.domains(evidence.user))
    times = Sum(Cast(KeyTextTransform("times", "facts"), BigIntegerField()))
    sums = rows.order_by().values("kind").annotate(
        mailboxes=Count("mailbox", distinct=True), since=Min("since"), one=Min("mailbox"), times=times
    )  # fmt: skip
    return [dict(row) for row in sums.order_by("kind")]


def _fault(row: dict[str, Any]) -> Fault:
    number, kind = row["mailboxes"], row["kind"]
    show = ngettext("Show mailbox", "Show %(number)s mailboxes", number) % {"number": count(number)}
    filtered = f"{reverse('mailboxes')}?finding={kind}"
    return Fault(
        rank=Rank.OLD_PASSWORD if kind == Kind.PREVIOUS else Rank.PROGRAM,
        level=WARN,
        text=_TEXTS[kind](number) % {"number": count(number)},
        consequence=_refused(row["times"]) if kind == Kind.PREVIOUS else _CONSEQUENCES[kind](),
        remedy=show,
        url=reverse("mailboxes-one", args=[row["one"]]) if number == 1 else filtered,
        when=since(row["since"]),
    )


def _refused(times: int | None) -> str:
    """Return what follows from an old password; the sweep has counted the refusals of the last days."""
    answer = _("A program with an old password gets no mail.")
    if not times:
        return answer
    text = ngettext(
        "%(times)s sign-in was refused within %(days)d days.",
        "%(times)s sign-ins were refused within %(days)d days.",
        times,
    )
    return f"{text % {'times': count(times), 'days': WINDOW_DAYS}} {answer}"


_TEXTS: dict[str, Callable[[int], str]] = {
    Kind.BARE: lambda number: ngettext(
        "A program of %(number)s mailbox signs in without the domain",
        "Programs of %(number)s mailboxes sign in without the domain",
        number,
    ),
    Kind.PREVIOUS: lambda number: ngettext(
        "A program of %(number)s mailbox still tries an old password",
        "Programs of %(number)s mailboxes still try an old password",
        number,
    ),
    Kind.AGAIN: lambda number: ngettext(
        "A program of %(number)s mailbox fetches the same mail again and again",
        "Programs of %(number)s mailboxes fetch the same mail again and again",
        number,
    ),
    Kind.SHARED: lambda number: ngettext(
        "In %(number)s mailbox two machines use one password",
        "In %(number)s mailboxes two machines use one password",
        number,
    ),
    Kind.HASTY: lambda number: ngettext(
        "A program of %(number)s mailbox looks for mail every few seconds",
        "Programs of %(number)s mailboxes look for mail every few seconds",
        number,
    ),
    Kind.KEEPS: lambda number: ngettext(
        "%(number)s mailbox fills, and its program never deletes mail",
        "%(number)s mailboxes fill, and their programs never delete mail",
        number,
    ),
    Kind.UNENDED: lambda number: ngettext(
        "A program of %(number)s mailbox never ends its sessions properly",
        "Programs of %(number)s mailboxes never end their sessions properly",
        number,
    ),
    Kind.UNDONE: lambda number: ngettext(
        "A program of %(number)s mailbox hangs up before its deletions count",
        "Programs of %(number)s mailboxes hang up before their deletions count",
        number,
    ),
    Kind.STOPPED: lambda number: ngettext(
        "A program of %(number)s mailbox stops at one message",
        "Programs of %(number)s mailboxes stop at one message",
        number,
    ),
    Kind.LIMIT: lambda number: ngettext(
        "%(number)s mailbox sends more than it may",
        "%(number)s mailboxes send more than they may",
        number,
    ),
}
_CONSEQUENCES: dict[str, Callable[[], str]] = {
    Kind.AGAIN: lambda: _("The same message may appear many times."),
    Kind.SHARED: lambda: _("Each machine may take mail from the other."),
    Kind.HASTY: lambda: _("It costs battery and data. Mail does not arrive sooner."),
    Kind.KEEPS: lambda: _("One day new mail will be refused."),
    Kind.UNENDED: lambda: _("Mail that such a program deletes stays."),
    Kind.UNDONE: lambda: _("Mail that such a program deletes stays, and it fetches it again."),
    Kind.STOPPED: lambda: _("Such a program gets no new mail."),
    Kind.LIMIT: lambda: _("Its messages above the limit are refused. Somebody may send with a stolen password."),
    Kind.BARE: lambda: _("Such a program gets no mail. Its user name must be the whole address."),
}
