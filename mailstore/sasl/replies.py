"""Every line that an MTA is told, as bytes. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from mailstore import errors
from mailstore.ports import Sender
from mailstore.sasl.commands import escaped
from mailstore.sasl.protocol import MAJOR_VERSION, MINOR_VERSION, Identity


class Refusal(NamedTuple):
    """A sign-in that fails. Postfix tells the client the reason; `code` is for other servers."""

    reason: str
    code: str = ""


WRONG: Final = Refusal("wrong user name or password")
UNKNOWN_MECHANISM: Final = Refusal("this mechanism is not offered here")
MALFORMED: Final = Refusal("the response is not well-formed")
CANCELLED: Final = Refusal("the sign-in was given up")
# Postfix makes 535 of every FAIL, and then mail programs ask their users for the password. So FAIL is only for what
# another try does not mend. An error without a row is trouble of ours: the connection is dropped without an answer, and
# the MTA tells its client to try later (454 4.7.0).
REFUSALS: Final[dict[type[errors.MailError], Refusal]] = {
    errors.BadCredentials: WRONG,
    errors.SendingOff: Refusal("sending is switched off for this mailbox", "user_disabled"),
    errors.DeviceMayNotSend: Refusal("this device password may not send mail", "authz_fail"),
    errors.MainPasswordBarred: Refusal("sending needs a device password in this mailbox", "authz_fail"),
}


def greeting(mechanisms: Iterable[str], identity: Identity) -> bytes:
    """Return what is sent before the client says a word: Exim waits for it.

    MECH comes before SPID: without a mechanism by then, both MTAs take the socket for one of another kind.
    """
    lines = (
        f"VERSION\t{MAJOR_VERSION}\t{MINOR_VERSION}",
        *(f"MECH\t{name}\tplaintext" for name in mechanisms),
        f"SPID\t{identity.process_id}",
        f"CUID\t{identity.connection_id}",
        f"COOKIE\t{identity.cookie}",
        "DONE",
    )
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def challenge(request_id: int, data: bytes) -> bytes:
    """Return the next challenge; `data` is in Base64. The TAB stands before an empty one too: Postfix wants it."""
    return b"CONT\t%d\t%b\n" % (request_id, data)


def success(request_id: int, sender: Sender) -> bytes:
    """Return the answer to a right password. Both MTAs want the user."""
    return b"OK\t%d\tuser=%b\n" % (request_id, escaped(sender.address))


def failure(request_id: int, refusal: Refusal, user: str | None = None) -> bytes:
    """Return a refusal. `user` is for the log of the MTA: an address in normal form, since it may be a password."""
    fields = [f"FAIL\t{request_id}".encode("ascii")]
    if user is not None:
        fields.append(b"user=" + escaped(user))
    fields.append(b"reason=" + escaped(refusal.reason))
    if refusal.code:
        fields.append(f"code={refusal.code}".encode("ascii"))
    return b"\t".join(fields) + b"\n"
