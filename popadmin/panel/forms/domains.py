"""The forms of a domain: made, changed, its catch-all, its admins; the store judges what they carry."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import address_error
from mailstore.directory.fields.domain import DOMAIN
from mailstore.directory.fields.field import Surface
from mailstore.models import Domain, User
from mailstore.policy.addresses import BadAddress, normal_domain
from popadmin.panel import access
from popadmin.panel.forms.confirm_name import MayLookAlike
from popadmin.web import people
from popadmin.web.edit_conflict import EditForm
from popadmin.web.form_fields import PLAIN, AddressesField
from popadmin.web.table_field import with_fields

NAME_CHARACTERS = 254
_OF_EDIT = tuple(field for field in DOMAIN.on(Surface.FORM) if field.name != "policy")


@with_fields(*_OF_EDIT)
class DomainFields(forms.Form):
    """What can be set of a domain, new or not."""

    def allow(self, user: User) -> None:
        """Leave what this person may set."""
        self.fields["stands_for"].rows = access.domains(user)  # type: ignore[attr-defined]  # of ours
        if not people.is_host(user):
            for name in DOMAIN.set_by_hosts():
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        super().clean()
        least = self.cleaned_data.get("mailbox_quota_default")
        most = self.cleaned_data.get("mailbox_quota_most")
        if least is not None and most is not None and least > most:
            self.add_error("mailbox_quota_default", _("This is more than the largest quota of a mailbox."))
        return self.cleaned_data


class EditDomain(DomainFields, EditForm):
    """Of one that is there. Its policy is chosen on a page that foretells what that does."""

    def __init__(self, *args: Any, user: User, domain: Domain, **kwargs: Any) -> None:
        now = {field.name: field.value(domain) for field in _OF_EDIT if field.name != "stands_for"}
        if people.is_host(user):  # what was seen travels with the form: nobody else may know the other's name
            now["stands_for"] = domain.stands_for.name if domain.stands_for else ""
        super().__init__(*args, now=now, **kwargs)
        self.allow(user)


@with_fields(DOMAIN["policy"])
class NewDomain(DomainFields, MayLookAlike):
    """Of a new one."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=NAME_CHARACTERS,
        widget=forms.TextInput(attrs={**PLAIN, "autofocus": True}),
        help_text=gettext_lazy("For example example.org. Any script is possible."),
    )
    field_order = ("name", "look_alike")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["policy"].empty_label = _("Same as the site")  # type: ignore[attr-defined]  # of rows
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


class CatchAll(EditForm):
    """Who gets what comes for names that nobody has."""

    targets = AddressesField(
        label=gettext_lazy("Mail for unknown names goes to"),
        required=False,
        help_text=gettext_lazy("Addresses here or elsewhere, one per line. Leave empty to refuse such mail."),
    )


class NewAdmin(forms.Form):
    """Who is to administer the domain too."""

    login = forms.CharField(
        label=gettext_lazy("Login or address"),
        max_length=NAME_CHARACTERS,
        widget=forms.TextInput(attrs={**PLAIN, "autofocus": True}),
        help_text=gettext_lazy(
            "The owner of a mailbox, or anybody else. A new user gets a password, which is shown once."
        ),
    )
