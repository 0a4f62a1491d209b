"""Types and expressions of columns that several tables share."""

from __future__ import annotations

from typing import Any

from django.db import models

# Of an address: letters that may look like others (directory/look_alikes.py). The same words find its index.
NOT_ASCII = models.Q(address__regex="[^ -~]")


class ChangeRanges(models.Field[str, str]):
    """A set of change numbers as Postgres keeps it (int8multirange), read and written as its text form."""

    def db_type(self, connection: Any) -> str:
        return "int8multirange"

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> str | None:
        if value is None:  # a row that an outer join has not found
            return None
        return value if isinstance(value, str) else "{" + ",".join(f"[{r.lower},{r.upper})" for r in value) + "}"


def joined(texts: str) -> models.Func:
    """The texts of a column's array, with blanks between; a function of ours, as Postgres' own is in no index."""
    return models.Func(texts, function="mailstore_joined", output_field=models.TextField())
