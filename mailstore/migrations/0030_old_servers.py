"""A domain may name the old server from which its marked mailboxes move."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0024_malformed_sign_ins")]

    operations = [
        migrations.AddField("domain", "old_server", models.TextField(blank=True, null=True, verbose_name="old server")),
        migrations.AddField(
            "domain",
            "old_server_until",
            models.DateTimeField(blank=True, null=True, verbose_name="last day of the old server"),
        ),
        migrations.AddField(
            "domain",
            "old_server_local",
            models.BooleanField(db_default=False, default=False, verbose_name="short user names on the old server"),
        ),
    ]
