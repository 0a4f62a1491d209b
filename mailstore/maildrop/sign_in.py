"""One sign-in, from the query for the account to the answer, whatever it is for (`sign_in_purpose`)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from mailstore.errors import Abandoned, BadCredentials, MailError, Throttled, Unavailable
from mailstore.maildrop import account_rows, own_hashes, password_check
from mailstore.maildrop.account_rows import Account, Device, device_of
from mailstore.maildrop.password_check import Check
from mailstore.maildrop.sign_in_context import SignInContext
from mailstore.maildrop.sign_in_purpose import Purpose
from mailstore.maildrop.sign_in_refusal import Why
from mailstore.policy import device_secret
from mailstore.policy.addresses import BadAddress, normal_address, normal_local_part
from mailstore.policy.hash_queue import QueueName
from mailstore.policy.networks import network
from mailstore.policy.throttle import Bar
from mailstore.ports import Credentials, Done, Move
from mailstore.sql.statements.sign_in import SIGN_IN

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

MOVING_REFUSAL_SECONDS = 5.0  # in a domain that moves: most old servers have refused a password by then
PREVIOUS_PASSWORD_SECONDS = 0.1  # each wrong password waits so long at least, for the log to say if it is the previous
NOBODY = b""  # an address that no user has; looked up for input that is no address, so that it costs the same


T = TypeVar("T")


class StoredSignIn(Generic[T]):
    """ports.SignIn. Its steps: read the rows, wait if there were failures before, check the slow hash, answer.

    A device's secret, and a password that this process has verified before, are answered right after the first step.
    """

    __slots__ = (
        "_abandoned",
        "_bare_name",
        "_bare_names_mailbox",
        "_began_at",
        "_cause",
        "_check",
        "_context",
        "_credentials",
        "_device_digest",
        "_domain",
        "_done",
        "_name",
        "_network",
        "_purpose",
        "_timer",
        "_waited_seconds",
        "_wants_no_more",
    )

    def __init__(self, context: SignInContext, purpose: Purpose[T], credentials: Credentials, done: Done[T]) -> None:
        self._context = context
        self._purpose = purpose
        self._credentials = credentials
        self._done = done
        self._network = network(credentials.client)
        self._name = ""  # in normal form; empty if what was typed is no address, since it may be a password
        self._bare_name = _bare_name(credentials)
        self._bare_names_mailbox = False
        self._domain = ""  # of the name; all refusals in it take the same time, whatever account the name opens
        self._device_digest: bytes | None = None  # of the secret, if it has the form of a device's secret
        self._timer: asyncio.TimerHandle | None = None  # during the delay before the slow hash
        self._check: Check | None = None  # while it waits or runs
        self._waited_seconds = 0.0
        self._began_at = _now()
        self._abandoned = False
        self._cause = ""  # of a wrong password, for the log
        self._wants_no_more = False

    def begin(self) -> None:
        """Read the rows of the account."""
        credentials, context = self._credentials, self._context
        try:
            # From here on an account has one name, so that another spelling gives nobody a fresh count of failures.
            self._credentials = credentials = credentials._replace(address=normal_address(credentials.address))
            name = credentials.address.encode()
            self._name = "" if credentials.bare else credentials.address
            self._domain = credentials.address.rpartition("@")[2]
        except (BadAddress, UnicodeEncodeError):
            name = NOBODY
        selector = None
        if parts := device_secret.split(credentials.secret):
            selector, self._device_digest = parts[0].encode(), device_secret.digest(parts[1])
        known = context.known_pairs.has(credentials.address, self._network, _now())
        where = None if known else self._network.encode()
        bare_name = self._bare_name.encode() if self._bare_name else None
        parameters = SIGN_IN.values(address=name, bare_name=bare_name, selector=selector, network=where)
        context.lanes.read(SIGN_IN, parameters, self._found)

    # --- ports.SignIn -------------------------------------------------------------------------------------------------

    def abandon(self) -> None:
        self._abandoned = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._done(_client_gone())
        elif self._check is not None:
            self._context.passwords.drop(self._check)

    def give_way(self) -> None:
        self._wants_no_more = True
        if self._check is not None:
            self._context.passwords.give_way(self._check)

    # --- the steps ----------------------------------------------------------------------------------------------------

    def _found(self, answer: PGresult | MailError) -> None:
        if isinstance(answer, MailError):
            self._done(answer)
            return
        account = account_rows.read(answer)
        self._bare_names_mailbox = account_rows.names_mailbox(answer)
        if account is not None:  # by whatever name: its failures and known networks count under its own address
            self._credentials = self._credentials._replace(address=account.address)
            self._name = account.address
        context = self._context
        secret, passwords = self._credentials.secret, context.passwords
        quick = account if account and account.active else None  # a suspended account costs the same as an unknown one
        if quick and self._device_digest and (device := device_of(quick, self._device_digest)):
            self._right(quick, device)
        elif quick and passwords.known(secret, quick.encoded):
            self._right(quick, quick.main())
        elif bar := self._bar(account):
            self._refuse(Why.THROTTLED, account, Throttled("too many failures from there"))
            context.refusals.names.barred(self._credentials.client, self._name, bar)
        elif self._abandoned:
            self._done(_client_gone())
        else:
            self._delay(account, known=bool(quick and self._known(quick)))

    def _bar(self, account: Account | None) -> Bar | None:
        """Return the limit that refuses this client, which failed too often.

        Never in the network of the last good sign-in, so that a stranger cannot lock the user out. That sign-in is
        read from the database, so it may be of any worker.
        """
        client = self._credentials.client
        last_client = account.main().last_client if account else None
        if last_client is not None and network(last_client) == self._network:
            return None
        return self._context.throttle.bar(
            client, self._credentials.address, _now(), loopback=self._credentials.loopback
        )

    def _known(self, account: Account) -> bool:
        """Return True if this account signed in from this network within a month."""
        return account.known_today is not None or self._context.known_pairs.has(account.address, self._network, _now())

    def _delay(self, account: Account | None, *, known: bool) -> None:
        """Start the slow hash, later if the network failed often. An account that is known there never waits."""
        credentials = self._credentials
        if not known:
            wait_seconds = self._context.throttle.wait_seconds(
                credentials.client, credentials.address, _now(), loopback=credentials.loopback
            )
            self._waited_seconds = min(wait_seconds, self._purpose.longest_delay_seconds)
        if self._waited_seconds:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._waited_seconds, self._hash, account, QueueName.STRANGER)
        else:
            self._hash(account, QueueName.KNOWN if known else QueueName.STRANGER)

    def _hash(self, account: Account | None, queue: QueueName) -> None:
        self._timer = None
        self._check = Check(
            account=self._credentials.address,
            network=None if self._credentials.loopback else self._network,
            queue=QueueName.LAST if self._wants_no_more else queue,
            secret=self._credentials.secret,
            encoded=account.encoded if account else None,
            quick=account is not None and account.active,
            done=lambda right: self._checked(right, account),
        )
        self._context.passwords.check(self._check)

    def _checked(self, right: bool | MailError, account: Account | None) -> None:
        check, self._check = self._check, None
        # The delay counts from the start of the hash. So a refusal does not show how dear a foreign hash is.
        self._waited_seconds += check.run_seconds if check else 0.0
        if isinstance(right, MailError):
            self._done(right)
        elif right and account:
            if check and check.own_hash and account.active:
                own_hashes.store(self._context.lanes, account.user, foreign=account.encoded, own=check.own_hash)
            self._right(account, account.main())
        elif account and account.active and account.move and password_check.is_unusable(account.encoded):
            self._ask_old_server(account, account.move)
        else:
            self._wrong("wrong password" if account else "unknown user", account)

    # --- a mailbox that is still at its old server, so that nobody has a password here yet ----------------------------

    def _ask_old_server(self, account: Account, move: Move) -> None:
        """Ask the old server for the password, after a slow hash as for everybody else."""
        servers, loop = self._context.old_servers, asyncio.get_running_loop()
        if servers is None or self._abandoned:
            self._wrong("the old server is not asked here", account)
            return

        def answered(answer: str | MailError | None) -> None:
            with suppress(RuntimeError):  # the loop is closed: the worker has ended meanwhile
                loop.call_soon_threadsafe(self._old_server_answered, account, move, answer)

        servers.ask(move, self._credentials.secret, answered)

    def _old_server_answered(self, account: Account, move: Move, answer: str | MailError | None) -> None:
        if answer is None:
            self._wrong("wrong password at the old server", account)
        elif isinstance(answer, Throttled):  # the reply of a wrong password, or strangers would see who is marked
            self._wrong("wrong passwords at the old server before", account)
        elif isinstance(answer, MailError):
            # In the time and with the reply of a refusal in this domain while the old server is away.
            away = Unavailable(str(answer))
            asyncio.get_running_loop().call_later(self._moving_rest_seconds(), self._done, away)
        else:
            own_hashes.store(self._context.lanes, account.user, foreign=account.encoded, own=answer)
            self._right(account, account.main())

    # --- answers ------------------------------------------------------------------------------------------------------

    def _right(self, account: Account, device: Device) -> None:
        if not account.active:
            self._wrong("suspended or removed", account)
        elif bar := self._purpose.bar(account, device):
            self._refuse(bar.why, account, bar.error, device)
        else:
            self._note(account)
            self._done(self._purpose.open(account, device, self._credentials))

    def _note(self, account: Account) -> None:
        """Remember that the account signed in from this network."""
        context, client, now = self._context, self._credentials.client, _now()
        context.throttle.succeeded(client, account.address, now)
        if not context.known_pairs.has(account.address, self._network, now):
            context.known_pairs.note(account.address, self._network, now)
            context.throttle.share_success(client, account.address)
            if not account.known_today:  # else the database knows it for less than a day
                forget = partial(context.known_pairs.forget, account.address, self._network)
                context.last_sign_ins.know(account.user, self._network, lost=forget)

    def _refuse(self, why: Why, account: Account | None, error: MailError, device: Device | None = None) -> None:
        """Refuse and say why: the password was right, or was not checked."""
        self._done(error)
        if account is not None:
            key = device.device if device else None
            self._context.refusals.record(why.value, account.mailbox, self._credentials, key)

    def _wrong(self, why: str, account: Account | None) -> None:
        """Refuse without saying why, after the delay that failures earn; `why` is for the log."""
        credentials, context = self._credentials, self._context
        secret = context.passwords.guess(credentials.secret)
        tried = context.throttle.tried(credentials.client, credentials.address, secret, _now())
        self._cause = f"{why}, repeated" if tried else why
        delay_seconds = context.throttle.failed(
            credentials.client,
            credentials.address,
            secret,
            _now(),
            unknown=account is None and not self._bare_names_mailbox,
            loopback=credentials.loopback,
        )
        delay_seconds = min(delay_seconds, self._purpose.longest_delay_seconds)
        rest_seconds = max(PREVIOUS_PASSWORD_SECONDS, delay_seconds - self._waited_seconds)
        rest_seconds = max(rest_seconds, self._moving_rest_seconds())
        asyncio.get_running_loop().call_later(rest_seconds, self._tell_wrong)
        if account is not None and account.active:
            context.refusals.record_wrong_password(account.mailbox, credentials, was_right=self._was_right)
        elif account is not None:
            context.refusals.record(Why.SUSPENDED.value, account.mailbox, credentials)
        else:
            # The local part of a mailbox is told, since it is no password in the wrong field.
            name = self._bare_name if self._bare_names_mailbox else self._name
            context.refusals.names.unknown(credentials.client, name)

    def _was_right(self) -> None:
        """Learn that it is the previous password, mostly before the answer goes out."""
        self._cause = "previous password"

    def _moving_rest_seconds(self) -> float:
        """Return how long a refusal waits, so that nobody sees by its time for whom an old server was asked."""
        moves = self._domain in self._context.moving_domains.servers
        return max(0.0, self._began_at + MOVING_REFUSAL_SECONDS - _now()) if moves else 0.0

    def _tell_wrong(self) -> None:
        """Give the one reply. While an old server is away, it is the one of those for whom it would be asked."""
        servers, domains = self._context.old_servers, self._context.moving_domains.servers
        if servers is not None and self._domain in domains and servers.away(domains[self._domain]):
            self._done(Unavailable(f"{self._cause}; an old server is away"))
        else:
            self._done(BadCredentials(self._cause))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _bare_name(credentials: Credentials) -> str:
    """Return the name in normal form if it was typed without a domain; "" for any other, and for what is no name."""
    local_part, at, _domain = credentials.address.rpartition("@")
    if at and not credentials.bare:
        return ""
    try:
        return normal_local_part(local_part if at else credentials.address)
    except (BadAddress, UnicodeEncodeError):
        return ""


def _client_gone() -> Abandoned:
    return Abandoned("the client left before its password was checked")
