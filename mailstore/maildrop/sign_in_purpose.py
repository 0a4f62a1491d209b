"""What a sign-in is for: to fetch mail by POP, or to send it. It says who may, and what the right password opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, TypeVar

from mailstore.errors import DeviceMayNotSend, MailError, MailMoving, MainPasswordBarred, PopSwitchedOff, SendingOff
from mailstore.maildrop.account_rows import Account, Device
from mailstore.maildrop.diary_record import DiaryEntry, SessionOrigin, address
from mailstore.maildrop.diary_writer import Diary
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.maildrop import MaildropContext, StoredMaildrop, View
from mailstore.models import DiarySession
from mailstore.policy.throttle import LONGEST_DELAY_SECONDS
from mailstore.ports import Credentials, Maildrop, Move, OldServers, Sender

T_co = TypeVar("T_co", covariant=True)
Why = DiarySession.Ended

# Postfix waits 10 s for an answer to a password, and then tells the client of trouble instead of a wrong password. The
# slow hash and the queue before it take their part of that.
SENDING_DELAY_SECONDS = 5.0


class SwitchedOff(NamedTuple):
    """Why a right password opens nothing: for the diary, and for the client."""

    why: Why
    error: MailError


class Purpose(Protocol[T_co]):
    """What StoredSignIn asks once it knows who it is."""

    @property
    def longest_delay_seconds(self) -> float:
        """Return how long failures may delay an answer at most."""

    def bar(self, account: Account, device: Device) -> SwitchedOff | None:
        """Return the switch that forbids it, if any. The password was right."""

    def open(self, account: Account, device: Device, credentials: Credentials) -> T_co | MailError:
        """Return what the sign-in opens, and note that there was one."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """A sign-in to POP: it opens the maildrop."""

    maildrops: MaildropContext
    last_sign_ins: LastSignIns
    old_servers: OldServers | None  # None: nobody moves here
    longest_delay_seconds: float = LONGEST_DELAY_SECONDS

    def bar(self, account: Account, device: Device) -> SwitchedOff | None:
        if not account.pop:
            return SwitchedOff(Why.POP_OFF, PopSwitchedOff(account.address))
        return _main_bar(account, device)

    def open(self, account: Account, device: Device, credentials: Credentials) -> Maildrop | MailError:
        self.last_sign_ins.add(device.device, credentials.client)
        if device.unseen:  # written at once: from now on it counts among the devices that must have got a message
            self.last_sign_ins.flush()
        if account.move:
            self._go_on_moving(device, account.move, credentials)
            if not account.move.arrived:
                return MailMoving(account.address)
        return StoredMaildrop(_view(account, device, credentials), self.maildrops)

    def _go_on_moving(self, device: Device, move: Move, credentials: Credentials) -> None:
        """Move the mail, if this is the password that the old server takes. A device's is known only here."""
        if device.main and move.due and self.old_servers is not None:
            self.old_servers.go_on(move, credentials.secret)


@dataclass(frozen=True, slots=True)
class Sending:
    """A sign-in to send mail through the MTA. It is no sight of the device: that one has fetched nothing."""

    diary: Diary
    longest_delay_seconds: float = SENDING_DELAY_SECONDS

    def bar(self, account: Account, device: Device) -> SwitchedOff | None:
        if not account.smtp:
            return SwitchedOff(Why.SMTP_OFF, SendingOff(account.address))
        if not (device.main or device.may_send):
            return SwitchedOff(Why.NO_SENDER, DeviceMayNotSend(f"{account.address}: {device.name}"))
        return _main_bar(account, device)

    def open(self, account: Account, device: Device, credentials: Credentials) -> Sender | MailError:
        now = datetime.now(UTC)
        self.diary.add(DiaryEntry(_origin(account, device, credentials), now, now, Why.SENT.value))
        return Sender(account.address, device.name)


def _main_bar(account: Account, device: Device) -> SwitchedOff | None:
    if device.main and not account.main_pop:
        return SwitchedOff(Why.MAIN_OFF, MainPasswordBarred(account.address))
    return None


def _view(account: Account, device: Device, credentials: Credentials) -> View:
    return View(
        origin=_origin(account, device, credentials),
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


def _origin(account: Account, device: Device, credentials: Credentials) -> SessionOrigin:
    return SessionOrigin(account.mailbox, device.device, address(credentials.client), credentials.tls or "")
