"""Count the renames of mailboxes and domains, so that a lookup of several statements knows of one between them."""

from __future__ import annotations

from django.db.models import F

from mailstore.models import RenameCount


def add() -> None:
    """Count one more, in the transaction that renames. Called with all aliases locked: one transaction counts."""
    if not RenameCount.objects.update(renames=F("renames") + 1):
        RenameCount.objects.create(renames=1)
