"""Whether mail can be stored and read now, for /readyz; it changes nothing."""

from __future__ import annotations

from django.db import DatabaseError, InterfaceError

from mailstore import bodies, conf
from mailstore.models import Body
from mailstore.store import damage

RECENT_BODIES = 100  # whose files are looked at: what a command wrote as another user a moment ago is among them


def body_store() -> None:
    """Raise Unavailable or StorageFull when the body store cannot take a body, or its owner cannot read the newest."""
    store = bodies.from_url(conf.load().mail_store_url)
    store.require_usable(_recent_keys())
    store.probe()


def bodies_are_damaged() -> bool:
    """True where the check of all bodies has found one that is not whole. False while the database is away."""
    try:
        return damage.bodies().exists()
    except (DatabaseError, InterfaceError):
        return False


def _recent_keys() -> list[str]:
    """None while the database is away: that is another check's to tell."""
    try:
        return list(Body.objects.order_by("-pk").values_list("key", flat=True)[:RECENT_BODIES])
    except (DatabaseError, InterfaceError):
        return []
