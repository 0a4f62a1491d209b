"""Known networks: from where each user signed in within a month, so that strangers' guesses do not hold up whoever
comes from there. Written in batches; the sweep forgets what is older."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from mailstore.models.users import User


class KnownNetwork(models.Model):
    """One user in one network (/24 or /48, or "unix"); late by a day at most."""

    # No constraint: its check would make a batch of sightings wait for a user's row that a form holds.
    user = models.ForeignKey(User, models.CASCADE, db_constraint=False, db_index=False)
    network = models.CharField(max_length=64)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("known network")
        verbose_name_plural = _("known networks")
        # Every sign-in that a worker has not noted itself looks for its pair.
        constraints = [models.UniqueConstraint(fields=["user", "network"], name="known_network_once_per_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.network}"
