"""Refused names in the database of the tests."""

from __future__ import annotations

from django.db.models import QuerySet

from mailstore.models import RefusedName


def heard() -> QuerySet[RefusedName]:
    """All but those that the shared listener may still write: what it heard from an earlier test on this machine."""
    return RefusedName.objects.exclude(network="127.0.0.0/24", protocol="pop3")
