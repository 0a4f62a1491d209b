"""What is known of one field of a domain, mailbox or other row, and a table of them.

The options of the shell, JSON, files of mailboxes, forms, bulk changes and the words of the audit are made from the
tables in the modules beside this one. A new field needs its column in the model, a row in the table, its type in the
dictionary below the table, and a migration. `tests/directory/test_fields.py` fails where a surface lacks a field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, TextField
from django.utils.functional import Promise


class Kind(Enum):
    """What the values of a field are. It decides how a shell, a file and a form read and write them."""

    TEXT = "text"
    SWITCH = "switch"
    SIZE = "octets, or None for no limit"
    COUNT = "a number, or None for no limit"
    DAYS = "a number of days"
    DAYS_OR_NEVER = "a number of days, or None for never"
    CHOICE = "one of the model's choices"
    POLICY = "a RetentionPolicy, or None for none of its own"
    DOMAIN = "a Domain, or None"
    LAST_DAY = "the end of a day, or None for ever"
    ADDRESSES = "a list of addresses"


class Setter(Enum):
    """Who may set a field at all; which rows, is decided by the pages."""

    HOST = "hosting admins"
    ADMIN = "hosting admins and the admins of the domain"
    OWNER = "these, and the owner of the mailbox"


class Surface(Enum):
    """Where a field is set or shown. The audit has every field."""

    SHELL = "an option of a command"
    JSON = "a key of what a command prints"
    FILE = "a column of a file of mailboxes"
    FORM = "a field of a form on a page"
    BULK = "a switch that is set for many rows at once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. What is left out follows from its name and from the column of its model.

    `name` is its name in the `ensure` of its subject, in forms, bulk changes and the audit. `column` is that of the
    model where it differs, `negated` where the column says the opposite. `holder` is the attribute of the row that
    has the column, where the row has it not itself.
    """

    name: str
    kind: Kind
    model: type[Model]
    setter: Setter = Setter.ADMIN
    absent: tuple[Surface, ...] = ()
    column: str = ""
    negated: bool = False
    holder: str = ""
    own_label: Promise | None = None
    prompt: Promise | None = None
    help: Promise | None = None
    least: int = 0
    most: int = 10**9
    values: tuple[str, ...] = ()
    private: bool = False
    options: tuple[str, ...] = ()
    option_help: str = ""
    key: str = ""
    headings: tuple[str, ...] = ()

    @property
    def label(self) -> Promise:
        """What people call it, in the middle of a sentence. Files, forms, bulk changes and the audit use it."""
        label: Promise = self.own_label if self.own_label is not None else self._of_model().verbose_name
        return label

    @property
    def default(self) -> Any:
        """The value in a new row; None where the model has no such column."""
        found = self._of_model()
        value = found.get_default() if found is not None else None
        return not value if self.negated else value

    @property
    def choices(self) -> tuple[str, ...]:
        return self.values or tuple(value for value, _label in self.choices_with_labels)

    @property
    def choices_with_labels(self) -> list[tuple[str, Promise]]:
        return list(self._of_model().choices)

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

    @property
    def shell_options(self) -> tuple[str, ...]:
        """The option of commands; of a switch the two that set it to true and to false."""
        if self.options:
            return self.options
        word = self.name.replace("_", "-")
        return (f"--{word}", f"--no-{word}") if self.kind is Kind.SWITCH else (f"--{word}",)

    @property
    def json_key(self) -> str:
        return self.key or self.name

    @property
    def file_headings(self) -> tuple[str, ...]:
        """What headers of files call it beside its label, in lower case."""
        return self.headings or (self.name, self.name.replace("_", " "))

    def value(self, row: Model) -> Any:
        """Return the value that a row has."""
        holder = getattr(row, self.holder) if self.holder else row
        return self.from_column(getattr(holder, self.column_name))

    def from_column(self, value: Any) -> Any:
        """Turn a value of the column into one of the field; the same turns it back."""
        return not value if self.negated else value

    def json_value(self, row: Model) -> Any:
        """Return the value as JSON has it: policies and domains by their names, times in ISO 8601."""
        value = self.value(row)
        write = _AS_JSON.get(self.kind)
        return value if value is None or write is None else write(value)

    def _of_model(self) -> Any:
        """The field of Django's model. Any: what its stubs know of it depends on the model."""
        try:
            return self.model._meta.get_field(self.column_name)
        except FieldDoesNotExist:
            return None


_AS_JSON: dict[Kind, Callable[[Any], Any]] = {
    Kind.POLICY: lambda policy: policy.name,
    Kind.DOMAIN: lambda domain: domain.name,
    Kind.LAST_DAY: lambda moment: moment.isoformat(),
}


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
        """The fields that the surface has."""
        return tuple(field for field in self.fields if surface not in field.absent)

    def names(self, *kinds: Kind) -> tuple[str, ...]:
        """The names of the fields of these kinds, of all where none is given."""
        return tuple(field.name for field in self.fields if not kinds or field.kind in kinds)

    def set_by_hosts(self) -> tuple[str, ...]:
        """The names of the fields that hosting admins alone set."""
        return tuple(field.name for field in self.fields if field.setter is Setter.HOST)
