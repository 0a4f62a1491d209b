"""A site of random rows, and a model of where its mail should go, written from the words of the product."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain

from django.utils import timezone

from mailstore.models import Alias, Domain, Mailbox, User

ORG, OFF, GONE = "example.org", "off.example", "gone.example"
NET, NET_OFF = "example.net", "net-off.example"  # both stand for ORG
OUTSIDE = ("a@elsewhere.example", "b@elsewhere.example")
DETAIL = "+news"
LEVELS = 4  # an alias leads to names of later levels only, so no circle arises and LMTP can follow it


@dataclass(slots=True)
class Place:
    """What one address is: a mailbox, an alias, or both, which is a forward. `None`: it is not."""

    box: Mailbox | None = None
    alias: Alias | None = None


@dataclass(slots=True)
class GeneratedSite:
    """The rows by address. `names` are all addresses that a test should ask for, known or not."""

    places: dict[str, Place] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def found(self, name: str) -> Place | None:
        """The place that answers for a name, without anything in it where nobody does; None for a name outside."""
        local_part, _at, domain = name.rpartition("@")
        if domain in {GONE, "elsewhere.example"}:
            return None
        if domain in {OFF, NET_OFF}:
            return Place()
        for key in (local_part, local_part.partition("+")[0], ""):
            place = self.places.get(f"{key}@{ORG}")
            if place is not None and (place.box or place.alias):
                return place
        return Place()

    def ends(self, name: str) -> set[str]:
        """Everybody who should get one message to this name: mailboxes by their address, and addresses outside."""
        return self._ends(name, set())

    def _ends(self, name: str, met: set[str]) -> set[str]:
        place = self.found(name)
        if name in met:
            return set()
        met.add(name)
        if place is None:
            return {name}
        if place.box and not place.box.receives:
            return set()
        targets = [t for t in place.alias.targets if t not in place.alias.unconfirmed] if place.alias else []
        own = {place.box.user.address} if place.box and (not targets or place.alias.keep_copy) else set()
        return own.union(*(self._ends(target, met) for target in targets))


def generate(seed: int) -> GeneratedSite:
    """Insert the rows; the same seed makes the same site."""
    chance = random.Random(seed)
    domains = _domains()
    site = GeneratedSite()
    boxes = [_mailbox(site, f"box{number}@{ORG}", domains[ORG], chance) for number in range(6)]
    _mailbox(site, f"box@{OFF}", domains[OFF], chance)
    names = {level: [f"alias{level}{letter}@{ORG}" for letter in "abc"] for level in range(LEVELS)}
    names[LEVELS] = [*boxes, *OUTSIDE, f"nobody@{ORG}", f"x@{GONE}", f"box@{OFF}", f"box5@{NET}", f"box5@{NET_OFF}"]
    for level in range(LEVELS):
        later = [name for onward in range(level + 1, LEVELS + 1) for name in names[onward]]
        for address in names[level]:
            _alias(site, address, domains[ORG], chance.choices(later, k=chance.randint(1, 4)), chance)
    # Forwards lead to mailboxes of higher numbers, or outside.
    for number, address in enumerate(boxes[:-1]):
        if chance.random() < 0.5:
            onward = [*boxes[number + 1 :], *OUTSIDE]
            _alias(site, address, domains[ORG], chance.choices(onward, k=chance.randint(1, 2)), chance)
    if chance.random() < 0.7:
        _alias(site, f"@{ORG}", domains[ORG], [chance.choice([boxes[-1], OUTSIDE[0]])], chance)
    local_parts = [address.rpartition("@")[0] for address in [*chain(*names.values())]]
    site.names = sorted({f"{part}{more}@{name}" for part in local_parts for more in ("", DETAIL) for name in domains})
    return site


def _domains() -> dict[str, Domain]:
    org = Domain.objects.create(name=ORG)
    return {
        ORG: org,
        NET: Domain.objects.create(name=NET, stands_for=org),
        NET_OFF: Domain.objects.create(name=NET_OFF, stands_for=org, active=False),
        OFF: Domain.objects.create(name=OFF, active=False),
        GONE: Domain.objects.create(name=GONE, removed_at=timezone.now()),
    }


def _mailbox(site: GeneratedSite, address: str, domain: Domain, chance: random.Random) -> str:
    """Make a mailbox; one in six is removed, one in six receives nothing, one in six has a suspended user."""
    state = chance.choice(["", "", "", "removed", "deaf", "suspended"])
    user = User.objects.create(address=address, password="!", is_active=state != "suspended")
    removed_at = timezone.now() if state == "removed" else None
    box = Mailbox.objects.create(user=user, domain=domain, receives=state != "deaf", removed_at=removed_at)
    site.places[address] = Place(box=None if removed_at else box)
    return address


def _alias(site: GeneratedSite, address: str, domain: Domain, targets: list[str], chance: random.Random) -> None:
    """Make an alias, or a forward where a mailbox has the address, also a removed one; some are not in effect."""
    box = Mailbox.objects.filter(user__address=address).first()
    state = chance.choice(["", "", "", "", "off", "expired"])
    alias = Alias.objects.create(
        address=address,
        domain=domain,
        targets=list(dict.fromkeys(targets)),
        mailbox=box,
        keep_copy=box is not None and chance.random() < 0.5,
        active=state != "off",
        expires_at=timezone.now() + timedelta(days=-1 if state == "expired" else 1),
        unconfirmed=[t for t in dict.fromkeys(targets) if t in OUTSIDE and box and chance.random() < 0.3],
    )
    if not state and not (box and box.removed_at):
        site.places.setdefault(address, Place()).alias = alias
