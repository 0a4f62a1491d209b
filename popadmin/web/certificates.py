"""The certificates of this machine and when they expire: for the overview and for monitors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from mailstore import keypair
from mailstore.keypair import Fault, Kind

SOON = timedelta(days=14)  # certificates that renew themselves do so earlier
CERTIFICATES_MOST = 500
FAULTS = {
    Kind.MISSING: _("%(file)s is missing"),
    Kind.CLOSED: _("%(file)s cannot be read by the user %(user)s"),
    Kind.UNREADABLE: _("%(file)s cannot be read"),
    Kind.NO_CERTIFICATE: _("%(file)s holds no certificate in PEM form"),
    Kind.NO_KEY: _("%(file)s holds no private key in PEM form"),
    Kind.ENCRYPTED: _("%(file)s is encrypted: store the key without a password"),
    Kind.MISMATCH: _("%(file)s is the key of another certificate"),
    Kind.REFUSED: _("%(file)s is refused by OpenSSL"),
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for the host `name`. `ends_at` is None if it cannot be read, `changed_at` if its file cannot.

    `hosts` are the names in it. `fault` is why the listener cannot load it at its next start or reload.
    """

    name: str
    ends_at: datetime | None
    fault: Fault | None = None
    hosts: tuple[str, ...] = ()
    changed_at: datetime | None = None

    @property
    def good(self) -> bool:
        return not self.fault and self.ends_at is not None and self.ends_at > timezone.now() + SOON

    @property
    def ended(self) -> bool:
        return self.fault is not None or self.ends_at is None or self.ends_at <= timezone.now()

    @property
    def fits(self) -> bool:
        """Return whether programs that connect to the host accept the names in the certificate (RFC 6125 §6.4)."""
        host = self.name.lower()
        return not self.hosts or host in self.hosts or f"*.{host.partition('.')[2]}" in self.hosts

    @property
    def wrong(self) -> bool:
        """Return whether a person must act: it ends soon, is not usable, or is for other hosts."""
        return not self.good or not self.fits

    @property
    def remedy(self) -> StrOrPromise:
        """Return what to do, as a sentence for a page; empty if there is nothing to do."""
        if self.fault is not None or self.ends_at is None:
            return _("Repair the file, then reload popadmin.")
        if not self.good:
            return _("Renew it, then reload popadmin.")
        return "" if self.fits else _("Replace it by one for this host, then reload popadmin.")

    @property
    def state(self) -> StrOrPromise:
        """Return in a few words what is wrong; empty if nothing is."""
        if self.fault is not None or self.ends_at is None:
            return _("cannot be used")
        if not self.good:
            return _("has ended") if self.ended else _("ends soon")
        return "" if self.fits else _("is for other hosts")

    @property
    def reason(self) -> str:
        """Return the fault as text for a page."""
        return FAULTS[self.fault.kind] % {"file": self.fault.file, "user": self.fault.user} if self.fault else ""


def certificates() -> list[Certificate]:
    """Return the site's certificate and those by name; the first to expire comes first."""
    found = [*_site(), *_by_name()]
    return sorted(found, key=lambda each: (each.ends_at or datetime.min.replace(tzinfo=UTC), each.name))


def _site() -> Iterator[Certificate]:
    if not keypair.missing(settings.TLS_CERT_FILE):
        yield _certificate(settings.PUBLIC_HOSTNAME, settings.TLS_CERT_FILE, settings.TLS_KEY_FILE)


def _by_name() -> Iterator[Certificate]:
    """Return the certificates in TLS_SNI_DIR; one row for the folder itself if it cannot be read."""
    names = settings.TLS_SNI_DIR
    if names is None:
        return
    try:
        folders = keypair.folders(names)
    except keypair.Unusable as error:
        yield Certificate("TLS_SNI_DIR", None, error.fault)
        return
    for folder in folders[:CERTIFICATES_MOST]:
        yield _certificate(folder.name, folder / keypair.CERTIFICATE, folder / keypair.KEY)


def _certificate(name: str, cert_file: Path, key_file: Path) -> Certificate:
    return _read(name, cert_file, key_file, _changed_at(cert_file), _changed_at(key_file))


def _changed_at(file: Path) -> int:
    """Return when content, owner or mode changed; 0 if unknown."""
    try:
        return file.stat().st_ctime_ns
    except OSError:
        return 0


@lru_cache(maxsize=2 * CERTIFICATES_MOST)
def _read(name: str, cert_file: Path, key_file: Path, _cert_changed_at: int, _key_changed_at: int) -> Certificate:
    """Read the files once after each change."""
    fault = keypair.fault(cert_file, key_file)
    try:
        content = x509.load_pem_x509_certificate(cert_file.read_bytes())
        changed_at = datetime.fromtimestamp(cert_file.stat().st_mtime, UTC)
    except (OSError, ValueError):
        return Certificate(name, None, fault)
    return Certificate(name, content.not_valid_after_utc, fault, _hosts(content), changed_at)


def _hosts(content: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names of a certificate in lower case; empty where it has none, as older ones."""
    try:
        names = content.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(name.lower() for name in names.get_values_for_type(x509.DNSName))
