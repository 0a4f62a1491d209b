"""What a setup leaves to the operator: sentences for the shell, from the values and the choices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mailstore.mta.mail_server import Choices, Dkim, MailServer

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_DKIM = {
    Dkim.RSPAMD: (
        "DKIM: install rspamd and redis-server. For each domain: rspamadm dkim_keygen -s dkim -d DOMAIN "
        "-k /var/lib/rspamd/dkim/DOMAIN.dkim.key, give the file to _rspamd, and publish the record that it prints."
    ),
    Dkim.OPENDKIM: (
        "DKIM: install opendkim and opendkim-tools, set Socket inet:8891@localhost in /etc/opendkim.conf, name the "
        "keys there (KeyTable, SigningTable; opendkim-genkey -s dkim -d DOMAIN), and publish their records."
    ),
    Dkim.EXIM: (
        "DKIM: for each domain, openssl genrsa -out /etc/exim4/dkim/DOMAIN.key 2048, mode 0640 with the group of Exim, "
        "and publish its public key as dkim._domainkey.DOMAIN."
    ),
}
POSTSRSD = (
    "SRS: install postsrsd. In /etc/default/postsrsd set SRS_DOMAIN to a domain of yours, and in SRS_EXCLUDE_DOMAINS "
    "name those of this site (postsrsd 2: srs-domain and domains in /etc/postsrsd.conf)."
)


def steps(
    server: MailServer,
    choices: Choices,
    sockets: Path,
    *,
    former_hostname: str,
    needs_postsrsd: bool,
    leads_elsewhere: bool,
    is_running: bool,
) -> Iterator[str]:
    """Yield what is to be done next, one sentence or two each.

    `sockets` is where a unix socket fits best. `former_hostname` is what the MTA called itself; empty if unknown.
    """
    if server.mta_hostname is None:
        yield (
            f"PUBLIC_HOSTNAME is {server.hostname}, no full host name, and many servers refuse mail from such a name: "
            "set it, restart popadmin, and run this again."
        )
    elif former_hostname not in {"", server.hostname}:
        yield (
            f"The MTA calls itself {server.hostname} now, and no longer {former_hostname}: let the PTR record of its "
            "address name it too."
        )
    if server.lmtp.path is None and server.lmtp.reached().host in LOOPBACK:
        yield f"LMTP goes by a port. For a unix socket set LMTP_LISTEN=unix:{sockets}/lmtp, and run this again."
    if server.sasl is None:
        yield f"Nobody can send yet: set SASL_LISTEN=unix:{sockets}/auth, restart popadmin, and run this again."
    if server.policy is None:
        yield f"Nothing limits who sends how much: set POLICY_LISTEN=unix:{sockets}/policy, and run this again."
    if choices.srs and needs_postsrsd:
        yield POSTSRSD
    if leads_elsewhere and not choices.srs:
        yield "Aliases lead elsewhere: without --srs, other servers refuse such mail by SPF."
    if choices.dkim in _DKIM:
        yield _DKIM[choices.dkim]
        yield "Set DKIM_SELECTOR=dkim, and restart popadmin: then its DNS pages look for these records."
    if not is_running:
        yield "The MTA does not run: start it."
    yield "Then: popadmin mta check"
