"""Who acts by these pages, and what is found for him: what he may not see is 404, and his try is in the audit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from mailstore.models import Alias, Domain, Mailbox, User
from mailstore.store import audit
from mailstore.store.audit import Actor
from popadmin.signin.access import signed_in

KEY_DIGITS = 18  # of a primary key at most: below the end of a bigint
TOLD_AT_MOST = 20  # rows of one try that the audit names; more of them say nothing new

Row = TypeVar("Row", bound=Model)


def actor(request: HttpRequest) -> Actor:
    """Who acts, for the store's actions: the person who is signed in, and where he is."""
    user: User = signed_in(request)
    return Actor(user.address, "web", user, request.META.get("REMOTE_ADDR") or None)


def find(request: HttpRequest, rows: QuerySet[Row], **which: Any) -> Row:
    """The one of `rows`, which are those that this person may see; anything else is 404, see `deny`."""
    row = rows.filter(**which).first()
    return deny(request, rows.model, **which) if row is None else row


def deny(request: HttpRequest, model: type[Model], **which: Any) -> NoReturn:
    """404. Where others have such a row, somebody has tried his luck with a number: each is told to the audit."""
    for row in model._default_manager.filter(**which)[:TOLD_AT_MOST]:
        audit.record(actor(request), "denied", str(row), **_of(row), path=request.path, method=request.method)
    raise Http404


def _of(row: Model) -> dict[str, Any]:
    """Whose the row is, and who so reads that somebody tried to reach it."""
    if isinstance(row, Mailbox):
        return {"mailbox": row}
    if isinstance(row, Alias):
        return {"within": row.domain}
    return {"within": row} if isinstance(row, Domain) else {}


def find_all(request: HttpRequest, rows: QuerySet[Row], keys: Iterable[int]) -> QuerySet[Row]:
    """Those of `rows` with these primary keys. A key of somebody else's is as in `find`; one that is gone is not."""
    wanted = set(keys)
    found = rows.filter(pk__in=wanted)
    missing = wanted - set(found.values_list("pk", flat=True))
    if missing and rows.model._default_manager.filter(pk__in=missing).exists():
        deny(request, rows.model, pk__in=missing)
    return found


def keys(texts: Iterable[str]) -> set[int]:
    """The primary keys that a form has sent; what cannot be one is left out."""
    return {int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= KEY_DIGITS}
