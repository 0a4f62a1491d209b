"""TLS contexts: made before the fork so that workers share ticket keys, reloaded in place without dropping sessions."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from mailstore.conf import Tls

log = logging.getLogger("popadmin.tls")

# RFC 9325 §4.2: forward secrecy and authenticated encryption only; TLS 1.3 has nothing else anyway.
CIPHERS_TLS_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20"


class Certificates:
    """The default certificate and those by server name. `context` is what endpoints use."""

    def __init__(self, tls: Tls, alpn: str) -> None:
        """Raises ImproperlyConfigured, naming the setting and the files, when a pair is unusable."""
        self._tls = tls
        self._alpn = alpn
        self.context = self._default()
        self._by_name = {name: self._named(folder) for name, folder in self._folders().items()}
        self.context.sni_callback = self._choose

    def reload(self) -> None:
        """Take the files as they are now for new handshakes; a pair that is unusable goes on as it was."""
        self._reload_default()
        self._reload_names()

    def _reload_default(self) -> None:
        try:
            self._default()  # a try on a context nobody uses
            self.context.load_cert_chain(self._tls.cert_file, self._tls.key_file)
        except (ImproperlyConfigured, OSError):  # what OpenSSL says is an OSError too
            log.exception("the certificate was not reloaded, the old one goes on")
        else:
            log.info("certificate reloaded from %s", self._tls.cert_file)

    def _reload_names(self) -> None:
        try:
            folders = self._folders()
        except ImproperlyConfigured:
            log.exception("no certificate by name was reloaded, the old ones go on")
            return
        renewed = ((name, self._renewed(name, folder)) for name, folder in folders.items())
        self._by_name = {name: context for name, context in renewed if context is not None}

    def _renewed(self, name: str, folder: Path) -> ssl.SSLContext | None:
        """The pair of one name as it is now, else as it was; None where there never was one."""
        try:
            return self._named(folder)
        except ImproperlyConfigured:
            log.exception("the certificate for %s was not reloaded, the old one goes on", name)
            return self._by_name.get(name)

    # --- files ----------------------------------------------------------------------------------------------------

    def _default(self) -> ssl.SSLContext:
        tls = self._tls
        try:
            return self._made(tls.cert_file, tls.key_file)
        except OSError as error:
            raise ImproperlyConfigured(
                f"TLS_CERT_FILE={tls.cert_file} and TLS_KEY_FILE={tls.key_file} cannot be used: {error}"
            ) from error

    def _folders(self) -> dict[str, Path]:
        """NAME/fullchain.pem and NAME/privkey.pem of each folder, as certbot lays them out."""
        names = self._tls.names
        if names is None:
            return {}
        try:
            return {one.name.lower(): one for one in names.iterdir() if (one / "fullchain.pem").is_file()}
        except OSError as error:
            raise ImproperlyConfigured(f"TLS_SNI_DIR={names} cannot be read: {error}") from error

    def _named(self, folder: Path) -> ssl.SSLContext:
        try:
            return self._made(folder / "fullchain.pem", folder / "privkey.pem")
        except OSError as error:
            raise ImproperlyConfigured(
                f"TLS_SNI_DIR={folder.parent}: fullchain.pem and privkey.pem in {folder.name} cannot be used: {error}"
            ) from error

    def _made(self, cert_file: Path, key_file: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8997
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.set_ciphers(CIPHERS_TLS_1_2)
        context.num_tickets = 1  # a mail program has one connection at a time, so one chance to resume is enough
        context.set_alpn_protocols([self._alpn])
        context.load_cert_chain(cert_file, key_file)
        return context

    def _choose(self, channel: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        found = self._by_name.get(name.lower()) if name else None
        if found is not None:
            channel.context = found
