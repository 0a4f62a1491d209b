"""The forms of a mailbox: create, edit, new password, restore mail. The directory validates the values."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.directory import address_error, domain_caps
from mailstore.directory.fields.field import Kind, Surface
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.messages.recovery import Choice
from mailstore.models import Domain, Mailbox, User
from mailstore.policy.addresses import ADDRESS_OCTETS, BadAddress, normal_address
from popadmin.panel import access
from popadmin.panel.forms.confirm_name import LookAlikeForm
from popadmin.panel.forms.shortfall import Shortfall
from popadmin.web import people
from popadmin.web.edit_conflict import EditForm
from popadmin.web.formats import count, size, size_or_none
from popadmin.web.table_field import others, with_fields

NUMBER_MOST = 10**9  # of messages to restore
_IN_OTHER_FORMS = ("policy", "must_change_password")
# The template names these. `others` are the rest.
_IN_TEMPLATE = (
    "address", "look_alike", "name", "password", "must_change_password", "invitation_address", "notes",
    "quota_octets", "quota_messages", "policy", "held",
)  # fmt: skip
_OF_EDIT = tuple(field for field in MAILBOX.on(Surface.FORM) if field.name not in _IN_OTHER_FORMS)


@with_fields(*_OF_EDIT)
class MailboxFields(forms.Form):
    """The fields of a mailbox, new or existing."""

    def allow(self, user: User) -> None:
        """Remove the fields that this user may not set."""
        if not people.is_host(user):
            for name in MAILBOX.set_by_hosts():
                del self.fields[name]

    def switches(self) -> list[forms.BoundField]:
        """Return the switches of the services; the hold is shown with the limits."""
        return [self[name] for name in MAILBOX.names(Kind.SWITCH) if name in self.fields and name not in _IN_TEMPLATE]

    def others(self) -> list[forms.BoundField]:
        return others(self, (*MAILBOX.names(Kind.SWITCH), *_IN_TEMPLATE))


class EditMailbox(EditForm, MailboxFields):
    """Edit an existing mailbox. Its policy is chosen on another page, with a preview."""

    def __init__(self, *args: Any, user: User, mailbox: Mailbox, **kwargs: Any) -> None:
        now = {field.name: field.value(mailbox) for field in _OF_EDIT}
        super().__init__(*args, now=now, **kwargs)
        self.allow(user)
        self._mailbox = mailbox

    def shortfall(self) -> Shortfall | None:
        """Return what follows if a changed quota leaves no room for new mail; None if it does."""
        box, changed = self._mailbox, self.changes()
        octets, messages = changed.get("quota_octets"), changed.get("quota_messages")
        parts = []
        if octets is not None and octets <= box.octets:
            parts.append(
                _("It contains %(used)s, the quota is %(quota)s.") % {"used": size(box.octets), "quota": size(octets)}
            )
        if messages is not None and messages <= box.messages:
            text = ngettext(
                "It contains %(number)s message, the quota is %(most)s.",
                "It contains %(number)s messages, the quota is %(most)s.",
                box.messages,
            )
            parts.append(text % {"number": count(box.messages), "most": count(messages)})
        return Shortfall(f"{octets}/{messages}", " ".join(parts)) if parts else None


@with_fields(MAILBOX["must_change_password"])
class MustChange(forms.Form):
    """Set a new password. Admins see it, so the owner should change it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["must_change_password"].initial = True


@with_fields(MAILBOX["policy"])
class NewMailbox(MailboxFields, MustChange, LookAlikeForm):
    """Create a mailbox. If the user has one domain only, the part before the @ is enough."""

    address = forms.CharField(
        label=gettext_lazy("Address"),
        error_messages={"required": gettext_lazy("Write the address, like anna@example.org.")},
        max_length=ADDRESS_OCTETS,
        widget=forms.TextInput(
            attrs={"autofocus": True, "autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=gettext_lazy("Leave empty to generate one. It is shown once, after the mailbox is created."),
    )
    invitation_address = forms.CharField(
        label=gettext_lazy("Recovery address"),
        required=False,
        max_length=ADDRESS_OCTETS,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Where the owner reads mail elsewhere. An invitation can then be mailed there, and the address counts once "
            "the owner has followed its link. Leave empty for none."
        ),
    )
    field_order = ("address", "name", "password")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["policy"].empty_label = _("Same as the domain")  # type: ignore[attr-defined]  # of rows
        self.fields["policy"].queryset = access.policies(user).order_by("name")  # type: ignore[attr-defined]  # of rows
        self.allow(user)
        self._domains: QuerySet[Domain] = access.domains(user)
        self._host = people.is_host(user)
        self.missing_domain = ""  # the domain that was typed, if there is no such one
        if alone := self._only_domain():
            self.fields["address"].help_text = _("The part before @%(domain)s is enough.") % {"domain": alone}
        self.fields["quota_octets"].widget.attrs["placeholder"] = _("default of the domain")
        self.fields["quota_octets"].help_text = self._quota_help()

    def clean_address(self) -> str:
        value: str = self.cleaned_data["address"].strip()
        try:
            address = normal_address(self._completed(value))
        except BadAddress as error:
            raise ValidationError(address_error.sentence(error), "address") from error
        domain = address.rpartition("@")[2]
        if not self._domains.filter(name=domain).exists():
            self.missing_domain = domain
            text = (
                _("There is no domain %(domain)s here: create it first.")
                if self._host
                else _("%(domain)s is not one of your domains.")
            )
            raise ValidationError(text % {"domain": domain}, "domain")
        return address

    def _completed(self, value: str) -> str:
        if "@" in value:
            return value
        alone = self._only_domain()
        return f"{value}@{alone}" if alone else value

    def _quota_help(self) -> str:
        """Return the help on an empty quota; it names the default if the domain is already known."""
        name = self.get_initial_for_field(self.fields["address"], "address")
        domain = self._domains.filter(name=str(name or "").rpartition("@")[2] or self._only_domain()).first()
        if domain is None:
            return _("Leave empty for the default of the domain. Type “none” for no limit.")
        return _("Leave empty for the default of %(domain)s (%(quota)s). Type “none” for no limit.") % {
            "domain": domain,
            "quota": size_or_none(domain_caps.quota_of_new(domain)),
        }

    def _only_domain(self) -> str | None:
        names = list(self._domains.values_list("name", flat=True)[:2])
        return names[0] if len(names) == 1 else None

    def fields_given(self) -> dict[str, Any]:
        """Return the fields for the directory, without address and password. An empty quota is left to the domain."""
        other = {"address", "password"}
        if not str(self["quota_octets"].data or "").strip():
            other.add("quota_octets")
        return {name: value for name, value in self.cleaned_data.items() if name not in other}


class RestoreByDate(forms.Form):
    """Choose removed messages by date or number, or all of them, without seeing their content."""

    since = forms.DateTimeField(
        label=gettext_lazy("Removed since"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    newest = forms.IntegerField(
        label=gettext_lazy("Only the last removed (number)"),
        required=False,
        min_value=1,
        validators=[MaxValueValidator(NUMBER_MOST)],
    )
    everything = forms.BooleanField(label=gettext_lazy("Everything in recovery"), required=False)
    again = forms.BooleanField(
        label=gettext_lazy("Restore as new messages"),
        required=False,
        help_text=gettext_lazy("With a new UIDL: every mail program treats them as new and fetches them again."),
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        named = found.get("since") is not None or found.get("newest") is not None
        if not self.errors and named is bool(found.get("everything")):
            raise ValidationError(_("Choose which messages: a date, a number, or everything."))
        return found

    @property
    def choice(self) -> Choice:
        return Choice(since=self.cleaned_data["since"], newest=self.cleaned_data["newest"])
