"""The port of the sign-in for sending: an MTA asks it whether a client may submit mail."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from mailstore.errors import Done
from mailstore.ports.maildrop import Credentials, SignIn


class Sender(NamedTuple):
    """Who signed in: the mailbox's own address, by whatever name it was opened, and the device."""

    address: str
    device: str


class Senders(Protocol):
    """Who may send mail."""

    def sign_in(self, credentials: Credentials, done: Done[Sender]) -> SignIn:
        """Check credentials.

        BadCredentials for an unknown user, a wrong password and a suspended account: they get one reply at one cost.
        SendingOff, DeviceMayNotSend and MainPasswordBarred only after the right password. Also Throttled, Overloaded,
        Abandoned and Unavailable. After failures the check and the answer may be delayed on purpose.
        """

    def note_malformed(self, address: str, client: str, tls: str | None) -> None:
        """Note for the mailbox of `address`, if there is one, that a sign-in was refused because it was unreadable.

        Never waits and never raises.
        """
