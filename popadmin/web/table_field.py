"""The fields of forms, made from the tables of fields in `mailstore.directory.fields`, by the kind of each."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from mailstore.directory.fields.field import Field, Kind
from mailstore.directory.policies import DAYS_AT_MOST
from mailstore.models import RetentionPolicy
from popadmin.web.form_fields import AddressesField, DomainField, LastDayField, ServerField, SizeField

NOTE_ROWS = 3
NUMBER_ERRORS = {
    "invalid": gettext_lazy("Write a whole number."),
    "min_value": gettext_lazy("Write %(limit_value)s or more."),
    "max_value": gettext_lazy("Write %(limit_value)s or less."),
}

AnyForm = TypeVar("AnyForm", bound=type[forms.Form])


def label(field: Field) -> Any:
    """Return the label of a field with a capital letter, as lazy text."""
    return capfirst(field.label)  # type: ignore[type-var]  # of lazy text it makes lazy text


def label_and_help(field: Field) -> dict[str, Any]:
    """Return the label and the help of a field in a form. The label is the prompt of the field if it has one."""
    return {"label": label(field) if field.prompt is None else field.prompt, "help_text": field.help or ""}


def form_field(field: Field) -> forms.Field:
    """Return a form's field for a field of a table."""
    return _MAKERS[field.kind](field, **label_and_help(field))


def with_fields(*fields: Field) -> Callable[[AnyForm], AnyForm]:
    """Decorate a class of forms: it gets these fields before its own. Its own fields win where names are equal."""

    def decorate(form: AnyForm) -> AnyForm:
        added = {field.name: form_field(field) for field in fields}
        form.base_fields = {**added, **form.base_fields}
        form.declared_fields = form.base_fields  # subclasses inherit from these
        return form

    return decorate


def others(form: forms.BaseForm, named: Collection[str]) -> list[forms.BoundField]:
    """Return the fields that the template does not name. It shows them too, so that no new field is forgotten."""
    return [bound for bound in form.visible_fields() if bound.name not in named]


def _text(field: Field, **texts: Any) -> forms.Field:
    if field.several_lines:
        texts["widget"] = forms.Textarea(attrs={"rows": NOTE_ROWS})
    return forms.CharField(max_length=field.most_characters, required=False, **texts)


def _switch(field: Field, **texts: Any) -> forms.Field:
    return forms.BooleanField(required=False, initial=field.default, **texts)


def _number(field: Field, **texts: Any) -> forms.Field:
    return _whole_number(field, field.most, required=False, **texts)


def _days(field: Field, **texts: Any) -> forms.Field:
    return _whole_number(field, DAYS_AT_MOST, **texts)


def _days_or_never(field: Field, **texts: Any) -> forms.Field:
    days = _whole_number(field, DAYS_AT_MOST, required=False, **texts)
    days.widget.attrs["placeholder"] = gettext_lazy("never")
    return days


def _whole_number(field: Field, most: int, **texts: Any) -> forms.Field:
    return forms.IntegerField(min_value=field.least, max_value=most, error_messages=NUMBER_ERRORS, **texts)


def _choice(field: Field, **texts: Any) -> forms.Field:
    return forms.ChoiceField(choices=field.choices_with_labels, initial=field.default, **texts)


_MAKERS: dict[Kind, Callable[..., forms.Field]] = {
    Kind.TEXT: _text,
    Kind.SWITCH: _switch,
    Kind.SIZE: lambda _field, **texts: SizeField(required=False, **texts),
    Kind.COUNT: _number,
    Kind.DAYS: _days,
    Kind.DAYS_OR_NEVER: _days_or_never,
    Kind.CHOICE: _choice,
    Kind.POLICY: lambda _field, **texts: forms.ModelChoiceField(
        RetentionPolicy.objects.none(), required=False, **texts
    ),
    Kind.DOMAIN: lambda _field, **texts: DomainField(required=False, **texts),
    Kind.SERVER: lambda _field, **texts: ServerField(required=False, **texts),
    Kind.LAST_DAY: lambda _field, **texts: LastDayField(required=False, **texts),
    Kind.ADDRESSES: lambda _field, **texts: AddressesField(**texts),
}
