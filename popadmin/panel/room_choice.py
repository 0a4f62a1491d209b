"""Which policies make room in a full mailbox, and how much each would free now: for the page that chooses one."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from mailstore.models import Mailbox, RetentionPolicy
from mailstore.policy.retention import Leaving
from mailstore.retention import forecast
from popadmin.web import mailbox_state

POLICIES_MOST = 5  # each is tried on copies of the mailbox's mail


@dataclass(frozen=True, slots=True)
class Relieving:
    """A policy that makes room. `followed`: the mailbox follows it already.

    `frees` is what the next sweep would remove; None if that is too much to count, or if the mailbox is not full yet.
    """

    policy: RetentionPolicy
    frees: Leaving | None
    followed: bool


@dataclass(frozen=True, slots=True)
class RoomChoice:
    """The ways to make room in a mailbox; `more` counts policies that make room and are not tried."""

    mailbox: Mailbox
    full: bool
    ways: tuple[Relieving, ...]
    more: int


def of(mailbox: Mailbox, policies: QuerySet[RetentionPolicy]) -> RoomChoice | None:
    """Return which of the policies make room in the mailbox; None if it has enough, or a hold keeps all its mail."""
    if mailbox.held or not mailbox_state.is_nearly_full(mailbox):
        return None
    making_room = list(policies.exclude(relief=RetentionPolicy.Relief.NEVER).order_by("name"))
    followed = _followed(mailbox)
    full = mailbox_state.is_full(mailbox)
    ways = tuple(
        Relieving(policy, forecast.relief_of_mailbox(mailbox, policy) if full else None, policy.pk == followed)
        for policy in making_room[:POLICIES_MOST]
    )
    return RoomChoice(mailbox, full, ways, len(making_room) - len(ways))


def _followed(mailbox: Mailbox) -> int | None:
    own = mailbox.policy_id or mailbox.domain.policy_id
    return own or RetentionPolicy.objects.filter(site=True).values_list("pk", flat=True).first()
