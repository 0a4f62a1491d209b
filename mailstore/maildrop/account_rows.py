"""The rows of SIGN_IN as values: an account with its devices. Decisions about them are in `sign_in`."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NamedTuple

from mailstore.ports import Move

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult


class Device(NamedTuple):
    """One row of the answer: a device of the account, or the main password."""

    device: int
    name: str
    main: bool
    digest: bytes | None
    hidden: bytes
    hidden_messages: int
    hidden_octets: int
    unseen: bool  # it never signed in before
    last_client: str | None
    may_send: bool


class Account(NamedTuple):
    """What all rows of the answer have in common."""

    encoded: str
    active: bool
    address: str
    mailbox: int
    pop: bool
    main_pop: bool
    smtp: bool
    messages: int
    octets: int
    change: int
    expire_days: int | None
    user: int
    password_version: bytes | None  # as Postgres prints it; it changes when the password is changed
    known_today: bool | None  # last sign-in from this network: True within a day, False within a month, None neither
    devices: tuple[Device, ...]
    move: Move | None = None  # from the old server, if it is not done

    def main(self) -> Device:
        """Return the device that stands for the main password."""
        return next(device for device in self.devices if device.main)


def device_of(account: Account, digest: bytes) -> Device | None:
    """Return the device whose secret has this digest. A fast digest is enough, since the secret is random."""
    for device in account.devices:
        if device.digest is not None and hmac.compare_digest(device.digest, digest):
            return device
    return None


def read(answer: PGresult) -> Account | None:
    """Return the account; None for an unknown user, and for one without a mailbox, as administrators are."""
    encoded, active, name, mailbox, pop, main_pop, messages, octets, change, expire_days = _values(answer, 0, 0, 10)
    if not mailbox:
        return None
    user, password_version, known_today = _values(answer, 0, 10, 13)
    return Account(
        encoded=encoded.decode(),
        active=active == b"t",
        address=name.decode(),
        mailbox=int(mailbox),
        pop=pop == b"t",
        main_pop=main_pop == b"t",
        smtp=answer.get_value(0, 27) == b"t",
        messages=int(messages),
        octets=int(octets),
        change=int(change),
        expire_days=int(expire_days) if expire_days else None,
        user=int(user),
        password_version=password_version or None,
        known_today=known_today == b"t" if known_today else None,
        devices=tuple([_device(answer, row) for row in range(answer.ntuples)]),
        move=_move(answer, int(mailbox), name.decode()),
    )


def names_mailbox(answer: PGresult) -> bool:
    """Return whether the bare name that was typed is the local part of a mailbox."""
    return answer.get_value(0, 26) == b"t"


def _move(answer: PGresult, mailbox: int, address: str) -> Move | None:
    server, local, arrived, due = _values(answer, 0, 22, 26)
    if not server:
        return None
    user = address.rpartition("@")[0] if local == b"t" else address
    return Move(mailbox, address, server.decode(), user, arrived=arrived == b"t", due=due == b"t")


def _device(answer: PGresult, row: int) -> Device:
    key, name, main, digest, hidden, hidden_messages, hidden_octets, unseen, client = _values(answer, row, 13, 22)
    return Device(
        device=int(key),
        name=name.decode(),
        main=main == b"t",
        digest=bytes.fromhex(digest[2:].decode()) if digest else None,
        hidden=hidden,
        hidden_messages=int(hidden_messages),
        hidden_octets=int(hidden_octets),
        unseen=unseen == b"t",
        last_client=client.decode() or None,
        may_send=answer.get_value(row, 28) == b"t",
    )


def _values(answer: PGresult, row: int, start: int, end: int) -> list[bytes]:
    """Return the columns from `start` to before `end` of a row; NULL becomes b""."""
    return [answer.get_value(row, column) or b"" for column in range(start, end)]
