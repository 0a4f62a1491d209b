"""A statement on mail that runs on Django's connection: its text on given tables, and the comment that says how it is
used.

Its parameters are named as psycopg names them (`%(mailbox)s`). Statements of the mail path are in `pg/statement.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import dedent

from mailstore.pg.statement import Comment, comment_lines, make_comment
from mailstore.sql.tables import REAL, Tables

_PARAMETER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True, eq=False)
class DjangoStatement:
    """One statement. `on` returns its SQL for a pass on the real tables, or for a dry run on copies."""

    name: str
    on: Callable[[Tables], str]
    comment: Comment

    @property
    def sql(self) -> str:
        """Return the SQL on the real tables."""
        return self.on(REAL)

    def text(self) -> str:
        """Return the statement on the real tables, below its comment."""
        return f"{comment_lines(self.name, self.comment, '%({name})s: ')}\n{dedent(self.sql).strip()};\n"


def django_statement(
    name: str,
    on: Callable[[Tables], str],
    *,
    purpose: str,
    caller: str,
    parameters: Mapping[str, str],
    locks: str,
    round_trips: str,
) -> DjangoStatement:
    """Return a statement. ValueError where its SQL and `parameters` do not name the same."""
    used = set(_PARAMETER.findall(on(REAL)))
    if used != set(parameters):
        raise ValueError(f"the SQL of {name} names {sorted(used)}, its parameters are {sorted(parameters)}")
    comment = make_comment(purpose=purpose, caller=caller, parameters=parameters, locks=locks, round_trips=round_trips)
    return DjangoStatement(name, on, comment)
