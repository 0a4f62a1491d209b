"""What `up` prints when everything runs: addresses, passwords, and commands that work as they stand."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings

from popadmin.up.credentials import Credential
from popadmin.up.endpoints import Endpoint, endpoints

RULE = "-" * 78
SHOWN = (
    ("web", "WEB_LISTEN", ""),
    ("POP3", "POP3_LISTEN", ""),
    ("POP3S", "POP3S_LISTEN", ""),
    ("POP3", "POP3_PROXY_LISTEN", "  for proxies (TRUSTED_PROXIES)"),
    ("POP3S", "POP3S_PROXY_LISTEN", "  for proxies (TRUSTED_PROXIES)"),
    ("LMTP", "LMTP_LISTEN", ""),
)


def board(*, version: str, data_dir: Path, credentials: Sequence[Credential], demo: bool) -> str:
    """The whole block. Passwords stand in it only where the caller has them to show."""
    lines = [RULE, f"popadmin {version} runs; Ctrl-C stops it.  Data: {data_dir}", ""]
    lines += [
        f"  {name:<6} {_where(name, endpoint)}{note}"
        for name, variable, note in SHOWN
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
    if data_dir != settings.BASE_DIR / "var":  # which a checkout finds by itself, in any shell
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
    """How the person starts a command: as short as it works from here."""
    program = Path(sys.argv[0])
    if program.name != "manage.py":
        return (program.name,)
    return (_from_here(Path(sys.executable)), _from_here(program.resolve()))


def _from_here(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if Path.cwd() in path.parents else str(path)


def _first(variable: str) -> tuple[Endpoint, ...]:
    """The first address that a command for TCP can use, if there is one."""
    return tuple(endpoint for endpoint in endpoints(variable) if not endpoint.path)[:1]
