"""Log records of the web sign-in, in the same form as those of POP3: one record per event, without secrets."""

from __future__ import annotations

import logging

log = logging.getLogger("popadmin.signin")

LOCAL = "unix"  # a request that came by a unix socket has no address


UNKNOWN, WRONG, SUSPENDED, WEB_OFF = "unknown user", "wrong password", "suspended", "web is switched off"
MAILED, NO_ADDRESS, HOSTED_ADDRESS = "mailed", "no recovery address", "recovery address hosted here"
MANY = "too many from there"
BUSY = "server busy"
_OF_SOMEBODY = frozenset({WRONG, SUSPENDED, WEB_OFF, MAILED, NO_ADDRESS, HOSTED_ADDRESS})


def refused(client: str, name: str, cause: str) -> None:
    """`client` comes first and is never quoted: programs that ban addresses parse it (docs/install.md)."""
    log.warning("sign-in refused", extra={"data": _log_fields(client, name, cause)})


def forgotten(client: str, name: str, cause: str) -> None:
    """Log a request for a new password, and its result."""
    log.info("new password asked for", extra={"data": _log_fields(client, name, cause)})


def _log_fields(client: str, name: str, cause: str) -> dict[str, str]:
    """Log a name only if it is an address or a known login: anything else may be a misplaced password."""
    address = name if "@" in name or cause in _OF_SOMEBODY else ""
    fields = {"client": client or LOCAL, "address": address, "mechanism": "web", "cause": cause}
    return {key: value for key, value in fields.items() if value}
