"""The forms of a domain: made, changed, its catch-all, its admins; the store judges what they carry."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import address_error
from mailstore.models import Domain, RetentionPolicy, User
from mailstore.policy.addresses import BadAddress, normal_domain
from popadmin.panel import access
from popadmin.panel.forms.confirm_name import MayLookAlike
from popadmin.web import people
from popadmin.web.address_field import AddressesField
from popadmin.web.edit_conflict import SeenForm
from popadmin.web.size_field import SizeField
from popadmin.web.widgets import PLAIN

NAME_CHARACTERS = 254
COUNT_MOST = 10**9
# What a hosting admin alone decides: the caps, and what the domain is.
OF_HOSTS = ("mailbox_limit", "alias_limit", "quota_octets", "allotment_octets", "mailbox_quota_most", "stands_for")


class DomainField(forms.CharField):
    """A domain by its name, in any letters, of those that `rows` are; None for an empty field."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=NAME_CHARACTERS, required=False, widget=forms.TextInput(attrs=PLAIN), **kwargs)
        self.rows = Domain.objects.none()

    def clean(self, value: Any) -> Domain | None:
        text = super().clean(value).strip()
        if not text:
            return None
        try:
            found = self.rows.filter(name=normal_domain(text)).first()
        except BadAddress as error:
            raise ValidationError(address_error.sentence(error), "domain") from error
        if found is None:
            raise ValidationError(_("%(domain)s is not one of your domains.") % {"domain": text}, "domain")
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(initial or "") != str(data or "").strip()


class DomainFields(forms.Form):
    """What can be set of a domain, new or not."""

    over_quota = forms.ChoiceField(
        label=gettext_lazy("A full mailbox"), choices=Domain.OverQuota.choices, initial=Domain.OverQuota.DEFER
    )
    owner_forwards = forms.BooleanField(label=gettext_lazy("Owners may forward their mail"), required=False)
    mailbox_quota_default = SizeField(label=gettext_lazy("Quota of a new mailbox"), required=False)
    mailbox_quota_most = SizeField(
        label=gettext_lazy("Quota of one mailbox at most"),
        required=False,
        help_text=gettext_lazy("Binds the admins of the domain, not hosting admins."),
    )
    allotment_octets = SizeField(
        label=gettext_lazy("All quotas together at most"),
        required=False,
        help_text=gettext_lazy("What the admins of the domain may give to its mailboxes."),
    )
    quota_octets = SizeField(
        label=gettext_lazy("Stored at most"),
        required=False,
        help_text=gettext_lazy("By all mailboxes together; beyond it nothing is delivered, as to a full mailbox."),
    )
    mailbox_limit = forms.IntegerField(
        label=gettext_lazy("Mailboxes at most"), required=False, min_value=0, max_value=COUNT_MOST
    )
    alias_limit = forms.IntegerField(
        label=gettext_lazy("Aliases at most"), required=False, min_value=0, max_value=COUNT_MOST
    )
    stands_for = DomainField(
        label=gettext_lazy("Stands for the domain"),
        help_text=gettext_lazy("Then every address in it is the same address there, and it has none of its own."),
    )

    def allow(self, user: User) -> None:
        """Leave what this person may set."""
        self.fields["stands_for"].rows = access.domains(user)  # type: ignore[attr-defined]  # of ours
        if not people.is_host(user):
            for name in OF_HOSTS:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        super().clean()
        least = self.cleaned_data.get("mailbox_quota_default")
        most = self.cleaned_data.get("mailbox_quota_most")
        if least is not None and most is not None and least > most:
            self.add_error("mailbox_quota_default", _("This is more than one mailbox may have."))
        return self.cleaned_data


class EditDomain(DomainFields, SeenForm):
    """Of one that is there. Its policy is chosen on a page that foretells what that does."""

    def __init__(self, *args: Any, user: User, domain: Domain, **kwargs: Any) -> None:
        now = {name: getattr(domain, name) for name in DomainFields.base_fields if name != "stands_for"}
        if people.is_host(user):  # what was seen travels with the form: nobody else may know the other's name
            now["stands_for"] = domain.stands_for.name if domain.stands_for else ""
        super().__init__(*args, now=now, **kwargs)
        self.allow(user)


class NewDomain(DomainFields, MayLookAlike):
    """Of a new one."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=NAME_CHARACTERS,
        widget=forms.TextInput(attrs={**PLAIN, "autofocus": True}),
        help_text=gettext_lazy("Such as example.org, in any letters."),
    )
    policy = forms.ModelChoiceField(
        RetentionPolicy.objects.none(),
        label=gettext_lazy("Retention policy"),
        required=False,
        empty_label=gettext_lazy("As the site has it"),
    )
    field_order = ("name", "look_alike")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["policy"].queryset = access.policies(user).order_by("name")  # type: ignore[attr-defined]  # of rows
        self.allow(user)

    def clean_name(self) -> str:
        try:
            return normal_domain(self.cleaned_data["name"].strip())
        except BadAddress as error:
            raise ValidationError(address_error.sentence(error), "domain") from error

    def fields_given(self) -> dict[str, Any]:
        """What the store is to set, without the name."""
        return {name: value for name, value in self.cleaned_data.items() if name != "name"}


class CatchAll(SeenForm):
    """Who gets what comes for names that nobody has."""

    targets = AddressesField(
        label=gettext_lazy("Mail for unknown names goes to"),
        required=False,
        help_text=gettext_lazy(
            "Addresses here or elsewhere, one a line. Empty: whoever writes to such a name is told so."
        ),
    )


class NewAdmin(forms.Form):
    """Who is to administer the domain too."""

    login = forms.CharField(
        label=gettext_lazy("Login or address"),
        max_length=NAME_CHARACTERS,
        widget=forms.TextInput(attrs={**PLAIN, "autofocus": True}),
        help_text=gettext_lazy("Of the owner of a mailbox, or of anybody: who is new gets a password, shown once."),
    )
