"""Let everything that names an address name another: targets of aliases, and the addresses that users recover by.

Called in a transaction that has locked the aliases (`alias_loop.lock`) and changed the addresses of mailboxes already.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Func, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.query import QuerySet

from mailstore.directory import alias_loop
from mailstore.models import Alias, MailedCode, User
from mailstore.policy.addresses import DELIMITER

# A LIKE reads no index here. It takes some milliseconds for each ten thousand aliases.
_NAMES_IT = "(named.address = %(address)s OR named.address LIKE %(pattern)s AND named.address <> ALL(%(others)s))"
_REPLACE = f"""
UPDATE mailstore_alias AS a SET targets = (
       SELECT array_agg(target.address ORDER BY target.place)
         FROM (SELECT CASE WHEN {_NAMES_IT}
                           THEN %(new_start)s
                                || substr(left(named.address, -length(%(ending)s)), length(%(start)s) + 1)
                                || %(new_ending)s
                           ELSE named.address END AS address, min(named.place) AS place
                 FROM unnest(a.targets) WITH ORDINALITY AS named (address, place)
                GROUP BY 1) AS target)
 WHERE EXISTS (SELECT FROM unnest(a.targets) AS named (address) WHERE {_NAMES_IT})
"""


@dataclass(frozen=True, slots=True)
class _Change:
    """One address, or with an empty `start` all addresses that end so. What is between start and ending stays."""

    start: str
    ending: str
    new_start: str
    new_ending: str


def follow_address(old: str, new: str) -> None:
    """Replace one address, also where a detail follows its local part (`ann+lists@example.org`).

    Rejected when an alias would then lead back to itself.
    """
    change = _Change(*_halves(old), *_halves(new))
    with_detail = f"{_escaped(change.start + DELIMITER)}%{_escaped(change.ending)}"
    _follow(change, address=old, pattern=with_detail, reached=_escaped(new))
    for rows, field in _recovery_addresses():
        rows.filter(**{field: old}).update(**{field: new})


def follow_domain(old: str, new: str) -> None:
    """Replace a domain in all addresses. Rejected when an alias would then lead back to itself."""
    change = _Change("", f"@{old}", "", f"@{new}")
    _follow(change, address="", pattern=f"%{_escaped(change.ending)}", reached=f"%{_escaped(change.new_ending)}")
    for rows, field in _recovery_addresses():
        rows.filter(**{f"{field}__endswith": change.ending}).update(**{field: in_domain(field, new)})


def in_domain(field: str, domain: str) -> Func:
    """Return the address in this field with another domain, as an expression."""
    ending = Value("@[^@]*$"), Value(f"@{domain}")
    return Func(field, *ending, function="regexp_replace", output_field=TextField())


def _follow(change: _Change, *, address: str, pattern: str, reached: str) -> None:
    """Replace the targets. Only an alias that named a new address before can now lead back to itself."""
    before = _naming(reached)
    parameters: dict[str, Any] = {
        "address": address,
        "pattern": pattern,
        "others": sorted(_own(pattern)) if change.start else [],
        "start": change.start,
        "ending": change.ending,
        "new_start": change.new_start,
        "new_ending": change.new_ending,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE, parameters)
    for alias in Alias.objects.filter(pk__in=before).order_by("pk"):
        alias_loop.refuse(alias.address, alias.targets)


def _naming(pattern: str) -> list[int]:
    """Return the keys of the aliases with a target of this form."""
    sql = "EXISTS (SELECT FROM unnest(mailstore_alias.targets) AS named (address) WHERE named.address LIKE %s)"
    naming = RawSQL(sql, [pattern], output_field=BooleanField())  # noqa: S611 - the text is a constant
    return list(Alias.objects.filter(naming).values_list("pk", flat=True))


def _own(pattern: str) -> set[str]:
    """Return the addresses of this form that are mailboxes or aliases of their own."""
    like = RawSQL("address LIKE %s", [pattern], output_field=BooleanField())
    models: Iterable[type[User] | type[Alias]] = (User, Alias)
    return {address for model in models for address in model.objects.filter(like).values_list("address", flat=True)}


def _recovery_addresses() -> list[tuple[QuerySet[User] | QuerySet[MailedCode], str]]:
    users = User.objects.all()
    return [(users, "recovery_address"), (users, "invitation_address"), (MailedCode.objects.all(), "address")]


def _halves(address: str) -> tuple[str, str]:
    local_part, at, domain = address.rpartition("@")
    return local_part, at + domain


def _escaped(text: str) -> str:
    """Return the text for LIKE, which would read some of its characters as a pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
