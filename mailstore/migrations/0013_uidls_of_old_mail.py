"""0.2.0: UIDLs of mail that was here before. Those from elsewhere get their digest, those made here count as spent.

Purged mail left nothing behind. So every UIDL that was made in a mailbox until now may have been shown in it.
"""

import time
from typing import Any

from django.db import migrations

from mailstore.policy import sortable_ids

# As mailstore.transfer.spent_uidls.digest makes it. No import has such a source: it only makes the row unique.
DIGESTS = """
INSERT INTO mailstore_importedsource (mailbox_id, source, uidl_digest)
SELECT known.mailbox_id, substring(sha256(convert_to('uidl ' || known.uidl, 'UTF8')) FOR 16),
       substring(sha256(convert_to(known.uidl, 'UTF8')) FOR 8)
  FROM (SELECT mailbox_id, uidl FROM mailstore_message
         WHERE uidl COLLATE "C" !~ '^[0-7][0-9a-hjkmnp-tv-z]{25}$' OR aged_from IS NOT NULL
         UNION
        SELECT mailbox_id, uidl FROM mailstore_earlierstay
         WHERE uidl COLLATE "C" !~ '^[0-7][0-9a-hjkmnp-tv-z]{25}$') AS known
  JOIN mailstore_mailbox box ON box.id = known.mailbox_id
    ON CONFLICT DO NOTHING
"""


def spend(apps: Any, _schema_editor: Any) -> None:
    now = sortable_ids.new_id(time.time_ns() // 1_000_000, b"\xff" * sortable_ids.RANDOM_OCTETS)
    apps.get_model("mailstore", "Mailbox").objects.filter(spent_uidl="").update(spent_uidl=now)


class Migration(migrations.Migration):
    replaces = [("mailstore", "0042_spent_uidls_of_old_mail")]
    dependencies = [("mailstore", "0012_spent_uidls")]

    operations = [
        migrations.RunSQL(DIGESTS, migrations.RunSQL.noop),
        migrations.RunPython(spend, migrations.RunPython.noop),
    ]
