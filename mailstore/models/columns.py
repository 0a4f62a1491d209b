"""Types and expressions of columns that several tables share."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.lookups import Contains

from mailstore.policy.plain_text import fold

# Addresses with letters that may look like others (directory/look_alikes.py). Indexes and queries share it: Postgres
# takes a partial index only for the same condition.
NOT_ASCII = models.Q(address__regex="[^ -~]")


class ChangeRanges(models.Field[str, str]):
    """A set of change numbers as Postgres keeps it (int8multirange), read and written as its text form."""

    def db_type(self, connection: Any) -> str:
        return "int8multirange"

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> str | None:
        if value is None:  # an outer join that found no row
            return None
        return value if isinstance(value, str) else "{" + ",".join(f"[{r.lower},{r.upper})" for r in value) + "}"


def plain(*texts: str | models.Func) -> models.Func:
    """Return SQL: the texts in one line, without accents and in lower case, as `plain_text.fold` does it here."""
    return models.Func(*texts, function="mailstore_plain", arg_joiner=" || ' ' || ", output_field=models.TextField())


def has_words(words: str, *texts: str | models.Func) -> models.Q:
    """Return a condition: each of the words is in any of the texts, in any order, as `plain` writes them."""
    searched, found = plain(*texts), models.Q()
    for word in fold(words).split():
        found &= models.Q(Contains(searched, word))
    return found


def joined(texts: str) -> models.Func:
    """Return SQL: the texts of an array, joined by blanks. An index may use our function, but not that of Postgres."""
    return models.Func(texts, function="mailstore_joined", output_field=models.TextField())
