"""Whether mail can be stored now, for /readyz; it changes nothing."""

from __future__ import annotations

from mailstore import bodies, conf


def body_store() -> None:
    """Raise Unavailable or StorageFull when the body store cannot take a body."""
    bodies.from_url(conf.load().mail_store_url).probe()
