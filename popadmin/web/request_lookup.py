"""The actor of a request, and the rows that they may see. Other rows are 404, and the audit records the attempt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from mailstore.directory import audit
from mailstore.directory.audit import Actor
from mailstore.models import Alias, Domain, Mailbox, User
from popadmin.web.people import signed_in

DENIED_ROWS_MOST = 20  # that the audit names for one attempt; more would say nothing new
# From a row that belongs to a domain: the path to the users who administer it.
_ADMINS: dict[type[Model], str] = {
    Alias: "domain__grants__user",
    Domain: "grants__user",
    Mailbox: "domain__grants__user",
}

Row = TypeVar("Row", bound=Model)


def actor(request: HttpRequest) -> Actor:
    """Return the actor for what changes rows: the signed-in user, and their IP address."""
    user: User = signed_in(request)
    return Actor(user.address, "web", user, request.META.get("REMOTE_ADDR") or None)


class Removed(Exception):
    """The user may see the row, but somebody has removed it since the page was shown."""

    def __init__(self, row: Mailbox | Domain) -> None:
        super().__init__(str(row))
        self.row = row


def find(request: HttpRequest, rows: QuerySet[Row], *, removed: QuerySet[Any] | None = None, **criteria: Any) -> Row:
    """Return one of `rows`, which are the rows that this user may see. Raise 404 otherwise, see `deny`.

    `removed` are the removed rows that they may see: one of these raises Removed, which the admin pages handle.
    """
    row = rows.filter(**criteria).first()
    if row is not None:
        return row
    if removed is not None and (resting := removed.filter(**criteria).first()) is not None:
        raise Removed(resting)
    return deny(request, _others(request, rows.model, **criteria))


def deny(request: HttpRequest, rows: QuerySet[Any]) -> NoReturn:
    """Raise 404. `rows` belong to others: the audit records the attempt for each of them."""
    for row in rows[:DENIED_ROWS_MOST]:
        audit.record(actor(request), "denied", str(row), **_audit_scope(row), path=request.path, method=request.method)
    raise Http404


def _others(request: HttpRequest, model: type[Model], **criteria: Any) -> QuerySet[Any]:
    """Return the rows of others that match, existing or removed. An own row that is gone is no attempt."""
    rows = model._default_manager.filter(**criteria)
    if model not in _ADMINS:
        return rows
    user = signed_in(request)
    return rows.none() if user.role == User.Role.ADMIN else rows.exclude(**{_ADMINS[model]: user})


def _audit_scope(row: Model) -> dict[str, Any]:
    """Return what the audit entry belongs to: it decides who sees the attempt."""
    if isinstance(row, Mailbox):
        return {"mailbox": row}
    if isinstance(row, Alias):
        return {"within": row.domain}
    return {"within": row} if isinstance(row, Domain) else {}


def find_all(request: HttpRequest, rows: QuerySet[Row], keys: Iterable[int]) -> QuerySet[Row]:
    """Return the rows with these keys. A row of somebody else is denied as in `find`. Missing rows are skipped."""
    wanted = set(keys)
    found = rows.filter(pk__in=wanted)
    missing = wanted - set(found.values_list("pk", flat=True))
    if missing and (others := _others(request, rows.model, pk__in=missing)).exists():
        deny(request, others)
    return found
