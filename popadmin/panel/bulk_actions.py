"""The bulk actions on mailboxes: their forms, previews and effects. `mailstore` does the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from mailstore.directory import mailbox_removal
from mailstore.directory.audit import Actor
from mailstore.directory.fields.field import Kind, Surface
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Rejected
from mailstore.models import Device, Mailbox, RetentionPolicy
from mailstore.retention import forecast
from popadmin.lists.bulk_action import BulkAction, Done, UndoData, counted_rows, refusal_or
from popadmin.panel import access
from popadmin.panel.bulk_field_changes import FieldChange, NoFields
from popadmin.panel.bulk_moves import Moves
from popadmin.templatetags.policies import forecast_lines
from popadmin.web import table_field
from popadmin.web.form_fields import SizeField
from popadmin.web.formats import count, size
from popadmin.web.people import signed_in

_CHANGED = ngettext_lazy("%(count)s mailbox will change.", "%(count)s mailboxes will change.", "number")
_UNCHANGED = ngettext_lazy(
    "%(count)s mailbox already has this setting.", "%(count)s mailboxes already have this setting.", "number"
)
_SUSPENDED_ALREADY = ngettext_lazy(
    "%(count)s mailbox is already suspended.", "%(count)s mailboxes are already suspended.", "number"
)
_ACTIVE_ALREADY = ngettext_lazy(
    "%(count)s mailbox is not suspended.", "%(count)s mailboxes are not suspended.", "number"
)
_FORCED_ALREADY = ngettext_lazy(
    "%(count)s owner already has to choose one.", "%(count)s owners already have to choose one.", "number"
)
_SUSPENDED = ngettext_lazy("%(count)s mailbox will be suspended.", "%(count)s mailboxes will be suspended.", "number")
_RESUMED = ngettext_lazy("%(count)s mailbox will be resumed.", "%(count)s mailboxes will be resumed.", "number")
_FORCED = ngettext_lazy(
    "%(count)s owner will have to choose a new password.",
    "%(count)s owners will have to choose new passwords.",
    "number",
)
_REMOVED = ngettext_lazy("%(count)s mailbox will be removed.", "%(count)s mailboxes will be removed.", "number")
_HELD = ngettext_lazy(
    "%(count)s mailbox is on hold and will not be removed.",
    "%(count)s mailboxes are on hold and will not be removed.",
    "number",
)
_DEVICES = ngettext_lazy("%(count)s device stops working at once.", "%(count)s devices stop working at once.", "number")
_ABOVE = ngettext_lazy(
    "%(count)s mailbox contains more than that: it refuses new mail until there is room again.",
    "%(count)s mailboxes contain more than that: they refuse new mail until there is room again.",
    "number",
)


_SWITCHES = tuple(field for field in MAILBOX.on(Surface.BULK) if field.kind is Kind.SWITCH)
SAVED_AT = "as_saved"  # in the data of a job: when the policy was saved that the preview showed


class QuotaForm(forms.Form):
    quota_octets = SizeField(label=gettext_lazy("New quota"), required=False)


class PolicyForm(forms.Form):
    policy = forms.ModelChoiceField(
        RetentionPolicy.objects.none(),
        label=gettext_lazy("Retention policy"),
        required=False,
        empty_label=gettext_lazy("Same as the domain"),
    )

    def __init__(self, data: Mapping[str, Any] | None, request: HttpRequest) -> None:
        super().__init__(data)
        self.fields["policy"].queryset = access.policies(signed_in(request)).order_by("name")  # type: ignore[attr-defined]  # of rows

    def clean_policy(self) -> RetentionPolicy | None:
        """While a job runs, refuse a policy that was edited since the preview."""
        policy: RetentionPolicy | None = self.cleaned_data["policy"]
        saved_at = self.data.get(SAVED_AT)
        if policy is not None and saved_at and saved_at != policy.saved_at.isoformat():
            raise forms.ValidationError(_("the policy has changed since the preview: start again"), "changed")
        return policy


class SwitchesForm(forms.Form):
    """For each switch: no change, on, or off."""

    def __init__(self, data: Mapping[str, Any] | None) -> None:
        super().__init__(data)
        for switch in _SWITCHES:
            field = forms.NullBooleanField(label=table_field.label(switch), required=False)
            field.widget.choices = [("", _("no change")), ("true", _("on")), ("false", _("off"))]
            self.fields[switch.name] = field

    def clean(self) -> dict[str, Any]:
        chosen = {name: value for name, value in self.cleaned_data.items() if value is not None}
        if not chosen and not self.errors:
            raise forms.ValidationError(_("Choose at least one service."), "nothing")
        return chosen


class Suspend(FieldChange):
    label = gettext_lazy("Suspend")
    button = ngettext_lazy("Suspend %(count)s mailbox", "Suspend %(count)s mailboxes", "number")
    outcome = ngettext_lazy("%(count)s mailbox suspended", "%(count)s mailboxes suspended", "number")
    fixed = {"suspended": True}

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        yield counted_rows(rows.filter(user__is_active=True), _SUSPENDED)
        yield counted_rows(rows.filter(user__is_active=False), _SUSPENDED_ALREADY)
        yield ngettext(
            "The owner cannot sign in anywhere. Mail still arrives and waits.",
            "The owners cannot sign in anywhere. Mail still arrives and waits.",
            rows.count(),
        )


class Resume(FieldChange):
    label = gettext_lazy("Resume")
    button = ngettext_lazy("Resume %(count)s mailbox", "Resume %(count)s mailboxes", "number")
    outcome = ngettext_lazy("%(count)s mailbox resumed", "%(count)s mailboxes resumed", "number")
    fixed = {"suspended": False}

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        yield counted_rows(rows.filter(user__is_active=False), _RESUMED)
        yield counted_rows(rows.filter(user__is_active=True), _ACTIVE_ALREADY)


class Quota(FieldChange):
    label = gettext_lazy("Quota")
    button = ngettext_lazy("Change the quota of %(count)s mailbox", "Change the quota of %(count)s mailboxes", "number")
    outcome = ngettext_lazy("Quota of %(count)s mailbox changed", "Quota of %(count)s mailboxes changed", "number")

    def form(self, request: HttpRequest, data: Mapping[str, Any] | None) -> forms.Form:
        return QuotaForm(data)

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        quota = fields["quota_octets"]
        yield counted_rows(rows.exclude(quota_octets=quota), _CHANGED)
        yield counted_rows(rows.filter(quota_octets=quota), _UNCHANGED)
        if quota is not None:
            yield counted_rows(rows.filter(octets__gt=quota), _ABOVE)


class Policy(FieldChange):
    label = gettext_lazy("Retention")
    button = ngettext_lazy(
        "Change the retention policy of %(count)s mailbox",
        "Change the retention policy of %(count)s mailboxes",
        "number",
    )
    outcome = ngettext_lazy(
        "Retention policy of %(count)s mailbox changed", "Retention policy of %(count)s mailboxes changed", "number"
    )

    def form(self, request: HttpRequest, data: Mapping[str, Any] | None) -> forms.Form:
        return PolicyForm(data, request)

    def extra_data(self, fields: dict[str, Any]) -> dict[str, str]:
        policy = fields["policy"]
        return {} if policy is None else {SAVED_AT: policy.saved_at.isoformat()}

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        yield counted_rows(rows.exclude(policy=fields["policy"]), _CHANGED)
        yield counted_rows(rows.filter(policy=fields["policy"]), _UNCHANGED)
        yield _("Mail that is already there counts as if it arrived today: nothing expires at once.")
        yield from forecast_lines(forecast.of_choice(list(rows.values_list("pk", flat=True)), fields["policy"]))


class Switches(FieldChange):
    label = gettext_lazy("Services")
    button = ngettext_lazy(
        "Change the services of %(count)s mailbox", "Change the services of %(count)s mailboxes", "number"
    )
    outcome = ngettext_lazy(
        "Services of %(count)s mailbox changed", "Services of %(count)s mailboxes changed", "number"
    )

    def form(self, request: HttpRequest, data: Mapping[str, Any] | None) -> forms.Form:
        return SwitchesForm(data)

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        other = Q(*(~MAILBOX[name].query(value) for name, value in fields.items()), _connector=Q.OR)
        yield counted_rows(rows.filter(other), _CHANGED)
        yield counted_rows(rows.exclude(other), _UNCHANGED)


class ForcePassword(FieldChange):
    label = gettext_lazy("Require a new password")
    button = ngettext_lazy(
        "Require a new password of %(count)s owner", "Require a new password of %(count)s owners", "number"
    )
    outcome = ngettext_lazy(
        "%(count)s owner must choose a new password", "%(count)s owners must choose a new password", "number"
    )
    fixed = {"must_change_password": True}

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        yield counted_rows(rows.filter(user__must_change_password=False), _FORCED)
        yield counted_rows(rows.filter(user__must_change_password=True), _FORCED_ALREADY)
        yield _(
            "At their next sign-in to these pages, owners must choose a new password first. Mail programs "
            "can use the old one until then."
        )


class Remove:
    """Remove mailboxes. They can be restored, so this action can be undone."""

    label = gettext_lazy("Remove")
    button = ngettext_lazy("Remove %(count)s mailbox", "Remove %(count)s mailboxes", "number")
    outcome = ngettext_lazy("%(count)s mailbox removed", "%(count)s mailboxes removed", "number")
    danger = True
    step_rows = 50  # each needs its own statements

    def form(self, request: HttpRequest, data: Mapping[str, Any] | None) -> forms.Form:
        return NoFields(data)

    def extra_data(self, fields: dict[str, Any]) -> dict[str, str]:
        return {}

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        yield counted_rows(rows.filter(held=False), _REMOVED)
        yield counted_rows(rows.filter(held=True), _HELD)
        yield from _removal_sentences(rows.filter(held=False))

    def do(self, rows: Sequence[Mailbox], fields: dict[str, Any], actor: Actor) -> list[Done | Rejected]:
        return [refusal_or(self._removed, row.user.address, actor) for row in rows]

    def undo(self, undo_data: Mapping[int, UndoData], actor: Actor) -> list[str | Rejected]:
        there = dict(Mailbox.objects.filter(pk__in=undo_data).values_list("pk", "user__address"))
        return [
            refusal_or(self._restored, there[key], actor) if key in there else Rejected(_("it no longer exists"))
            for key in undo_data
        ]

    def _removed(self, address: str, actor: Actor) -> Done:
        gone = mailbox_removal.remove(address, actor=actor, with_mail=True)
        text = ngettext("removed with %(count)s message", "removed with %(count)s messages", gone.messages)
        return Done(text % {"count": count(gone.messages)}, {"removed": True})

    def _restored(self, address: str, actor: Actor) -> str:
        mailbox_removal.restore(address, actor=actor)
        return _("restored")


def _removal_sentences(rows: QuerySet[Mailbox]) -> Iterable[str]:
    """Yield what follows when these mailboxes are removed."""
    sums = rows.aggregate(messages=Sum("messages"), octets=Sum("octets"))
    messages = int(sums["messages"] or 0)
    mail = ngettext("%(count)s message (%(size)s)", "%(count)s messages (%(size)s)", messages)
    yield _("Nobody can sign in to them any more, and new mail for them is refused.")
    yield ngettext(
        "They can be restored for %(days)s day, with %(messages)s and all settings.",
        "They can be restored for %(days)s days, with %(messages)s and all settings.",
        settings.REMOVED_DAYS,
    ) % {
        "days": count(settings.REMOVED_DAYS),
        "messages": mail % {"count": count(messages), "size": size(sums["octets"])} if messages else _("no mail"),
    }
    devices = Device.objects.filter(mailbox__in=rows.order_by(), revoked_at=None, main=False).count()
    yield str(_DEVICES % {"number": devices, "count": count(devices)}) if devices else ""


ACTIONS: dict[str, BulkAction] = {
    "suspend": Suspend(),
    "resume": Resume(),
    "quota": Quota(),
    "policy": Policy(),
    "switches": Switches(),
    "password": ForcePassword(),
    "moves": Moves(),
    "remove": Remove(),
}
