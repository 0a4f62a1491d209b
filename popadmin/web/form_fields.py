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
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from mailstore.directory import address_error
from mailstore.models import Domain
from mailstore.policy import old_server
from mailstore.policy.addresses import BadAddress, normal_domain
from mailstore.policy.old_server import URL_CHARACTERS, BadOldServer
from mailstore.policy.quota import BadSize, SizeFlaw, format_octets, is_no_limit, parse_octets

PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}  # for names and addresses
ADDRESS = re.compile(r'(?:"[^"\n]*"|[^\s,;])+')  # blanks and commas separate addresses, except in quotation marks
DOMAIN_CHARACTERS = 254
_UNITS = {
    "B": gettext_lazy("bytes"),
    "KB": pgettext_lazy("unit", "KB"),
    "MB": pgettext_lazy("unit", "MB"),
    "GB": pgettext_lazy("unit", "GB"),
    "TB": pgettext_lazy("unit", "TB"),
}
_USUAL_UNITS = ("MB", "GB")  # the others are offered only beside a size that needs them
_BARE_NUMBER = re.compile(r"[0-9][0-9.,\s]*")
_AMBIGUOUS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(?![0-9])")  # 1,500 is 1500 in English and 1.5 in French
_WITH_UNIT = re.compile(r"(.*[0-9])\s*([KMGT]?[BO]|[KMGT](?:i[BO]?)?|octets?|bytes?)", re.IGNORECASE)


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


class TypedSize(str):
    """What was typed into the box of a size and is no number, with the unit that was chosen beside it."""

    unit: str

    @classmethod
    def beside(cls, unit: str, text: str) -> TypedSize:
        typed = cls(text)
        typed.unit = unit
        return typed


class SizeInput(forms.TextInput):
    """A box for a number, and its unit beside it; the value is the text of both: `500 MB`.

    Text in the box that has a unit of its own, or is no number, stands as it is; the chosen unit stays beside it.
    """

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        text, unit = data.get(name), data.get(f"{name}_unit")
        if text is None or unit not in _UNITS:
            return text
        if not _BARE_NUMBER.fullmatch(text.strip()):
            return TypedSize.beside(unit, text)
        return f"{text.strip()} {unit}"

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        number, unit = _number_and_unit(value if isinstance(value, str) else "")
        box = super().render(name, number, {**(attrs or {}), "inputmode": "decimal"}, renderer)
        names = [(code, label) for code, label in _UNITS.items() if code in (*_USUAL_UNITS, unit)]
        unit_attrs = {"class": "form-select", "id": f"{(attrs or {}).get('id', name)}_unit", "aria-label": _("Unit")}
        unit_choice = forms.Select(unit_attrs, names).render(f"{name}_unit", unit, None, renderer)
        return format_html('<div class="size">{}{}</div>', box, unit_choice)


class SizeField(forms.CharField):
    """A size in octets, or None for no limit: an empty field, or the word none.

    Each size that the field shows reads back exactly. English and French users write sizes as they do elsewhere;
    mailstore.policy.quota has the rules. A number without a unit is never taken as octets.
    """

    widget = SizeInput(attrs={"placeholder": gettext_lazy("no limit"), "autocomplete": "off"})

    def to_python(self, value: Any) -> int | None:  # type: ignore[override]  # a size, not text
        text = str(value or "").strip()
        if not text or is_no_limit(text):
            return None
        if _AMBIGUOUS.match(text):
            raise ValidationError(_("Write the number without a thousands separator: 1500, or 1.5."), "comma")
        try:
            return _octets("".join(text.split()).replace(",", "."))
        except BadSize as error:
            raise ValidationError(_error_text(error), "size") from error

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        text = format_octets(value)
        return f"{text} B" if text.isdecimal() else " ".join(_number_and_unit(text))

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


class ServerField(forms.CharField):
    """The URL of a POP3 server in its shortest form, or None."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {**PLAIN, "placeholder": "pop3s://mail.old.example"}
        super().__init__(
            max_length=URL_CHARACTERS, empty_value=None, widget=forms.TextInput(attrs=attributes), **kwargs
        )

    def clean(self, value: Any) -> str | None:
        text = super().clean(value)
        try:
            return None if text is None else old_server.parse(text).url
        except BadOldServer as error:
            raise ValidationError(address_error.server_sentence(text), "server") from error


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
    if error.flaw is SizeFlaw.NO_SIZE:
        return _("Write a number, such as 500 or 1.5.")
    return address_error.size_sentence(error)


def _octets(text: str) -> int | None:
    """Read a size; a bare number, of which the user has chosen no unit, is refused whatever it is."""
    octets = parse_octets(text)
    if _BARE_NUMBER.fullmatch(text):
        raise BadSize(SizeFlaw.NO_UNIT, text)
    return octets


def _number_and_unit(text: str) -> tuple[str, str]:
    """Split a size as somebody wrote it into its number and the code of its unit.

    Where it has none, that is the unit that was chosen, else gigabytes.
    """
    parts = _WITH_UNIT.fullmatch(text.strip())
    if parts is None:
        return text, text.unit if isinstance(text, TypedSize) else "GB"
    prefix = parts[2][0].upper()
    return parts[1], f"{prefix}B" if prefix in "KMGT" else "B"
