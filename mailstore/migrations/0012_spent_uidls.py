"""0.2.0: what is kept of UIDLs whose messages are gone, so that no import gives one to another message."""

from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("mailstore", "0041_spent_uidls")]
    dependencies = [("mailstore", "0011_body_checks")]

    operations = [
        migrations.AddField(
            model_name="importedsource",
            name="uidl_digest",
            field=models.BinaryField(max_length=8, null=True, verbose_name="digest of the UIDL"),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="spent_uidl",
            field=models.CharField(blank=True, default="", editable=False, max_length=26),
        ),
        # Two imports at once give a UIDL once. Its index: the import, which asks for the UIDLs of its next messages.
        migrations.AddConstraint(
            model_name="importedsource",
            constraint=models.UniqueConstraint(
                fields=["mailbox", "uidl_digest"],
                condition=models.Q(uidl_digest__isnull=False),
                name="imported_uidl_once",
            ),
        ),
    ]
