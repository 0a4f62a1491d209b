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
        self._tls = tls
        self._alpn = alpn
        try:
            self.context = self._made(tls.cert_file, tls.key_file)
            self._by_name = self._named()
        except (OSError, ssl.SSLError) as error:
            raise ImproperlyConfigured(
                f"TLS_CERT_FILE={tls.cert_file} and TLS_KEY_FILE={tls.key_file} cannot be used: {error}"
            ) from error
        self.context.sni_callback = self._choose

    def reload(self) -> None:
        """Take the files as they are now for new handshakes; when they are unusable, go on with the old ones."""
        try:
            self._made(self._tls.cert_file, self._tls.key_file)  # a try on a context nobody uses
            by_name = self._named()
            self.context.load_cert_chain(self._tls.cert_file, self._tls.key_file)
        except (OSError, ssl.SSLError):
            log.exception("the certificate was not reloaded, the old one goes on")
            return
        self._by_name = by_name
        log.info("certificate reloaded from %s", self._tls.cert_file)

    def _made(self, cert_file: Path, key_file: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8997
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.set_ciphers(CIPHERS_TLS_1_2)
        context.num_tickets = 1  # a mail program has one connection at a time, so one chance to resume is enough
        context.set_alpn_protocols([self._alpn])
        context.load_cert_chain(cert_file, key_file)
        return context

    def _named(self) -> dict[str, ssl.SSLContext]:
        """NAME/fullchain.pem and NAME/privkey.pem of each folder, as certbot lays them out."""
        if self._tls.names is None:
            return {}
        folders = [folder for folder in self._tls.names.iterdir() if (folder / "fullchain.pem").is_file()]
        return {folder.name.lower(): self._made(folder / "fullchain.pem", folder / "privkey.pem") for folder in folders}

    def _choose(self, channel: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        found = self._by_name.get(name.lower()) if name else None
        if found is not None:
            channel.context = found
