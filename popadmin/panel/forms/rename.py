"""The forms that give a mailbox or a domain another name. The directory decides whether the name is free."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import address_error
from mailstore.models import User
from mailstore.policy.addresses import ADDRESS_OCTETS, DOMAIN_OCTETS, BadAddress, normal_address
from popadmin.panel import access
from popadmin.panel.forms.confirm_name import LookAlikeForm
from popadmin.web.form_fields import PLAIN


class RenameMailbox(LookAlikeForm):
    """A new address, in a domain that the user administers."""

    address = forms.CharField(
        label=gettext_lazy("New address"), max_length=ADDRESS_OCTETS, widget=forms.TextInput(attrs=PLAIN)
    )
    keep_alias = forms.BooleanField(
        label=gettext_lazy("Keep the old address as an alias"),
        required=False,
        help_text=gettext_lazy("Without it, mail to the old address is refused, and the address can be given anew."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._domains = access.domains(user)

    def clean_address(self) -> str:
        try:
            address = normal_address(self.cleaned_data["address"])
        except BadAddress as error:
            raise ValidationError(address_error.sentence(error), "address") from error
        domain = address.rpartition("@")[2]
        if not self._domains.filter(name=domain).exists():
            raise ValidationError(_("%(domain)s is not one of your domains.") % {"domain": domain}, "domain")
        return address


class RenameDomain(LookAlikeForm):
    """A new name. A name that is no domain name is refused by the directory."""

    name = forms.CharField(
        label=gettext_lazy("New name"), max_length=DOMAIN_OCTETS, widget=forms.TextInput(attrs=PLAIN)
    )
