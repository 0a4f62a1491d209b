"""Earlier stays against the messages that they are of; finds what cannot have been, and takes it away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from mailstore.models import EarlierStay

# Of two stays that overlap the younger row is believed; the message's own row, its last stay, before any.
_WRONG = """
SELECT e.id, u.address || ' ' || e.uidl,
       CASE WHEN m.id IS NULL THEN 'its message is gone'
            WHEN m.mailbox_id <> e.mailbox_id THEN 'its message is in another mailbox'
            WHEN e.removed > m.added THEN 'it ends after the next one of its message began'
            ELSE 'it overlaps another one of its message' END
  FROM mailstore_earlierstay e
  JOIN mailstore_mailbox box ON box.id = e.mailbox_id
  JOIN mailstore_user u ON u.id = box.user_id
  LEFT JOIN mailstore_message m ON m.id = e.message_id
 WHERE m.id IS NULL OR m.mailbox_id <> e.mailbox_id OR e.removed > m.added
    OR EXISTS (SELECT FROM mailstore_earlierstay e_other
                WHERE e_other.message_id = e.message_id AND e_other.id > e.id
                  AND e_other.added < e.removed AND e.added < e_other.removed)
 ORDER BY e.id
"""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A stay that a session could list beside, or in place of, what was there."""

    key: int
    subject: str
    detail: str

    def mend(self) -> None:
        """Take it away: what it tells was not so, and no message goes with it."""
        EarlierStay.objects.filter(pk=self.key).delete()


def wrong() -> Iterator[Wrong]:
    """Yield what is wrong, all of one moment."""
    with connection.cursor() as cursor:
        cursor.execute(_WRONG)
        yield from (Wrong(*row) for row in cursor.fetchall())
