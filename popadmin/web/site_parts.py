"""The parts of the site, for the overview and for monitors: what runs, when the sweep ran last, the disks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Value
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore import conf
from mailstore.errors import MailError, StorageFull
from mailstore.integrity import readiness
from mailstore.integrity.heartbeat import SILENT
from mailstore.messages import damaged_bodies
from mailstore.messages.damaged_bodies import Damaged
from mailstore.messages.message_file import site_store
from mailstore.models import Heartbeat, SweepPass

POP3, LMTP, SASL, POLICY, MTA_LOG, SWEEP = "pop3", "lmtp", "sasl", "policy", "mta-log", "sweep"
LAST_SWEEP = "last pass"  # stands among the heartbeats: when the sweep ended a pass
LABELS = {
    POP3: _("POP3"),
    LMTP: _("LMTP"),
    SASL: _("SASL"),
    POLICY: _("Policy service"),
    MTA_LOG: _("Log of the mail server"),
    SWEEP: _("Sweep"),
}
SERVING = (POP3, LMTP, SASL, POLICY, SWEEP)  # without one of these the site does not do its work
PASS_INTERVAL = timedelta(hours=26)  # the interval of a daily timer, with some delay
LOW_SHARE = 20  # of a disk: below a twentieth it is low,
LOW_LEAST_OCTETS = 2**30  # below a gigabyte always,
LOW_MOST_OCTETS = 10 * 2**30  # and with more than ten never: mail comes too slowly to fill these in a week
NAMED = 50  # damaged messages that a page lists; it counts them all


@dataclass(frozen=True, slots=True)
class Part:
    """A part that should run. `seen_at` is its last heartbeat, None if there was none."""

    name: str
    label: Promise
    seen_at: datetime | None
    good: bool


def read_parts() -> list[Part]:
    """Read the heartbeats, and return the parts."""
    last_pass = SweepPass.objects.order_by("-pk").values_list(Value(LAST_SWEEP), "ended_at")[:1]
    beats = dict(Heartbeat.objects.values_list("part", "seen_at").union(last_pass, all=True))
    return parts(beats, beats.get(LAST_SWEEP))


def parts(beats: Mapping[str, datetime], swept_at: datetime | None) -> list[Part]:
    """Return the parts that the settings ask for or that have run, and the sweep, whose last pass ended then."""
    now = timezone.now()
    named = [name for name in LABELS if name != SWEEP and (name in beats or name in _running(beats))]
    return [
        *(Part(name, LABELS[name], beats.get(name), _has_beaten(name, beats, now)) for name in named),
        _sweep(beats, swept_at, now),
    ]


def silent(name: str) -> bool:
    """Return whether a part that this site runs has sent no heartbeat for two minutes.

    A site that is just starting gets these two minutes too: its pages may start before its listeners.
    """
    beats, now = dict(Heartbeat.objects.values_list("part", "seen_at")), timezone.now()
    if name not in _running(beats) or now - settings.SERVICE_STARTED_AT < SILENT:
        return False
    return not _has_beaten(name, beats, now)


@dataclass(frozen=True, slots=True)
class StoredMail:
    """How many bodies are damaged, and the first messages that have them."""

    damaged: int
    named: list[Damaged]


def stored_mail(named: int = NAMED) -> StoredMail:
    damaged = damaged_bodies.bodies()
    return StoredMail(damaged.count(), damaged_bodies.messages(named, damaged) if named else [])


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """How much room a disk has, in octets, and its number. None if it is not on this machine."""

    free_octets: int | None = None
    total_octets: int | None = None
    device: int | None = None

    @property
    def is_low(self) -> bool:
        """Return whether little room is left: a share of a small disk, a fixed amount of a large one."""
        if self.free_octets is None or self.total_octets is None:
            return False
        return self.free_octets < max(LOW_LEAST_OCTETS, min(self.total_octets // LOW_SHARE, LOW_MOST_OCTETS))


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk and where it is. `trouble` is None if it takes writes."""

    label: Promise
    place: str
    trouble: Promise | None
    room: DiskRoom


def disks() -> list[Disk]:
    """Return the disks of the database and of the mail. Each is tested with a small write."""
    database, mail = _places()
    return [
        Disk(_("Disk of the database"), database, _trouble(readiness.database_disk), _room(database)),
        Disk(_("Disk of the mail"), mail, _trouble(readiness.body_disk), _room(mail)),
    ]


def _places() -> tuple[str, str]:
    database = settings.DATABASES["default"]
    place = str(settings.DATA_DIR / "postgres") if settings.DATABASE_IS_PRIVATE else str(database.get("HOST", ""))
    return place, site_store().place()


def _room(place: str) -> DiskRoom:
    """Return the room where `place` is a folder of this machine; the folder of a socket is not that of the data."""
    if place == settings.DATABASES["default"].get("HOST") or not Path(place).is_dir():
        return DiskRoom()
    state = os.statvfs(place)
    return DiskRoom(state.f_bavail * state.f_frsize, state.f_blocks * state.f_frsize, Path(place).stat().st_dev)


def _running(beats: Mapping[str, datetime]) -> set[str]:
    """Return the parts that this site runs: most by their settings, and the sweep unless a timer starts it."""
    asked_for = {
        POP3: any(getattr(settings, name) for name in conf.POP3_VARIABLES),
        LMTP: settings.LMTP_LISTEN,
        SASL: settings.SASL_LISTEN,
        POLICY: settings.POLICY_LISTEN,
        MTA_LOG: settings.MTA_LOG,
    }
    return {name for name, setting in asked_for.items() if setting} | ({SWEEP} & beats.keys())


def _has_beaten(name: str, beats: Mapping[str, datetime], now: datetime) -> bool:
    return name in beats and beats[name] > now - SILENT


def _sweep(beats: Mapping[str, datetime], passed_at: datetime | None, now: datetime) -> Part:
    """Return the sweep. It is good if it sends heartbeats, or never did, and its last pass is not too long ago.

    A sweep that sends heartbeats may still make its first pass.
    """
    has_passed = passed_at is not None and passed_at > now - PASS_INTERVAL
    beats_well = _has_beaten(SWEEP, beats, now) and (has_passed or passed_at is None)
    return Part(
        SWEEP,
        LABELS[SWEEP],
        max(filter(None, (passed_at, beats.get(SWEEP))), default=None),
        beats_well if SWEEP in beats else has_passed,
    )


def _trouble(probe: Callable[[], None]) -> Promise | None:
    try:
        probe()
    except StorageFull:
        return _("full")
    except (MailError, DatabaseError):
        return _("cannot be written")
    return None
