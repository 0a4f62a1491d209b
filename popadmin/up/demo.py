"""The sample site of `up --demo`: a domain, mailboxes, an alias, devices and mail. It is created once."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mailstore import durable_file
from mailstore.delivery import pipe
from mailstore.directory import admins, aliases, devices, domains, mailboxes, new_password, policies
from mailstore.models import Device, DiarySession, Domain, User
from mailstore.policy import device_secret
from mailstore.retention.tally_step import count_now
from popadmin.up import demo_sessions
from popadmin.up.credentials import ACTOR, FIRST_ADMIN, Credential
from popadmin.up.demo_mail import SampleMessage, sample_messages
from popadmin.up.demo_sessions import SAMPLE_SESSIONS, SampleSession
from popadmin.up.errors import UpError

DOMAIN = "example.test"  # RFC 2606 §2: no real domain has this name
QUOTA_OCTETS = 500 * 1024**2
PEOPLE = {"alice": "Alice Martin", "bruno": "Bruno Keller", "chloe": "Chloé Dubois"}
ALIAS, ALIAS_OF = "team", ("alice", "bruno", "chloe")
# Alice has no device: mail that her mail program deletes leaves the mailbox, as usual with POP.
DEVICES = (
    ("chloe", "Phone", Device.Kind.PHONE, Device.Mode.INDEPENDENT),
    ("chloe", "Office PC", Device.Kind.PC, Device.Mode.INDEPENDENT),
    ("chloe", "Laptop", Device.Kind.LAPTOP, Device.Mode.PRIMARY),
    ("bruno", "Tablet", Device.Kind.TABLET, Device.Mode.INDEPENDENT),
)
POLICY = "A year"
DIARY_SECONDS = 5.0  # the diary is written a second after a session; the charts need it
LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Record:
    """What was created so far, with the passwords. The file has mode 0600, and only a demo has one.

    The names are keys of the file, so they stay.
    """

    passwords: dict[str, str] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    letters: int = 0  # how many sample messages were delivered
    visits: int = 0  # how many sample sessions were run


class Demo:
    """The sample site of one data folder. Each step is recorded before the next, so that a second run continues."""

    def __init__(self, data_dir: Path, say: Callable[[str], None]) -> None:
        self._file = data_dir / "demo.json"
        self._say = say
        self._record = self._read()

    def _read(self) -> Record:
        """Read the record. A damaged record is set aside; then the site counts as complete if its domain exists."""
        try:
            return Record(**json.loads(self._file.read_bytes()))
        except FileNotFoundError:
            return Record()
        except (ValueError, TypeError):
            aside = durable_file.set_aside(self._file)
        self._say(
            f"{self._file} was damaged and is now {aside.name}: the passwords of the demo are not known any more; "
            "`mailbox set-password ADDRESS` makes new ones (`admin ensure` for an administrator)"
        )
        made = Domain.objects.filter(name=DOMAIN).exists()
        return Record(letters=len(sample_messages(DOMAIN)), visits=len(SAMPLE_SESSIONS)) if made else Record()

    def make(self) -> list[Credential]:
        """Create what is missing; return the passwords that are valid now."""
        self._administrator()
        self._domain()
        for name in PEOPLE:
            self._mailbox(name)
        aliases.ensure(_address(ALIAS), [_address(name) for name in ALIAS_OF], actor=ACTOR)
        for name, device, kind, mode in DEVICES:
            self._device(name, device, kind=kind, mode=mode)
        if self._deliver(sample_messages(DOMAIN)) + self._run_sessions(SAMPLE_SESSIONS):
            self._tally()
        return self._credentials()

    def _administrator(self) -> None:
        if FIRST_ADMIN not in self._record.passwords and User.objects.filter(role=User.Role.ADMIN).exists():
            return  # created by an earlier start, which printed the password
        admins.ensure(FIRST_ADMIN, actor=ACTOR, password=self._password(FIRST_ADMIN))

    def _domain(self) -> None:
        """Create the domain once. Later changes of the user are kept."""
        if not Domain.objects.filter(name=DOMAIN).exists():
            policy = policies.ensure(POLICY, actor=ACTOR, expire_days=365, recovery_days=30).row
            domains.ensure(DOMAIN, actor=ACTOR, policy=policy)

    def _mailbox(self, name: str) -> None:
        address = _address(name)
        if User.objects.filter(address=address).exists():
            return  # even if its owner has changed the password
        mailboxes.ensure(
            address, actor=ACTOR, password=self._password(address), name=PEOPLE[name], quota_octets=QUOTA_OCTETS
        )

    def _password(self, login: str) -> str:
        """Return the password. It is recorded first, so that a crash leaves no mailbox with an unknown password."""
        if login not in self._record.passwords:
            self._record.passwords[login] = new_password.generate()
            self._save()
        return self._record.passwords[login]

    def _device(self, name: str, device: str, *, kind: str, mode: str) -> None:
        key = f"{_address(name)} {device}"
        if key not in self._record.devices and not devices.listing(_address(name)).filter(name=device).exists():
            _row, secret = devices.add(_address(name), device, actor=ACTOR, mode=mode, kind=kind)
            self._record.devices[key] = device_secret.shown(secret)
            self._save()

    def _deliver(self, mail: Sequence[SampleMessage]) -> int:
        """Deliver the messages that were not delivered yet; return their number."""
        before = self._record.letters
        for message in mail[self._record.letters :]:
            recipients = [_address(name) for name in message.to]
            for outcome in pipe.deliver(recipients, io.BytesIO(message.data), sender=message.sender):
                if outcome.error is not None:
                    raise UpError(f"the sample mail was refused: {outcome.error}")
            self._record.letters += 1
            self._save()
        return self._record.letters - before

    def _run_sessions(self, sessions: Sequence[SampleSession]) -> int:
        """Run the sample sessions that were not run yet; return their number.

        Stop at the first device that is gone or can reach no port.
        """
        before = self._record.visits
        for session in sessions[self._record.visits :]:
            secret = self._record.devices.get(f"{_address(session.name)} {session.device}")
            if secret is None or not demo_sessions.run(session, _address(session.name), secret):
                break
            self._record.visits += 1
            self._save()
        return self._record.visits - before

    def _tally(self) -> None:
        """Count now what the sweep would count an hour later, so that the overview has charts."""
        deadline = time.monotonic() + DIARY_SECONDS
        while DiarySession.objects.count() < self._record.visits and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        count_now()

    def _save(self) -> None:
        durable_file.write(self._file, json.dumps(asdict(self._record), indent=1).encode())

    def _credentials(self) -> list[Credential]:
        users = {user.address: user for user in User.objects.filter(address__in=self._record.passwords)}
        main = [
            Credential(login, password, PEOPLE.get(login.partition("@")[0], "hosting admin"))
            for login, password in self._record.passwords.items()
            if login in users and users[login].check_password(password)
        ]
        named = [
            Credential(address, secret, f"device {device}")
            for key, secret in self._record.devices.items()
            for address, _blank, device in [key.partition(" ")]
        ]
        return [*main, *named]


def _address(name: str) -> str:
    return f"{name}@{DOMAIN}"
