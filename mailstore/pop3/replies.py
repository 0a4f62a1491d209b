"""Every reply of the POP3 server, as bytes. It decides nothing. No reply quotes what a client sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import xxhash

from mailstore import errors
from mailstore.pop3.commands import Fault
from mailstore.pop3.protocol import State
from mailstore.wire.sasl_exchange import Failure

if TYPE_CHECKING:
    from mailstore.ports import Listing

# RFC 1939 §7: a text in <> would announce APOP.
GREETING: Final = b"+OK popadmin POP3 ready\r\n"
END: Final = b".\r\n"

# --- AUTHORIZATION ------------------------------------------------------------------------------------------------

# RFC 1939 §7: the same for every name, known or not.
SEND_PASS: Final = b"+OK send PASS\r\n"
USER_FIRST: Final = b"-ERR send USER first\r\n"
# RFC 3206 §4: a refusal without TLS says nothing about the credentials, so no [AUTH].
TLS_FIRST: Final = b"-ERR use TLS before you sign in\r\n"
BEGIN_TLS: Final = b"+OK begin TLS\r\n"
TLS_NOT_NOW: Final = b"-ERR TLS is active already, or not offered here\r\n"
UNKNOWN_MECHANISM: Final = b"-ERR this mechanism is not offered here\r\n"
SASL_FAILURES: Final[dict[Failure, bytes]] = {
    Failure.CANCELLED: b"-ERR sign-in cancelled\r\n",
    Failure.BAD_RESPONSE: b"-ERR the response is not well-formed\r\n",
}
TOO_MANY_COMMANDS: Final = b"-ERR too many commands without a sign-in\r\n"
SASL_TOO_LONG: Final = b"-ERR the response is too long\r\n"
UTF8_ON: Final = b"+OK UTF-8 it is\r\n"

# --- TRANSACTION and UPDATE ---------------------------------------------------------------------------------------

OK: Final = b"+OK\r\n"
HEADER_FOLLOWS: Final = b"+OK header follows\r\n"
MARKED: Final = b"+OK marked for removal\r\n"
UNMARKED: Final = b"+OK nothing is marked any more\r\n"
NO_SUCH_MESSAGE: Final = b"-ERR no such message\r\n"
GOODBYE: Final = b"+OK goodbye\r\n"
# RFC 1939 §6, RFC 3206 §4.
NOT_REMOVED: Final = b"-ERR [SYS/TEMP] some deleted messages not removed\r\n"

# --- what went wrong ----------------------------------------------------------------------------------------------

LINE_TOO_LONG: Final = b"-ERR the line is too long\r\n"
FAULTS: Final[dict[Fault, bytes]] = {
    Fault.UNKNOWN: b"-ERR unknown command\r\n",
    Fault.ARGUMENT: b"-ERR an argument is missing, or one too many\r\n",
    Fault.NUMBER: b"-ERR that is not a number this command takes\r\n",
    Fault.CONTROL_OCTET: b"-ERR control characters are not allowed\r\n",
    Fault.TOO_LONG: LINE_TOO_LONG,
    Fault.OTHER_PROTOCOL: b"-ERR this is a POP3 server\r\n",
}
WRONG_STATE: Final[dict[State, bytes]] = {
    State.AUTHORIZATION: b"-ERR sign in first\r\n",
    State.TRANSACTION: b"-ERR you are signed in already\r\n",
    State.UPDATE: b"-ERR the session is over\r\n",
}

_SERVICE: Final = b"-ERR [SYS/TEMP] service unavailable, try again later\r\n"
_BROKEN: Final = b"-ERR [SYS/PERM] the server is not set up rightly, tell its administrator\r\n"
# RFC 2449 §8, RFC 3206: AUTH for credentials and nothing else, SYS/TEMP and SYS/PERM for faults of ours.
# fetchmail takes a text with "lock", "wait" or "service unavailable" for a busy server, others for a wrong password.
ERRORS: Final[dict[type[errors.MailError], bytes]] = {
    errors.BadCredentials: b"-ERR [AUTH] wrong user name or password\r\n",
    errors.PopSwitchedOff: b"-ERR [AUTH] POP is switched off for this mailbox\r\n",
    errors.MainPasswordBarred: b"-ERR [AUTH] POP needs a device password in this mailbox\r\n",
    errors.BodyLost: b"-ERR [SYS/PERM] this message is damaged, tell your administrator\r\n",
    errors.Unavailable: _SERVICE,
    errors.BodyUnreadable: _SERVICE,
    errors.StorageFull: _SERVICE,
    errors.Overloaded: b"-ERR [SYS/TEMP] service unavailable, too busy now\r\n",
    errors.Abandoned: b"-ERR [SYS/TEMP] service unavailable, too busy now\r\n",  # a client that closed its side alone
    # "wait", so that fetchmail takes it for a busy server.
    errors.MailMoving: b"-ERR [SYS/TEMP] your mail is being moved, please wait some minutes\r\n",
    errors.Throttled: b"-ERR [LOGIN-DELAY] too many failed attempts, wait some minutes\r\n",
    # Errors of deliveries and of sending; a sign-in to POP or a maildrop never gives them.
    errors.SendingOff: _BROKEN,
    errors.DeviceMayNotSend: _BROKEN,
    errors.UnknownRecipient: _BROKEN,
    errors.RecipientDisabled: _BROKEN,
    errors.QuotaRejected: _BROKEN,
    errors.MessageTooLarge: _BROKEN,
    errors.MailLoop: _BROKEN,
    errors.QuotaDeferred: _SERVICE,
    errors.SendingLimitReached: _SERVICE,
    errors.AliasOutside: _SERVICE,
}


def error(answer: errors.MailError) -> bytes:
    """Return the reply to an error of a port. An error without an entry is a bug of ours, and so temporary."""
    return ERRORS.get(type(answer), _SERVICE)


# --- replies with figures -----------------------------------------------------------------------------------------


def signed_in(messages: int, octets: int) -> bytes:
    return b"+OK %d messages (%d octets)\r\n" % (messages, octets)


def stat(messages: int, octets: int) -> bytes:
    return b"+OK %d %d\r\n" % (messages, octets)


def message_follows(octets: int) -> bytes:
    return b"+OK %d octets\r\n" % octets


def scan_line(listing: Listing, number: int) -> bytes:
    return b"+OK %d %d\r\n" % (number, listing.octets[number - 1])


def unique_id_line(listing: Listing, number: int) -> bytes:
    return f"+OK {number} {listing.uidls[number - 1]}\r\n".encode("ascii")


def scan_listing(listing: Listing, marks: Collection[int]) -> bytes:
    return _listing(listing, listing.octets, marks, "POP3 LIST")


def unique_id_listing(listing: Listing, marks: Collection[int]) -> bytes:
    return _listing(listing, listing.uidls, marks, "POP3 UIDL")


def unique_id_digest(listing: Listing) -> str:
    """Return the digest by which the diary tells lists of UIDLs apart; equal lists have equal digests."""
    digest = listing.rendered.get("POP3 UIDL digest")
    if digest is None:
        digest = xxhash.xxh3_64_digest(unique_id_listing(listing, ()))
        listing.rendered["POP3 UIDL digest"] = digest
    return digest.hex()


def _listing(listing: Listing, column: Iterable[object], marks: Collection[int], kind: str) -> bytes:
    """Render the messages without a mark. A list without marks is rendered once for all sessions that share it."""
    if marks:
        return _rows([f"{n} {value}" for n, value in enumerate(column, 1) if n not in marks])
    rendered = listing.rendered.get(kind)
    if rendered is None:
        rendered = listing.rendered[kind] = _rows([f"{n} {value}" for n, value in enumerate(column, 1)])
    return rendered


def _rows(rows: list[str]) -> bytes:
    # RFC 1939 §3: each line ends in CRLF, and the last line is a dot, also after an empty list.
    return "\r\n".join([f"+OK {len(rows)} messages", *rows, ".\r\n"]).encode("ascii")


# --- capabilities -------------------------------------------------------------------------------------------------


def challenge(data: bytes) -> bytes:
    """Return the next challenge of a SASL exchange; `data` is in Base64."""
    # RFC 5034 §4: plus, one blank, also where nothing follows.
    return b"+ " + data + b"\r\n"


def mechanisms(names: Iterable[str]) -> bytes:
    return "\r\n".join(["+OK mechanisms follow", *names, ".\r\n"]).encode("ascii")


def expire(days: int | None, *, differs: bool) -> str:
    """Return the line of RFC 2449 §6.7.

    `days` is how long mail is kept at least, None for ever. `differs`: mailboxes differ, so a user may have more.
    """
    if days is None:
        return "EXPIRE NEVER"
    return f"EXPIRE {days} USER" if differs else f"EXPIRE {days}"


def capabilities(sign_in: Iterable[str], *, stls: bool, expires: str | None) -> bytes:
    """Return the answer to CAPA (RFC 2449 §5).

    `sign_in` are the lines for the ways to sign in; none where the client may not sign in now.
    """
    return _capabilities(tuple(sign_in), stls, expires)


@lru_cache(maxsize=64)  # strangers may ask all day; a site has few different periods of EXPIRE
def _capabilities(sign_in: tuple[str, ...], stls: bool, expires: str | None) -> bytes:
    lines = ["+OK capabilities follow", "TOP", "UIDL", *sign_in]
    if stls:
        lines.append("STLS")
    lines += ["UTF8", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE"]
    if expires is not None:
        lines.append(expires)
    lines += ["IMPLEMENTATION popadmin", ".\r\n"]
    return "\r\n".join(lines).encode("ascii")
