"""0.2.0: the entries of the audit name a mailbox import as the code does."""

from django.db import migrations


def rename_verb(old: str, new: str) -> migrations.RunSQL:
    update = "UPDATE mailstore_auditentry SET verb = '{new}' WHERE verb = '{old}'"
    return migrations.RunSQL(update.format(old=old, new=new), update.format(old=new, new=old))


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0016_names")]

    operations = [
        rename_verb("roster.done", "mailbox_import.done"),
        rename_verb("roster.passwords", "mailbox_import.passwords"),
    ]
