"""The configuration of Exim as text: one file, from frozen values."""

from __future__ import annotations

import re
from pathlib import Path

from mailstore.mta import template
from mailstore.mta.mail_server import Choices, Dkim, MailServer, MapDatabase, Recipients
from mailstore.mta.socket_address import SocketAddress

FILE = "exim4.conf"  # which Debian's exim4 prefers to its own
FOLDER = "popadmin"  # below the configuration directory: the record of setups
DKIM_FOLDER = "dkim"
SMTP_PORT = "25"
CALLOUT = "/callout=10s,no_cache"  # what LMTP says now, and not what it said an hour ago


def config(server: MailServer, choices: Choices, directory: Path, *, user: str, srs_secret: str | None) -> str:
    """Return the file. `user` is Exim's own; without `srs_secret` no sender is rewritten."""
    submission, submissions = (choices.submission, choices.submissions) if server.sasl else (None, None)
    own_ports = [port for port in (submission, submissions) if port is not None]
    is_lookup = choices.recipients is Recipients.LOOKUP
    dkim = choices.dkim is not Dkim.NONE
    values: dict[str, str | None] = {
        "marker": template.MARKER,
        "hostname": server.mta_hostname,
        "database": database(server.database),
        "smtp_ports": " : ".join([SMTP_PORT, *own_ports]),
        "submission_ports": " : ".join(own_ports) or "0",
        "submissions_port": submissions,
        "certificates": " : ".join(str(pair.cert_file) for pair in server.pairs),
        "keys": " : ".join(str(pair.key_file) for pair in server.pairs),
        "message_octets": str(server.message_limit_octets),
        "callout": "" if is_lookup else CALLOUT,
        "exists": _part("exists.conf") if is_lookup else None,
        "policy_rcpt": _policy(server.policy, "RCPT", "$local_part@$domain"),
        "policy_data": _policy(server.policy, "END-OF-MESSAGE", "${if ={$recipients_count}{1}{$recipients}}"),
        "lmtp_transport": _lmtp(server.lmtp, user),
        "authenticators": _part("dovecot.conf", sasl_path=str(server.sasl.path)) if server.sasl else None,
        "outgoing": _outgoing(is_rewriting=srs_secret is not None),
        "srs_secret": srs_secret,
        "srs_routers": None if srs_secret is None else _part("srs-routers.conf"),
        "dkim": _part("dkim.conf", dkim_folder=str(directory / DKIM_FOLDER)) if dkim else None,
    }
    values["srs_transport"] = None if srs_secret is None else _part("srs-transport.conf", dkim=values["dkim"])
    return template.fill(f"exim4/{FILE}", values)


def database(target: MapDatabase) -> str:
    """Return the database as `pgsql_servers` takes it: the parts are told apart by their slashes, from the right."""
    host = f"({target.host}/.s.PGSQL.{target.port})" if target.host.startswith("/") else f"{target.host}:{target.port}"
    return "/".join((host, target.name, target.user, target.password or ""))


def written_password(directory: Path) -> str | None:
    """Return the password in the file that a setup wrote; None if there is none, or this user may not read it."""
    try:
        text = (directory / FILE).read_text()
    except OSError:
        return None
    found = re.search(r"^hide pgsql_servers = .*/([^/\n]+)$", text, re.MULTILINE)
    return found[1] if found else None


def _outgoing(*, is_rewriting: bool) -> str:
    onward = "${if eq{$local_part@$domain}{$original_local_part@$original_domain}{smtp_out}{smtp_onward}}"
    return onward if is_rewriting else "smtp_out"


def _lmtp(address: SocketAddress, user: str) -> str:
    if address.path is not None:
        return _part("lmtp-socket.conf", lmtp_path=str(address.path), exim_user=user)
    reached = address.reached()
    host = f"<; {reached.host}" if ":" in reached.host else reached.host
    return _part("lmtp-port.conf", lmtp_host=host, lmtp_port=str(reached.port))


def _policy(address: SocketAddress | None, state: str, recipient: str) -> str | None:
    if address is None:
        return None
    where = str(address.path) if address.path is not None else f"inet:{address.reached()}"
    return _part("policy.acl", policy_socket=where, state=state, recipient=recipient)


def _part(name: str, **values: str | None) -> str:
    return template.fill(f"exim4/{name}", values).rstrip("\n")
