"""The forms of an administrator: create, grant domains. The directory validates the values."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import address_error
from mailstore.directory.fields.domain import ADMIN
from mailstore.models import Domain
from mailstore.policy.addresses import ADDRESS_OCTETS, BadAddress, normal_domain
from popadmin.web import table_field
from popadmin.web.form_fields import PLAIN, Option, OptionField

HOST, DOMAINS = "host", "domains"
SEPARATORS = re.compile(r"[\s,;]+")
DOMAINS_CHARACTERS = 10_000


class DomainNames(forms.CharField):
    """Names of existing domains, in any spelling, separated by blanks or commas."""

    def clean(self, value: Any) -> list[str]:
        return [_existing(name) for name in SEPARATORS.split(super().clean(value)) if name]


class NewAdmin(forms.Form):
    login = forms.CharField(
        label=gettext_lazy("Login"),
        error_messages={"required": gettext_lazy("Write a name, like anna, or the address of a mailbox.")},
        max_length=ADDRESS_OCTETS,
        widget=forms.TextInput(attrs={"autofocus": True, **PLAIN}),
        help_text=gettext_lazy("A name or an address. A mailbox owner keeps the password of the mailbox."),
    )
    kind = OptionField(
        (
            Option(DOMAINS, gettext_lazy("Domain admin"), gettext_lazy("Manages some domains and sees nothing else.")),
            Option(HOST, gettext_lazy("Hosting admin"), gettext_lazy("Manages everything.")),
        ),
        label=gettext_lazy("Kind"),
        initial=DOMAINS,
    )
    domains = DomainNames(
        required=False,
        max_length=DOMAINS_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 2, **PLAIN}),
        **table_field.label_and_help(ADMIN["domains"]),
    )

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data.get("domains")
        if self.cleaned_data.get("kind") == DOMAINS and given == []:
            self.add_error("domains", _("Name at least one domain."))
        if self.cleaned_data.get("kind") == HOST and given:
            self.add_error("domains", _("A hosting admin manages every domain: leave this empty."))
        return self.cleaned_data


class GrantDomains(forms.Form):
    domains = DomainNames(
        label=gettext_lazy("More domains"), max_length=DOMAINS_CHARACTERS, widget=forms.TextInput(attrs=PLAIN)
    )


def _existing(name: str) -> str:
    try:
        stored = normal_domain(name)
    except BadAddress as error:
        raise ValidationError(address_error.sentence(error), "domain") from error
    if not Domain.objects.filter(name=stored, removed_at=None).exists():
        raise ValidationError(_("%(domain)s is not a domain of this site.") % {"domain": name}, "domain")
    return stored
