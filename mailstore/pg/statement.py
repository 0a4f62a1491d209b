"""One SQL statement of the mail path: its text, its named parameters, and the comment that says how it is used.

The SQL is written with names (`:mailbox_id`). `statement` compiles them to `$n` once, when the module is imported, so
that a call only puts its values in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from textwrap import dedent, indent

from psycopg import pq

TEXT = pq.Format.TEXT
BINARY = pq.Format.BINARY

Parameters = Sequence[bytes | None]

# A string, a cast, or a name: what stands in a string or behind a double colon is no parameter.
_TOKEN = re.compile(r"'(?:[^']|'')*'|::|:([a-z][a-z0-9_]*)")
_BYTEA = re.compile(r":([a-z][a-z0-9_]*)::bytea\b(?!\[)")


@dataclass(frozen=True, slots=True)
class Comment:
    """What a reader of a statement must know: purpose, caller, meaning of each parameter, locks and round trips."""

    purpose: str
    caller: str
    parameters: Mapping[str, str]
    locks: str
    round_trips: str


NO_COMMENT = Comment("", "", {}, "", "")  # of a statement that is made by hand


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement under the name it is prepared as. `formats` is per parameter, `binary` is for the result."""

    name: bytes
    sql: str
    formats: tuple[pq.Format, ...] | None = None
    binary: bool = False
    names: tuple[str, ...] = ()
    comment: Comment = NO_COMMENT
    _order: Callable[[Mapping[str, bytes | None]], Parameters] = lambda _named: ()

    def values(self, **named: bytes | None) -> Parameters:
        """Return the values in the order of the parameters. TypeError or KeyError unless exactly these are given."""
        if len(named) != len(self.names):
            raise TypeError(f"{self.name.decode()} takes {self.names}, not {tuple(named)}")
        return self._order(named)

    def text(self) -> str:
        """Return the statement as it is executed, below its comment."""
        return f"{comment_lines(self.name.decode(), self.comment, '${place} {name}: ')}\n{dedent(self.sql).strip()};\n"


def statement(
    name: str,
    sql: str,
    *,
    purpose: str,
    caller: str,
    locks: str,
    round_trips: str,
    parameters: Mapping[str, str] | None = None,
    binary: bool = False,
) -> Statement:
    """Compile a statement with named parameters; `parameters` gives their order and meaning.

    A parameter that the SQL casts to bytea is sent in binary, all others as text. `binary` is for the result.
    ValueError where the SQL and `parameters` do not name the same.
    """
    meanings = parameters or {}
    names = tuple(meanings)
    return Statement(
        name.encode(),
        numbered(sql, names),
        _formats(sql, names),
        binary,
        names,
        make_comment(purpose=purpose, caller=caller, parameters=meanings, locks=locks, round_trips=round_trips),
        _in_order(names),
    )


def numbered(sql: str, names: Sequence[str]) -> str:
    """Return the SQL with `$n` for each of these names. ValueError where it uses another name, or not all of them."""
    used: set[str] = set()

    def number(token: re.Match[str]) -> str:
        name = token[1]
        if name is None:
            return token[0]
        used.add(name)
        return f"${names.index(name) + 1}" if name in names else token[0]

    compiled = _TOKEN.sub(number, sql)
    if used != set(names):
        raise ValueError(f"the SQL names {sorted(used)}, its parameters are {sorted(names)}")
    return compiled


def _formats(sql: str, names: Sequence[str]) -> tuple[pq.Format, ...] | None:
    """None stands for text alone, so that libpq is told nothing."""
    binary = set(_BYTEA.findall(sql))
    return tuple(BINARY if name in binary else TEXT for name in names) if binary else None


def _in_order(names: Sequence[str]) -> Callable[[Mapping[str, bytes | None]], Parameters]:
    """`itemgetter` does the work of a call in C; it returns a tuple from two names on."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda named: tuple([named[name] for name in names])


def make_comment(*, purpose: str, caller: str, parameters: Mapping[str, str], locks: str, round_trips: str) -> Comment:
    """Return a comment. Its texts may have line breaks, which become blanks."""
    return Comment(
        purpose=_line(purpose),
        caller=_line(caller),
        parameters={key: _line(text) for key, text in parameters.items()},
        locks=locks,
        round_trips=round_trips,
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def comment_lines(statement_name: str, comment: Comment, label: str) -> str:
    """Return the comment as lines of SQL. `label` begins the line of a parameter: `${place} {name}: `."""
    lines = [f"{statement_name}: {comment.purpose}", f"Caller: {comment.caller}"]
    lines += [f"Parameters:{'' if comment.parameters else ' none'}"]
    for place, (name, meaning) in enumerate(comment.parameters.items(), 1):
        lines.append(f"  {label.format(place=place, name=name)}{meaning}")
    lines += [f"Locks: {comment.locks}", f"Round trips: {comment.round_trips}"]
    return indent("\n".join(lines), "-- ")
