"""The configuration of Postfix as text: what stands in which file, from frozen values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit

from mailstore.mta import template
from mailstore.mta.mail_server import Choices, Dkim, MailServer, MapDatabase, Recipients
from mailstore.mta.postfix_facts import PostfixFacts
from mailstore.mta.socket_address import SocketAddress, below
from mailstore.policy.addresses import DELIMITER

FOLDER = "popadmin"  # below the configuration directory, and the folder of the sockets below the queue's
# Postfix escapes the key, and asks for user+detail@domain before user@domain (pgsql_table(5), virtual(5)).
QUERIES = {
    "domains.cf": "SELECT domain FROM mta_domains WHERE domain = '%s'",
    "mailboxes.cf": "SELECT address FROM mta_mailboxes WHERE address = '%s' AND domain = '%d'",
    "aliases.cf": "SELECT target FROM mta_aliases WHERE address = '%s' AND domain = '%d'",
    "senders.cf": "SELECT login FROM mta_senders WHERE sender = '%s' AND domain = '%d'",
}
MILTERS = {
    Dkim.NONE: None,
    Dkim.EXIM: None,
    Dkim.RSPAMD: "inet:localhost:11332",  # of rspamd's worker "proxy", as its package sets it
    Dkim.OPENDKIM: "inet:localhost:8891",  # of the sample in Debian's opendkim.conf
}
# (sender, recipient): version 1 of postsrsd answers as a TCP table, version 2 as a socketmap.
SRS_1 = ("tcp:127.0.0.1:10001", "tcp:127.0.0.1:10002")
SRS_2 = ("socketmap:unix:srs:forward", "socketmap:unix:srs:reverse")
POSTSRSD_2_FILE = Path("/etc/postsrsd.conf")  # which only version 2 has
LOCALHOST = "localhost"
_NAMED_PORTS = {"587": "submission", "465": "submissions"}  # as Debian's master.cf writes these services


def main_block(
    server: MailServer, choices: Choices, facts: PostfixFacts, *, srs_2: bool, own_mydestination: bool = False
) -> str:
    """Return what setup writes into main.cf. `srs_2`: postsrsd has version 2.

    `own_mydestination`: the list that Postfix names now is one that setup has written, and so stays in the block.
    """
    maps = str(facts.directory / FOLDER)
    is_lookup = choices.recipients is Recipients.LOOKUP
    sender, recipient = (SRS_2 if srs_2 else SRS_1) if choices.srs else (None, None)
    values: dict[str, str | None] = {
        "maps": maps,
        "mailboxes": f"{maps}/mailboxes.cf" if is_lookup else None,
        "verify": None if is_lookup else "reject_unverified_recipient",
        "hostname": server.mta_hostname,
        "mydestination": _destinations(server, facts, is_ours=own_mydestination),
        "lmtp": f"lmtp:{_next_hop(server.lmtp, facts)}",
        "policy": None if server.policy is None else _client(server.policy, facts),
        "sasl": None if server.sasl is None else _sasl(server.sasl, facts),
        "delimiter": DELIMITER,
        "message_octets": str(server.message_limit_octets),
        "chain_files": ", ".join(f"{pair.key_file}, {pair.cert_file}" for pair in server.pairs),
        "srs_sender": sender,
        "srs_recipient": recipient,
        "milter": MILTERS[choices.dkim],
    }
    wanted = {
        "main.cf": True,
        "main-verify.cf": not is_lookup,
        "main-policy.cf": server.policy is not None,
        "main-sasl.cf": server.sasl is not None,
        "main-srs.cf": sender is not None,
        "main-dkim.cf": MILTERS[choices.dkim] is not None,
    }
    return "\n".join(template.fill(f"postfix/{name}", values) for name, is_wanted in wanted.items() if is_wanted)


def master_block(server: MailServer, choices: Choices) -> str:
    """Return what setup writes into master.cf: the ports for programs that sign in; empty where nobody can."""
    if server.sasl is None:
        return ""
    ports = {"submission.cf": choices.submission, "submissions.cf": choices.submissions}
    return "\n".join(
        template.fill(f"postfix/{name}", {"address": _NAMED_PORTS.get(port, port)})
        for name, port in ports.items()
        if port is not None
    )


def map_files(server: MailServer) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each map."""
    for name, query in QUERIES.items():
        values = {
            "marker": template.MARKER,
            "database_url": database_url(server.database),
            "database_name": server.database.name,
            "query": query,
        }
        yield name, template.fill("postfix/map.cf", values)


def database_url(database: MapDatabase) -> str:
    """Return the database as pgsql_table(5) takes it. A URL alone can name the port beside a unix socket."""
    secret = "" if database.password is None else f":{quote(database.password, safe='')}"
    where = urlencode({"host": database.host, "port": database.port}, quote_via=quote, safe="/:")
    return f"postgresql://{quote(database.user, safe='')}{secret}@/{quote(database.name, safe='')}?{where}"


def written_password(directory: Path) -> str | None:
    """Return the password in the maps that a setup wrote; None if there is none, or this user may not read it."""
    try:
        text = (directory / FOLDER / next(iter(QUERIES))).read_text()
    except OSError:
        return None
    found = re.search(r"^hosts = (postgresql://\S+)$", text, re.MULTILINE)
    secret = urlsplit(found[1]).password if found else None
    return None if secret is None else unquote(secret)


def unreachable(server: MailServer, facts: PostfixFacts) -> Iterator[tuple[str, SocketAddress]]:
    """Yield the settings whose unix socket is outside of the queue's folder, which Postfix may not leave."""
    parts = {"LMTP_LISTEN": server.lmtp, "SASL_LISTEN": server.sasl, "POLICY_LISTEN": server.policy}
    for name, address in parts.items():
        if address is not None and address.path is not None and not below(address.path, facts.queue):
            yield name, address


def _destinations(server: MailServer, facts: PostfixFacts, *, is_ours: bool) -> str | None:
    """Return `mydestination` without the hosted domains; None if it may stay as it is.

    A new name of the host joins the former one: the machine's own mail is to both.
    """
    words = facts.words("mydestination") if facts.parameters else [LOCALHOST]
    kept = [word for word in words if word.lower() not in server.domains]
    name = server.mta_hostname
    is_renamed = name is not None and name != facts.parameters.get("myhostname")
    if name is not None and is_renamed and name not in {*kept, *server.domains}:
        kept.append(name)
    return ", ".join(kept) if is_ours or is_renamed or len(kept) < len(words) else None


def _next_hop(address: SocketAddress, facts: PostfixFacts) -> str:
    if address.path is not None:
        return f"unix:{address.path.relative_to(facts.queue)}"
    reached = address.reached()
    return f"inet:[{reached.host}]:{reached.port}"


def _client(address: SocketAddress, facts: PostfixFacts) -> str:
    """Return the address as check_policy_service takes it."""
    if address.path is not None:
        return f"unix:{address.path.relative_to(facts.queue)}"
    return f"inet:{address.reached()}"


def _sasl(address: SocketAddress, facts: PostfixFacts) -> str:
    if address.path is not None:
        return str(address.path.relative_to(facts.queue))
    return f"inet:{address.reached()}"
