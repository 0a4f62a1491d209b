"""Names of choices and fields in plain words. Nothing in the database changes."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0020_search_without_accents"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="finding",
            options={"verbose_name": "problem", "verbose_name_plural": "problems"},
        ),
        migrations.AlterField(
            model_name="earlierstay",
            name="removed_why",
            field=models.CharField(
                choices=[
                    ("dele", "deleted by a device"),
                    ("every", "every device has it"),
                    ("settled", "mail no longer waits for a device, and all others have deleted it"),
                    ("expired", "expired by retention policy"),
                    ("had", "expired: every device has had it for long enough"),
                    ("relief", "quota relief"),
                    ("person", "removed by the owner"),
                ],
                max_length=7,
                verbose_name="why",
            ),
        ),
        migrations.AlterField(
            model_name="finding",
            name="kind",
            field=models.CharField(
                choices=[
                    ("again", "fetches the same mail again and again"),
                    ("shared", "two machines use one password"),
                    ("hasty", "checks for mail every few seconds"),
                    ("keeps", "never deletes, and the mailbox fills"),
                    ("unended", "never ends its sessions"),
                    ("previous", "the previous password is still in use"),
                ],
                max_length=8,
                verbose_name="problem",
            ),
        ),
        migrations.AlterField(
            model_name="mailboximport",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="uploaded"),
        ),
        migrations.AlterField(
            model_name="mailboximport",
            name="meaning",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(blank=True, max_length=20),
                default=list,
                size=None,
                verbose_name="what they contain",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="removed_why",
            field=models.CharField(
                blank=True,
                choices=[
                    ("dele", "deleted by a device"),
                    ("every", "every device has it"),
                    ("settled", "mail no longer waits for a device, and all others have deleted it"),
                    ("expired", "expired by retention policy"),
                    ("had", "expired: every device has had it for long enough"),
                    ("relief", "quota relief"),
                    ("person", "removed by the owner"),
                ],
                default="",
                max_length=7,
                verbose_name="why",
            ),
        ),
        migrations.AlterField(
            model_name="retentionpolicy",
            name="site",
            field=models.BooleanField(default=False, verbose_name="site policy"),
        ),
    ]
