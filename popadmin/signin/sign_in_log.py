"""Log records of the web sign-in, in the same form as those of POP3: one record per event, without secrets."""

from __future__ import annotations

import logging

from popadmin.signin.limits import LOCAL

log = logging.getLogger("popadmin.signin")

UNKNOWN, WRONG, SUSPENDED, WEB_OFF = "unknown user", "wrong password", "suspended", "web is switched off"
MAILED, NO_ADDRESS, HOSTED_ADDRESS = "mailed", "no recovery address", "recovery address hosted here"
TOO_MANY = "too many from there"
BUSY = "server busy"
_OF_KNOWN_USERS = frozenset({WRONG, SUSPENDED, WEB_OFF, MAILED, NO_ADDRESS, HOSTED_ADDRESS})


def refusal(client: str, name: str, cause: str, *, repeated: bool = False) -> None:
    """Log a refused sign-in. `repeated`: with the same password as before, which is no guess.

    `client` comes first and is never quoted: programs that ban addresses parse it (docs/install.md).
    """
    fields = _log_fields(client, name, cause)
    log.warning("sign-in refused", extra={"data": {**fields, "cause": f"{cause}, repeated" if repeated else cause}})


def password_request(client: str, name: str, outcome: str) -> None:
    """Log a request for a new password, and its outcome."""
    log.info("new password asked for", extra={"data": _log_fields(client, name, outcome)})


def _log_fields(client: str, name: str, cause: str) -> dict[str, str]:
    """Return the fields of a record. A name is logged only if it is an address or the login of a known user.

    Anything else may be a password that was typed into the wrong field.
    """
    address = name if "@" in name or cause in _OF_KNOWN_USERS else ""
    fields = {"client": client or LOCAL, "address": address, "mechanism": "web", "cause": cause}
    return {key: value for key, value in fields.items() if value}
