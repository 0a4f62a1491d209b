"""The snapshot law against a model: whatever devices and deliveries do in whatever order, each session sees the
maildrop of its first moment to its end, and every counter is the sum of its rows."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from django.utils import timezone

from mailstore.directory import devices
from mailstore.models import Device, Mailbox, Message
from mailstore.ports import Maildrop
from tests.site.mail import Mail, assert_counters_are_sums
from tests.site.rows import ACTOR, PASSWORD, a_mailbox

ANN = "ann@example.org"
ROUNDS = 120
COUNTING = {"independent", "primary"}


@dataclass
class Model:
    """What PRODUCT.md says of views: the live mail, and what each device has hidden."""

    modes: dict[str, str]
    live: list[str] = field(default_factory=list)
    hidden: dict[str, set[str]] = field(default_factory=dict)

    def seen_by(self, device: str) -> list[str]:
        return [uidl for uidl in self.live if uidl not in self.hidden[device]]

    def remove(self, device: str, uidls: list[str]) -> None:
        if self.modes[device] == "primary":
            self._take_away(uidls)
            return
        self.hidden[device].update(uidls)
        if self.modes[device] in COUNTING:
            counting = [name for name, mode in self.modes.items() if mode in COUNTING]
            self._take_away([uidl for uidl in uidls if all(uidl in self.hidden[name] for name in counting)])

    def _take_away(self, uidls: list[str]) -> None:
        self.live = [uidl for uidl in self.live if uidl not in uidls]


@dataclass
class Open:
    """A session, and what it must see to its end."""

    device: str
    drop: Maildrop
    uidls: list[str]


@pytest.mark.req("P-051")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "modes",
    [
        {"main": "primary"},
        {"main": "independent", "phone": "independent"},
        {"main": "primary", "phone": "independent", "spy": "peek"},
        {"main": "independent", "phone": "independent", "tablet": "independent", "spy": "peek"},
    ],
    ids=lambda modes: "-".join(modes.values()),
)
def test_every_session_sees_the_maildrop_of_its_first_moment(mail: Mail, modes: dict[str, str], seed: int) -> None:
    chance = random.Random(seed)
    secrets = _devices(modes)
    model = Model(modes, hidden={name: set() for name in modes})
    sessions: list[Open] = []
    for _ in range(ROUNDS):
        act = chance.choice(("deliver", "deliver", "open", "open", "remove", "look"))
        if act == "deliver":
            mail.deliver(ANN, b"x" * chance.randrange(2000) + b"\r\n")
            model.live.append(Message.objects.latest("added").uidl)
        elif act == "open" or not sessions:
            device = chance.choice(list(modes))
            sessions.append(Open(device, mail.open(ANN, secrets[device]), model.seen_by(device)))
        elif act == "look":
            session = chance.choice(sessions)
            assert mail.uidls(session.drop) == session.uidls
        else:
            session = sessions.pop(chance.randrange(len(sessions)))
            marked = [n for n in range(1, session.drop.messages + 1) if chance.random() < 0.4]
            if marked:
                assert mail.remove(session.drop, *marked) == len(marked)
                model.remove(session.device, [session.uidls[n - 1] for n in marked])
    for session in sessions:
        assert mail.uidls(session.drop) == session.uidls
    for device, secret in secrets.items():
        assert mail.uidls(mail.open(ANN, secret)) == model.seen_by(device)
    assert list(Message.objects.filter(removed=None).order_by("added").values_list("uidl", flat=True)) == model.live
    assert Mailbox.objects.get().messages == len(model.live)
    assert_counters_are_sums()


def _devices(modes: dict[str, str]) -> dict[str, str]:
    """Make the mailbox with its devices; return the secret of each."""
    a_mailbox()
    secrets = {"main": PASSWORD}
    for name in [name for name in modes if name != "main"]:
        secrets[name] = devices.add(ANN, name, actor=ACTOR, mode=modes[name])[1]
    # The main password counts while it signs in to POP.
    Device.objects.filter(main=True).update(mode=modes["main"], last_sign_in_at=timezone.now())
    return secrets
