"""The forms of retention policies: their rules and start, and who uses them. The directory validates the values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import address_error
from mailstore.directory.fields.field import Surface
from mailstore.directory.fields.policy import POLICY
from mailstore.directory.policies import NAME_CHARACTERS
from mailstore.models import Domain, Mailbox, RetentionPolicy
from mailstore.policy.addresses import ADDRESS_OCTETS, BadAddress, normal_address, normal_domain
from mailstore.policy.retention import notice_days
from popadmin.web.edit_conflict import EditForm, preview_token
from popadmin.web.form_fields import Option, OptionField
from popadmin.web.table_field import others, with_fields

RULES_OFF = ("expire_days", "expire_confirmed_days")  # a tick box turns each on and off
# The template names these. `others` are the rest.
_IN_TEMPLATE = (
    "name", "site", "offered", *RULES_OFF, *(f"{name}_on" for name in RULES_OFF), "expire_unfetched",
    "remove_when_confirmed", "hold_days", "relief", "silent_days", "recovery_days", "recovery_octets", "diary_days",
    "start",
)  # fmt: skip
_NUMBERS = {
    "expire_days": gettext_lazy("Days after it arrived"),
    "expire_confirmed_days": gettext_lazy("Days after every device has it"),
    "hold_days": gettext_lazy("Days after it arrived, at least"),
    "silent_days": gettext_lazy("Days of silence"),
    "recovery_days": gettext_lazy("Days in recovery"),
    "diary_days": gettext_lazy("Days of the diary"),
}
_WHILE_OFF = {"expire_days": "30", "expire_confirmed_days": "14"}  # shown in the box of a rule that is off
Relief = RetentionPolicy.Relief
_RELIEF = (
    (Relief.NEVER, gettext_lazy("refuses new mail")),
    (Relief.EVERY, gettext_lazy("makes room with the oldest mail that every device has")),
    (Relief.ONE, gettext_lazy("makes room, if need be with mail that one device has")),
)
_UNFETCHED = (
    ("False", gettext_lazy("but only if a device has it")),
    ("True", gettext_lazy("even if no device has it")),
)
STARTS = (
    Option(
        "now",
        gettext_lazy("Counts as if it had arrived today"),
        gettext_lazy("So a typing mistake removes nothing at once."),
    ),
    Option(
        "at-once",
        gettext_lazy("Counts from the day it arrived"),
        gettext_lazy("The next sweep removes what is old enough already."),
    ),
)


_OF_PREVIEW = ("previewed", "seen")  # what the page says of the preview, not what the user wants


class PreviewForm(forms.Form):
    """A form with a preview. It is saved only if `previewed` proves that the preview showed these values."""

    start = OptionField(STARTS, label=gettext_lazy("Mail that is already there"), initial="now")
    previewed = forms.CharField(widget=forms.HiddenInput, required=False)

    @property
    def at_once(self) -> bool:
        return bool(self.cleaned_data["start"] == "at-once")

    @property
    def mark(self) -> str:
        """Return the token that `previewed` must contain for these values to be saved."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in _OF_PREVIEW}
        return preview_token(values)

    @property
    def was_previewed(self) -> bool:
        return bool(self.cleaned_data["previewed"] == self.mark)


@with_fields(*POLICY.on(Surface.FORM))
class PolicyForm(PreviewForm, EditForm):
    """A new policy or an existing one. `now` has the current values of its fields, `shown` others to begin with."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=NAME_CHARACTERS,
        error_messages={"required": gettext_lazy("Write a name for the policy, like “one year”.")},
    )
    relief = forms.ChoiceField(label=gettext_lazy("A full mailbox"), choices=_RELIEF, initial=Relief.NEVER)
    expire_unfetched = forms.BooleanField(
        label=gettext_lazy("Which mail"), required=False, widget=forms.Select(choices=_UNFETCHED)
    )
    expire_days_on = forms.BooleanField(required=False)
    expire_confirmed_days_on = forms.BooleanField(required=False)
    ticks = forms.CharField(widget=forms.HiddenInput, required=False, initial="shown")  # without it, numbers decide

    def __init__(self, *args: Any, shown: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {**self.initial, **(shown or {})}
        for name in RULES_OFF:
            self.initial[f"{name}_on"] = self.initial[name] is not None
        for name, label in _NUMBERS.items():
            held = {"class": "form-control days-in", "aria-label": label, "placeholder": _WHILE_OFF.get(name, "")}
            self.fields[name].widget.attrs |= held
        for name in ("relief", "expire_unfetched"):
            self.fields[name].widget.attrs |= {"class": "form-select", "aria-label": self.fields[name].label}
        octets = {"class": "form-control", "placeholder": _("mailbox quota"), "aria-label": _("Size of recovery")}
        self.fields["recovery_octets"].widget.attrs |= octets
        self.fields["name"].widget.attrs["class"] = "form-control"
        self.fields["remove_when_confirmed"].help_text = ""  # the sentence says it
        for name in ("site", "offered", "remove_when_confirmed", *(f"{rule}_on" for rule in RULES_OFF)):
            self.fields[name].widget.attrs["class"] = "form-check-input"

    def clean(self) -> dict[str, Any]:
        """Ignore the number of a rule that is off, and ask for that of a rule that is on."""
        super().clean()
        if self.cleaned_data.get("ticks"):
            for name in RULES_OFF:
                if not self.cleaned_data.get(f"{name}_on"):
                    self.cleaned_data[name] = None
                    self.errors.pop(name, None)
                elif name not in self.errors and self.cleaned_data.get(name) is None:
                    self.add_error(name, _("Write a number of days, or clear the tick."))
        return self.cleaned_data

    def others(self) -> list[forms.BoundField]:
        return others(self, _IN_TEMPLATE)

    @property
    def notice_days(self) -> int:
        """Return how many days before the owner of a silent device gets a mail."""
        return notice_days(self.now["silent_days"])

    @property
    def expire_capability(self) -> str:
        """Return what CAPA tells those who use the policy (RFC 2449 §6.7): the shortest period of its rules."""
        given = self.cleaned_data
        days = [given["expire_days"], given["expire_confirmed_days"]]
        if given["remove_when_confirmed"]:
            days.append(given["hold_days"])
        shortest = min((each for each in days if each is not None), default=None)
        return "EXPIRE NEVER" if shortest is None else f"EXPIRE {shortest}"

    @property
    def can_be_undone(self) -> bool:
        """Return whether the save can be undone whole: it ends no wait, and it moves no site policy."""
        return not self.at_once and bool(self.cleaned_data["site"]) is bool(self.now["site"])

    def fields_given(self) -> dict[str, Any]:
        """Return the fields for the directory."""
        return {name: self.cleaned_data[name] for name in ("name", *(field.name for field in POLICY))}


def values(policy: RetentionPolicy) -> dict[str, Any]:
    """Return the values of a policy by form field; the defaults for a new policy."""
    return {"name": policy.name, **{field.name: field.value(policy) for field in POLICY}}


class ChoiceForm(PreviewForm):
    """The policy of a domain or mailbox. `of` is the name of a domain, or an address, that this user may see."""

    of = forms.CharField(
        label=gettext_lazy("Domain or mailbox"),
        error_messages={"required": gettext_lazy("Write a domain, like example.org, or the address of a mailbox.")},
        max_length=ADDRESS_OCTETS,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    policy = forms.ModelChoiceField(
        RetentionPolicy.objects.none(),
        label=gettext_lazy("Retention policy"),
        required=False,
        empty_label=gettext_lazy("No policy of its own"),
        help_text=gettext_lazy(
            "Without one, a mailbox uses the policy of its domain, and a domain uses the site policy."
        ),
    )
    field_order = ("of", "policy", "start")

    def __init__(
        self,
        *args: Any,
        domains: QuerySet[Domain],
        mailboxes: QuerySet[Mailbox],
        policies: QuerySet[RetentionPolicy],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._domains, self._mailboxes = domains, mailboxes
        self.fields["policy"].queryset = policies.order_by("name")  # type: ignore[attr-defined]  # of rows

    @property
    def mark(self) -> str:
        """Include the present policy: if it has changed since the preview, the user must look again."""
        of: Domain | Mailbox = self.cleaned_data["of"]
        return preview_token({"values": super().mark, "followed": of.policy_id, "since": of.policy_since})

    def clean_of(self) -> Domain | Mailbox:
        value = self.cleaned_data["of"].strip()
        found: Domain | Mailbox | None
        try:
            if "@" in value:
                found = self._mailboxes.filter(user__address=normal_address(value)).first()
            else:
                found = self._domains.filter(name=normal_domain(value)).first()
        except BadAddress as error:
            raise forms.ValidationError(address_error.sentence(error), "of") from error
        if found is None:
            raise forms.ValidationError(_("%(name)s is neither a domain nor a mailbox.") % {"name": value}, "of")
        return found
