"""The settings of the mail as frozen values. They are built once from Django's settings and passed on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from mailstore.keypair import Pair
from mailstore.policy.login_name import LoginNames

# The settings that name where POP3 listens.
POP3_VARIABLES = ("POP3_LISTEN", "POP3S_LISTEN", "POP3_PROXY_LISTEN", "POP3S_PROXY_LISTEN", "POP3S_LEGACY_LISTEN")


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificate files. `names` is a folder of NAME/fullchain.pem and NAME/privkey.pem, chosen by SNI, or None.

    A missing pair is made, self-signed, if its place is below `made_below`. Elsewhere a missing pair is an error.
    `others` are pairs for other kinds of keys, beside the first: RSA beside ECDSA.
    """

    cert_file: Path
    key_file: Path
    names: Path | None
    made_below: Path | None = None
    others: tuple[Pair, ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Return every pair of the site."""
        return (Pair(self.cert_file, self.key_file), *self.others)


@dataclass(frozen=True, slots=True)
class Pop3:
    listen: tuple[str, ...]
    listen_tls: tuple[str, ...]
    listen_proxy: tuple[str, ...]
    listen_proxy_tls: tuple[str, ...]
    listen_legacy: tuple[str, ...]
    workers: int
    idle_seconds: int
    max_connections: int
    max_connections_per_ip: int
    plaintext_login: str  # "loopback", "never" or "always"
    trusted_proxies: tuple[str, ...]
    login_names: LoginNames

    @property
    def listens(self) -> bool:
        """Return True if there is an address to listen on."""
        return any((self.listen, self.listen_tls, self.listen_proxy, self.listen_proxy_tls, self.listen_legacy))


@dataclass(frozen=True, slots=True)
class Lmtp:
    listen: tuple[str, ...]
    workers: int
    max_message_octets: int
    hostname: str


@dataclass(frozen=True, slots=True)
class Questions:
    """Where an MTA asks one kind of question."""

    listen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conf:
    data_dir: Path
    mail_store_url: str
    conninfo: str
    tls: Tls
    pop3: Pop3
    lmtp: Lmtp
    sasl: Questions
    policy: Questions


def load() -> Conf:
    """Read the frozen values; settings.py has checked each of them."""
    return Conf(
        data_dir=settings.DATA_DIR,
        mail_store_url=settings.MAIL_STORE_URL,
        conninfo=settings.DATABASE_CONNINFO,
        tls=Tls(
            settings.TLS_CERT_FILE,
            settings.TLS_KEY_FILE,
            settings.TLS_SNI_DIR,
            made_below=settings.DATA_DIR,
            others=settings.TLS_OTHER_PAIRS,
        ),
        pop3=Pop3(
            listen=settings.POP3_LISTEN,
            listen_tls=settings.POP3S_LISTEN,
            listen_proxy=settings.POP3_PROXY_LISTEN,
            listen_proxy_tls=settings.POP3S_PROXY_LISTEN,
            listen_legacy=settings.POP3S_LEGACY_LISTEN,
            workers=settings.POP3_WORKERS,
            idle_seconds=settings.POP3_IDLE_SECONDS,
            max_connections=settings.POP3_MAX_CONNECTIONS,
            max_connections_per_ip=settings.POP3_MAX_CONNECTIONS_PER_IP,
            plaintext_login=settings.PLAINTEXT_LOGIN,
            trusted_proxies=settings.TRUSTED_PROXIES,
            login_names=settings.LOGIN_NAMES,
        ),
        lmtp=Lmtp(
            listen=settings.LMTP_LISTEN,
            workers=settings.LMTP_WORKERS,
            max_message_octets=settings.MAX_MESSAGE_OCTETS,
            hostname=settings.PUBLIC_HOSTNAME,
        ),
        sasl=Questions(settings.SASL_LISTEN),
        policy=Questions(settings.POLICY_LISTEN),
    )


def site_key() -> bytes:
    """Return a key that is the same in every process of the site, and leads nobody to SECRET_KEY.

    Raises ImproperlyConfigured if there is no SECRET_KEY.
    """
    return hashlib.blake2b(settings.SECRET_KEY.encode(), person=b"popadmin-site", digest_size=32).digest()
