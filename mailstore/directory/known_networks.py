"""The networks from which users signed in to the pages within a month. POP3 writes its own sign-ins."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from mailstore.models import KnownNetwork, User
from mailstore.policy.networks import KNOWN_DAYS, NETWORKS_LIMIT, network


def known(address: str, client: str) -> bool:
    """Return whether the user signed in from that network. One query, whether or not the user exists."""
    since = timezone.now() - timedelta(days=KNOWN_DAYS)
    return KnownNetwork.objects.filter(user__address=address, network=network(client), seen_at__gt=since).exists()


def note(user: User, client: str) -> None:
    """Note a successful sign-in."""
    if KnownNetwork.objects.filter(user=user).exclude(network=network(client)).count() < NETWORKS_LIMIT:
        row = KnownNetwork(user=user, network=network(client), seen_at=timezone.now())
        KnownNetwork.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["user", "network"], update_fields=["seen_at"]
        )
