"""Counts what rests in recovery already."""

from django.db import migrations

COUNT = """
UPDATE mailstore_mailbox x SET recovery_messages = rested.messages, recovery_octets = rested.octets
  FROM (SELECT mailbox_id, count(*) AS messages, sum(octets) AS octets
          FROM mailstore_message WHERE removed IS NOT NULL GROUP BY mailbox_id) AS rested
 WHERE x.id = rested.mailbox_id
"""


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0011_recovery")]
    operations = [migrations.RunSQL(COUNT, migrations.RunSQL.noop)]
