"""A field of a mailbox, domain or other row as data, and a table of such fields.

The options of the shell, JSON, files of mailboxes, forms, bulk changes and the words of the audit are made from the
tables in the modules beside this one. A new field needs its column in the model, a row in the table, its type in the
dictionary below the table, and a migration. `tests/directory/test_fields.py` fails where a surface lacks a field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Q, TextField
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst


class Kind(Enum):
    """The type of a field. It decides how the shell, files and forms read and write the values."""

    TEXT = "text"
    SWITCH = "switch"
    SIZE = "octets, or None for no limit"
    COUNT = "a number, or None for no limit"
    DAYS = "a number of days"
    DAYS_OR_NEVER = "a number of days, or None for never"
    CHOICE = "one of the model's choices"
    POLICY = "a RetentionPolicy, or None for none of its own"
    DOMAIN = "a Domain, or None"
    SERVER = "the URL of a POP3 server in its shortest form, or None"
    LAST_DAY = "the end of a day, or None for ever"
    ADDRESSES = "a list of addresses"


class Setter(Enum):
    """Who may set a field. The pages decide on which rows."""

    HOST = "hosting admins"
    ADMIN = "hosting admins and the admins of the domain"
    OWNER = "these, and the owner of the mailbox"


class Surface(Enum):
    """Where a field is set or shown. The audit has every field."""

    SHELL = "an option of a command"
    JSON = "a key of what a command prints"
    FILE = "a column of the files that lists export, and of those that are imported"
    FORM = "a field of a form on a page"
    BULK = "a switch that is set for many rows at once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. What is not given follows from the name and from the column of the model, default and label too."""

    name: str  # in the `ensure` of its subject, in forms, bulk changes and the audit
    kind: Kind
    model: type[Model]
    setter: Setter = Setter.ADMIN
    absent: tuple[Surface, ...] = ()
    column: str = ""  # of the model, if it has another name
    negated: bool = False  # the column says the opposite
    holder: str = ""  # the attribute of the row that has the column, if it is another row
    own_label: Promise | None = None  # if the model has no column, or the column says the opposite
    prompt: Promise | None = None  # what forms ask instead of showing the label
    help: Promise | None = None  # the line below it in a form
    least: int = 0  # of a number
    most: int = 10**9
    labels: tuple[tuple[str, Promise], ...] = ()  # of a choice, by its values, if the column has none or longer ones
    private: bool = False  # the audit, which the owner reads, has only the length of the text
    options: tuple[str, ...] = ()
    option_help: str = ""  # in English, as all of `--help`
    key: str = ""  # in JSON
    own_heading: Promise | None = None  # of the column in exported files, if not the label
    headings: tuple[str, ...] = ()  # that imported files may have beside the label, in lower case

    @property
    def label(self) -> Promise:
        """Return the name for people, in the middle of a sentence. Files, forms, bulk changes and the audit use it."""
        label: Promise = self.own_label if self.own_label is not None else self._of_model().verbose_name
        return label

    @property
    def heading(self) -> Promise:
        """Return the heading of the column in exported files."""
        return self.own_heading or capfirst(self.label)  # type: ignore[type-var]  # of lazy text it makes lazy text

    @property
    def default(self) -> Any:
        """Return the value in a new row; None where the model has no such column."""
        found = self._of_model()
        value = found.get_default() if found is not None else None
        return not value if self.negated else value

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(value for value, _label in self.choices_with_labels)

    @property
    def choices_with_labels(self) -> list[tuple[str, Promise]]:
        found = self._of_model()
        return list(self.labels if found is None else found.choices)

    @property
    def choice_labels(self) -> dict[str, Promise]:
        """Return the label of each value of a choice, for the pages; empty for other fields."""
        return dict(self.labels or self.choices_with_labels) if self.kind is Kind.CHOICE else {}

    @property
    def most_characters(self) -> int | None:
        most: int | None = self._of_model().max_length
        return most

    @property
    def several_lines(self) -> bool:
        return isinstance(self._of_model(), TextField)

    @property
    def column_name(self) -> str:
        return self.column or self.name

    def query(self, value: Any) -> Q:
        """Return the condition for rows that have this value."""
        place = f"{self.holder}__{self.column_name}" if self.holder else self.column_name
        return Q(**{place: self.from_column(value)})

    @property
    def shell_options(self) -> tuple[str, ...]:
        """Return the option of commands; of a switch the two that set it to true and to false."""
        if self.options:
            return self.options
        word = self.name.replace("_", "-")
        return (f"--{word}", f"--no-{word}") if self.kind is Kind.SWITCH else (f"--{word}",)

    @property
    def json_key(self) -> str:
        return self.key or self.name

    @property
    def file_headings(self) -> tuple[str, ...]:
        """Return the headings that imported files may have for it beside the label, in lower case."""
        return self.headings or (self.name, self.name.replace("_", " "))

    def value(self, row: Model) -> Any:
        """Return the value that a row has."""
        holder = getattr(row, self.holder) if self.holder else row
        return self.from_column(getattr(holder, self.column_name))

    def from_column(self, value: Any) -> Any:
        """Turn a value of the column into a value of the field. The same call turns it back."""
        return not value if self.negated else value

    def json_value(self, row: Model) -> Any:
        """Return the value as JSON has it: policies and domains by their names, times in ISO 8601."""
        value = self.value(row)
        write = _AS_JSON.get(self.kind)
        return value if value is None or write is None else write(value)

    def exported_value(self, row: Model) -> Any:
        """Return the value for an exported file: as in JSON, but a choice by its label, and a list in one cell."""
        value = self.json_value(row)
        if self.kind is Kind.CHOICE:
            return dict(self.choices_with_labels)[value]
        return " ".join(value) if self.kind is Kind.ADDRESSES else value

    def _of_model(self) -> Any:
        """Return the field of Django's model, or None. Its type depends on the model, hence Any."""
        try:
            return self.model._meta.get_field(self.column_name)
        except FieldDoesNotExist:
            return None


_AS_JSON: dict[Kind, Callable[[Any], Any]] = {
    Kind.POLICY: lambda policy: policy.name,
    Kind.DOMAIN: lambda domain: domain.name,
    Kind.LAST_DAY: lambda moment: moment.isoformat(),
}


def end_of_day(text: str) -> datetime:
    """Return the end of a day such as 2027-12-31, in the time zone of the site. ValueError if it is no day."""
    return timezone.make_aware(datetime.combine(date.fromisoformat(text), time.max))


@dataclass(frozen=True, slots=True)
class Table:
    """The fields of one kind of row, in the order in which people see them."""

    fields: tuple[Field, ...]

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    def __contains__(self, name: str) -> bool:
        return any(field.name == name for field in self.fields)

    def on(self, surface: Surface) -> tuple[Field, ...]:
        """Return the fields that the surface has."""
        return tuple(field for field in self.fields if surface not in field.absent)

    def names(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the names of the fields of these kinds, or of all fields if no kind is given."""
        return tuple(field.name for field in self.fields if not kinds or field.kind in kinds)

    def set_by_hosts(self) -> tuple[str, ...]:
        """Return the names of the fields that only hosting admins set."""
        return tuple(field.name for field in self.fields if field.setter is Setter.HOST)
