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
from mailstore.policy.quota import (
    BARE_OCTETS,
    BadSize,
    SizeFlaw,
    confirmed_octets,
    format_octets,
    is_no_limit,
    parse_octets,
)

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
    """What was typed for a size: the number with its unit, or text that stands as it is.

    `unit` was chosen beside such text. `confirmed`: a size below 1 MB is meant.
    """

    unit: str | None
    confirmed: bool

    @classmethod
    def of(cls, text: str, unit: str | None, *, confirmed: bool) -> TypedSize:
        whole = unit is not None and _BARE_NUMBER.fullmatch(text.strip()) is not None
        typed = cls(f"{text.strip()} {unit}" if whole else text)
        typed.unit, typed.confirmed = None if whole else unit, confirmed
        return typed


class SizeInput(forms.TextInput):
    """A box for a number, and its unit beside it; the value is the text of both: `500 MB`.

    Text in the box that has a unit of its own, or is no number, stands as it is; the chosen unit stays beside it. Below
    a size of less than 1 MB is a box to confirm it. What is stored already is confirmed.
    """

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        text, unit = data.get(name), data.get(f"{name}_unit")
        if text is None:
            return None
        return TypedSize.of(text, unit if unit in _UNITS else None, confirmed=f"{name}_small" in data)

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        text, id = value if isinstance(value, str) else "", (attrs or {}).get("id", name)
        number, unit = _number_and_unit(text)
        box = super().render(name, number, {**(attrs or {}), "inputmode": "decimal"}, renderer)
        names = [(code, label) for code, label in _UNITS.items() if code in (*_USUAL_UNITS, unit)]
        unit_attrs = {"class": "form-select", "id": f"{id}_unit", "aria-label": _("Unit")}
        unit_choice = forms.Select(unit_attrs, names).render(f"{name}_unit", unit, None, renderer)
        small = _confirmation(name, id, text, renderer) if _is_small(text) else ""
        return format_html('<div class="size">{}{}</div>{}', box, unit_choice, small)


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
            return _octets(_plain(text), small=isinstance(value, TypedSize) and value.confirmed)
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
    if error.flaw is SizeFlaw.SMALL:
        return _("Less than 1 MB is hardly room for a message. Tick the box below if it is meant.")
    return address_error.size_sentence(error)


def _plain(text: str) -> str:
    """Return a size as `parse_octets` reads it: without blanks, and with a point for a decimal comma."""
    return "".join(text.split()).replace(",", ".")


def _is_small(text: str) -> bool:
    try:
        octets = parse_octets(_plain(text))
    except BadSize:
        return False
    return octets is not None and octets < BARE_OCTETS


def _confirmation(name: str, id: str, text: str, renderer: Any) -> SafeString:
    """Return the box that confirms a size below 1 MB."""
    confirmed = text.confirmed if isinstance(text, TypedSize) else True
    attributes = {"class": "form-check-input", "id": f"{id}_small"}
    box = forms.CheckboxInput(attributes).render(f"{name}_small", confirmed, None, renderer)
    return format_html('<label class="say">{}<span>{}</span></label>', box, _("Less than 1 MB is meant"))


def _octets(text: str, *, small: bool) -> int | None:
    """Read a size; a bare number, of which the user has chosen no unit, is refused whatever it is."""
    octets = confirmed_octets(text, small=small)
    if _BARE_NUMBER.fullmatch(text):
        raise BadSize(SizeFlaw.NO_UNIT, text)
    return octets


def _number_and_unit(text: str) -> tuple[str, str]:
    """Split a size as somebody wrote it into its number and the code of its unit.

    Where it has none, that is the unit that was chosen, else gigabytes.
    """
    parts = _WITH_UNIT.fullmatch(text.strip())
    if parts is None:
        return text, (text.unit if isinstance(text, TypedSize) else None) or "GB"
    prefix = parts[2][0].upper()
    return parts[1], f"{prefix}B" if prefix in "KMGT" else "B"
