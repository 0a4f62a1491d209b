"""Create a large sample site for tests, demos and benches: rows with correct counters that share a few bodies.

Never use it on a site with people: every mailbox has the same password. The domains end in .example (RFC 2606 §2).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from mailstore.directory import audit
from mailstore.directory.audit import Actor
from mailstore.directory.mailbox_batch import MAIN_DEVICE
from mailstore.directory.outcome import Rejected
from mailstore.models import Body, Device, Domain, Mailbox, User
from mailstore.ports import BodyStore
from mailstore.wire.body_normalizer import RawNormalizer

BODIES = 48
BATCH_MAILBOXES = 1000  # one transaction writes some ten thousand messages, which takes a second or two
MIB = 1024**2
QUOTAS_OCTETS = (250 * MIB, 500 * MIB, 1024 * MIB, 2048 * MIB, None)
KINDS = ("clinic", "atelier", "bakery", "school", "notary", "garage", "press", "garden", "museum", "studio")
FIRST_NAMES = ("Alice", "Bruno", "Chloé", "David", "Emma", "Farid", "Gaëlle", "Hugo", "Inès", "Jonas", "Karin", "Léo")
LAST_NAMES = ("Bernard", "Dubois", "Durand", "Fournier", "Girard", "Keller", "Leroy", "Martin", "Moreau", "Petit")
_ASCII = str.maketrans("éèëï", "eeei")

# Insert %(counts)s messages for each mailbox, in order over the last 90 days. UIDLs are digests of mailbox and number.
_FILL = """
WITH filled AS (
    SELECT * FROM unnest(%(mailboxes)s::bigint[], %(counts)s::int[]) AS filled (id, messages)),
placed AS (
    INSERT INTO mailstore_message (mailbox_id, body_id, uidl, prefix, octets, arrived_at, added, removed_why)
    SELECT filled.id, b.id, md5(filled.id || '.' || n), %(prefix)s, b.octets + length(%(prefix)s),
           %(now)s::timestamptz - interval '90 days' * (1 - n::float8 / (filled.messages + 1)), n, ''
      FROM filled
     CROSS JOIN LATERAL generate_series(1, filled.messages) AS n
      JOIN unnest(%(bodies)s::bigint[]) WITH ORDINALITY AS pick (id, place)
        ON pick.place = 1 + (filled.id * 7 + n * 13) %% cardinality(%(bodies)s::bigint[])
      JOIN mailstore_body b ON b.id = pick.id
 RETURNING mailbox_id, octets)
UPDATE mailstore_mailbox box SET messages = sums.messages, octets = sums.octets, change = sums.messages
  FROM (SELECT mailbox_id, count(*) AS messages, sum(octets) AS octets FROM placed GROUP BY mailbox_id) AS sums
 WHERE box.id = sums.mailbox_id
"""
_STATISTICS = ("mailstore_domain", "mailstore_user", "mailstore_mailbox", "mailstore_device", "mailstore_message")


@dataclass(frozen=True, slots=True)
class Size:
    """The size of the site, for all domains together. The number of messages is approximate, since it is random."""

    domains: int
    mailboxes: int
    messages: int


@dataclass(frozen=True, slots=True)
class SampleSiteResult:
    """What was created."""

    domains: int
    mailboxes: int
    messages: int


def run(
    size: Size, store: BodyStore, *, password: str, actor: Actor, progress: Callable[[str, int, int | None], None]
) -> SampleSiteResult:
    """Create the site. `progress` hears of the mailboxes. Rejected when a domain of a sample site exists already."""
    if Domain.objects.filter(name=_domain_name(0)).exists():
        raise Rejected(_("%(domain)s already exists: a sample site needs an empty site") % {"domain": _domain_name(0)})
    if not Body.objects.exists():
        store.prepare()
    bodies = [_store(store, letter) for letter in _letters()]
    encoded, chance = make_password(password), random.Random(size.mailboxes)  # noqa: S311 - sample data
    messages = done = 0
    for numbers in _batches(size):
        with transaction.atomic():
            mailboxes = _people(numbers, size.mailboxes // size.domains, encoded, chance)
            messages += _fill(mailboxes, bodies, mean=size.messages // size.mailboxes, chance=chance)
        done += len(mailboxes)
        progress("mailboxes", done, size.mailboxes)
    audit.record(actor, "site.seed", _domain_name(0), mailboxes=done, messages=messages)
    _analyse()
    return SampleSiteResult(size.domains, done, messages)


def _batches(size: Size) -> Iterator[range]:
    """Yield the numbers of the domains that one transaction creates."""
    step = max(1, BATCH_MAILBOXES * size.domains // size.mailboxes)
    for first in range(0, size.domains, step):
        yield range(first, min(first + step, size.domains))


def _domain_name(number: int) -> str:
    return f"{KINDS[number % len(KINDS)]}-{number:04d}.example"


def _people(numbers: Sequence[int], each: int, encoded: str, chance: random.Random) -> list[Mailbox]:
    """Insert the domains of these numbers, with `each` users, mailboxes and main devices."""
    domains = Domain.objects.bulk_create(Domain(name=_domain_name(number)) for number in numbers)
    users = User.objects.bulk_create(_user(domain, number, encoded) for domain in domains for number in range(each))
    homes = {domain.name: domain for domain in domains}
    mailboxes = Mailbox.objects.bulk_create(_mailbox(user, homes, chance) for user in users)
    Device.objects.bulk_create(_device(mailbox, chance) for mailbox in mailboxes)
    return mailboxes


def _user(domain: Domain, number: int, encoded: str) -> User:
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    last = LAST_NAMES[number // len(FIRST_NAMES) % len(LAST_NAMES)]
    turn = number // (len(FIRST_NAMES) * len(LAST_NAMES))
    local = f"{first}.{last}{turn or ''}".lower().translate(_ASCII)
    return User(address=f"{local}@{domain.name}", name=f"{first} {last}", password=encoded, is_active=number % 17 != 16)


def _mailbox(user: User, homes: dict[str, Domain], chance: random.Random) -> Mailbox:
    home = homes[user.address.rpartition("@")[2]]
    seen = timezone.now() - timedelta(hours=chance.expovariate(1 / 100)) if chance.random() < 0.9 else None
    return Mailbox(
        user=user, domain=home, quota_octets=chance.choice(QUOTAS_OCTETS), held=chance.random() < 0.002,
        last_sign_in_at=seen,
    )  # fmt: skip


def _device(mailbox: Mailbox, chance: random.Random) -> Device:
    seen = mailbox.last_sign_in_at
    return Device(
        mailbox=mailbox, name=MAIN_DEVICE, main=True, mode=Device.Mode.PRIMARY, last_sign_in_at=seen,
        last_client=f"192.0.2.{chance.randrange(1, 255)}" if seen else None,
    )  # fmt: skip


def _fill(mailboxes: Sequence[Mailbox], bodies: Sequence[int], *, mean: int, chance: random.Random) -> int:
    """Put messages into new mailboxes, most of them into few mailboxes. Return how many."""
    counts = [min(int(chance.expovariate(1 / mean)), 20 * mean) if mean else 0 for _mailbox in mailboxes]
    parameters: dict[str, Any] = {
        "mailboxes": [mailbox.pk for mailbox in mailboxes],
        "counts": counts,
        "bodies": list(bodies),
        "prefix": b"Return-Path: <news@shop.example>\r\n",
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FILL, parameters)
    return sum(counts)


def _letters() -> Iterator[bytes]:
    for number in range(BODIES):
        message = EmailMessage(policy=SMTP)
        message["From"] = "Shop <news@shop.example>"
        message["To"] = "undisclosed-recipients:;"
        message["Subject"] = f"Letter {number + 1} of {BODIES}"
        message["Message-ID"] = f"<letter-{number}@shop.example>"
        message.set_content("A line of a letter that stands for many others.\n" * (40 + 25 * number))
        yield message.as_bytes()


def _store(store: BodyStore, data: bytes) -> int:
    """Create one body, the file before the row. Return the key of the row."""
    draft, normalizer = store.begin(), RawNormalizer()
    draft.write(normalizer.feed(data) + normalizer.finish())
    ref = draft.commit(normalizer.octets)
    row = Body.objects.create(key=ref.key, wire_octets=ref.wire_octets, octets=ref.octets, digest=ref.digest)
    return row.pk


def _analyse() -> None:
    """Update the statistics, so that queries are planned for the site as it is now, not as it was when empty."""
    with connection.cursor() as cursor:
        for table in _STATISTICS:
            cursor.execute(f"ANALYZE {table}")
