"""What an import brought has a digest of its content, so that an import from another place does not bring it again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0092_former_addresses")]

    operations = [
        migrations.AddField(
            "importedsource",
            "place_digest",
            models.BinaryField(max_length=8, null=True, verbose_name="digest of the place"),
        ),
        migrations.AddField(
            "importedsource",
            "content_digest",
            models.BinaryField(max_length=16, null=True, verbose_name="digest of the content"),
        ),
    ]
