"""TLS contexts: those of the site's pairs and of the pairs by name, and which one a client gets.

They are made before the fork, so that workers share ticket keys. The first context of the site stays for good, since
its ticket keys do; what was renewed takes its place within each handshake, as the pairs by name do.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from django.core.exceptions import ImproperlyConfigured

from mailstore import keypair, served_certificate
from mailstore.conf import Tls
from mailstore.keypair import Fault, Kind, Pair, Stamp
from mailstore.listener.handshake import Channel, Context
from mailstore.served_certificate import SITE, ServedCertificate

log = logging.getLogger("popadmin.tls")


@dataclass(frozen=True, slots=True)
class Profile:
    """Which versions and ciphers are taken."""

    minimum: ssl.TLSVersion
    ciphers: str


# RFC 9325 §4.2: only forward secrecy and authenticated encryption. TLS 1.3 has nothing else. RFC 8997: no older TLS.
TODAY = Profile(ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM:ECDHE+CHACHA20")
# What devices before 2012 know. Level 0 lets OpenSSL sign with SHA-1, as TLS 1.0 and 1.1 have to. SSL 3.0 stays out.
LEGACY = Profile(ssl.TLSVersion.MINIMUM_SUPPORTED, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:RSA+AES:@SECLEVEL=0")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What clients get who ask for one name: a context for each profile, None while there was never a good pair.

    `stamps` are those of the files of `pairs` when they were read last, and `fault` is why these cannot be used.
    """

    pairs: tuple[Pair, ...]
    stamps: tuple[Stamp, ...]
    contexts: tuple[Context, ...] | None
    certificates: tuple[ServedCertificate, ...]
    fault: Fault | None = None


class Certificates:
    """The certificates of the site and those by server name, for one or more profiles."""

    def __init__(self, tls: Tls, alpn: str, profiles: Sequence[Profile] = (TODAY,)) -> None:
        """Load the pairs of the site, and the pairs by name. ImproperlyConfigured if the site's cannot be used.

        An unusable pair of a server name is left out. The mistake of one customer must not stop the mail of all.
        """
        self._tls = tls
        self._alpn = alpn
        self._profiles = profiles
        self._site = self._load_site(None)
        if self._site.contexts is None:
            raise ImproperlyConfigured(f"{_settings(tls)} cannot be used: {self._site.fault}")
        self._contexts = self._site.contexts
        self._by_name: dict[str, _Entry] = {}
        self._folder_fault: Fault | None = None
        self._refresh_names()
        for index, context in enumerate(self._contexts):
            context.sni_callback = partial(self._choose, index)

    def context(self, profile: Profile = TODAY) -> Context:
        """Return the context for handshakes of this profile. It stays the same, whatever is renewed."""
        return self._contexts[self._profiles.index(profile)]

    def refresh(self) -> bool:
        """Load the files that have changed, and try those again that could not be used. Return True if that changed
        what is served, or what is wrong. Where files are unusable, the old pair stays in use."""
        site, self._site = self._site, self._load_site(self._site)
        return self._refresh_names() or site is not self._site

    def reload(self) -> None:
        """Do the same when an administrator asks for it, and say in the log what is served now."""
        self.refresh()
        if self._site.fault is None:
            log.info("certificate reloaded from %s", self._tls.cert_file)
        else:
            log.error("the certificate was not reloaded, the old one goes on: %s", self._site.fault)

    def served(self) -> list[ServedCertificate]:
        """Return the certificates in use, and by name the pairs that cannot be used."""
        entries = {SITE: self._site, **self._by_name}
        found = [each for name, entry in entries.items() for each in _of_entry(name, entry)]
        return found + ([ServedCertificate("TLS_SNI_DIR", fault=self._folder_fault)] if self._folder_fault else [])

    # --- files ----------------------------------------------------------------------------------------------------

    def _load_site(self, old: _Entry | None) -> _Entry:
        new = self._load(SITE, self._tls.pairs, old)
        if old is not None and new is not old and new.fault is not None:
            log.error("the certificate was not reloaded, the old one goes on: %s", new.fault)
        return new

    def _refresh_names(self) -> bool:
        """Load the pairs by name anew where they changed. Return True if any did."""
        before, self._folder_fault = (self._by_name, self._folder_fault), None
        try:
            folders = self._folders()
        except keypair.Unusable as error:
            self._folder_fault = error.fault
            if error.fault != before[1]:
                left = "no certificate by name was reloaded, the old ones go on"
                log.error("TLS_SNI_DIR: %s: %s", left if self._by_name else "all are left out", error)  # noqa: TRY400 - it says all
        else:
            self._by_name = {name: self._load_name(name, folder) for name, folder in folders.items()}
        entries, old = self._by_name, before[0]
        same = entries.keys() == old.keys() and all(entries[name] is old[name] for name in entries)
        return not same or self._folder_fault != before[1]

    def _folders(self) -> dict[str, Path]:
        """Return the folders by server name. Each has fullchain.pem and privkey.pem, as certbot names them."""
        names = self._tls.names
        return {folder.name.lower(): folder for folder in keypair.folders(names)} if names else {}

    def _load_name(self, name: str, folder: Path) -> _Entry:
        old = self._by_name.get(name)
        new = self._load(name, (Pair(folder / keypair.CERTIFICATE, folder / keypair.KEY),), old)
        if new is not old and new.fault is not None:
            left = (
                "was not reloaded, the old one goes on" if new.contexts else "is left out, its clients get the site's"
            )
            log.error("the certificate for %s %s: %s", name, left, new.fault)
        return new

    def _load(self, name: str, pairs: tuple[Pair, ...], old: _Entry | None) -> _Entry:
        """Return what is served under a name: `old` itself where nothing has changed."""
        stamps = tuple(pair.stamp() for pair in pairs)  # first: a change while the files are read is seen next time
        if old is not None and old.fault is None and old.stamps == stamps:
            return old
        try:
            contexts = tuple(self._make_context(profile, pairs) for profile in self._profiles)
            certificates = tuple(served_certificate.read(name, pair.cert_file) for pair in pairs)
            _require_different_keys(pairs, certificates)
        except keypair.Unusable as error:
            if old is not None and old.fault == error.fault:
                return old
            kept = (old.contexts, old.certificates) if old else (None, ())
            return _Entry(pairs, stamps, *kept, error.fault)
        return _Entry(pairs, stamps, contexts, certificates)

    def _make_context(self, profile: Profile, pairs: Sequence[Pair]) -> Context:
        context = Context(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = profile.minimum
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.set_ciphers(profile.ciphers)
        context.num_tickets = 1  # a mail program has one connection at a time, so one ticket is enough
        context.set_alpn_protocols([self._alpn])
        for pair in pairs:  # OpenSSL keeps one of each kind of key
            keypair.load(context, pair.cert_file, pair.key_file)
        return context

    def _choose(self, index: int, channel: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        """Let a handshake go on with the pair of the name that the client asked for, else with the site's."""
        cast("Channel", channel).called_name = name
        entry = self._by_name.get(name.lower()) if name else None
        contexts = (entry and entry.contexts) or self._site.contexts
        if contexts is not None and contexts[index] is not channel.context:
            channel.context = contexts[index]


def _of_entry(name: str, entry: _Entry) -> list[ServedCertificate]:
    """Return what is served under a name; the fault stands at the certificate whose files have it."""
    found = entry.certificates or (ServedCertificate(name),)
    if entry.fault is None:
        return list(found)
    at_fault = next((at for at, pair in enumerate(entry.pairs) if entry.fault.file in pair.files), 0)
    return [each.with_fault(entry.fault if at == at_fault else None) for at, each in enumerate(found)]


def _require_different_keys(pairs: Sequence[Pair], certificates: Sequence[ServedCertificate]) -> None:
    """Raise Unusable where OpenSSL would serve only the last of several pairs."""
    kinds = [certificate.key_kind for certificate in certificates]
    if len(set(kinds)) < len(kinds):
        raise keypair.Unusable(Fault(Kind.SAME_KEY_KIND, pairs[-1].cert_file))


def _settings(tls: Tls) -> str:
    """Return the settings that name the pairs of the site, as an administrator wrote them."""
    cert_files, key_files = (
        ",".join(map(str, files)) for files in zip(*(pair.files for pair in tls.pairs), strict=True)
    )
    return f"TLS_CERT_FILE={cert_files} and TLS_KEY_FILE={key_files}"
