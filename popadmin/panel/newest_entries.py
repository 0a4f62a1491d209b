"""The newest entries of the audit about some rows: what somebody has done again since is not undone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Func, JSONField, Max, Q, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry
from popadmin.web import row_key

MAILBOX_CHANGE = "mailbox.change"
_PASSWORD, _DEMAND = "mailbox.password", "must_change_password"  # with a new password another one may be demanded too
_OF_DOMAIN = "domain."
_UNDOES = "undoes"  # in the URL of an act that is an Undo: the key of the entry that it takes back

_FIELDS = Func(
    Coalesce(Cast(KT("details__changes"), JSONField()), Value({"": None}, JSONField())),
    function="jsonb_object_keys",
    output_field=TextField(),
)


_Row = str | int  # what entries are about: a mailbox or a domain by its key, which a rename leaves; others by name


@dataclass(frozen=True, slots=True)
class Newest:
    """The key of the newest entry by verb and row, then by changed field; "" stands for an act without fields."""

    keys: Mapping[tuple[str, _Row], Mapping[str, int]]

    def is_past(self, entry: AuditEntry, *, fields: Collection[str] | None = None) -> bool:
        """Return whether a newer entry of its verb changed a field of its subject: any, or one of these.

        The entries of jobs and imports count too, and so do those that the user may not see.
        """
        row = _row(entry.verb, entry.subject, entry.mailbox_id, entry.domain_id)
        found = self.keys.get((entry.verb, row), {})
        if entry.verb == MAILBOX_CHANGE and _DEMAND in (found if fields is None else fields):
            passwords = self.keys.get((_PASSWORD, row), {})
            found = {**found, _DEMAND: max([found.get(_DEMAND, 0), *passwords.values()])}
        return any(found.get(name, 0) > entry.pk for name in (found if fields is None else fields))


def of(entries: Sequence[AuditEntry]) -> Newest:
    """Look up with one query what is newer than these entries."""
    keys: dict[tuple[str, _Row], dict[str, int]] = {}
    if entries:
        rows = AuditEntry.objects.filter(
            _about_the_same(entries),
            verb__in={_PASSWORD, *(entry.verb for entry in entries)},
            pk__gt=min(entry.pk for entry in entries),
        )
        columns = ("verb", "subject", "mailbox", "domain", "field")
        for *about, field, newest in rows.order_by().annotate(field=_FIELDS).values_list(*columns).annotate(Max("pk")):
            found = keys.setdefault((about[0], _row(*about)), {})
            found[field] = max(found.get(field, 0), newest)
    return Newest(keys)


def _row(verb: str, subject: str, mailbox: int | None, domain: int | None) -> _Row:
    """Return what an entry is about. The mailbox of an entry is set to NULL when it is purged."""
    kind = verb.partition(".")[0]
    if kind == "grant":
        return f"{domain} {subject}"
    key = {"mailbox": mailbox, "move": mailbox, "domain": domain}.get(kind)
    return subject if key is None else key


def _about_the_same(entries: Sequence[AuditEntry]) -> Q:
    mailboxes = {entry.mailbox_id for entry in entries if entry.mailbox_id is not None}
    domains = {entry.domain_id for entry in entries if entry.verb.startswith(_OF_DOMAIN)}
    return (
        Q(subject__in={entry.subject for entry in entries})
        | Q(mailbox__in=mailboxes)
        | Q(domain__in=domains, verb__startswith=_OF_DOMAIN)
    )


def url_undoing(url: str, entry_id: int) -> str:
    """Return the URL with which an act takes back what this entry says, and nothing newer."""
    return f"{url}?{_UNDOES}={entry_id}"


def latest(verb: str, subject: str) -> int:
    """Return the key of the entry that has just been made, behind the lock of its row."""
    return AuditEntry.objects.filter(verb=verb, subject=subject).latest("pk").pk


def refuse_past(request: HttpRequest, verb: str, field: str, **about: str | int) -> None:
    """Reject a request that is an Undo of something older. Call it behind the lock of the row.

    `about` names the row as the entries do: its `subject`, or its `domain` where that can be renamed.
    """
    asked = request.GET.get(_UNDOES)
    if asked is None:
        return
    entry = AuditEntry.objects.filter(pk__in=row_key.keys([asked]), verb=verb, **about).first()
    if entry is None or of([entry]).is_past(entry, fields=[field]):
        raise Rejected(_("this change cannot be undone any more: somebody has changed the same setting since"))
