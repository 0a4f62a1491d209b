"""The parts of the site as the overview tells of them: who is at work, when the sweep ran."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Value
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore.models import Heartbeat, SweepPass
from mailstore.store import damage
from mailstore.store.damage import Damaged

SWEEP = "sweep"
POP3_SETTINGS = ("POP3_LISTEN", "POP3S_LISTEN", "POP3_PROXY_LISTEN", "POP3S_PROXY_LISTEN")
SILENT = timedelta(minutes=2)  # four beats of a part
SWEPT = timedelta(hours=26)  # a daily timer, and what it may be late
NAMED = 50  # damaged messages; what is beyond them is counted


@dataclass(frozen=True, slots=True)
class Part:
    """One that should be at work; `seen_at` None: nobody has heard of it."""

    label: Promise
    seen_at: datetime | None
    good: bool


def parts() -> list[Part]:
    now = timezone.now()
    last_pass = SweepPass.objects.order_by("-pk").values_list(Value(SWEEP), "ended_at")[:1]
    beats = dict(Heartbeat.objects.values_list("part", "seen_at").union(last_pass, all=True))
    expected = (
        ("pop3", _("POP3"), any(getattr(settings, name) for name in POP3_SETTINGS)),
        ("lmtp", _("LMTP"), bool(settings.LMTP_LISTEN)),
    )
    found = [_part(label, beats.get(name), now - SILENT) for name, label, wanted in expected if wanted or name in beats]
    return [*found, _part(_("Sweep"), beats.get(SWEEP), now - SWEPT)]


@dataclass(frozen=True, slots=True)
class StoredMail:
    """How many bodies are damaged, and the first messages that have them."""

    damaged: int
    named: list[Damaged]


def stored_mail(named: int = NAMED) -> StoredMail:
    found = damage.bodies()
    return StoredMail(found.count(), damage.messages(named, found) if named else [])


def _part(label: Promise, seen_at: datetime | None, since: datetime) -> Part:
    return Part(label, seen_at, seen_at is not None and seen_at > since)
