"""The states of a POP3 session, and what a site allows in them. The table of legal commands is in `session`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from mailstore.policy.login_name import LoginNames


@dataclass(frozen=True, slots=True)
class Rules:
    """What the site allows.

    `plaintext_login` says when a password may pass without TLS: "never", "loopback" (only from this machine) or
    "always". `login_names` says how a name without @ is completed.
    """

    plaintext_login: str
    tls_offered: bool
    login_names: LoginNames = field(default_factory=LoginNames)

    def password_may_pass(self, *, encrypted: bool, loopback: bool) -> bool:
        # RFC 8314 §4.1, RFC 2595 §2.3: no password in clear over a network.
        return encrypted or self.plaintext_login == "always" or (loopback and self.plaintext_login == "loopback")


class State(Enum):
    """The states of RFC 1939 §3."""

    AUTHORIZATION = auto()
    TRANSACTION = auto()
    UPDATE = auto()


# Mail programs need some ten, and two more for each try of another password.
COMMANDS_BEFORE_SIGN_IN = 100

# So many bad commands in a row end a session; a good one starts the count again. Mail programs that probe (AUTH, XTND,
# LAST, HELP) stay far below.
BAD_COMMANDS_IN_A_ROW: dict[State, int] = {
    State.AUTHORIZATION: 10,
    State.TRANSACTION: 20,
    State.UPDATE: 1,
}
