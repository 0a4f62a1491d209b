"""The fields of forms, made from the tables of fields in `mailstore.directory.fields`, by the kind of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from mailstore.directory.fields.field import Field, Kind
from mailstore.directory.policies import DAYS_AT_MOST
from mailstore.models import RetentionPolicy
from popadmin.web.form_fields import AddressesField, DomainField, LastDayField, SizeField

NOTE_ROWS = 3

AnyForm = TypeVar("AnyForm", bound=type[forms.Form])


def label(field: Field) -> Any:
    """Return what a field is called at the begin of a line, as lazy text."""
    return capfirst(field.label)  # type: ignore[type-var]  # of lazy text it makes lazy text


def words(field: Field) -> dict[str, Any]:
    """Return the label and the help of a form's field. The label is the field's prompt where it has one."""
    return {"label": label(field) if field.prompt is None else field.prompt, "help_text": field.help or ""}


def form_field(field: Field) -> forms.Field:
    """Return a form's field for one of a table."""
    return _MAKERS[field.kind](field, **words(field))


def with_fields(*fields: Field) -> Callable[[AnyForm], AnyForm]:
    """Give a class of forms these fields before its own; one of its own with the same name stays."""

    def decorate(form: AnyForm) -> AnyForm:
        made = {field.name: form_field(field) for field in fields}
        form.base_fields = {**made, **form.base_fields}
        form.declared_fields = form.base_fields  # subclasses inherit from these
        return form

    return decorate


def _text(field: Field, **said: Any) -> forms.Field:
    if field.several_lines:
        said["widget"] = forms.Textarea(attrs={"rows": NOTE_ROWS})
    return forms.CharField(max_length=field.most_characters, required=False, **said)


def _switch(field: Field, **said: Any) -> forms.Field:
    return forms.BooleanField(required=False, initial=field.default, **said)


def _number(field: Field, **said: Any) -> forms.Field:
    return forms.IntegerField(required=False, min_value=field.least, max_value=field.most, **said)


def _days(field: Field, **said: Any) -> forms.Field:
    return forms.IntegerField(min_value=field.least, max_value=DAYS_AT_MOST, **said)


def _days_or_never(field: Field, **said: Any) -> forms.Field:
    made = forms.IntegerField(required=False, min_value=field.least, max_value=DAYS_AT_MOST, **said)
    made.widget.attrs["placeholder"] = gettext_lazy("never")
    return made


def _choice(field: Field, **said: Any) -> forms.Field:
    return forms.ChoiceField(choices=field.choices_with_labels, initial=field.default, **said)


_MAKERS: dict[Kind, Callable[..., forms.Field]] = {
    Kind.TEXT: _text,
    Kind.SWITCH: _switch,
    Kind.SIZE: lambda _field, **said: SizeField(required=False, **said),
    Kind.COUNT: _number,
    Kind.DAYS: _days,
    Kind.DAYS_OR_NEVER: _days_or_never,
    Kind.CHOICE: _choice,
    Kind.POLICY: lambda _field, **said: forms.ModelChoiceField(RetentionPolicy.objects.none(), required=False, **said),
    Kind.DOMAIN: lambda _field, **said: DomainField(required=False, **said),
    Kind.LAST_DAY: lambda _field, **said: LastDayField(required=False, **said),
    Kind.ADDRESSES: lambda _field, **said: AddressesField(**said),
}
