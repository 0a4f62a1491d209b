"""TLS contexts. They are made before the fork, so that workers share ticket keys, and are reloaded in place."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import cast

from django.core.exceptions import ImproperlyConfigured

from mailstore import keypair
from mailstore.conf import Tls
from mailstore.listener.handshake import Channel, Context

log = logging.getLogger("popadmin.tls")

# RFC 9325 §4.2: only forward secrecy and authenticated encryption. TLS 1.3 has nothing else.
CIPHERS_TLS_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20"


class Certificates:
    """The default certificate and those by server name. Endpoints use `context`."""

    def __init__(self, tls: Tls, alpn: str) -> None:
        """Load the default pair, and the pairs by name. ImproperlyConfigured if the default pair cannot be used.

        An unusable pair of a server name is left out. The mistake of one customer must not stop the mail of all.
        """
        self._tls = tls
        self._alpn = alpn
        self.context = self._default()
        self._by_name: dict[str, Context] = {}
        self._load_names()
        self.context.sni_callback = self._choose

    def reload(self) -> None:
        """Use the present files for new handshakes. Where a pair is unusable, the old one stays in use."""
        self._reload_default()
        self._load_names()

    def _reload_default(self) -> None:
        try:
            self._default()  # tries the files on another context first
            keypair.load(self.context, self._tls.cert_file, self._tls.key_file)
        except (ImproperlyConfigured, keypair.Unusable) as error:
            log.error("the certificate was not reloaded, the old one goes on: %s", error)  # noqa: TRY400 - it says all
        else:
            log.info("certificate reloaded from %s", self._tls.cert_file)

    def _load_names(self) -> None:
        try:
            folders = self._folders()
        except keypair.Unusable as error:
            left = "no certificate by name was reloaded, the old ones go on"
            log.error("TLS_SNI_DIR: %s: %s", left if self._by_name else "all are left out", error)  # noqa: TRY400 - it says all
            return
        loaded = ((name, self._load_name(name, folder)) for name, folder in folders.items())
        self._by_name = {name: context for name, context in loaded if context is not None}

    # --- files ----------------------------------------------------------------------------------------------------

    def _default(self) -> Context:
        tls = self._tls
        try:
            return self._make_context(tls.cert_file, tls.key_file)
        except keypair.Unusable as error:
            raise ImproperlyConfigured(
                f"TLS_CERT_FILE={tls.cert_file} and TLS_KEY_FILE={tls.key_file} cannot be used: {error}"
            ) from error

    def _folders(self) -> dict[str, Path]:
        """Return the folders by server name. Each has fullchain.pem and privkey.pem, as certbot names them."""
        names = self._tls.names
        return {folder.name.lower(): folder for folder in keypair.folders(names)} if names else {}

    def _load_name(self, name: str, folder: Path) -> Context | None:
        """Return the context of one server name: the new one, else the old one, else None."""
        try:
            return self._make_context(folder / keypair.CERTIFICATE, folder / keypair.KEY)
        except keypair.Unusable as error:
            old = self._by_name.get(name)
            left = "was not reloaded, the old one goes on" if old else "is left out, its clients get the site's"
            log.error("the certificate for %s %s: %s", name, left, error)  # noqa: TRY400 - the text says all
            return old

    def _make_context(self, cert_file: Path, key_file: Path) -> Context:
        context = Context(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8997
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.set_ciphers(CIPHERS_TLS_1_2)
        context.num_tickets = 1  # a mail program has one connection at a time, so one ticket is enough
        context.set_alpn_protocols([self._alpn])
        keypair.load(context, cert_file, key_file)
        return context

    def _choose(self, channel: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        cast("Channel", channel).called_name = name
        found = self._by_name.get(name.lower()) if name else None
        if found is not None:
            channel.context = found
