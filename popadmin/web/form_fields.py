"""Form fields of our own: addresses, sizes, a domain, a last day, options with a line that explains each."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from mailstore.directory import address_error
from mailstore.models import Domain
from mailstore.policy.addresses import BadAddress, normal_domain
from mailstore.policy.quota import BadSize, SizeFlaw, format_octets, parse_octets

PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}  # for names and addresses
ADDRESS = re.compile(r'(?:"[^"\n]*"|[^\s,;])+')  # blanks and commas separate addresses, except in quotation marks
DOMAIN_CHARACTERS = 254
_NO_LIMIT = re.compile(r"aucune?", re.IGNORECASE)  # in English parse_octets knows the word
_NUMBER_AND_UNIT = re.compile(r"([0-9]+)([KMGT]B)")


class AddressesField(forms.CharField):
    """A list of addresses, one per line or separated by commas."""

    widget = forms.Textarea(attrs={**PLAIN, "rows": 4})

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # addresses, not text
        if isinstance(value, list):
            return value
        return ADDRESS.findall(str(value or ""))

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)


class SizeField(forms.CharField):
    """A size in octets, or None for no limit: an empty field, or the word none.

    Each size that the field shows reads back exactly. English and French users write sizes as they do elsewhere;
    mailstore.policy.quota has the rules.
    """

    widget = forms.TextInput(attrs={"placeholder": gettext_lazy("no limit"), "autocomplete": "off"})

    def to_python(self, value: Any) -> int | None:  # type: ignore[override]  # a size, not text
        text = str(value or "").strip()
        if not text or _NO_LIMIT.fullmatch(text):
            return None
        try:
            return parse_octets("".join(text.split()).replace(",", "."))
        except BadSize as error:
            raise ValidationError(_error_text(error), "size") from error

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        text = format_octets(value)
        parts = _NUMBER_AND_UNIT.fullmatch(text)
        return f"{parts[1]} {pgettext('unit', parts[2])}" if parts else text

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class DomainField(forms.CharField):
    """One of the domains in `rows`, by its name in any form; None for an empty field."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=DOMAIN_CHARACTERS, widget=forms.TextInput(attrs=PLAIN), **kwargs)
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


class LastDayField(forms.DateField):
    """The last day of something. Its value is the end of that day, or None for no end."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def clean(self, value: Any) -> datetime.datetime | None:
        day = super().clean(value)
        return None if day is None else timezone.make_aware(datetime.datetime.combine(day, datetime.time.max))

    def prepare_value(self, value: Any) -> Any:
        return timezone.localtime(value).date() if isinstance(value, datetime.datetime) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(super().has_changed(self.prepare_value(initial), data))


@dataclass(frozen=True, slots=True)
class Option:
    """An option; `explanation` says what it does."""

    value: str
    label: Promise | str
    explanation: Promise | str = ""


class OptionField(forms.ChoiceField):
    """A choice with a line of explanation for each option, shown as radio buttons."""

    def __init__(self, options: Sequence[Option], **kwargs: Any) -> None:
        self.options = options
        super().__init__(choices=[(option.value, option.label) for option in options], **kwargs)
        self.template_name = "partials/options.html"


def _error_text(error: BadSize) -> str:
    """Return the error: both meanings of an ambiguous size, otherwise how to write a size."""
    if error.flaw in (SizeFlaw.NO_UNIT, SizeFlaw.ZERO):
        return address_error.size_sentence(error)
    return _("Write a size such as 500 MB or 1.5 GB, or leave it empty.")
