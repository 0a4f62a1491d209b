"""The summary that `up` prints when everything runs: addresses, passwords, and commands to copy."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings

from popadmin.up.credentials import Credential
from popadmin.up.endpoints import Endpoint, endpoints

RULE = "-" * 78
LISTENERS = (
    ("web", "WEB_LISTEN", ""),
    ("POP3", "POP3_LISTEN", ""),
    ("POP3S", "POP3S_LISTEN", ""),
    ("POP3", "POP3_PROXY_LISTEN", "  for proxies (TRUSTED_PROXIES)"),
    ("POP3S", "POP3S_PROXY_LISTEN", "  for proxies (TRUSTED_PROXIES)"),
    ("POP3S", "POP3S_LEGACY_LISTEN", "  with TLS 1.0 and 1.1, for old devices"),
    ("LMTP", "LMTP_LISTEN", ""),
    ("SASL", "SASL_LISTEN", "  for Postfix and Exim"),
    ("policy", "POLICY_LISTEN", "  for Postfix and Exim"),
)


def summary(*, version: str, data_dir: Path, credentials: Sequence[Credential], demo: bool) -> str:
    """Return the whole summary. It shows only the passwords in `credentials`."""
    lines = [RULE, f"popadmin {version} runs; Ctrl-C stops it.  Data: {data_dir}", ""]
    lines += [
        f"  {name:<6} {_where(name, endpoint)}{note}"
        for name, variable, note in LISTENERS
        for endpoint in endpoints(variable)
    ]
    if credentials:
        lines += ["", *_table(credentials)]
    lines += ["", *(_tries(credentials) if demo else _next_steps(data_dir)), RULE]
    return "\n".join(lines)


def _where(name: str, endpoint: Endpoint) -> str:
    return f"http://{endpoint.local}/" if name == "web" and not endpoint.path else endpoint.local


def _table(credentials: Sequence[Credential]) -> Iterator[str]:
    login = max(len(credential.login) for credential in credentials)
    password = max(len(credential.password) for credential in credentials)
    for credential in credentials:
        yield f"  {credential.login:<{login}}  {credential.password:<{password}}  {credential.note}".rstrip()


def _next_steps(data_dir: Path) -> Iterator[str]:
    command = shlex.join(_program())
    if data_dir != settings.BASE_DIR / "var":  # a checkout finds this folder without the variable
        command = f"POPADMIN_DATA_DIR={shlex.quote(str(data_dir))} {command}"
    yield "Next, in another shell: a domain and a mailbox (its password is printed once)"
    yield f"  {command} domain ensure example.org"
    yield f"  {command} mailbox ensure you@example.org"


def _tries(credentials: Sequence[Credential]) -> Iterator[str]:
    owners = [credential for credential in credentials if "@" in credential.login]
    if not owners:
        return
    owner = owners[0]
    for endpoint in endpoints("WEB_LISTEN")[:1]:
        yield f"Sign in at {_where('web', endpoint)} with any of these; devices are for mail programs."
    if settings.EMAIL_FILE_PATH:
        yield f"Mail of the pages themselves (codes, password resets) is written to {settings.EMAIL_FILE_PATH}"
    for endpoint in _first("POP3_LISTEN"):
        yield "Fetch a message:"
        yield f"  curl -s --user {owner.login}:{owner.password} pop3://{endpoint.local}/1"
    for endpoint in _first("LMTP_LISTEN"):
        yield "Deliver another:"
        yield (
            f"  swaks --protocol LMTP --server {endpoint.local_host} --port {endpoint.port} "
            f"--from you@example.com --to {owner.login} --header 'Subject: hello'"
        )
    for endpoint in _first("POP3_LISTEN"):
        yield "Fetch all and remove it, as a mail program would:"
        yield (
            f'  echo \'poll {endpoint.local_host} service {endpoint.port} protocol pop3 user "{owner.login}" '
            f'password "{owner.password}" sslproto "" mda "cat" nokeep\' | fetchmail -f - --fetchall'
        )


def _program() -> tuple[str, ...]:
    """Return how the user starts a command, as short as possible from the current folder."""
    program = Path(sys.argv[0])
    if program.name != "manage.py":
        return (program.name,)
    return (_from_here(Path(sys.executable)), _from_here(program.resolve()))


def _from_here(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if Path.cwd() in path.parents else str(path)


def _first(variable: str) -> tuple[Endpoint, ...]:
    """Return the first TCP address, if there is one."""
    return tuple(endpoint for endpoint in endpoints(variable) if not endpoint.path)[:1]
