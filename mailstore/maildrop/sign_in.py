"""One sign-in over the rows, from the question who it is to the answer; the port SignIn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailstore.errors import Abandoned, BadCredentials, MailError, MainPasswordBarred, PopSwitchedOff, Throttled
from mailstore.maildrop import account_rows
from mailstore.maildrop.account_rows import Account, Device, device_of
from mailstore.maildrop.diary_record import Visitor, address
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.maildrop import Shelves, StoredMaildrop, View
from mailstore.maildrop.password_check import Check, Passwords
from mailstore.maildrop.sign_in_refusal import SignInRefusals, Why
from mailstore.policy import devices
from mailstore.policy.addresses import BadAddress, normal_address
from mailstore.policy.hash_queue import HashLane
from mailstore.policy.known_pairs import KnownPairs
from mailstore.policy.networks import network
from mailstore.policy.throttle import Throttle
from mailstore.ports import Credentials, Done, Maildrop
from mailstore.sql.statements.sign_in import SIGN_IN

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

NOBODY = b""  # no user has it: what cannot be an address is looked up all the same


@dataclass(frozen=True, slots=True)
class Memory:
    """What every sign-in of a worker stands on."""

    shelves: Shelves
    sightings: LastSignIns
    passwords: Passwords
    throttle: Throttle
    refusals: SignInRefusals
    known_pairs: KnownPairs


class StoredSignIn:
    """ports.SignIn. It goes in steps: the rows, the delay that earlier failures have earned, the slow hash, the answer;
    a device's secret, and a password that this process verified before, are answered after the first."""

    __slots__ = (
        "_abandoned",
        "_check",
        "_credentials",
        "_device_digest",
        "_done",
        "_memory",
        "_network",
        "_timer",
        "_waited_seconds",
        "_wants_no_more",
    )

    def __init__(self, memory: Memory, credentials: Credentials, done: Done[Maildrop]) -> None:
        self._memory = memory
        self._credentials = credentials
        self._done = done
        self._network = network(credentials.client)
        self._device_digest: bytes | None = None  # of the secret, where it has the shape of a device's
        self._timer: asyncio.TimerHandle | None = None  # before the slow hash
        self._check: Check | None = None  # while it waits or runs
        self._waited_seconds = 0.0
        self._abandoned = False
        self._wants_no_more = False

    def begin(self) -> None:
        """Ask for the rows."""
        credentials, memory = self._credentials, self._memory
        try:
            # From here on one account has one name, so that no spelling of it is a fresh start for a guesser.
            self._credentials = credentials = credentials._replace(address=normal_address(credentials.address))
            name = credentials.address.encode()
        except (BadAddress, UnicodeEncodeError):
            name = NOBODY
        selector = None
        if typed := devices.split(credentials.secret):
            selector, self._device_digest = typed[0].encode(), devices.digest(typed[1])
        noted = memory.known_pairs.has(credentials.address, self._network, _now())
        where = None if noted else self._network.encode()
        asked = SIGN_IN.values(address=name, selector=selector, network=where)
        memory.shelves.lanes.read(SIGN_IN, asked, self._found)

    # --- ports.SignIn -------------------------------------------------------------------------------------------------

    def abandon(self) -> None:
        self._abandoned = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._done(_left())
        elif self._check is not None:
            self._memory.passwords.drop(self._check)

    def give_way(self) -> None:
        self._wants_no_more = True
        if self._check is not None:
            self._memory.passwords.give_way(self._check)

    # --- the steps ----------------------------------------------------------------------------------------------------

    def _found(self, answer: PGresult | MailError) -> None:
        if isinstance(answer, MailError):
            self._done(answer)
            return
        account = account_rows.read(answer)
        secret, passwords = self._credentials.secret, self._memory.passwords
        quick = account if account and account.active else None  # a suspended one costs what a stranger costs
        if quick and self._device_digest and (device := device_of(quick, self._device_digest)):
            self._right(quick, device)
        elif quick and passwords.known(secret, quick.encoded):
            self._right(quick, quick.main())
        elif self._barred(account):
            self._refuse(Why.THROTTLED, account, Throttled("too many failures from there"))
        elif self._abandoned:
            self._done(_left())
        else:
            self._delay(account, known=bool(quick and self._known(quick)))

    def _barred(self, account: Account | None) -> bool:
        """A stranger cannot bar an owner: in the network of the last good sign-in, at any worker, tries go on."""
        client = self._credentials.client
        last_client = account.main().last_client if account else None
        if last_client is not None and network(last_client) == self._network:
            return False
        return self._memory.throttle.barred(
            client, self._credentials.address, _now(), loopback=self._credentials.loopback
        )

    def _known(self, account: Account) -> bool:
        """Whether this account signed in from this network within a month."""
        return account.noted is not None or self._memory.known_pairs.has(account.address, self._network, _now())

    def _delay(self, account: Account | None, *, known: bool) -> None:
        """Let a network that failed a lot wait before it costs a slow hash; never whoever is known there."""
        credentials = self._credentials
        if not known:
            self._waited_seconds = self._memory.throttle.wait_seconds(
                credentials.client, credentials.address, _now(), loopback=credentials.loopback
            )
        if self._waited_seconds:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._waited_seconds, self._hash, account, HashLane.STRANGER)
        else:
            self._hash(account, HashLane.KNOWN if known else HashLane.STRANGER)

    def _hash(self, account: Account | None, lane: HashLane) -> None:
        self._timer = None
        self._check = Check(
            account=self._credentials.address,
            network=None if self._credentials.loopback else self._network,
            lane=HashLane.LAST if self._wants_no_more else lane,
            secret=self._credentials.secret,
            encoded=account.encoded if account else None,
            quick=account is not None and account.active,
            done=lambda right: self._checked(right, account),
        )
        self._memory.passwords.check(self._check)

    def _checked(self, right: bool | MailError, account: Account | None) -> None:
        self._check = None
        if isinstance(right, MailError):
            self._done(right)
        elif right and account:
            self._right(account, account.main())
        else:
            self._wrong("wrong password" if account else "unknown user", account)

    # --- answers ------------------------------------------------------------------------------------------------------

    def _right(self, account: Account, device: Device) -> None:
        if not account.active:
            self._wrong("suspended or removed", account)
        elif not account.pop:
            self._refuse(Why.POP_OFF, account, PopSwitchedOff(account.address), device)
        elif device.main and not account.main_pop:
            self._refuse(Why.MAIN_OFF, account, MainPasswordBarred(account.address), device)
        else:
            self._note(account, device)
            self._done(self._maildrop(account, device))

    def _note(self, account: Account, device: Device) -> None:
        """Who signed in well, and where."""
        memory, client, now = self._memory, self._credentials.client, _now()
        memory.throttle.succeeded(client, account.address, now)
        if not memory.known_pairs.has(account.address, self._network, now):
            memory.known_pairs.note(account.address, self._network, now)
            if not account.noted:  # in the database within a day
                memory.sightings.know(account.user, self._network)
        memory.sightings.add(device.device, client)
        if device.unseen:  # from now on the main password counts among the devices that must have a message
            memory.sightings.flush()

    def _refuse(self, why: Why, account: Account | None, error: MailError, device: Device | None = None) -> None:
        """Refuse in words, since the password was right, or since no try was made."""
        self._done(error)
        if account is not None:
            key = device.device if device else None
            self._memory.refusals.tell(why.value, account.mailbox, self._credentials, key)

    def _wrong(self, why: str, account: Account | None) -> None:
        credentials, memory = self._credentials, self._memory
        delay_seconds = memory.throttle.failed(
            credentials.client,
            credentials.address,
            memory.passwords.digest(credentials.secret),
            _now(),
            unknown=account is None,
            loopback=credentials.loopback,
        )
        rest_seconds = max(0.0, delay_seconds - self._waited_seconds)
        asyncio.get_running_loop().call_later(rest_seconds, self._done, BadCredentials(why))
        if account is not None and account.active:
            memory.refusals.tell_wrong(account.mailbox, credentials)
        elif account is not None:
            memory.refusals.tell(Why.SUSPENDED.value, account.mailbox, credentials)

    def _maildrop(self, account: Account, device: Device) -> Maildrop:
        client, tls = address(self._credentials.client), self._credentials.tls or ""
        view = View(
            visitor=Visitor(account.mailbox, device.device, client, tls),
            mailbox=account.mailbox,
            address=account.address,
            device=device.device,
            device_name=device.name,
            password_version=account.password_version if device.main else None,
            change=account.change,
            hidden=device.hidden,
            messages=account.messages - device.hidden_messages,
            octets=account.octets - device.hidden_octets,
            expire_days=account.expire_days,
        )
        return StoredMaildrop(view, self._memory.shelves)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _left() -> Abandoned:
    return Abandoned("the client left before its password was checked")
