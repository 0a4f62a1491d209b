"""The certificates of this machine, with their ends: for the overview and for monitors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.utils import timezone

SOON = timedelta(days=14)  # a certificate that is renewed by itself was, by then
CERTIFICATES_MOST = 500


@dataclass(frozen=True, slots=True)
class Certificate:
    """`ends_at` None: it cannot be read."""

    name: str
    ends_at: datetime | None

    @property
    def good(self) -> bool:
        return self.ends_at is not None and self.ends_at > timezone.now() + SOON

    @property
    def ended(self) -> bool:
        return self.ends_at is None or self.ends_at <= timezone.now()


def certificates() -> list[Certificate]:
    """The site's, and those by name; the first to end comes first."""
    files = [(settings.PUBLIC_HOSTNAME, settings.TLS_CERT_FILE)] if settings.TLS_CERT_FILE.is_file() else []
    if settings.TLS_SNI_DIR is not None:
        named = sorted(settings.TLS_SNI_DIR.glob("*/fullchain.pem"))[:CERTIFICATES_MOST]
        files += [(file.parent.name, file) for file in named]
    found = [Certificate(name, _ends_at(file, _changed_at(file))) for name, file in files]
    return sorted(found, key=lambda one: (one.ends_at or datetime.min.replace(tzinfo=UTC), one.name))


def _changed_at(file: Path) -> int:
    """0 of a file that went meanwhile: it is told as what cannot be read."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=2 * CERTIFICATES_MOST)
def _ends_at(file: Path, _changed_at: int) -> datetime | None:
    """Read once for each change of the file."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None
