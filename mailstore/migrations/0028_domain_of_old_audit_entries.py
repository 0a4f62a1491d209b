"""The domain of entries from before, where they tell it: by their mailbox, else by a name that the domain had then."""

from django.db import migrations

BY_MAILBOX = """
UPDATE mailstore_auditentry entry SET domain_id = mailbox.domain_id
FROM mailstore_mailbox mailbox
WHERE entry.domain_id IS NULL AND mailbox.id = entry.mailbox_id
  AND entry.verb NOT LIKE 'grant.%' AND entry.verb <> 'admin.remove'
"""
# A domain that was made later has only the name of the one that was meant. What is said of accounts may be of somebody
# without a mailbox, of any domain.
BY_NAME = """
UPDATE mailstore_auditentry entry SET domain_id = domain.id
FROM mailstore_domain domain
WHERE entry.domain_id IS NULL AND domain.created_at <= entry.at AND domain.name = CASE
    WHEN entry.verb LIKE 'grant.%' THEN entry.details ->> 'domain'
    WHEN entry.verb LIKE 'domain.%' THEN entry.subject
    WHEN entry.verb ~ '^(alias|mailbox|device|recovery)[.]' THEN split_part(entry.subject, '@', 2)
END
"""


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0027_domain_of_audit_entries"),
    ]

    operations = [
        migrations.RunSQL(BY_MAILBOX, migrations.RunSQL.noop),
        migrations.RunSQL(BY_NAME, migrations.RunSQL.noop),
    ]
