"""The forms of an alias: create, edit. The directory validates the values."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import address_error
from mailstore.directory.fields.domain import ALIAS
from mailstore.directory.fields.field import Surface
from mailstore.models import Alias, User
from mailstore.policy.addresses import ADDRESS_OCTETS, BadAddress, normal_address, normal_domain
from popadmin.panel import access
from popadmin.panel.forms.confirm_name import LookAlikeForm
from popadmin.web.edit_conflict import EditForm
from popadmin.web.form_fields import PLAIN
from popadmin.web.table_field import with_fields

COPIES = (
    ("", gettext_lazy("There is no mailbox at this address")),
    ("yes", gettext_lazy("Keep a copy in the mailbox")),
    ("no", gettext_lazy("Keep no copy in the mailbox")),
)


_COMMON = tuple(field for field in ALIAS.on(Surface.FORM) if field.name != "keep_copy")


@with_fields(*_COMMON)
class AliasFields(forms.Form):
    """The fields of an alias, new or existing."""


@with_fields(ALIAS["keep_copy"])
class EditAlias(AliasFields, EditForm):
    """Edit an existing alias. Only the forward of a mailbox can keep a copy."""

    field_order = ("targets", "keep_copy")

    def __init__(self, *args: Any, alias: Alias, **kwargs: Any) -> None:
        now = {field.name: field.value(alias) for field in ALIAS.on(Surface.FORM)}
        super().__init__(*args, now=now, **kwargs)
        if alias.mailbox_id is None:
            del self.fields["keep_copy"]


class NewAlias(AliasFields, LookAlikeForm):
    """Create an alias. With `domain`, or where the user has one domain only, the part before the @ is enough."""

    address = forms.CharField(
        label=gettext_lazy("Address"),
        error_messages={"required": gettext_lazy("Write the address, like anna@example.org.")},
        max_length=ADDRESS_OCTETS,
        widget=forms.TextInput(attrs={**PLAIN, "autofocus": True}),
        help_text=gettext_lazy("Write the whole address, such as info@example.org; @example.org is the catch-all."),
    )
    keep_copy = forms.ChoiceField(label=gettext_lazy("If the address is a mailbox"), choices=COPIES, required=False)
    field_order = ("address", "look_alike", "targets", "keep_copy")

    def __init__(self, *args: Any, user: User, domain: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._domains = access.domains(user)
        self._domain = domain
        self.missing_domain = ""  # the domain that was typed, if there is no such one
        if domain:
            self.fields["address"].help_text = _("For an address in %(domain)s, the part before the @ is enough.") % {
                "domain": domain
            }

    def clean_address(self) -> str:
        value = self._completed(self.cleaned_data["address"].strip())
        try:
            address = f"@{normal_domain(value[1:])}" if value.startswith("@") else normal_address(value)
        except BadAddress as error:
            raise ValidationError(address_error.sentence(error), "address") from error
        domain = address.rpartition("@")[2]
        if not self._domains.filter(name=domain).exists():
            self.missing_domain = domain
            raise ValidationError(_("%(domain)s is not one of your domains.") % {"domain": domain}, "domain")
        return address

    def fields_given(self) -> dict[str, Any]:
        """Return the fields for the directory, without address and targets."""
        other = {"address", "targets", "keep_copy"}
        given = {name: value for name, value in self.cleaned_data.items() if name not in other}
        copy = self.cleaned_data["keep_copy"]
        return {**given, "keep_copy": copy == "yes"} if copy else given

    def _completed(self, value: str) -> str:
        if "@" in value or self._domain:
            return value if "@" in value else f"{value}@{self._domain}"
        names = list(self._domains.values_list("name", flat=True)[:2])
        return f"{value}@{names[0]}" if len(names) == 1 else value
