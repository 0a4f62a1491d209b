"""The rows that are imported already get the keys of what they wrote: of mailboxes by the audit, else by the name."""

from django.db import migrations

FILL = """
UPDATE mailstore_mailboximportrow AS row SET row_id = CASE row.kind
    WHEN 3 THEN (SELECT entry.mailbox_id FROM mailstore_auditentry entry
                  WHERE entry.subject = row.address AND entry.mailbox_id IS NOT NULL
                    AND entry.details -> 'import' = to_jsonb(row.mailbox_import_id) ORDER BY entry.id LIMIT 1)
    WHEN 4 THEN (SELECT alias.id FROM mailstore_alias alias WHERE alias.address = row.address)
    ELSE (SELECT domain.id FROM mailstore_domain domain WHERE domain.name = row.address) END
 WHERE row.done AND row.fate IN ('create', 'change')
"""


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0090_import_row_keys")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
