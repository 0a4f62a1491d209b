"""The forms of a mailbox: made, changed; the store judges what they carry."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import address_error, domain_caps
from mailstore.models import Domain, Mailbox, RetentionPolicy, User
from mailstore.policy.addresses import ADDRESS_OCTETS, BadAddress, normal_address
from popadmin.panel import access
from popadmin.panel.forms.confirm_name import MayLookAlike
from popadmin.web import people
from popadmin.web.amounts import size_or_none
from popadmin.web.edit_conflict import SeenForm
from popadmin.web.size_field import SizeField

OF_HOSTS = ("held",)  # a hold is the host's word, and a customer does not lift it
MANY_MESSAGES = 10**12


class MailboxFields(forms.Form):
    """What can be set of a mailbox, new or not."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=150, required=False)
    quota_octets = SizeField(
        label=gettext_lazy("Quota"),
        required=False,
        help_text=gettext_lazy(
            "Where the policy has no figure, as much may rest in recovery too: after a lower quota, from a week on."
        ),
    )
    quota_messages = forms.IntegerField(
        label=gettext_lazy("Messages at most"), required=False, min_value=0, max_value=MANY_MESSAGES
    )
    receives = forms.BooleanField(label=gettext_lazy("Receives mail"), required=False)
    pop = forms.BooleanField(label=gettext_lazy("POP: fetches mail"), required=False)
    main_pop = forms.BooleanField(label=gettext_lazy("POP with the main password"), required=False)
    web = forms.BooleanField(label=gettext_lazy("Web: these pages"), required=False)
    held = forms.BooleanField(
        label=gettext_lazy("Hold"),
        required=False,
        help_text=gettext_lazy("While it stands, nothing of this mailbox is expired, purged or removed."),
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Only administrators see them."),
    )

    def allow(self, user: User) -> None:
        """Leave what this person may set."""
        if not people.is_host(user):
            for name in OF_HOSTS:
                del self.fields[name]


class EditMailbox(SeenForm, MailboxFields):
    """Of one that is there. Its policy is chosen on a page that foretells what that does."""

    def __init__(self, *args: Any, user: User, mailbox: Mailbox, **kwargs: Any) -> None:
        now = {
            "name": mailbox.user.name,
            **{name: getattr(mailbox, name) for name in self.base_fields if name not in ("name", "seen")},
        }
        super().__init__(*args, now=now, **kwargs)
        self.allow(user)


class MustChange(forms.Form):
    """With a password that others than the owner have seen."""

    must_change_password = forms.BooleanField(
        label=gettext_lazy("The owner chooses another on his first visit"),
        required=False,
        initial=True,
        help_text=gettext_lazy("These pages let him do nothing else before. Mail programs take this one until then."),
    )


class NewMailbox(MailboxFields, MustChange, MayLookAlike):
    """Of a new one. Where the person has one domain only, the part before the @ is enough."""

    address = forms.CharField(
        label=gettext_lazy("Address"),
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
        help_text=gettext_lazy("Leave it empty to have a good one generated. It is shown once the mailbox is made."),
    )
    policy = forms.ModelChoiceField(
        RetentionPolicy.objects.none(),
        label=gettext_lazy("Retention policy"),
        required=False,
        empty_label=gettext_lazy("As the domain has it"),
    )
    field_order = ("address", "name", "password")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["policy"].queryset = access.policies(user).order_by("name")  # type: ignore[attr-defined]  # of rows
        self.allow(user)
        self._domains: QuerySet[Domain] = access.domains(user)
        self._host = people.is_host(user)
        if alone := self._only_domain():
            self.fields["address"].help_text = _("What stands before @%(domain)s is enough.") % {"domain": alone}
        self.fields["quota_octets"].widget.attrs["placeholder"] = _("as the domain gives")
        self.fields["quota_octets"].help_text = self._empty_quota()
        for name in ("receives", "pop", "main_pop", "web"):
            self.fields[name].initial = True

    def clean_address(self) -> str:
        typed: str = self.cleaned_data["address"].strip()
        try:
            address = normal_address(self._completed(typed))
        except BadAddress as error:
            raise ValidationError(address_error.sentence(error), "address") from error
        domain = address.rpartition("@")[2]
        if not self._domains.filter(name=domain).exists():
            text = (
                _("There is no domain %(domain)s here: make it first.")
                if self._host
                else _("%(domain)s is not one of your domains.")
            )
            raise ValidationError(text % {"domain": domain}, "domain")
        return address

    def _completed(self, typed: str) -> str:
        if "@" in typed:
            return typed
        alone = self._only_domain()
        return f"{typed}@{alone}" if alone else typed

    def _empty_quota(self) -> str:
        """What a mailbox without a quota gets, as far as its domain is known before anything is typed."""
        name = self.get_initial_for_field(self.fields["address"], "address")
        domain = self._domains.filter(name=str(name or "").rpartition("@")[2] or self._only_domain()).first()
        if domain is None:
            return _("Empty: what the domain gives. “none”: no limit.")
        return _("Empty: what %(domain)s gives (%(quota)s). “none”: no limit.") % {
            "domain": domain,
            "quota": size_or_none(domain_caps.quota_of_new(domain)),
        }

    def _only_domain(self) -> str | None:
        names = list(self._domains.values_list("name", flat=True)[:2])
        return names[0] if len(names) == 1 else None

    def fields_given(self) -> dict[str, Any]:
        """What the store is to set, without address and password. An empty quota is left to the domain."""
        apart = {"address", "password"}
        if not str(self["quota_octets"].data or "").strip():
            apart.add("quota_octets")
        return {name: value for name, value in self.cleaned_data.items() if name not in apart}
