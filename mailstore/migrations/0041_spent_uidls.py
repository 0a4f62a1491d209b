"""What is kept of UIDLs whose messages are gone, so that no import gives one to another message."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0040_store_tie"),
    ]

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
        migrations.AddConstraint(
            model_name="importedsource",
            constraint=models.UniqueConstraint(
                condition=models.Q(("uidl_digest__isnull", False)),
                fields=("mailbox", "uidl_digest"),
                name="imported_uidl_once",
            ),
        ),
    ]
