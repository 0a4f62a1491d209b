"""Sign-in over the rows; the port Accounts. One query, one reply and one cost for every stranger."""

from __future__ import annotations

import asyncio
import hmac
import logging
from typing import TYPE_CHECKING, NamedTuple

from mailstore.errors import BadCredentials, MailError, MainPasswordBarred, PopSwitchedOff, Throttled
from mailstore.policy import devices
from mailstore.policy.addresses import BadAddress, normal_address
from mailstore.policy.networks import network
from mailstore.policy.throttle import Throttle
from mailstore.ports import BodyStore, Credentials, Done, Maildrop
from mailstore.store.diary import Diary
from mailstore.store.lane import StatementFailed
from mailstore.store.lanes import Lanes
from mailstore.store.listings import Listings
from mailstore.store.maildrop import Shelves, StoredMaildrop, View
from mailstore.store.passwords import Passwords
from mailstore.store.refusals import Refusals, Why
from mailstore.store.sightings import Sightings
from mailstore.store.standing import Standing
from mailstore.store.statements.signing_in import SIGN_IN, SITE_EXPIRY
from mailstore.store.visits import Visitor, address

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.signin")

NOBODY = b""  # no user has it: what cannot be an address is looked up all the same


class _Device(NamedTuple):
    device: int
    name: str
    main: bool
    digest: bytes | None
    hidden: bytes
    hidden_messages: int
    hidden_octets: int
    unseen: bool  # never signed in
    last_client: str | None


class _Account(NamedTuple):
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
    devices: tuple[_Device, ...]

    def main(self) -> _Device:
        return next(device for device in self.devices if device.main)


class StoredAccounts:
    """ports.Accounts. Lives in one worker, on its loop; whoever runs it flushes its `diary`."""

    def __init__(self, lanes: Lanes, bodies: BodyStore, sightings: Sightings) -> None:
        self._lanes = lanes
        listings = Listings()
        lanes.on_return(listings.clear)
        self.diary = Diary(lanes)
        self._standing = Standing(lanes)
        self._shelves = Shelves(lanes, bodies, listings, self.diary, self._standing)
        self._sightings = sightings
        self._passwords = Passwords()
        self._throttle = Throttle()
        self._refusals = Refusals(lanes, self._passwords, self._throttle, self.diary)
        self._site_expire_days: tuple[int | None, bool] | None = None

    def sign_in(self, credentials: Credentials, done: Done[Maildrop]) -> None:
        try:
            # From here on one account has one name, so that no spelling of it is a fresh start for a guesser.
            credentials = credentials._replace(address=normal_address(credentials.address))
            name = credentials.address.encode()
        except (BadAddress, UnicodeEncodeError):
            name = NOBODY
        typed = devices.split(credentials.secret)
        selector, digest = (typed[0].encode(), devices.digest(typed[1])) if typed else (None, None)
        self._lanes.read(SIGN_IN, (name, selector), lambda answer: self._found(answer, credentials, digest, done))

    def site_expire_days(self) -> tuple[int | None, bool] | None:
        return self._site_expire_days

    def refresh(self) -> None:
        """Called now and then: what CAPA says before a sign-in is at most that old."""
        self._lanes.read(SITE_EXPIRY, (), self._refreshed)

    def close(self) -> None:
        self._standing.close()
        self._passwords.close()

    def _refreshed(self, answer: PGresult | MailError) -> None:
        if isinstance(answer, StatementFailed):
            log.error("the site's expiry could not be read: %s", answer)
        elif not isinstance(answer, MailError):
            days = answer.get_value(0, 0)
            self._site_expire_days = (int(days) if days else None, answer.get_value(0, 1) == b"t")

    # --- one sign-in ------------------------------------------------------------------------------------------

    def _found(
        self, answer: PGresult | MailError, credentials: Credentials, digest: bytes | None, done: Done[Maildrop]
    ) -> None:
        """`digest` is of the secret, where it has the shape of a device's."""
        if isinstance(answer, MailError):
            done(answer)
            return
        account = _account(answer)
        secret = credentials.secret
        quick = account if account and account.active else None  # a suspended one costs what a stranger costs
        if quick and digest and (device := _device_of(quick, digest)):
            self._right(quick, device, credentials, done)
        elif quick and self._passwords.known(secret, quick.encoded):
            self._right(quick, quick.main(), credentials, done)
        elif self._barred(account, credentials):
            self._refused(Why.THROTTLED, account, credentials, done, Throttled("too many failures from there"))
        else:
            encoded = account.encoded if account else None
            self._passwords.check(secret, encoded, lambda right: self._checked(right, account, credentials, done))

    def _barred(self, account: _Account | None, credentials: Credentials) -> bool:
        """A stranger cannot bar an owner: in the network of the last good sign-in, at any worker, tries go on."""
        client = credentials.client
        last_client = account.main().last_client if account else None
        if last_client is not None and network(last_client) == network(client):
            return False
        return self._throttle.barred(client, credentials.address, _now(), loopback=credentials.loopback)

    def _checked(
        self,
        right: bool | MailError,
        account: _Account | None,
        credentials: Credentials,
        done: Done[Maildrop],
    ) -> None:
        if isinstance(right, MailError):
            done(right)
        elif right and account:
            self._right(account, account.main(), credentials, done)
        else:
            self._wrong("wrong password" if account else "unknown user", account, credentials, done)

    def _right(self, account: _Account, device: _Device, credentials: Credentials, done: Done[Maildrop]) -> None:
        if not account.active:
            self._wrong("suspended or removed", account, credentials, done)
        elif not account.pop:
            self._refused(Why.POP_OFF, account, credentials, done, PopSwitchedOff(account.address), device)
        elif device.main and not account.main_pop:
            self._refused(Why.MAIN_OFF, account, credentials, done, MainPasswordBarred(account.address), device)
        else:
            self._throttle.succeeded(credentials.client, account.address, _now())
            self._sightings.add(device.device, credentials.client)
            if device.unseen:  # from now on the main password counts among the devices that must have a message
                self._sightings.flush()
            done(self._maildrop(account, device, credentials))

    def _refused(
        self,
        why: Why,
        account: _Account | None,
        credentials: Credentials,
        done: Done[Maildrop],
        error: MailError,
        device: _Device | None = None,
    ) -> None:
        """Refuse in words, since the password was right, or since no try was made."""
        done(error)
        if account is not None:
            self._refusals.tell(why.value, account.mailbox, credentials, device.device if device else None)

    def _wrong(self, why: str, account: _Account | None, credentials: Credentials, done: Done[Maildrop]) -> None:
        delay_seconds = self._throttle.failed(
            credentials.client,
            credentials.address,
            self._passwords.digest(credentials.secret),
            _now(),
            unknown=account is None,
            loopback=credentials.loopback,
        )
        asyncio.get_running_loop().call_later(delay_seconds, done, BadCredentials(why))
        if account is not None and account.active:
            self._refusals.tell_wrong(account.mailbox, credentials)
        elif account is not None:
            self._refusals.tell(Why.SUSPENDED.value, account.mailbox, credentials)

    def _maildrop(self, account: _Account, device: _Device, credentials: Credentials) -> Maildrop:
        client, tls = address(credentials.client), credentials.tls or ""
        view = View(
            visitor=Visitor(account.mailbox, device.device, client, tls),
            mailbox=account.mailbox,
            address=account.address,
            device=device.device,
            device_name=device.name,
            change=account.change,
            hidden=device.hidden,
            messages=account.messages - device.hidden_messages,
            octets=account.octets - device.hidden_octets,
            expire_days=account.expire_days,
        )
        return StoredMaildrop(view, self._shelves)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _device_of(account: _Account, digest: bytes) -> _Device | None:
    """The device whose secret was typed; its digest is fast, since the secret has full entropy."""
    for device in account.devices:
        if device.digest is not None and hmac.compare_digest(device.digest, digest):
            return device
    return None


def _account(answer: PGresult) -> _Account | None:
    """None for an unknown user, and for one without a mailbox: an admin does not fetch mail."""
    if answer.ntuples == 0:
        return None
    encoded, active, name, mailbox, pop, main_pop, messages, octets, change, expire_days = _values(answer, 0, 0, 10)
    if not mailbox:
        return None
    return _Account(
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
        devices=tuple([_device(answer, row) for row in range(answer.ntuples)]),
    )


def _device(answer: PGresult, row: int) -> _Device:
    key, name, main, digest, hidden, hidden_messages, hidden_octets, unseen, client = _values(answer, row, 10, 19)
    return _Device(
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
