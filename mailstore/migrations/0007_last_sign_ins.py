"""Mailboxes learn their last sign-in from their devices."""

from django.db import migrations

TELL = """
UPDATE mailstore_mailbox m SET last_sign_in_at = d.at
  FROM (SELECT mailbox_id, max(last_sign_in_at) AS at FROM mailstore_device GROUP BY mailbox_id) AS d
 WHERE d.mailbox_id = m.id AND d.at IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0006_mailbox_pages")]

    operations = [migrations.RunSQL(TELL, migrations.RunSQL.noop)]
