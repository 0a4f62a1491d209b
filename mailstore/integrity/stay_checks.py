"""Earlier stays against the messages that they are of; finds what cannot have been, and takes it away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from mailstore.models import EarlierStay

# Of two stays that overlap the younger row is believed; the message's own row, its last stay, before any.
_WRONG = """
SELECT s.id, u.address || ' ' || s.uidl,
       CASE WHEN m.id IS NULL THEN 'its message is gone'
            WHEN m.mailbox_id <> s.mailbox_id THEN 'its message is in another mailbox'
            WHEN s.removed > m.added THEN 'it ends after the next one of its message began'
            ELSE 'it overlaps another one of its message' END
  FROM mailstore_earlierstay s
  JOIN mailstore_mailbox x ON x.id = s.mailbox_id
  JOIN mailstore_user u ON u.id = x.user_id
  LEFT JOIN mailstore_message m ON m.id = s.message_id
 WHERE m.id IS NULL OR m.mailbox_id <> s.mailbox_id OR s.removed > m.added
    OR EXISTS (SELECT FROM mailstore_earlierstay o
                WHERE o.message_id = s.message_id AND o.id > s.id AND o.added < s.removed AND s.added < o.removed)
 ORDER BY s.id
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
