"""The forms of a domain: create, edit, catch-all, admins. The directory validates the values."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import address_error, domain_usage
from mailstore.directory.fields.domain import DOMAIN
from mailstore.directory.fields.field import Surface
from mailstore.models import Domain, User
from mailstore.policy.addresses import BadAddress, normal_domain
from popadmin.panel import access
from popadmin.panel.forms.confirm_name import LookAlikeForm
from popadmin.panel.forms.shortfall import Shortfall
from popadmin.web import people
from popadmin.web.edit_conflict import EditForm
from popadmin.web.form_fields import PLAIN, AddressesField
from popadmin.web.formats import size
from popadmin.web.table_field import others, with_fields

NAME_CHARACTERS = 254
# The template names these. `others` are the rest.
_IN_TEMPLATE = (
    "name", "look_alike", "over_quota", "policy", "owner_forwards", "alias_sign_in", "stands_for",
    "mailbox_quota_default", "mailbox_quota_most", "allotment_octets", "quota_octets", "mailbox_limit", "alias_limit",
)  # fmt: skip
_OF_EDIT = tuple(field for field in DOMAIN.on(Surface.FORM) if field.name != "policy")


@with_fields(*_OF_EDIT)
class DomainFields(forms.Form):
    """The fields of a domain, new or existing."""

    def allow(self, user: User) -> None:
        """Remove the fields that this user may not set."""
        self.fields["stands_for"].rows = access.domains(user)  # type: ignore[attr-defined]  # of ours
        if not people.is_host(user):
            for name in DOMAIN.set_by_hosts():
                del self.fields[name]

    def others(self) -> list[forms.BoundField]:
        return others(self, _IN_TEMPLATE)

    def clean(self) -> dict[str, Any]:
        super().clean()
        least = self.cleaned_data.get("mailbox_quota_default")
        most = self.cleaned_data.get("mailbox_quota_most")
        if least is not None and most is not None and least > most:
            self.add_error("mailbox_quota_default", _("This is more than the largest quota of a mailbox."))
        return self.cleaned_data


class EditDomain(DomainFields, EditForm):
    """Edit an existing domain. Its policy is chosen on another page, with a preview."""

    def __init__(self, *args: Any, user: User, domain: Domain, **kwargs: Any) -> None:
        now = {field.name: field.value(domain) for field in _OF_EDIT if field.name != "stands_for"}
        if people.is_host(user):  # the form contains the values that were shown, and nobody else may see this name
            now["stands_for"] = domain.stands_for.name if domain.stands_for else ""
        super().__init__(*args, now=now, **kwargs)
        self.allow(user)
        self._domain = domain

    def shortfall(self) -> Shortfall | None:
        """Return what follows if a changed limit leaves no room for new mail; None if it does."""
        octets = self.changes().get("quota_octets")
        if octets is None:
            return None
        rows = Domain.objects.filter(pk=self._domain.pk)
        stored: int = rows.values_list(domain_usage.octets(), flat=True).get()
        if octets > stored:
            return None
        text = _("The domain stores %(used)s, the limit is %(limit)s.")
        return Shortfall(str(octets), text % {"used": size(stored), "limit": size(octets)})


@with_fields(DOMAIN["policy"])
class NewDomain(DomainFields, LookAlikeForm):
    """Create a domain."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        error_messages={"required": gettext_lazy("Write the name of the domain, like example.org.")},
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
        """Return the fields for the directory, without the name."""
        return {name: value for name, value in self.cleaned_data.items() if name != "name"}


class CatchAll(EditForm):
    """The addresses that get the mail for unknown names."""

    targets = AddressesField(
        label=gettext_lazy("Mail for unknown names goes to"),
        required=False,
        help_text=gettext_lazy("Addresses here or elsewhere, one per line. Leave empty to refuse such mail."),
    )


class NewAdmin(forms.Form):
    """The user who is to administer the domain."""

    login = forms.CharField(
        label=gettext_lazy("Login or address"),
        max_length=NAME_CHARACTERS,
        widget=forms.TextInput(attrs={**PLAIN, "autofocus": True}),
        help_text=gettext_lazy(
            "The owner of a mailbox, or anybody else. A new user gets a password, which is shown once."
        ),
    )
