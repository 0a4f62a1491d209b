"""The certificates that clients get, and when they expire: for the overview and for monitors.

The listeners say what they serve. Where none is at work, the files say what one will serve at its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from mailstore import conf, keypair, served_certificate
from mailstore.keypair import Fault, Kind, Pair
from mailstore.served_certificate import SITE, ServedCertificate

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
    Kind.SAME_KEY_KIND: _("%(file)s is for the same kind of key as the other certificate"),
    Kind.REFUSED: _("%(file)s is refused by OpenSSL"),
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for the host `name`. `ends_at` is None if it cannot be read, `changed_at` if its file cannot.

    `hosts` are the names in it, and `key_kind` is RSA or ECDSA. `fault` is why the present files cannot be used. Where
    it is `served`, clients get it in spite of that. `of_site`: it is for all names that have none of their own.
    """

    name: str
    ends_at: datetime | None
    fault: Fault | None = None
    hosts: tuple[str, ...] = ()
    changed_at: datetime | None = None
    key_kind: str = ""
    served: bool = False
    of_site: bool = False

    @property
    def good(self) -> bool:
        return not self.fault and self.ends_at is not None and self.ends_at > timezone.now() + SOON

    @property
    def ended(self) -> bool:
        if self.ends_at is None or (self.fault is not None and not self.served):
            return True
        return self.ends_at <= timezone.now()

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
            return _("Repair the file. It is served within a minute.")
        if not self.good:
            return _("Renew it. The new one is served within a minute.")
        return "" if self.fits else _("Replace it by one for this host. It is served within a minute.")

    @property
    def state(self) -> StrOrPromise:
        """Return in a few words what is wrong; empty if nothing is."""
        if self.fault is not None and self.served and not self.ended:
            return _("its renewal cannot be used")
        if self.ends_at is None or (self.fault is not None and not self.served):
            return _("cannot be used")
        if not self.good:
            return _("has ended") if self.ended else _("ends soon")
        return "" if self.fits else _("is for other hosts")

    @property
    def reason(self) -> str:
        """Return the fault as text for a page."""
        return FAULTS[self.fault.kind] % {"file": self.fault.file, "user": self.fault.user} if self.fault else ""


def certificates(reports: tuple[str, ...]) -> list[Certificate]:
    """Return the certificates of the site and those by name; the first to expire comes first.

    `reports` are what the listeners said that they serve.
    """
    found = [_of_listener(each) for each in served_certificate.parse(reports)] or [*_site(), *_by_name()]
    return sorted(found, key=lambda each: (each.ends_at or datetime.min.replace(tzinfo=UTC), each.name))


def _of_listener(each: ServedCertificate) -> Certificate:
    return _certificate(each, served=each.ends_at is not None)


def _certificate(each: ServedCertificate, *, served: bool) -> Certificate:
    """Return a certificate as the pages judge it."""
    return Certificate(
        name=each.name or settings.PUBLIC_HOSTNAME,
        ends_at=each.ends_at,
        fault=each.fault,
        hosts=each.hosts,
        changed_at=each.changed_at,
        key_kind=each.key_kind,
        served=served,
        of_site=each.name == SITE,
    )


def _site() -> Iterator[Certificate]:
    for pair in conf.load().tls.pairs:
        if not keypair.missing(pair.cert_file):
            yield _of_files(SITE, pair)


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
        yield _of_files(folder.name, Pair(folder / keypair.CERTIFICATE, folder / keypair.KEY))


def _of_files(name: str, pair: Pair) -> Certificate:
    return _certificate(_read(name, pair, pair.stamp()), served=False)


@lru_cache(maxsize=2 * CERTIFICATES_MOST)
def _read(name: str, pair: Pair, _stamp: keypair.Stamp) -> ServedCertificate:
    """Read the files once after each change."""
    return served_certificate.read(name, pair.cert_file).with_fault(keypair.fault(*pair.files))
