"""The sweep: one pass that destroys what has rested long enough. It removes nothing from a live maildrop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from mailstore.ports import BodyStore
from mailstore.store import purge
from mailstore.store.outcomes import Rejected

BATCH_ROWS = 500  # a batch holds its mailbox's lock, and deliveries to it wait meanwhile: some 10 ms
DRAFT_SECONDS = 24 * 3600  # no delivery takes so long
RECOVERY_DAYS = 30  # where no policy says otherwise

# Rows rest a day even where the policy says 0: a session that opened before may still fetch them.
_DUE = f"""
  FROM mailstore_message m
  JOIN mailstore_mailbox x ON x.id = m.mailbox_id
  JOIN mailstore_domain o ON o.id = x.domain_id
  LEFT JOIN mailstore_retentionpolicy p
         ON p.id = coalesce(x.policy_id, o.policy_id, (SELECT id FROM mailstore_retentionpolicy WHERE site))
 WHERE m.removed IS NOT NULL AND NOT x.held
   AND m.removed_at < now() - make_interval(days => greatest(1, coalesce(p.recovery_days, {RECOVERY_DAYS})))
"""
_DUE_MAILBOXES = f"SELECT DISTINCT m.mailbox_id {_DUE} ORDER BY m.mailbox_id"
_DUE_COUNT = f"SELECT count(*) {_DUE}"
_DUE_MESSAGES = f"SELECT m.id {_DUE} AND m.mailbox_id = %(mailbox)s ORDER BY m.removed LIMIT {BATCH_ROWS}"
_LOCK_MAILBOX = "SELECT FROM mailstore_mailbox WHERE id = %(mailbox)s FOR NO KEY UPDATE"

# A body that several recipients share is born unreferenced; the pass a day later sees who took it.
_DUE_BODIES = f"""
SELECT id FROM mailstore_body WHERE unreferenced_at < now() - interval '1 day' AND id > %(after)s
ORDER BY id LIMIT {BATCH_ROWS} FOR UPDATE SKIP LOCKED
"""
_REFERENCED = "EXISTS (SELECT FROM mailstore_message WHERE body_id = mailstore_body.id)"
_KEEP_BODIES = f"UPDATE mailstore_body SET unreferenced_at = NULL WHERE id = ANY(%(bodies)s) AND {_REFERENCED}"
_DESTROY_BODIES = f"""
DELETE FROM mailstore_body WHERE id = ANY(%(bodies)s) AND NOT {_REFERENCED} RETURNING key, wire_octets
"""
_DUE_BODIES_COUNT = f"""
SELECT count(*), coalesce(sum(wire_octets), 0)::bigint FROM mailstore_body
WHERE unreferenced_at < now() - interval '1 day' AND NOT {_REFERENCED}
"""
_LEASE = "hashtext('mailstore_sweep')"


@dataclass(frozen=True, slots=True)
class Swept:
    """What one pass destroyed, or would have destroyed."""

    messages: int
    bodies: int
    body_octets: int
    drafts: int
    sessions: int


def preview(store: BodyStore) -> Swept:
    """Count what a pass would destroy now. Bodies follow their rows a day later, so they are counted apart."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_COUNT)
        (messages,) = cursor.fetchone()
        cursor.execute(_DUE_BODIES_COUNT)
        bodies, octets = cursor.fetchone()
    drafts = sum(1 for _draft in store.litter(DRAFT_SECONDS))
    return Swept(messages, bodies, octets, drafts, _ended_sessions().count())


def run(store: BodyStore, *, stop: Callable[[], bool] = lambda: False) -> Swept:
    """Make one pass; ends early, between two batches, once `stop` says so.

    Rejected while another pass runs anywhere on this database; Unavailable when the body store is away.
    """
    with _lease():
        drafts = _drafts(store, stop)
        messages = sum(_purge(stop))
        bodies = list(_bodies(store, stop))
        sessions, _kinds = (0, {}) if stop() else _ended_sessions().delete()
    return Swept(messages, len(bodies), sum(bodies), drafts, sessions)


@contextmanager
def _lease() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({_LEASE})")
        (had,) = cursor.fetchone()
    if not had:
        raise Rejected(_("another sweep is running"))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock({_LEASE})")


def _drafts(store: BodyStore, stop: Callable[[], bool]) -> int:
    """Destroy what deliveries that died have left. First, since it fails at once when the store is away."""
    count = 0
    for name in store.litter(DRAFT_SECONDS):
        if stop():
            break
        store.remove(name)
        count += 1
    return count


def _purge(stop: Callable[[], bool]) -> Iterator[int]:
    """Yield how many rows each batch destroyed."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_MAILBOXES)
        mailboxes = [key for (key,) in cursor.fetchall()]
    for mailbox in mailboxes:
        count = BATCH_ROWS
        while count == BATCH_ROWS and not stop():
            count = _purge_batch(mailbox)
            yield count


@transaction.atomic
def _purge_batch(mailbox: int) -> int:
    """Destroy some of a mailbox's rows. Its lock first: a hold or a restore that came before is then seen."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_MAILBOX, {"mailbox": mailbox})
        cursor.execute(_DUE_MESSAGES, {"mailbox": mailbox})
        due = [key for (key,) in cursor.fetchall()]
    return purge.messages(due) if due else 0


def _bodies(store: BodyStore, stop: Callable[[], bool]) -> Iterator[int]:
    """Destroy bodies that nobody has had for a day: rows, then files. Yields the octets of each."""
    after: int | None = 0
    while after is not None and not stop():
        after, gone = _body_batch(after)
        for key, octets in gone:
            store.remove(key)
            yield octets


@transaction.atomic
def _body_batch(after: int) -> tuple[int | None, list[tuple[str, int]]]:
    """Destroy the rows of a batch of bodies; returns the last id seen (None: no more), and the keys with octets."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_BODIES, {"after": after})
        due = [key for (key,) in cursor.fetchall()]
        if not due:
            return None, []
        cursor.execute(_KEEP_BODIES, {"bodies": due})
        cursor.execute(_DESTROY_BODIES, {"bodies": due})
        return due[-1], cursor.fetchall()


def _ended_sessions() -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=timezone.now())
