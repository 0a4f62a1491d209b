"""What the query of a sign-in found, as values: an account with its devices. It decides nothing."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult


class Device(NamedTuple):
    device: int
    name: str
    main: bool
    digest: bytes | None
    hidden: bytes
    hidden_messages: int
    hidden_octets: int
    unseen: bool  # never signed in
    last_client: str | None


class Account(NamedTuple):
    encoded: str
    active: bool
    address: str
    mailbox: int
    pop: bool
    main_pop: bool
    messages: int
    octets: int
    change: int
    expire_days: int | None
    user: int
    password_version: bytes | None  # another one once another password was set, as Postgres prints it
    noted: bool | None  # a sign-in from the network that asks: None: none within a month; True: within a day
    devices: tuple[Device, ...]

    def main(self) -> Device:
        return next(device for device in self.devices if device.main)


def device_of(account: Account, digest: bytes) -> Device | None:
    """The device whose secret was typed; its digest is fast, since the secret has full entropy."""
    for device in account.devices:
        if device.digest is not None and hmac.compare_digest(device.digest, digest):
            return device
    return None


def read(answer: PGresult) -> Account | None:
    """None for an unknown user, and for one without a mailbox: an admin does not fetch mail."""
    if answer.ntuples == 0:
        return None
    encoded, active, name, mailbox, pop, main_pop, messages, octets, change, expire_days = _values(answer, 0, 0, 10)
    if not mailbox:
        return None
    user, password_version, noted = _values(answer, 0, 10, 13)
    return Account(
        encoded=encoded.decode(),
        active=active == b"t",
        address=name.decode(),
        mailbox=int(mailbox),
        pop=pop == b"t",
        main_pop=main_pop == b"t",
        messages=int(messages),
        octets=int(octets),
        change=int(change),
        expire_days=int(expire_days) if expire_days else None,
        user=int(user),
        password_version=password_version or None,
        noted=noted == b"t" if noted else None,
        devices=tuple([_device(answer, row) for row in range(answer.ntuples)]),
    )


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
    )


def _values(answer: PGresult, row: int, start: int, end: int) -> list[bytes]:
    """Some columns of a row of SIGN_IN; what is NULL is empty."""
    return [answer.get_value(row, column) or b"" for column in range(start, end)]
