"""What an import brought has a digest of its content, so that another kind of import does not bring it again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0050_rename_count")]

    operations = [
        migrations.AddField(
            "importedsource",
            "kind",
            models.CharField(
                blank=True,
                choices=[("maildir", "Maildir"), ("mbox", "mbox"), ("pop3", "POP3")],
                db_default="",
                default="",
                max_length=7,
                verbose_name="kind of source",
            ),
        ),
        migrations.AddField(
            "importedsource",
            "content_digest",
            models.BinaryField(max_length=16, null=True, verbose_name="digest of the content"),
        ),
    ]
