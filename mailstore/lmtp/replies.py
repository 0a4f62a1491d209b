"""Every reply of the LMTP server, as bytes. It decides nothing. No reply quotes what a client sent."""

from __future__ import annotations

from typing import Final

from mailstore import errors
from mailstore.lmtp import forwarded
from mailstore.lmtp.commands import Fault
from mailstore.lmtp.protocol import Rules
from mailstore.ports import Delivered
from mailstore.wire import recipient_refusal

OK: Final = b"250 2.0.0 OK\r\n"
SENDER_OK: Final = b"250 2.1.0 sender OK\r\n"
RECIPIENT_OK: Final = b"250 2.1.5 recipient OK\r\n"
CHUNK_OK: Final = b"250 2.0.0 chunk received\r\n"
GO_AHEAD: Final = b"354 send the message, a line of one dot ends it\r\n"
GOODBYE: Final = b"221 2.0.0 goodbye\r\n"
HELP: Final = b"214 2.0.0 LMTP of RFC 2033: LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY XFORWARD QUIT\r\n"
# RFC 5321 §3.5.3: only RCPT tells whether a mailbox exists.
NOT_VERIFIED: Final = b"252 2.5.0 not verified here, try RCPT\r\n"

TOO_MANY_BAD_COMMANDS: Final = b"421 4.7.0 too many bad commands\r\n"
# RFC 5321 §4.5.3.1.10
TOO_MANY_RECIPIENTS: Final = b"452 4.5.3 too many recipients, send the others in another transaction\r\n"
INTERNAL: Final = b"451 4.3.0 internal trouble, try again later\r\n"

FAULTS: Final[dict[Fault, bytes]] = {
    Fault.UNKNOWN: b"500 5.5.1 unknown command\r\n",
    Fault.NOT_LMTP: b"500 5.5.1 this is LMTP, say LHLO\r\n",
    Fault.TOO_LONG: b"500 5.5.2 the line is too long\r\n",
    Fault.TEXT: b"500 5.5.2 control characters and what is not UTF-8 are refused\r\n",
    Fault.ARGUMENT: b"501 5.5.4 an argument is missing, malformed or one too many\r\n",
    Fault.PARAMETER: b"501 5.5.4 a parameter's value is not one it can have\r\n",
    Fault.UNKNOWN_PARAMETER: b"555 5.5.4 this parameter is not offered here\r\n",
    Fault.SENDER: b"501 5.1.7 the sender is not <an address> and not <>\r\n",
    Fault.RECIPIENT: b"501 5.1.3 the recipient is not <an address>\r\n",
    # RFC 6531 §3.5
    Fault.UTF8: b"553 5.6.7 an address in UTF-8 needs SMTPUTF8\r\n",
    Fault.CHUNK_SIZE: b"501 5.5.4 BDAT takes a number of octets, and LAST\r\n",
}

LHLO_FIRST: Final = b"503 5.5.1 say LHLO first\r\n"
# RFC 2033 §4.2 for DATA, which must be 503.
WRONG_STATE: Final[dict[str, bytes]] = {
    "MAIL": b"503 5.5.1 a transaction is open already, RSET ends it\r\n",
    "RCPT": b"503 5.5.1 RCPT belongs between MAIL and the message\r\n",
    "DATA": b"503 5.5.1 no valid recipients, or BDAT was used before\r\n",
    "BDAT": b"503 5.5.1 no valid recipients\r\n",
    "XFORWARD": b"503 5.5.1 XFORWARD belongs before MAIL\r\n",
}

# One row for each leaf of the tree of errors. An error that no delivery can give is a bug of ours, and so temporary.
ANSWERS: Final[dict[type[errors.MailError], bytes]] = {
    **{error: reply + b"\r\n" for error, reply in recipient_refusal.REPLIES.items()},
    errors.MessageTooLarge: b"552 5.3.4 the message is larger than this site takes\r\n",
    # RFC 3463 §3.5
    errors.MailLoop: b"554 5.4.6 mail loop: this message has been here before\r\n",
    errors.StorageFull: b"452 4.3.1 the mail store is full, try again later\r\n",
    errors.Unavailable: INTERNAL,
    errors.BodyUnreadable: INTERNAL,
    errors.Overloaded: b"451 4.3.2 too much to do just now, try again later\r\n",
    errors.AliasOutside: b"451 4.3.5 an alias leads outside: the MTA must expand it before LMTP\r\n",
    errors.BadCredentials: INTERNAL,
    errors.PopSwitchedOff: INTERNAL,
    errors.MainPasswordBarred: INTERNAL,
    errors.SendingOff: INTERNAL,
    errors.DeviceMayNotSend: INTERNAL,
    errors.BodyLost: INTERNAL,
    errors.Throttled: INTERNAL,
    errors.SendingLimitReached: INTERNAL,
    errors.Abandoned: INTERNAL,
}


def greeting(hostname: str) -> bytes:
    return f"220 {hostname} popadmin LMTP ready\r\n".encode()


def extensions(rules: Rules) -> bytes:
    """Return the answer to LHLO. XFORWARD is for every client: each may deliver, and so tell what mail it brings."""
    # RFC 2920, 2034, 1870, 6152, 6531, Postfix's XFORWARD_README, RFC 3030
    lines = (
        rules.hostname,
        "PIPELINING",
        "ENHANCEDSTATUSCODES",
        f"SIZE {rules.max_message_octets}",
        "8BITMIME",
        "SMTPUTF8",
        f"XFORWARD {' '.join(forwarded.ATTRIBUTES)}",
        "CHUNKING",
    )
    return "".join(f"250{' ' if line is lines[-1] else '-'}{line}\r\n" for line in lines).encode()


def delivered(answer: Delivered) -> bytes:
    return f"250 2.0.0 delivered as {answer.queue_id}\r\n".encode()


def of_error(error: errors.MailError) -> bytes:
    return ANSWERS.get(type(error), INTERNAL)
