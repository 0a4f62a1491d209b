"""The acting user, and rows they may see: anything else is 404, and an attempt is recorded in the audit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from mailstore.directory import audit
from mailstore.directory.audit import Actor
from mailstore.models import Alias, Domain, Mailbox, User
from popadmin.web.people import signed_in

TOLD_AT_MOST = 20  # rows of one attempt that the audit names; more say nothing new
# Of what is a domain admin's by his domains: the way to who administers it.
_GRANTED: dict[type[Model], str] = {
    Alias: "domain__grants__user",
    Domain: "grants__user",
    Mailbox: "domain__grants__user",
}

Row = TypeVar("Row", bound=Model)


def actor(request: HttpRequest) -> Actor:
    """Return the actor for the store's actions: the signed-in user, and their IP address."""
    user: User = signed_in(request)
    return Actor(user.address, "web", user, request.META.get("REMOTE_ADDR") or None)


class Removed(Exception):
    """The row belongs to the user, but somebody has removed it since it was shown."""

    def __init__(self, row: Mailbox | Domain) -> None:
        super().__init__(str(row))
        self.row = row


def find(request: HttpRequest, rows: QuerySet[Row], *, removed: QuerySet[Any] | None = None, **which: Any) -> Row:
    """Return one of `rows`, which are those that this user may see; otherwise 404, see `deny`.

    `removed` are their removed rows: one of them raises Removed, which the admin pages handle.
    """
    row = rows.filter(**which).first()
    if row is not None:
        return row
    if removed is not None and (resting := removed.filter(**which).first()) is not None:
        raise Removed(resting)
    return deny(request, _others(request, rows.model, **which))


def deny(request: HttpRequest, rows: QuerySet[Any]) -> NoReturn:
    """Raise 404. If the key belongs to a row of somebody else, each such attempt is recorded in the audit."""
    for row in rows[:TOLD_AT_MOST]:
        audit.record(actor(request), "denied", str(row), **_of(row), path=request.path, method=request.method)
    raise Http404


def _others(request: HttpRequest, model: type[Model], **which: Any) -> QuerySet[Any]:
    """Return such rows of anybody else, existing or removed: a page that is merely out of date is no attempt."""
    rows = model._default_manager.filter(**which)
    if model not in _GRANTED:
        return rows
    user = signed_in(request)
    return rows.none() if user.role == User.Role.ADMIN else rows.exclude(**{_GRANTED[model]: user})


def _of(row: Model) -> dict[str, Any]:
    """Return whose row it is, and who will see the attempt in the audit."""
    if isinstance(row, Mailbox):
        return {"mailbox": row}
    if isinstance(row, Alias):
        return {"within": row.domain}
    return {"within": row} if isinstance(row, Domain) else {}


def find_all(request: HttpRequest, rows: QuerySet[Row], keys: Iterable[int]) -> QuerySet[Row]:
    """Return the rows with these keys. A key of another user's row is as in `find`; missing ones are skipped."""
    wanted = set(keys)
    found = rows.filter(pk__in=wanted)
    missing = wanted - set(found.values_list("pk", flat=True))
    if missing and (others := _others(request, rows.model, pk__in=missing)).exists():
        deny(request, others)
    return found
