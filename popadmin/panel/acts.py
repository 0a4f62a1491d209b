"""What can be done with many mailboxes at once: asked, foretold, done one by one, undone. The store does the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from mailstore.models import Mailbox, RetentionPolicy
from mailstore.store import mailbox_removal, mailboxes
from mailstore.store.audit import Actor
from mailstore.store.outcomes import Rejected
from popadmin import told
from popadmin.lists.bulk import Act, Back, Done
from popadmin.panel import access
from popadmin.signin.access import signed_in
from popadmin.sizes import SizeField
from popadmin.templatetags.amounts import count, size

_CHANGED = ngettext_lazy("%(count)s mailbox changes.", "%(count)s mailboxes change.", "number")
_UNCHANGED = ngettext_lazy("%(count)s mailbox is so already.", "%(count)s mailboxes are so already.", "number")
_SUSPENDED = ngettext_lazy("%(count)s mailbox is suspended.", "%(count)s mailboxes are suspended.", "number")
_RESUMED = ngettext_lazy("%(count)s mailbox is active again.", "%(count)s mailboxes are active again.", "number")
_FORCED = ngettext_lazy(
    "%(count)s mailbox must choose a new password.", "%(count)s mailboxes must choose a new password.", "number"
)
_REMOVED = ngettext_lazy("%(count)s mailbox is removed.", "%(count)s mailboxes are removed.", "number")
_HELD = ngettext_lazy("%(count)s mailbox on hold stays.", "%(count)s mailboxes on hold stay.", "number")
_ABOVE = ngettext_lazy(
    "%(count)s mailbox holds more than that: it takes no mail until there is room again.",
    "%(count)s mailboxes hold more than that: they take no mail until there is room again.",
    "number",
)


OF_USER = ("name", "must_change_password")


class NothingAsked(forms.Form):
    """No field: the preview says all."""


class AskQuota(forms.Form):
    quota_octets = SizeField(label=gettext_lazy("New quota"), required=False)


class AskPolicy(forms.Form):
    policy = forms.ModelChoiceField(
        RetentionPolicy.objects.none(),
        label=gettext_lazy("Retention policy"),
        required=False,
        empty_label=gettext_lazy("As the domain has it"),
    )

    def __init__(self, data: Mapping[str, Any] | None, request: HttpRequest) -> None:
        super().__init__(data)
        self.fields["policy"].queryset = access.policies(signed_in(request)).order_by("name")  # type: ignore[attr-defined]  # of rows


class AskSwitches(forms.Form):
    """Each switch: as it is, on, or off."""

    receives = forms.NullBooleanField(label=gettext_lazy("Receives mail"), required=False)
    pop = forms.NullBooleanField(label=gettext_lazy("POP: fetches mail"), required=False)
    main_pop = forms.NullBooleanField(label=gettext_lazy("POP with the main password"), required=False)
    smtp = forms.NullBooleanField(label=gettext_lazy("SMTP: sends mail"), required=False)
    web = forms.NullBooleanField(label=gettext_lazy("Web: these pages"), required=False)

    def __init__(self, data: Mapping[str, Any] | None) -> None:
        super().__init__(data)
        for field in self.fields.values():
            field.widget.choices = [("", _("as it is")), ("true", _("on")), ("false", _("off"))]

    def clean(self) -> dict[str, Any]:
        chosen = {name: value for name, value in self.cleaned_data.items() if value is not None}
        if not chosen and not self.errors:
            raise forms.ValidationError(_("Choose at least one switch."), "nothing")
        return chosen


class Change:
    """Sets fields of the mailbox, and back to what they were unless somebody has set them anew since."""

    label: Promise
    danger = False
    fixed: dict[str, Any] = {}

    def form(self, request: HttpRequest) -> forms.Form:
        return NothingAsked(_posted(request))

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        raise NotImplementedError

    def do(self, row: Mailbox, fields: dict[str, Any], actor: Actor) -> Done:
        done = mailboxes.ensure(row.user.address, actor=actor, **{**self.fixed, **fields})
        changes = {name: pair for name, pair in done.changes.items() if name in self.fixed or name in fields}
        if not changes:
            return Done(_("as before"))
        text = "; ".join(told.change(name, _shown(old), _shown(new)) for name, (old, new) in changes.items())
        return Done(text, {name: [_kept(old), _kept(new)] for name, (old, new) in changes.items()})

    def undo(self, subject: str, back: Back, actor: Actor) -> str:
        mailbox = mailboxes.get(subject)
        now = {name: _kept(_present(mailbox, name)) for name in back}
        if any(now[name] != new for name, (_old, new) in back.items()):
            raise Rejected(_("somebody has changed it since: left as it is"))
        mailboxes.ensure(subject, actor=actor, **{name: _read(name, old) for name, (old, _new) in back.items()})
        return _("as it was")


class Suspend(Change):
    label = gettext_lazy("Suspend")
    fixed = {"suspended": True}

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        yield _told(rows.filter(user__is_active=True), _SUSPENDED)
        yield _told(rows.filter(user__is_active=False), _UNCHANGED)
        yield _("Their owners can sign in nowhere. Mail still comes in and waits for them.")


class Resume(Change):
    label = gettext_lazy("Resume")
    fixed = {"suspended": False}

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        yield _told(rows.filter(user__is_active=False), _RESUMED)
        yield _told(rows.filter(user__is_active=True), _UNCHANGED)


class Quota(Change):
    label = gettext_lazy("Quota")

    def form(self, request: HttpRequest) -> forms.Form:
        return AskQuota(_posted(request))

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        quota = fields["quota_octets"]
        yield _told(rows.exclude(quota_octets=quota), _CHANGED)
        yield _told(rows.filter(quota_octets=quota), _UNCHANGED)
        if quota is not None:
            yield _told(rows.filter(octets__gt=quota), _ABOVE)


class Policy(Change):
    label = gettext_lazy("Retention")

    def form(self, request: HttpRequest) -> forms.Form:
        return AskPolicy(_posted(request), request)

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        yield _told(rows.exclude(policy=fields["policy"]), _CHANGED)
        yield _told(rows.filter(policy=fields["policy"]), _UNCHANGED)
        yield _("Mail that is there ages from now on, as if it arrived today; nothing is expired at once.")


class Switches(Change):
    label = gettext_lazy("Switches")

    def form(self, request: HttpRequest) -> forms.Form:
        return AskSwitches(_posted(request))

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        other = Q(*(~Q(**{name: value}) for name, value in fields.items()), _connector=Q.OR)
        yield _told(rows.filter(other), _CHANGED)
        yield _told(rows.exclude(other), _UNCHANGED)


class ForcePassword(Change):
    label = gettext_lazy("Ask for a new password")
    fixed = {"must_change_password": True}

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        yield _told(rows.filter(user__must_change_password=False), _FORCED)
        yield _told(rows.filter(user__must_change_password=True), _UNCHANGED)
        yield _(
            "At the next sign-in to these pages they must choose one before anything else; "
            "mail programs go on until then."
        )


class Remove:
    """Each rests, and can be restored: so this too is undone."""

    label = gettext_lazy("Remove")
    danger = True

    def form(self, request: HttpRequest) -> forms.Form:
        return NothingAsked(_posted(request))

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        yield _told(rows.filter(held=False), _REMOVED)
        yield _told(rows.filter(held=True), _HELD)
        sums = rows.filter(held=False).aggregate(messages=Sum("messages"), octets=Sum("octets"))
        yield _("With them go %(messages)s messages, %(size)s. All of it rests and can be restored.") % {
            "messages": count(int(sums["messages"] or 0)),
            "size": size(int(sums["octets"] or 0)),
        }

    def do(self, row: Mailbox, fields: dict[str, Any], actor: Actor) -> Done:
        gone = mailbox_removal.remove(row.user.address, actor=actor, with_mail=True)
        text = _("removed, with %(messages)s messages") % {"messages": count(gone.messages)}
        return Done(text, {"removed": True})

    def undo(self, subject: str, back: Back, actor: Actor) -> str:
        mailbox_removal.restore(subject, actor=actor)
        return _("restored")


ACTS: dict[str, Act] = {
    "suspend": Suspend(),
    "resume": Resume(),
    "quota": Quota(),
    "policy": Policy(),
    "switches": Switches(),
    "password": ForcePassword(),
    "remove": Remove(),
}


def _posted(request: HttpRequest) -> Mapping[str, Any] | None:
    return request.POST if request.method == "POST" else None


def _told(rows: QuerySet[Mailbox], text: Promise) -> str:
    """The sentence with the number of the rows; nothing where there are none."""
    number = rows.count()
    return str(text % {"number": number, "count": count(number)}) if number else ""


def _present(mailbox: Mailbox, name: str) -> Any:
    if name == "suspended":
        return not mailbox.user.is_active
    return getattr(mailbox.user if name in OF_USER else mailbox, name)


def _kept(value: Any) -> Any:
    return value.pk if isinstance(value, RetentionPolicy) else value


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, RetentionPolicy) else value


def _read(name: str, value: Any) -> Any:
    return RetentionPolicy.objects.filter(pk=value).first() if name == "policy" else value
