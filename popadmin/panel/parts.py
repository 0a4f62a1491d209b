"""The parts of the site as the overview tells of them: who is at work, when the sweep ran, what certificates end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore.models import Heartbeat, SweepPass

SILENT = timedelta(minutes=2)  # four beats of a part
SWEPT = timedelta(hours=26)  # a daily timer, and what it may be late
SOON = timedelta(days=14)  # a certificate that is renewed by itself was, by then
CERTIFICATES_MOST = 500


@dataclass(frozen=True, slots=True)
class Part:
    """One that should be at work; `seen_at` None: nobody has heard of it."""

    label: Promise
    seen_at: datetime | None
    good: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """`ends_at` None: it cannot be read."""

    name: str
    ends_at: datetime | None

    @property
    def good(self) -> bool:
        return self.ends_at is not None and self.ends_at > timezone.now() + SOON


def parts() -> list[Part]:
    now = timezone.now()
    beats = dict(Heartbeat.objects.values_list("part", "seen_at"))
    expected = (
        ("pop3", _("POP3"), bool(settings.POP3_LISTEN or settings.POP3S_LISTEN)),
        ("lmtp", _("LMTP"), bool(settings.LMTP_LISTEN)),
    )
    found = [_part(label, beats.get(name), now - SILENT) for name, label, wanted in expected if wanted or name in beats]
    swept = SweepPass.objects.order_by("-pk").values_list("ended_at", flat=True).first()
    return [*found, _part(_("Sweep"), swept, now - SWEPT)]


def certificates() -> list[Certificate]:
    """Of this machine: the site's, and those by name; the first to end comes first."""
    files = [(settings.PUBLIC_HOSTNAME, settings.TLS_CERT_FILE)] if settings.TLS_CERT_FILE.is_file() else []
    if settings.TLS_SNI_DIR is not None:
        named = sorted(settings.TLS_SNI_DIR.glob("*/fullchain.pem"))[:CERTIFICATES_MOST]
        files += [(file.parent.name, file) for file in named]
    found = [Certificate(name, _ends_at(file, file.stat().st_mtime_ns)) for name, file in files]
    return sorted(found, key=lambda one: (one.ends_at or datetime.min.replace(tzinfo=UTC), one.name))


def _part(label: Promise, seen_at: datetime | None, since: datetime) -> Part:
    return Part(label, seen_at, seen_at is not None and seen_at > since)


@lru_cache(maxsize=2 * CERTIFICATES_MOST)
def _ends_at(file: Path, _changed_at: int) -> datetime | None:
    """Read once for each change of the file."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None
