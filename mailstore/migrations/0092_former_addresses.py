"""A mailbox that is renamed keeps the name under which its old server knows it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0091_keys_of_imported_rows")]

    operations = [
        migrations.AddField("mailboxmove", "former_address", models.TextField(null=True)),
    ]
